"""Channel variables of a call: its state, its path for the record, and the results that are read as events. Encoders refuse;
nothing is escaped.
"""

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote, unquote

from routing.call.reasons import reason_text
from routing.call.state import (
    REDIRECTED,
    Awaits,
    Chosen,
    ConferenceLeft,
    DialEnded,
    DialStatus,
    Digits,
    Entered,
    Event,
    Listened,
    Origin,
    Parked,
    ParkEnded,
    Played,
    QueueEnd,
    QueueLeft,
    Started,
    State,
    Visit,
    VoicemailEnded,
)
from routing.speech.phrases import LANGUAGES, Language
from services.asterisk_text import AgiError, checked

MAX_CHOSEN = 300         # characters, encoded, of text that a caller chose; the dialplan sends 64 before encoding
MAX_PATH_TEXT = 4000     # characters; Asterisk reads an AGI line of at most 8191
PARK_ENDS = {"back": Parked.BACK, "full": Parked.FULL}
QUEUE_ENDS = {"CONTINUE": QueueEnd.ANSWERED, "TIMEOUT": QueueEnd.TIMEOUT, "FULL": QueueEnd.FULL}


def state_text(state: State) -> str:
    """'main/digits/2/1.0': node, result it waits for, hops, memory; then, if present, '/201.202', the users who passed on the
    call, '/it' and '/jazz', the language and the music on hold chosen for the call."""
    memory = ".".join(str(int(number)) for number in state.memory)
    trail = ".".join(checked(user, "[0-9]{2,6}", "user") for user in state.trail)
    chosen = f"{checked(state.chosen.language, '[a-z]*', 'language')}/{checked(state.chosen.music, '[a-z0-9_]*', 'music')}"
    more = f"/{trail}/{chosen}".rstrip("/")
    return f"{checked(state.node, '[a-z0-9_]+', 'node')}/{state.awaits}/{state.hops}/{memory}{more}"


def read_state(text: str) -> State | None:
    """The state a channel carries; None at the start of its call."""
    if not text:
        return None
    match = re.fullmatch(
        r"([a-z0-9_]{1,31})/([a-z]+)/([0-9]{1,4})/((?:[0-9]{1,9}(?:\.[0-9]{1,9}){0,9})?)"
        r"(?:/((?:[0-9]{2,6}(?:\.[0-9]{2,6}){0,19})?))?(?:/(en|it|pl|))?(?:/([a-z0-9_]{0,31}))?", text, re.ASCII)
    if not match or match[2] not in set(Awaits):
        raise AgiError(f"state: found {text[:80]!r}, expected node/awaits/hops/memory/trail/language/music")
    memory = tuple(int(number) for number in match[4].split(".")) if match[4] else ()
    trail = tuple(match[5].split(".")) if match[5] else ()
    language: Language | Literal[""] = next((language for language in LANGUAGES if language == match[6]), "")
    return State(match[1], Awaits(match[2]), int(match[3]), memory, trail, Chosen(language, match[7] or ""))


def path_text(path: tuple[Visit, ...]) -> str:
    """'main|.key-1~.on_to-sales~;...': the node percent-encoded, the reasons as routing/call/reasons.py has them, so that
    nothing in it can be read as dialplan. A path that is too long keeps its end, which says where the call went."""
    text = ";".join(f"{quote(visit.node, safe='')}|{reason_text(visit.why)}" for visit in path)
    if len(text) > MAX_PATH_TEXT:
        text = text[-MAX_PATH_TEXT:].partition(";")[2]
    return checked(text, r"[A-Za-z0-9 %|;_.~-]*", "path")


def start_text(caller: str, caller_name: str, dialled: str) -> str:
    """'%2B48600100200|Anna|201': each part as Asterisk's URIENCODE() wrote it, completed and encoded again."""
    return "|".join(quote(unquote(text[:MAX_CHOSEN]), safe="") for text in (caller, caller_name, dialled))


@dataclass(frozen=True, slots=True)
class ChannelResult:
    """Results that dialplan applications left on the channel; the state says which of them are new."""

    digits: str = ""
    dial_status: str = ""            # DIALSTATUS and HANGUPCAUSE, such as CHANUNAVAIL20
    voicemail_status: str = ""
    left: str = ""                   # how a conference or a queue was left: asterisk-conf/extensions.conf


def read_digits(text: str) -> str:
    return checked(text, r"[0-9A-D*#]{0,32}", "digits")


def read_dial_ended(text: str) -> DialEnded:
    """From Asterisk's DIALSTATUS and, behind it, HANGUPCAUSE."""
    found = re.fullmatch(r"([A-Z]*)([0-9]{0,3})", text, re.ASCII)
    status, cause = found.groups() if found else ("", "")
    if status == DialStatus.BUSY and not int(cause or 0):
        return DialEnded(DialStatus.BUSY, REDIRECTED)
    return DialEnded(DialStatus(status) if status in set(DialStatus) else DialStatus.CONGESTION, int(cause or 0))


def read_queue_left(text: str) -> QueueLeft:
    """From Asterisk's QUEUESTATUS, or 'key 1 3', the key and the place. An unknown value counts as a queue without agents."""
    if key := re.fullmatch(r"key ([0-9*#]) ([0-9]{0,4})", text, re.ASCII):
        return QueueLeft(QueueEnd.KEY, key[1], int(key[2] or 1))
    return QueueLeft(QUEUE_ENDS.get(text, QueueEnd.EMPTY))


def read_event(state: State | None, origin: str, dialled: str, caller_extension: str, result: ChannelResult) -> Event:
    """The event that a channel's variables report, according to what the state waits for. `dialled` is percent-encoded; text
    that no telephone can dial counts as nothing dialled."""
    if state is None:
        if origin not in set(Origin):
            raise AgiError(f"origin: found {origin[:80]!r}, expected one of {', '.join(Origin)}")
        extension = checked(caller_extension, r"([0-9]{2,6})?", "caller's extension")
        number = unquote(dialled)
        return Started(Origin(origin), number if re.fullmatch(r"[0-9*#+]{1,64}", number, re.ASCII) else "", extension)
    match state.awaits:
        case Awaits.DIGITS | Awaits.PIN:
            return Digits(read_digits(result.digits))
        case Awaits.SPEECH:
            return Listened(read_digits(result.digits))
        case Awaits.PLAYED:
            return Played()
        case Awaits.DIAL:
            return read_dial_ended(result.dial_status)
        case Awaits.VOICEMAIL:
            return VoicemailEnded(failed=result.voicemail_status == "FAILED")
        case Awaits.CONFERENCE:
            return ConferenceLeft(refused=result.left == "closed")
        case Awaits.PARKED:
            return ParkEnded(PARK_ENDS.get(result.left, Parked.FETCHED))
        case Awaits.QUEUE:
            return read_queue_left(result.left)
        case Awaits.ENTERED:
            return Entered()
        case Awaits.NOTHING:
            raise AgiError(f"state {state.node}: the call goes on after its last step")
