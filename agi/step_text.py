"""A decision as Asterisk reads it, and a channel's variables as the engine reads them. Encoders refuse; nothing is escaped.

The step loop in asterisk-conf/extensions.conf executes the text with Exec(), which substitutes variables a second time,
and AGI takes a line a command: so '$', quotes, backslashes and control characters never pass.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal
from urllib.parse import quote, unquote

from routing.call import (
    NEXT_KEY_S,
    Awaits,
    CallAs,
    CallBack,
    CheckVoicemail,
    Chosen,
    Conference,
    ConferenceLeft,
    Dial,
    DialEnded,
    DialStatus,
    Digits,
    Echo,
    Entered,
    Event,
    Failover,
    Hangup,
    Listen,
    Move,
    Origin,
    Outside,
    Park,
    Parked,
    ParkEnded,
    PickUp,
    Play,
    Played,
    Queue,
    QueueEnd,
    QueueLeft,
    Read,
    Say,
    SetCall,
    Spoken,
    Started,
    State,
    Step,
    Unpark,
    Visit,
    Voicemail,
    VoicemailEnded,
)
from routing.numbers import is_emergency
from routing.phrases import LANGUAGES, Language
from routing.tenant import Tenant

MAX_CHOSEN = 300         # characters, encoded, of what a caller chose; the dialplan sends 64 before encoding
NAME_PREFIX = re.compile(r"[^\W_][\w .:+/-]{0,19}|")      # letters of any alphabet
FIRST_TIER, ALL_TIERS = 1, 1000      # penalties of a queue's members, as templates/queues.conf.j2 gives them
MAX_PATH_TEXT = 4000     # characters; Asterisk reads an AGI line of at most 8191


class AgiError(Exception):
    """What Asterisk sent, or what we were about to send it, is not what this protocol allows."""


def checked(text: str, pattern: str, what: str) -> str:
    """`text` if the whole of it matches; AgiError otherwise."""
    if not re.fullmatch(pattern, text, re.ASCII):
        raise AgiError(f"{what}: found {text[:80]!r}, expected {pattern}")
    return text


def sound_path(home: PurePosixPath, tenant: str, sound: str) -> str:
    """Where Asterisk finds a rendered prompt, without its extension."""
    return f"{checked(str(home), r'[A-Za-z0-9/._-]+', 'home')}/sounds/{tenant}/{checked(sound, r'[a-z0-9_-]+', 'sound')}"


def said_path(home: PurePosixPath, tenant: str, sound: str) -> str:
    """Where Asterisk finds what was made to speech during a call, without its extension."""
    return f"{checked(str(home), r'[A-Za-z0-9/._-]+', 'home')}/said/{tenant}/{checked(sound, r'[a-z0-9_-]+', 'sound')}"


def heard_folder(home: PurePosixPath) -> str:
    """Where Asterisk leaves what a caller says, for a moment."""
    return f"{checked(str(home), r'[A-Za-z0-9/._-]+', 'home')}/heard"


def step_text(step: Step, tenant: Tenant, sounds: Mapping[str, str], home: PurePosixPath) -> str:
    """The application and its arguments for Exec(). `sounds` maps the names of prompts to their files' names."""

    def files(prompts: tuple[str, ...]) -> str:
        return "&".join(sound_path(home, tenant.tenant, sounds[prompt]) for prompt in prompts)

    def mailbox(extension: str) -> str:
        return f"{checked(extension, '[0-9]{2,6}', 'mailbox')}@{tenant.tenant}"

    def music(name: str) -> str:
        return f"{tenant.tenant}-{checked(name, r'[a-z0-9_]+', 'music')}" if name else ""

    def channel(name: str, delay_s: int) -> str:
        endpoint = checked(name, r"[a-z0-9_-]+", "endpoint")
        return f"Local/{int(delay_s)}-{endpoint}@later" if delay_s else f"PJSIP/{endpoint}"

    match step:
        case Read(prompts=prompts, wait_s=wait_s, longer=longer, told=told) if longer:
            known = "".join(f"{checked(keys, '[0-9]{1,5}', 'keys')}-" for keys in longer)
            return f"Gosub(digits,s,1({files(prompts)},{int(wait_s)},{NEXT_KEY_S},-{known},{files(told)}))"
        case Read(prompts=prompts, max_digits=most, wait_s=wait_s):
            return f"Read(DIGITS,{files(prompts)},{int(most)},e,1,{int(wait_s)})"
        case Listen(prompts=prompts, max_digits=most, wait_s=wait_s):
            return f"Gosub(listen,s,1({heard_folder(home)},{files(prompts)},{int(most)},{int(wait_s)}))"
        case Play(prompts=prompts, early=True):
            return f"Gosub(early,s,1({files(prompts)}))"
        case Play(prompts=prompts, skippable=True):
            return f"Read(SKIPPED,{files(prompts)},1,,1,0.01)"
        case Echo(prompt=prompt):
            return f"Gosub(echo,s,1({files((prompt,))}))"
        case Say(sound=sound):
            return f"Playback({said_path(home, tenant.tenant, sound)})"
        case Play(prompts=prompts):
            return f"Playback({files(prompts)})"
        case Dial(endpoints=endpoints, ring_s=ring_s, delays_s=delays_s, outside=outside) as dial:
            channels = list(map(channel, endpoints, delays_s or [0] * len(endpoints)))
            channels += [outside_channel(leg, tenant, dial) for leg in outside]
            heard = f"m({music(dial.music)})" if dial.music else ""
            shown = shown_outside(dial, tenant) if outside else ""
            # tT: what a phone keys, where it has codes for it at all (asterisk-conf/features.conf).
            first = f"A({files(dial.told)})" if dial.told else ""
            own = own_call(dial, tenant.tenant) if dial.own else ""
            return f"Dial({'&'.join(channels)},{int(ring_s)},gitT{'c' if dial.passed_on else ''}{heard}{first}{own}{shown})"
        case Voicemail(mailbox=extension):
            return f"VoiceMail({mailbox(extension)},s)"
        case CheckVoicemail(mailbox=extension):
            return f"VoiceMailMain({mailbox(extension)},s)"
        case Move(extension=extension, mobile=mobile, nothing=prompt):
            own = checked(extension, "[0-9]{2,6}", "extension")
            return f"Gosub(move,s,1({tenant.tenant},{own},{number_shown(mobile)},{files((prompt,))}))"
        case CallAs(extension=extension):
            return f"Goto({tenant.tenant}-mobile,{checked(extension, '[0-9]{2,6}', 'extension')},1)"
        case Park(lot=lot, slots=slots, limit_s=limit_s, told=told):
            numbers = "-".join(checked(slot, "[0-9]{2,6}", "slot") for slot in slots)
            said = f"{files(('sys_parked',))},{files(DIGITS)}" if told else ","
            return f"Gosub(park,s,1({lot_name(tenant, lot)},{numbers},{int(limit_s)},{said}))"
        case Unpark(lot=lot, slot=slot, nothing=prompt):
            return f"Gosub(unpark,s,1({lot_name(tenant, lot)},{checked(slot, '[0-9]{2,6}', 'slot')},{files((prompt,))}))"
        case PickUp(endpoints=endpoints, nothing=prompt):
            # The beginning of a channel's name: 'PJSIP/acme-201-desk-00000003'.
            ringing = "&".join(f"{channel(name, 0)}-" for name in endpoints)
            return f"Gosub(pick_up,s,1({ringing},{files((prompt,))}))"
        case SetCall(name_prefix=prefix, language=language, music=name):
            if not NAME_PREFIX.fullmatch(prefix):
                raise AgiError(f"name prefix: found {prefix[:80]!r}, expected {NAME_PREFIX.pattern}")
            return f"Gosub(set,s,1({prefix},{checked(language, '[a-z]*', 'language')},{music(name)}))"
        case Conference(room=room) as conference:
            arguments = (
                f"{tenant.tenant}-{checked(room, '[a-z0-9_]+', 'room')}", "moderator" if conference.moderator else "member",
                str(int(conference.max_members)), yes_or_no(conference.waits), yes_or_no(conference.ends),
                music(conference.music), *(files((prompt,)) for prompt in conference.prompts))
            return f"Gosub(conference,s,1({','.join(arguments)}))"
        case Queue(queue=queue) as waits:
            line = checked(tenant.queue_name(queue), r"[a-z0-9_-]+", "queue")
            limit = str(int(waits.max_wait_s)) if waits.max_wait_s else ""
            heard = "cC" if waits.music else "cCr"
            tier, rule = tier_and_rule(line, waits.tiers)
            spoken = checked(waits.language, "[a-z]*", "language")
            return f"Gosub(queue,s,1({line},{heard},{limit},{tier},{rule},{spoken},{int(waits.place) or ''}))"
        case CallBack() as back:
            line = checked(tenant.queue_name(back.queue), r"[a-z0-9_-]+", "queue")
            number = checked(back.outside.number, r"\+[0-9]{7,15}", "number outside")
            tier, rule = tier_and_rule(line, back.tiers)
            arguments = (
                tenant.tenant, line, str(int(back.place)), number, checked(back.outside.trunk, r"[a-z0-9_-]+", "trunk"),
                str(int(back.ring_s)), number_shown(back.shown), str(tier), rule,
                *(files((prompt,)) for prompt in (back.agent, back.unanswered, back.agreed)),
                checked(back.queue, "[a-z0-9_]+", "queue"), files((back.refused,)))
            return f"Gosub(call_back,s,1({','.join(arguments)}))"
        case Hangup(cause=cause):
            return f"Hangup({int(cause)})"
        case Failover():
            return f"Goto({tenant.tenant}-failover,s,1)"


