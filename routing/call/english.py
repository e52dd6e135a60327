"""Reasons in English. Pure. Another language is a module with such a table and its own formats for dates and lists.

In a sentence {0} is the first value of the reason; a format may follow a colon: `and` and `;` join reasons that otherwise are
joined by commas, `or nothing` stands for an empty text, `date`, `moment` and `clock` format times in ISO 8601.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from routing.call.call_server import MAX_ANSWER_BYTES, Failure
from routing.call.reasons import Reason, Reasons, Why
from routing.hours.dates import shown, shown_moment

SENTENCES: Mapping[Why, str] = {
    Why.ON_TO: "on to {0}",
    Why.PLAYS: "plays {0}",
    Why.HANGS_UP: "hangs up",
    Why.CALLER_TOLD: "announcement played",
    Why.CONVERSATION_OVER: "the conversation is over",
    Why.BUSY: "busy",
    Why.NO_ANSWER: "no answer",
    Why.DECLINED: "declined",
    Why.CALLER_GIVES_UP: "the caller gives up",
    Why.CALLER_GAVE_UP: "the caller gave up",
    Why.DIAL_ENDED: "{0}",
    Why.RINGS: "rings {0}",
    Why.WHO: "{0}",
    Why.WHO_AND: "{0} and {1}",
    Why.AFTER: "{0} after {1} s",
    Why.CALLS: "calls {0}",
    Why.CALLERS_OWN: "{0} is the caller's own",
    Why.IN_ALL: "{0} in all",
    Why.ASKS_AGAIN: "asks again",
    Why.ASKS_FOR_KEY: "asks for a key",
    Why.ASKS_FOR_DIGITS: "asks for digits",
    Why.ASKS_FOR_NUMBER: "asks for a number",
    Why.ASKS_FOR_PIN: "asks for the PIN",
    Why.KEY: "key {0}",
    Why.NO_KEY: "no key",
    Why.NO_KEY_TIMES: "no key {0} times",
    Why.WRONG_KEY: "wrong key {0}",
    Why.NO_NUMBER_KEYED: "no number",
    Why.NUMBER_KEYED: "dials {0}",
    Why.UNKNOWN_NUMBER: "{0:or nothing} is no number here",
    Why.NO_PIN: "no PIN",
    Why.WRONG_PIN: "a wrong PIN",
    Why.TOO_MANY_PINS: "too many recent wrong PINs",
    Why.NO_CALL: "an event without a call",
    Why.NODE_GONE: "no such element any more",
    Why.CANNOT_GO_ON: "cannot go on: {0}",
    Why.TOO_MANY_NODES: "stopped after {0} elements",
    Why.NO_SERVICE: "the decision service did not answer",
    Why.DIALS: "{0} dials {1}",
    Why.TRANSFERS_TO: "{0} transfers to {1}",
    Why.TRANSFERS_NOWHERE: "{0} transfers to {1:or nothing}, which {2}",
    Why.COMES_BACK: "the call comes back and rings",
    Why.TO_DID: "to {0}",
    Why.ON_BLACKLIST: "{0} is on the blacklist",
    Why.CODE_TAKES_NOTHING: "{0} takes no {1!r}",
    Why.CANNOT_BE_CHANGED: "{0}: cannot be changed now",
    Why.ASKS_WHAT_IS_SET: "{0} asks what is set",
    Why.NOT_TO_BE_DISTURBED: "{0} is not to be disturbed",
    Why.MAY_BE_DISTURBED: "{0} may be disturbed",
    Why.NOT_WOKEN_UP: "{0} is not woken up",
    Why.WOKEN_UP_AT: "{0} is woken up at {1}",
    Why.NO_TIME: "{0:or nothing} is no time",
    Why.IS_AWAKE: "{0} is awake",
    Why.IS_AWAKE_NOT_NOTED: "{0} is awake, which cannot be noted now: it rings again",
    Why.LOGS_IN: "{0} logs in everywhere",
    Why.LOGS_IN_TO: "{0} logs in in {1}",
    Why.LOGS_OUT: "{0} logs out everywhere",
    Why.LOGS_OUT_OF: "{0} logs out in {1}",
    Why.PAUSES: "{0} pauses everywhere",
    Why.PAUSES_IN: "{0} pauses in {1}",
    Why.RESUMES: "{0} goes on everywhere",
    Why.RESUMES_IN: "{0} goes on in {1}",
    Why.FLIPS_PAUSE: "{0} begins or ends a pause",
    Why.IN_NO_GROUP: "{0} is in no group or queue {1}",
    Why.FORWARDS_TO: "{0} forwards to {1} ({2})",
    Why.FORWARDS_NOTHING: "{0} forwards nothing ({1})",
    Why.CANNOT_FORWARD: "{0} cannot forward to {1:or nothing}: {2}",
    Why.MOVES_SWITCH: "{0} moves {1} to {2}",
    Why.NO_POSITION: "{0} has no position {1!r}",
    Why.SWITCH_STUCK: "{0} cannot be moved now",
    Why.CALLS_LAST_CALLER: "{0} calls the last caller",
    Why.NO_LAST_CALLER: "no number is known that called {0} last",
    Why.LAST_CALLER_NOT_KNOWN: "the last caller cannot be asked for now",
    Why.TAKES_OWN_CALL: "{0} takes over its own call",
    Why.PARKS: "{0} parks itself",
    Why.NO_LOT: "no parking lot has an extension",
    Why.HEARS_ITSELF: "{0} hears itself",
    Why.CHECKS_MAILBOX: "{0} listens to its mailbox",
    Why.HAS_NO_MAILBOX: "{0} has no mailbox",
    Why.IN_NO_PICKUP_GROUP: "{0} is in no pickup group",
    Why.PICKS_UP_IN: "{0} picks up in {1}",
    Why.NO_PICKUP_GROUP_WITH: "{0} is in no pickup group with {1:or nobody}",
    Why.PICKS_UP_FOR: "{0} picks up for {1}",
    Why.NOT_PERMITTED: "{0} is not among {1}'s permissions",
    Why.CLOSED: "calls outside are closed: {0:and}",
    Why.NEW_COUNTRY: "nobody has called {0} before",
    Why.NO_DIALLING_PLAN: "it is no number of any dialling plan",
    Why.NOT_CALLED: "{0} is not called: {1}",
    Why.SCREENED: "{0:;}",
    Why.LINES_TAKEN: "all {0} lines are taken",
    Why.STOPPED: "outgoing calls of {0:or the tenant} are stopped",
    Why.USER_CALLS: "{0} has {1} calls outside, the most at a time",
    Why.TENANT_CALLS: "{0} calls outside, the most at a time",
    Why.USER_MINUTES: "{0} has called outside for {1} minutes today and is stopped",
    Why.TENANT_MINUTES: "calls outside took {0} minutes today and are stopped",
    Why.NO_TRUNK: "no trunk leads outside",
    Why.RIGHT_PIN: "the right PIN",
    Why.COUNTRY_CONFIRMED: "{0} is confirmed",
    Why.COUNTRY_NOT_CONFIRMED: "{0} is not confirmed",
    Why.NOT_NOTED: "which cannot be noted now",
    Why.CALLS_BY: "calls {0} ({1}) by {2}",
    Why.SHOWN_AS: "shown as {0}",
    Why.SHOWN_HIDDEN: "its number hidden",
    Why.NO_HELP_BY: "nobody helps by {0}",
    Why.NOT_IN_USE: "{0} is not in use",
    Why.CANNOT_BE_REACHED: "{0} cannot be reached",
    Why.TRUNK_FAILS: "trunk {0} fails",
    Why.NO_OTHER_TRUNK: "no other is left",
    Why.NOT_REGISTERED: "not registered",
    Why.REFUSED: "refused the call",
    Why.NO_MAILBOX: "no mailbox",
    Why.FORWARDS: "forwards {0} to {1}",
    Why.ALL_CALLS: "all calls",
    Why.WHEN_BUSY: "when busy",
    Why.WHEN_NO_ANSWER: "when nobody answers",
    Why.WHEN_UNAVAILABLE: "when unavailable",
    Why.THIS_CALL: "this call ({0}: {1:and})",
    Why.USER_DOES: "{0} {1}",
    Why.FOLLOWED: "{0} ({1})",
    Why.NOT_FOLLOWED: "{0}, which a group does not follow",
    Why.FOLLOWED_IN_VAIN: "{0}; {1}",
    Why.HAS_PASSED_ON: "{0} has passed this call on already",
    Why.LOGGED_OUT: "{0} is logged out",
    Why.PAUSED: "{0} is paused",
    Why.IS_CALLER: "{0} is the caller",
    Why.NO_SECOND_CALL: "{0} is in a call and takes no second one",
    Why.NOTHING_RINGS: "{0} has nothing that rings for this kind of call",
    Why.TOO_LATE: "{0} would ring too late",
    Why.MORE: "{0} more",
    Why.TIME_OVER: "{0} s are over",
    Why.ROUND: "round {0}",
    Why.NOBODY_LEFT: "nobody is left",
    Why.EVERYBODY_BUSY: "everybody is busy",
    Why.NOBODY_AVAILABLE: "nobody is available",
    Why.NO_AGENT: "no agent is there",
    Why.NO_AGENT_LEFT: "no agent is there any more",
    Why.WAITS_FOR: "waits for {0:or an agent}",
    Why.OFFERS_CALL_BACK: "offers to call back",
    Why.CANNOT_BE_CALLED_BACK: "{0:or a hidden number} cannot be called back",
    Why.NO_CALL_BACK: "no call back",
    Why.CALLS_BACK: "calls {0} back from place {1}",
    Why.WAITS_TO_CALL_BACK: "waits for an agent to call back",
    Why.NOT_CALLED_BACK: "is not called back, external calls are stopped",
    Why.LEADS_NOWHERE: "which leads nowhere any more",
    Why.WAITED: "waited {0} s",
    Why.WAITED_LONG: "waited long enough",
    Why.LINE_FULL: "the line is full",
    Why.ASKS_FOR_NAME: "asks for a name",
    Why.ASKS_FOR_SPOKEN_NAME: "asks for a name, said or keyed",
    Why.NO_LETTERS: "no letters",
    Why.NOBODY_NAMED: "nobody's name begins with {0}",
    Why.MEANS_NAME: "{0} is {1}",
    Why.NAMES_BEGIN: "{0} names begin with {1}",
    Why.MORE_NAMES: "asks for more names",
    Why.KEY_MEANS_NAME: "key {0} is {1}",
    Why.UNDERSTANDS: "understands {0}",
    Why.UNDERSTANDS_NONE: "understands no name",
    Why.OPEN: "open: {0}",
    Why.NOT_OPEN: "closed: {0:clock}",
    Why.NOT_TODAY: "not played on {0:date}",
    Why.PLAYED: "played",
    Why.RULE_HOLDS: "{0}: {1:and}",
    Why.RULE: "rule {0}",
    Why.NO_RULE: "no rule holds on {0:moment}",
    Why.IN_WINDOW: "{0:clock} is in {1}",
    Why.IN_DATES: "{0:date} is in {1}",
    Why.HOLIDAY: "{0:date} is {1} (public holiday in {2})",
    Why.IN_CALENDAR: "{0:date} is {1} (calendar {2})",
    Why.IN_CALENDAR_AT: "{0:date and time} is {1} (calendar {2})",
    Why.CALLER_IN_RULE: "caller {0} is one of the rule's numbers",
    Why.CALLER_IN_LIST: "caller {0} is in list {1}",
    Why.CALLER_INTERNAL: "caller {0} is internal",
    Why.CALLER_HIDDEN: "the caller's number is hidden",
    Why.CALLER_FOREIGN: "caller {0} is not from {1}",
    Why.WAS_DIALLED: "{0} was dialled",
    Why.SWITCH_IS: "switch {0} is {1}",
    Why.USER_IS: "{0} is {1:spaced}",
    Why.GROUP_IS: "group {0}: {1:spaced}",
    Why.QUEUE_IS: "queue {0}: {1:spaced}",
    Why.SHARE: "one of {0} % of the calls",
    Why.SETS: "sets {0}",
    Why.SET_NAME: "name {0!r}",
    Why.SET_LANGUAGE: "language {0!r}",
    Why.SET_MUSIC: "music {0!r}",
    Why.MOVED_FROM_OWN_PHONES: "can be moved from the tenant's own phones only",
    Why.CANNOT_BE_MOVED: "cannot be moved now",
    Why.MOVES_IT: "{0} moves it to {1}",
    Why.LETS_IN: "lets in",
    Why.LETS_IN_MODERATOR: "lets in as moderator",
    Why.ROOM_CLOSED: "the room is full or locked",
    Why.CONFERENCE_OVER: "the conference is over",
    Why.NOT_ITS_USER: "the caller is none of its users",
    Why.NOT_ITS_USER_NOW: "the caller is none of its users any more",
    Why.CALLS_FROM_MOBILE: "{0} calls from the mobile",
    Why.PIN_IS_RIGHT: "the PIN is right",
    Why.IS_PARKED: "is parked",
    Why.IS_PARKED_IN: "is parked in {0}",
    Why.NOBODY_FETCHES: "nobody fetches it",
    Why.NO_SLOT: "no slot is free",
    Why.BACK_TO: "back to {0}",
    Why.DOES_NOT_TAKE: "{0} does not take it",
    Why.TAKES_PARKED: "takes what is parked",
    Why.FOR_OWN_PHONES: "is for the tenant's own phones",
    Why.RECORDS: "records a message for {0}",
    Why.MAILBOX_FAILED: "the mailbox failed",
    Why.MAILBOX_DONE: "the mailbox is done",
    Why.SHOWS: "{0}={1}",
    Why.READS: "reads '{0}'",
    Why.CANNOT_READ: "could not read '{0}'",
    Why.CANNOT_BE_FOLLOWED: "its answer cannot be used: go_to: {0}",
    Why.SERVER_FAILED: "{0:failure}",
    Why.SERVER_FAILED_WITH: "{0:failure}: {1}",
    Why.INTERNAL_ERROR: "internal error",
    Why.WAKES_UP: "wakes {0} up",
    Why.REFUSES_UNENCRYPTED: "refuses {0}, which is set up for TLS and calls without",
    Why.WORDS: "{0}",
}

FAILURES: Mapping[Failure, str] = {
    Failure.REFUSED_ADDRESS: "its address is in a network that is not allowed",
    Failure.UNKNOWN_HOST: "nobody knows its host",
    Failure.NO_CONNECTION: "no connection",
    Failure.TLS: "it cannot be trusted",
    Failure.NO_ANSWER: "no answer in time",
    Failure.CLOSED: "it closed without an answer",
    Failure.STATUS: "it refused",
    Failure.TOO_LARGE: f"its answer is larger than {MAX_ANSWER_BYTES} bytes",
    Failure.WRONG_ANSWER: "its answer cannot be used",
    Failure.SUSPENDED: "it failed too often and is not asked for a while",
}


@dataclass(frozen=True, slots=True)
class _Value:
    """A reason's value, formatted for its sentence."""

    value: str | Reasons

    def __format__(self, form: str) -> str:
        if not isinstance(self.value, str):
            return {"and": " and ", ";": "; "}.get(form, ", ").join(map(_sentence, self.value))
        match form:
            case "date":
                return shown(date.fromisoformat(self.value))
            case "moment":
                return shown_moment(datetime.fromisoformat(self.value))
            case "date and time":
                moment = datetime.fromisoformat(self.value)
                return f"{shown(moment)} {moment:%H:%M}"
            case "clock":
                return f"{datetime.fromisoformat(self.value):%a %H:%M}"
            case "spaced":
                return self.value.replace("_", " ")
            case "failure":
                return FAILURES[Failure(self.value)]
            case _:
                return self.value or form.removeprefix("or ")

    def __repr__(self) -> str:
        return repr(self.value)


def in_english(reasons: Reasons) -> str:
    return ", ".join(map(_sentence, reasons))


def _sentence(reason: Reason) -> str:
    """The reason's sentence. A reason with other values than this version gives it is shown as it is."""
    try:
        return SENTENCES[reason.why].format(*map(_Value, reason.values))
    except (IndexError, ValueError):
        return " ".join([reason.why, *(each if isinstance(each, str) else in_english(each) for each in reason.values)])
