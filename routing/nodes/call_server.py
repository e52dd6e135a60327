"""Call server: a tenant's web service decides during the call what the caller hears and where the call goes."""

from pydantic import Field

from routing.call.call_server import CallServerReply, Failed
from routing.call.questions import AskServer, Speak
from routing.call.reasons import Reasons, Why
from routing.call.state import DialEnded, DialStatus, Digits, Entered, Event, Played, counters
from routing.call.step import Cause, Dial, ExternalNumber, Hangup, Read, Say
from routing.hunt.caller_id import CALLER, Presentation, identity
from routing.nodes.node import Do, Element, Go, Here, UnexpectedEvent, Uses
from routing.numbering.value_types import Did, Name, Target, Url
from yaml_models.strict_model import Part

MAX_SHOWN = 60      # characters of a text in the call's path
HALF = 8           # digits of a number in one part of a call's memory


class AskFirst(Part):
    """Digits that the caller types before the service is asked, such as a customer's number."""

    prompt: Name
    max_digits: int = Field(default=20, ge=1, le=20)
    wait_s: int = Field(default=5, ge=1, le=60)


class CallServer(Element):
    """`connect_s` and `answer_s` limit the caller's silent wait: a second attempt to connect, then the answer. The
    service may name an external number, which rings like that of an external: `ring_s`, `trunk`, `presentation`."""

    url: Url
    ask: AskFirst | None = None
    connect_s: float = Field(default=1.0, ge=0.1, le=2)
    answer_s: float = Field(default=2.0, ge=0.1, le=5)
    next: Target                              # after an answer that names no other element
    failed: Target                            # after everything else
    unanswered: Target | None = None          # no answer at the external number; default: as failed
    ring_s: int = Field(default=30, ge=3, le=120)
    trunk: Name | None = None                 # default: by the tenant's routes
    presentation: Presentation = CALLER       # what the other side sees: the caller's number, or one of the tenant's

    def uses(self) -> Uses:
        exits = {"next": self.next, "failed": self.failed, "unanswered": self.unanswered}
        return Uses(
            targets=tuple((field, target) for field, target in exits.items() if target),
            prompts=(("ask.prompt", self.ask.prompt),) if self.ask else (),
            trunks=(("trunk", self.trunk),) if self.trunk else (),
            shown=(("presentation", self.presentation),) if self.presentation != CALLER else ())

    def decide(self, here: Here, memory: tuple[int, ...], event: Event) -> Go | Do:
        match event:
            case Entered() if self.ask:
                return Do(Read((self.ask.prompt,), self.ask.max_digits, self.ask.wait_s), Why.ASKS_FOR_DIGITS())
            case Entered():
                return self._ask(here, here.facts.keys)
            case Digits(keys=keys):
                return self._ask(here, keys)
            case Played() if memory:
                return self._call_number(here, number_of(memory))
            case DialEnded(status=DialStatus.ANSWER):
                return Do(Hangup(Cause.NORMAL), Why.CONVERSATION_OVER())
            case DialEnded(status=status):
                target = self.unanswered or self.failed
                return Go(target, Why.DIAL_ENDED(status.lower()) + Why.ON_TO(target))
            case _:
                raise UnexpectedEvent(here, event)

    def _ask(self, here: Here, keys: str) -> Go | Do:
        answer = here.facts.answer(AskServer(here.name, keys))
        if isinstance(answer, Failed):
            return self._failed(answer.reasons)
        return self._follow(here, answer)

    def _follow(self, here: Here, reply: CallServerReply) -> Go | Do:
        target = here.tenant.find_node(reply.go_to) if reply.go_to else self.next
        number = ""
        if target is None:
            try:
                number = number_outside(here, str(reply.go_to))
            except ValueError as error:
                return self._failed(Why.CANNOT_BE_FOLLOWED(str(error)))
        said = tuple(reason for name, value in reply.show.items() for reason in Why.SHOWS(name, value))
        if reply.text is None:
            return Go(target, said + Why.ON_TO(target)) if target else self._call(here, number, said)
        sound = here.facts.answer(Speak(reply.text, reply.language or here.chosen.language or here.tenant.language))
        text = " ".join(reply.text.split())
        shown = text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}..."
        if not sound:
            return self._failed(said + Why.CANNOT_READ(shown))
        return Do(Say(sound), said + Why.READS(shown) + Why.ON_TO(target or number), memory_of(number), then=target)

    def _call_number(self, here: Here, number: Did) -> Go | Do:
        """The call to the number, unless the configuration has refused it since the reply was read."""
        try:
            return self._call(here, number_outside(here, number), ())
        except ValueError as error:
            return self._failed(Why.CANNOT_BE_FOLLOWED(str(error)))

    def _call(self, here: Here, number: Did, said: Reasons) -> Do:
        leg = ExternalNumber(number, here.tenant.trunk_endpoint(self.trunk, number))
        seen = identity(here.tenant, here.facts, self.presentation)
        step = Dial((), self.ring_s, outside=(leg,), shown=seen.shown, vouching=seen.vouching, hidden=seen.hidden)
        return Do(step, said + Why.CALLS(number))

    def _failed(self, why: Reasons) -> Go:
        return Go(self.failed, why + Why.ON_TO(self.failed))


def number_outside(here: Here, go_to: str) -> Did:
    """The number, if the tenant may call it. Raises ValueError with the reason if not."""
    if not go_to.startswith("+"):
        raise ValueError(f"no element or extension {go_to!r}")
    if go_to == here.facts.caller:
        raise ValueError(f"{go_to} is the caller's own")
    try:
        number = here.tenant.destination(go_to)
    except ValueError as error:
        raise ValueError(f"{go_to} {error}") from None
    if not here.tenant.main_number:
        raise ValueError(f"no number can be shown to {number}")
    here.tenant.trunk_endpoint(None, number)
    return number


def memory_of(number: Did) -> tuple[int, ...]:
    """The digits in two halves, each after a 1 that keeps its zeros; empty for no number."""
    digits = number.removeprefix("+")
    return (int(f"1{digits[:HALF]}"), int(f"1{digits[HALF:]}")) if digits else ()


def number_of(memory: tuple[int, ...]) -> Did:
    first, second = counters(memory, 2)
    return f"+{str(first)[1:]}{str(second)[1:]}"