def read_dial_ended(text: str) -> DialEnded:
    """From Asterisk's DIALSTATUS and, behind it, HANGUPCAUSE."""
    found = re.fullmatch(r"([A-Z]*)([0-9]{0,3})", text, re.ASCII)
    status, cause = found.groups() if found else ("", "")
    return DialEnded(DialStatus(status) if status in set(DialStatus) else DialStatus.CONGESTION, int(cause or 0))


def read_queue_left(text: str) -> QueueLeft:
    """From Asterisk's QUEUESTATUS, or 'key 1 3', the key and the place. What nobody knows counts as a queue without agents."""
    if key := re.fullmatch(r"key ([0-9*#]) ([0-9]{0,4})", text, re.ASCII):
        return QueueLeft(QueueEnd.KEY, key[1], int(key[2] or 1))
    return QueueLeft(QUEUE_ENDS.get(text, QueueEnd.EMPTY))


PARK_ENDS = {"back": Parked.BACK, "full": Parked.FULL}
DIGITS = tuple(f"sys_digit_{digit}" for digit in range(10))


def lot_name(tenant: Tenant, lot: str) -> str:
    """A parking lot's name in Asterisk, which is also that of the context of its slots."""
    return f"{tenant.tenant}-{checked(lot, '[a-z0-9_]+', 'lot')}"


