"""Reasons: the explanation of a decision, as values. Pure. routing/call/english.py renders them as text.

A path keeps the reasons for each of its nodes, one after the other: `Why.WRONG_KEY("9") + Why.IN_ALL(2) + Why.ON_TO("sales")`.
A value of a reason is a text such as a name or a number, or further reasons. No code parses the words.

As text, for the dialplan and the database, '.wrong_key-9~.on_to-sales~' is WRONG_KEY("9"), then ON_TO("sales"): a reason begins
with '.', ends with '~', and each value follows a '-', percent-encoded, or as reasons. None of it can be read as dialplan.
"""

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote


class Why(StrEnum):
    """The kinds of reasons; each comment lists the values, in their order."""

    # Everywhere
    ON_TO = "on_to"                            # node
    PLAYS = "plays"                            # prompts
    HANGS_UP = "hangs_up"
    CALLER_TOLD = "caller_told"
    CONVERSATION_OVER = "conversation_over"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    DECLINED = "declined"
    CALLER_GIVES_UP = "caller_gives_up"
    CALLER_GAVE_UP = "caller_gave_up"
    DIAL_ENDED = "dial_ended"                  # status
    RINGS = "rings"                            # phones, numbers or members, each a WHO or AFTER
    WHO = "who"                                # phone, number or user
    WHO_AND = "who_and"                        # user, number
    AFTER = "after"                            # a WHO, seconds
    CALLS = "calls"                            # number
    CALLERS_OWN = "callers_own"                # number
    IN_ALL = "in_all"                          # count
    ASKS_AGAIN = "asks_again"
    ASKS_FOR_KEY = "asks_for_key"
    ASKS_FOR_DIGITS = "asks_for_digits"
    ASKS_FOR_NUMBER = "asks_for_number"
    ASKS_FOR_PIN = "asks_for_pin"
    KEY = "key"                                # key
    NO_KEY = "no_key"
    NO_KEY_TIMES = "no_key_times"              # count
    WRONG_KEY = "wrong_key"                    # key
    NO_NUMBER_KEYED = "no_number_keyed"
    NUMBER_KEYED = "number_keyed"              # internal number
    UNKNOWN_NUMBER = "unknown_number"          # number
    NO_PIN = "no_pin"
    WRONG_PIN = "wrong_pin"
    TOO_MANY_PINS = "too_many_pins"
    # The walk
    NO_CALL = "no_call"
    NODE_GONE = "node_gone"
    CANNOT_GO_ON = "cannot_go_on"              # problem
    TOO_MANY_NODES = "too_many_nodes"          # count
    NO_SERVICE = "no_service"
    # The entry
    DIALS = "dials"                            # extension, number
    TRANSFERS_TO = "transfers_to"              # extension, number
    TRANSFERS_NOWHERE = "transfers_nowhere"    # extension, number, problem
    COMES_BACK = "comes_back"
    TO_DID = "to_did"                          # DID
    ON_BLACKLIST = "on_blacklist"              # caller
    # Codes
    CODE_TAKES_NOTHING = "code_takes_nothing"  # code, keys after it
    CANNOT_BE_CHANGED = "cannot_be_changed"    # what was to be changed
    ASKS_WHAT_IS_SET = "asks_what_is_set"      # extension, also in all that follow
    NOT_TO_BE_DISTURBED = "not_to_be_disturbed"
    MAY_BE_DISTURBED = "may_be_disturbed"
    NOT_WOKEN_UP = "not_woken_up"
    WOKEN_UP_AT = "woken_up_at"                # extension, time
    NO_TIME = "no_time"                        # what was keyed
    IS_AWAKE = "is_awake"
    IS_AWAKE_NOT_NOTED = "is_awake_not_noted"
    LOGS_IN = "logs_in"
    LOGS_IN_TO = "logs_in_to"                  # extension, group
    LOGS_OUT = "logs_out"
    LOGS_OUT_OF = "logs_out_of"                # extension, group
    PAUSES = "pauses"
    PAUSES_IN = "pauses_in"                    # extension, group
    RESUMES = "resumes"
    RESUMES_IN = "resumes_in"                  # extension, group
    FLIPS_PAUSE = "flips_pause"
    IN_NO_GROUP = "in_no_group"                # extension, number
    FORWARDS_TO = "forwards_to"                # extension, number, kind
    FORWARDS_NOTHING = "forwards_nothing"      # extension, kind
    CANNOT_FORWARD = "cannot_forward"          # extension, number, problem
    MOVES_SWITCH = "moves_switch"              # extension, switch, position
    NO_POSITION = "no_position"                # switch, what was keyed
    SWITCH_STUCK = "switch_stuck"              # switch
    CALLS_LAST_CALLER = "calls_last_caller"
    NO_LAST_CALLER = "no_last_caller"
    LAST_CALLER_NOT_KNOWN = "last_caller_not_known"
    TAKES_OWN_CALL = "takes_own_call"
    PARKS = "parks"
    NO_LOT = "no_lot"
    HEARS_ITSELF = "hears_itself"
    CHECKS_MAILBOX = "checks_mailbox"
    HAS_NO_MAILBOX = "has_no_mailbox"
    IN_NO_PICKUP_GROUP = "in_no_pickup_group"
    PICKS_UP_IN = "picks_up_in"                # extension, groups
    NO_PICKUP_GROUP_WITH = "no_pickup_group_with"      # extension, other extension
    PICKS_UP_FOR = "picks_up_for"              # extension, other extension
    # The outbound policy
    NOT_PERMITTED = "not_permitted"            # class of calls, extension
    CLOSED = "closed"                          # rule's reasons
    NEW_COUNTRY = "new_country"                # country
    NO_DIALLING_PLAN = "no_dialling_plan"
    NOT_CALLED = "not_called"                  # number, reasons
    SCREENED = "screened"                      # a NOT_CALLED for each number
    LINES_TAKEN = "lines_taken"                # count
    STOPPED = "stopped"                        # extension, or '' for the tenant
    USER_CALLS = "user_calls"                  # extension, count
    TENANT_CALLS = "tenant_calls"              # count
    USER_MINUTES = "user_minutes"              # extension, minutes
    TENANT_MINUTES = "tenant_minutes"          # minutes
    # Outgoing calls
    NO_TRUNK = "no_trunk"
    RIGHT_PIN = "right_pin"
    COUNTRY_CONFIRMED = "country_confirmed"    # country
    COUNTRY_NOT_CONFIRMED = "country_not_confirmed"    # country
    NOT_NOTED = "not_noted"
    CALLS_BY = "calls_by"                      # number, class of calls, trunk
    SHOWN_AS = "shown_as"                      # number
    SHOWN_HIDDEN = "shown_hidden"
    NO_HELP_BY = "no_help_by"                  # trunk
    NOT_IN_USE = "not_in_use"                  # number
    CANNOT_BE_REACHED = "cannot_be_reached"    # number
    TRUNK_FAILS = "trunk_fails"                # trunk
    NO_OTHER_TRUNK = "no_other_trunk"
    # Users, forwards, groups
    NOT_REGISTERED = "not_registered"
    REFUSED = "refused"
    NO_MAILBOX = "no_mailbox"
    FORWARDS = "forwards"                      # which calls, target
    ALL_CALLS = "all_calls"
    WHEN_BUSY = "when_busy"
    WHEN_NO_ANSWER = "when_no_answer"
    WHEN_UNAVAILABLE = "when_unavailable"
    THIS_CALL = "this_call"                    # rule, its reasons
    USER_DOES = "user_does"                    # extension, a FORWARDS
    FOLLOWED = "followed"                      # who rings, the forward that led there
    NOT_FOLLOWED = "not_followed"              # forward
    FOLLOWED_IN_VAIN = "followed_in_vain"      # forward, reason why nothing rings there
    HAS_PASSED_ON = "has_passed_on"            # extension, also in all that follow
    LOGGED_OUT = "logged_out"
    PAUSED = "paused"
    IS_CALLER = "is_caller"
    NO_SECOND_CALL = "no_second_call"
    NOTHING_RINGS = "nothing_rings"
    TOO_LATE = "too_late"
    MORE = "more"                              # count
    TIME_OVER = "time_over"                    # seconds
    ROUND = "round"                            # which
    NOBODY_LEFT = "nobody_left"
    EVERYBODY_BUSY = "everybody_busy"
    NOBODY_AVAILABLE = "nobody_available"
    # Queues
    NO_AGENT = "no_agent"
    NO_AGENT_LEFT = "no_agent_left"
    WAITS_FOR = "waits_for"                    # agents
    OFFERS_CALL_BACK = "offers_call_back"
    CANNOT_BE_CALLED_BACK = "cannot_be_called_back"    # caller
    NO_CALL_BACK = "no_call_back"
    CALLS_BACK = "calls_back"                  # caller, place in the line
    WAITS_TO_CALL_BACK = "waits_to_call_back"
    NOT_CALLED_BACK = "not_called_back"
    LEADS_NOWHERE = "leads_nowhere"
    WAITED = "waited"                          # seconds
    WAITED_LONG = "waited_long"
    LINE_FULL = "line_full"
    # Directories
    ASKS_FOR_NAME = "asks_for_name"
    ASKS_FOR_SPOKEN_NAME = "asks_for_spoken_name"
    NO_LETTERS = "no_letters"
    NOBODY_NAMED = "nobody_named"              # letters
    MEANS_NAME = "means_name"                  # letters, name
    NAMES_BEGIN = "names_begin"                # count, letters
    MORE_NAMES = "more_names"
    KEY_MEANS_NAME = "key_means_name"          # key, name
    UNDERSTANDS = "understands"                # names
    UNDERSTANDS_NONE = "understands_none"
    # Hours and conditions
    OPEN = "open"                              # window
    NOT_OPEN = "not_open"                      # moment
    NOT_TODAY = "not_today"                    # date
    PLAYED = "played"
    RULE_HOLDS = "rule_holds"                  # title or a RULE, its reasons
    RULE = "rule"                              # place, from 1
    NO_RULE = "no_rule"                        # moment
    IN_WINDOW = "in_window"                    # moment, window
    IN_DATES = "in_dates"                      # date, dates
    HOLIDAY = "holiday"                        # date, title, country or region
    IN_CALENDAR = "in_calendar"                # date, title, calendar
    IN_CALENDAR_AT = "in_calendar_at"          # moment, title, calendar
    CALLER_IN_RULE = "caller_in_rule"          # caller
    CALLER_IN_LIST = "caller_in_list"          # caller, list
    CALLER_INTERNAL = "caller_internal"        # caller
    CALLER_HIDDEN = "caller_hidden"
    CALLER_FOREIGN = "caller_foreign"          # caller, country
    WAS_DIALLED = "was_dialled"                # number
    SWITCH_IS = "switch_is"                    # switch, position
    USER_IS = "user_is"                        # extension, presence
    GROUP_IS = "group_is"                      # group, presence
    QUEUE_IS = "queue_is"                      # queue, presence
    SHARE = "share"                            # per cent
    # Other elements
    SETS = "sets"                              # SET_NAME, SET_LANGUAGE, SET_MUSIC
    SET_NAME = "set_name"                      # prefix
    SET_LANGUAGE = "set_language"              # language
    SET_MUSIC = "set_music"                    # music
    MOVED_FROM_OWN_PHONES = "moved_from_own_phones"
    CANNOT_BE_MOVED = "cannot_be_moved"
    MOVES_IT = "moves_it"                      # extension, position
    LETS_IN = "lets_in"
    LETS_IN_MODERATOR = "lets_in_moderator"
    ROOM_CLOSED = "room_closed"
    CONFERENCE_OVER = "conference_over"
    NOT_ITS_USER = "not_its_user"
    NOT_ITS_USER_NOW = "not_its_user_now"
    CALLS_FROM_MOBILE = "calls_from_mobile"    # extension
    PIN_IS_RIGHT = "pin_is_right"
    IS_PARKED = "is_parked"
    IS_PARKED_IN = "is_parked_in"              # slot
    NOBODY_FETCHES = "nobody_fetches"
    NO_SLOT = "no_slot"
    BACK_TO = "back_to"                        # extension
    DOES_NOT_TAKE = "does_not_take"            # extension
    TAKES_PARKED = "takes_parked"
    FOR_OWN_PHONES = "for_own_phones"
    RECORDS = "records"                        # mailbox
    MAILBOX_FAILED = "mailbox_failed"
    MAILBOX_DONE = "mailbox_done"
    # Call servers
    SHOWS = "shows"                            # name, value
    READS = "reads"                            # text
    CANNOT_READ = "cannot_read"                # text
    CANNOT_BE_FOLLOWED = "cannot_be_followed"  # problem
    SERVER_FAILED = "server_failed"            # failure
    SERVER_FAILED_WITH = "server_failed_with"  # failure, detail
    INTERNAL_ERROR = "internal_error"
    # Written by the dialplan: asterisk-conf/extensions.conf, templates/extensions.conf.j2
    WAKES_UP = "wakes_up"                      # extension
    REFUSES_UNENCRYPTED = "refuses_unencrypted"        # extension
    # Read from records that other versions wrote
    WORDS = "words"                            # the words

    def __call__(self, *values: "str | int | Reasons") -> "Reasons":
        """The reason with these values. A number is kept as its digits."""
        return (Reason(self, tuple((value or "") if isinstance(value, tuple) else str(value) for value in values)),)


