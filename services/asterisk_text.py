"""Text for Asterisk: steps as the dialplan reads them. Encoders refuse; nothing is escaped.

The step loop in asterisk-conf/extensions.conf executes the text with Exec(), which substitutes variables a second time,
and AGI takes a line a command: so '$', quotes, backslashes and control characters never pass.
"""

import re
from collections.abc import Mapping
from pathlib import PurePosixPath

from routing.call.step import (
    NEXT_KEY_S,
    CallAs,
    CallBack,
    CheckVoicemail,
    Conference,
    Dial,
    Echo,
    ExternalNumber,
    Failover,
    Hangup,
    Listen,
    Move,
    Park,
    PickUp,
    Play,
    Queue,
    Read,
    Say,
    SetCall,
    Step,
    Unpark,
    Voicemail,
)
from routing.numbering.numbers import is_emergency
from routing.tenant.tenant import Tenant


class AgiError(Exception):
    """Text from Asterisk, or text to send to it, that the protocol does not allow."""


def checked(text: str, pattern: str, what: str) -> str:
    """`text` if the whole of it matches; AgiError otherwise."""
    if not re.fullmatch(pattern, text, re.ASCII):
        raise AgiError(f"{what}: found {text[:80]!r}, expected {pattern}")
    return text


NAME_PREFIX = re.compile(r"[^\W_][\w .:+/-]{0,19}|")      # letters of any alphabet
FIRST_TIER, ALL_TIERS = 1, 1000      # penalties of a queue's members, as templates/queues.conf.j2 gives them


def sound_path(home: PurePosixPath, tenant: str, sound: str) -> str:
    """The path of a rendered prompt, without the file's extension."""
    return f"{checked(str(home), r'[A-Za-z0-9/._-]+', 'home')}/sounds/{tenant}/{checked(sound, r'[a-z0-9_-]+', 'sound')}"


def said_path(home: PurePosixPath, tenant: str, sound: str) -> str:
    """The path of speech that was generated during a call, without the file's extension."""
    return f"{checked(str(home), r'[A-Za-z0-9/._-]+', 'home')}/said/{tenant}/{checked(sound, r'[a-z0-9_-]+', 'sound')}"


def heard_folder(home: PurePosixPath) -> str:
    """The path where Asterisk briefly stores a recording of the caller's speech."""
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
        case Read(prompts=prompts, wait_s=wait_s, longer=longer, first_prompts=before) if longer:
            known = "".join(f"{checked(keys, '[0-9]{1,5}', 'keys')}-" for keys in longer)
            return f"Gosub(digits,s,1({files(prompts)},{int(wait_s)},{NEXT_KEY_S},-{known},{files(before)}))"
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
            first = f"A({files(dial.first_prompts)})" if dial.first_prompts else ""
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
        case Park(lot=lot, slots=slots, limit_s=limit_s, says_slot=says_slot):
            numbers = "-".join(checked(slot, "[0-9]{2,6}", "slot") for slot in slots)
            said = f"{files(('sys_parked',))},{files(DIGITS)}" if says_slot else ","
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


DIGITS = tuple(f"sys_digit_{digit}" for digit in range(10))


def lot_name(tenant: Tenant, lot: str) -> str:
    """A parking lot's name in Asterisk, which is also that of the context of its slots."""
    return f"{tenant.tenant}-{checked(lot, '[a-z0-9_]+', 'lot')}"


def tier_and_rule(line: str, tiers: int) -> tuple[int, str]:
    """The penalty up to which members ring at first, and the rule that adds others."""
    return (FIRST_TIER, line) if tiers > 1 else (ALL_TIERS, "")


def yes_or_no(wanted: bool) -> str:
    return "yes" if wanted else "no"


def outside_channel(leg: ExternalNumber, tenant: Tenant, dial: Dial) -> str:
    """The channel to a number outside; by way of [<tenant>-confirm] one that waits or confirms, or is one of several."""
    number = checked(leg.number, r"\+[0-9]{7,15}|[0-9]{2,6}", "number outside")
    trunk = checked(leg.trunk, r"[a-z0-9_-]+", "trunk")
    if _is_direct(leg, dial):
        return f"PJSIP/{number}@{trunk}"
    arguments = f"{number_shown(dial.shown)}-{number_shown(dial.vouching)}-{checked(leg.payer, '([0-9]{2,6})?', 'payer')}"
    asks = int(leg.confirm) + 2 * int(dial.hidden)
    return f"Local/{int(leg.after_s)}-{asks}-{number}-{arguments}-{trunk}@{tenant.tenant}-confirm/n"


def _is_direct(leg: ExternalNumber, dial: Dial) -> bool:
    return not leg.confirm and not leg.after_s and len(dial.outside) == 1


def shown_outside(dial: Dial, tenant: Tenant) -> str:
    """Dial()'s option that passes caller ID, diversion and payer to each external channel: [outside] in
    asterisk-conf/extensions.conf."""
    arguments = [number_shown(dial.shown), number_shown(dial.vouching), "hidden" if dial.hidden else "", "", "", "", ""]
    if dial.diversion:
        arguments[3:5] = number_shown(dial.diversion.number), checked(dial.diversion.reason, "[a-z-]+", "reason of a diversion")
    leg = dial.outside[0]
    if _is_direct(leg, dial) and not is_emergency(leg.number, tenant.country):      # which nobody pays for
        arguments[5:7] = leg.number, checked(leg.payer, "([0-9]{2,6})?", "payer")
    extension = leg.number if _is_direct(leg, dial) else "s"
    return f"b(outside^{extension}^1({'^'.join(arguments).rstrip('^') or '^'}))"


def own_call(dial: Dial, tenant: str) -> str:
    """Dial()'s options that forbid a transfer to the number: [own_call] in asterisk-conf/extensions.conf."""
    arguments = f"{tenant}^{checked(dial.outside[0].number, r'[+]?[0-9]{2,15}', 'number outside')}"
    return f"B(own_call^begins^1({arguments}))U(own_call^{arguments})"


def number_shown(number: str) -> str:
    return checked(number, r"(\+[0-9]{7,15})?", "number shown outside")