QUEUE_ENDS = {"CONTINUE": QueueEnd.ANSWERED, "TIMEOUT": QueueEnd.TIMEOUT, "FULL": QueueEnd.FULL}


def tier_and_rule(line: str, tiers: int) -> tuple[int, str]:
    """The penalty up to which members are rung at first, and the rule by which more are."""
    return (FIRST_TIER, line) if tiers > 1 else (ALL_TIERS, "")


def yes_or_no(wanted: bool) -> str:
    return "yes" if wanted else "no"


def outside_channel(leg: Outside, tenant: Tenant, dial: Dial) -> str:
    """The channel to a number outside; by way of [<tenant>-confirm] one that waits or confirms, or is one of several."""
    number = checked(leg.number, r"\+[0-9]{7,15}|[0-9]{2,6}", "number outside")
    trunk = checked(leg.trunk, r"[a-z0-9_-]+", "trunk")
    if _is_direct(leg, dial):
        return f"PJSIP/{number}@{trunk}"
    told = f"{number_shown(dial.shown)}-{number_shown(dial.vouching)}-{checked(leg.payer, '([0-9]{2,6})?', 'payer')}"
    return f"Local/{int(leg.after_s)}-{int(leg.confirm)}-{number}-{told}-{trunk}@{tenant.tenant}-confirm/n"


