"""Answers to the questions of a simulated call, and its effects. Pure."""

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from routing.call.admission import NOBODY, Limit, reached
from routing.call.call_server import Failed, Failure
from routing.call.effects import (
    CHANGED,
    GOES_ON,
    PAUSES,
    Admit,
    ChangeSetting,
    CheckPin,
    ConfirmCountry,
    Flip,
    FlipPause,
    Offer,
    PinIs,
    PutSwitch,
    TryRoomPin,
    Turn,
    Withdraw,
)
from routing.call.facts import NOTHING_SET, Answer, Personal, Request
from routing.call.questions import (
    MOST_UNDERSTOOD,
    AskServer,
    HasPin,
    KnownCountry,
    LastCaller,
    Loads,
    PinOf,
    Speak,
    Stopped,
    Understand,
    UserLoad,
)
from routing.tenant.settings import after, pause_flipped

if TYPE_CHECKING:
    from simulator.script import Script


@dataclass(slots=True)
class SimulatedAnswers:
    """`changed` is the settings of users for whom the call changed them; `moved` the positions of the switches that
    it moved. `lines` are those that the call itself has taken, `calls` its external numbers, by paying user."""

    script: "Script"
    changed: dict[str, Personal] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)
    said: str = ""                                              # where the call was listened to last
    lines: int = 0
    calls: Counter[str] = field(default_factory=Counter)

    def decides(self) -> None:
        """Ends the external calls that this call has made before."""
        self.calls.clear()

    def answer(self, question: Request) -> Answer:
        script = self.script
        if question in script.answers:
            return script.answers[question]
        match question:
            case Turn() | Offer():
                return 0
            case Withdraw() | ConfirmCountry():
                return True
            case Flip(switch=switch, positions=positions):
                place = question.after(script.switches.get(switch))
                self.moved[switch] = positions[place]
                return place
            case PutSwitch(switch=switch, position=position):
                self.moved[switch] = position
                return CHANGED
            case ChangeSetting(extension=extension, setting=setting):
                self.changed[extension] = after(self._set_by(extension), setting)
                return CHANGED
            case FlipPause(extension=extension):
                self.changed[extension] = pause_flipped(self._set_by(extension))
                return PAUSES if self.changed[extension].paused else GOES_ON
            case LastCaller(extension=extension):
                return script.last_callers.get(extension, "")
            case Loads(extensions=extensions):
                return tuple(script.loads.get(extension, UserLoad()) for extension in extensions)
            case AskServer(server=server):
                return script.call_servers.get(server, Failed(Failure.NO_CONNECTION))
            case Speak():
                return "said"
            case Understand():
                return meant(question, self.said)
            case CheckPin(extension=extension, keys=keys, of=of):
                pin = script.pins.get(extension, keys) if of is PinOf.MOBILE else script.permission_pin(extension)
                return PinIs.RIGHT if pin == keys else PinIs.WRONG
            case HasPin(extension=extension):
                return bool(script.permission_pin(extension))
            case TryRoomPin(room=room):
                return room not in script.guessed_rooms
            case Admit():
                return self._admit(question)
            case Stopped():
                return NOBODY in script.usage.stopped
            case KnownCountry(country=country):
                return country in script.countries

    def _set_by(self, extension: str) -> Personal:
        return self.changed.get(extension) or self.script.personal.get(extension, NOTHING_SET)

    def _admit(self, asked: Admit) -> Limit:
        before = self.script.usage
        calls = Counter(before.calls) + self.calls
        usage = replace(before, lines=before.lines + self.lines + self.calls.total(), calls=calls)
        limit = Limit.NONE if asked.anyway else reached(asked.limits, usage, asked.extension, outgoing=asked.outgoing)
        if limit is Limit.NONE and asked.outgoing:
            self.calls[asked.extension] += 1
        elif limit is Limit.NONE:
            self.lines = 1
        return limit


def meant(question: Understand, said: str) -> tuple[str, ...]:
    """The users whose name was said, in one of the ways to say it."""
    heard = said.casefold()
    return tuple(user for user, ways in question.names if heard in (way.casefold() for way in ways))[:MOST_UNDERSTOOD]