@dataclass(frozen=True, slots=True)
class Reason:
    why: Why
    values: "tuple[str | Reasons, ...]" = ()


Reasons = tuple[Reason, ...]


def gives(reasons: Reasons, wanted: Container[Why]) -> bool:
    """True if any of the reasons is of one of these kinds."""
    return any(reason.why in wanted for reason in reasons)


KINDS = frozenset(Why)
MAX_DEPTH = 20
_TOKEN = re.compile(r"([.~-])([^.~-]*)")


def reason_text(reasons: Reasons) -> str:
    return "".join(f".{each.why}{''.join(map(_value_text, each.values))}~" for each in reasons)


def read_reasons(text: str) -> Reasons:
    """The reasons. A text not written by this version, such as the sentences that earlier versions stored, becomes a reason of
    its own."""
    if not text.startswith("."):
        return Why.WORDS(text)
    try:
        found, tokens = [], _TOKEN.finditer(text)
        for token in tokens:
            found.append(_read(token, tokens, 0))
    except (ValueError, StopIteration):
        return Why.WORDS(text)
    return tuple(found)


def _value_text(value: str | Reasons) -> str:
    return f"-{_encoded(value) if isinstance(value, str) else reason_text(value)}"


def _encoded(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_ ]", lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), text, flags=re.ASCII)


def _read(begin: re.Match[str], tokens: Iterator[re.Match[str]], depth: int) -> Reason:
    """The reason that begins with this token. Raises ValueError and StopIteration if there is no valid reason."""
    if begin[1] != "." or begin[2] not in KINDS or depth > MAX_DEPTH:
        raise ValueError(f"found {begin[0]!r}, expected a kind of reason")
    values: list[str | Reasons] = []
    token = next(tokens)
    while token[1] != "~":
        if token[1] != "-":
            raise ValueError(f"found {token[0]!r}, expected a value")
        inner: list[Reason] = []
        value, token = token[2], next(tokens)
        while token[1] == ".":
            inner.append(_read(token, tokens, depth + 1))
            token = next(tokens)
        if inner and value:
            raise ValueError(f"found {value!r} before a reason")
        values.append(tuple(inner) or unquote(value))
    if token[2]:
        raise ValueError(f"found {token[2]!r} behind a reason")
    return Reason(Why(begin[2]), tuple(values))