def _is_direct(leg: Outside, dial: Dial) -> bool:
    return not leg.confirm and not leg.after_s and len(dial.outside) == 1


def shown_outside(dial: Dial, tenant: Tenant) -> str:
    """Dial()'s option that tells each channel to the outside whose call it is: [outside] in asterisk-conf/extensions.conf."""
    told = [number_shown(dial.shown), number_shown(dial.vouching), "hidden" if dial.hidden else "", "", "", "", ""]
    if dial.diversion:
        told[3:5] = number_shown(dial.diversion.number), checked(dial.diversion.reason, "[a-z-]+", "reason of a diversion")
    leg = dial.outside[0]
    if _is_direct(leg, dial) and not is_emergency(leg.number, tenant.country):      # which nobody pays for
        told[5:7] = leg.number, checked(leg.payer, "([0-9]{2,6})?", "payer")
    return f"b(outside^s^1({'^'.join(told).rstrip('^') or '^'}))"


def own_call(dial: Dial, tenant: str) -> str:
    """Dial()'s options by which nobody is transferred to the number: [own_call] in asterisk-conf/extensions.conf."""
    told = f"{tenant}^{checked(dial.outside[0].number, r'[+]?[0-9]{2,15}', 'number outside')}"
    return f"B(own_call^begins^1({told}))U(own_call^{told})"


def number_shown(number: str) -> str:
    return checked(number, r"(\+[0-9]{7,15})?", "number shown outside")


def state_text(state: State) -> str:
    """'main/digits/2/1.0': node, what it waits for, hops, memory; then, where there is any, '/201.202', who has passed the call
    on, '/it' and '/jazz', the language and the music that are chosen for the call."""
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
    """'main|key 1%2C on to sales;...': each part percent-encoded, so that nothing in it can be read as dialplan.
    Of a path that is too long the end is kept: it says where the call went."""
    text = ";".join(f"{quote(visit.node, safe='')}|{quote(visit.why, safe=' ')}" for visit in path)
    if len(text) > MAX_PATH_TEXT:
        text = text[-MAX_PATH_TEXT:].partition(";")[2]
    return checked(text, r"[A-Za-z0-9 %|;_.~-]*", "path")


def start_text(caller: str, caller_name: str, dialled: str) -> str:
    """'%2B48600100200|Anna|201': each as Asterisk's URIENCODE() wrote it, encoded anew and whole."""
    return "|".join(quote(unquote(text[:MAX_CHOSEN]), safe="") for text in (caller, caller_name, dialled))


@dataclass(frozen=True, slots=True)
class Result:
    """What the applications left on the channel; the state says which of it is new."""

    digits: str = ""
    dial_status: str = ""            # DIALSTATUS and HANGUPCAUSE, such as CHANUNAVAIL20
    voicemail_status: str = ""
    left: str = ""                   # how a conference or a queue was left: asterisk-conf/extensions.conf


def read_digits(text: str) -> str:
    return checked(text, r"[0-9A-D*#]{0,32}", "digits")


def read_event(state: State | None, origin: str, dialled: str, caller_extension: str, result: Result) -> Event:
    """The event that a channel's variables report, by what the state waits for. `dialled` is percent-encoded; what no telephone
    can dial counts as nothing dialled."""
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
            return Spoken(read_digits(result.digits))
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
