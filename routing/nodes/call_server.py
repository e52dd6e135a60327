"""Call server: the tenant's own web service is asked during the call: what the caller hears, where the call goes."""

from pydantic import BaseModel, ConfigDict, Field

from routing.call import Digits, Entered, Event, Read, Say
from routing.call_server import Failed, Reply
from routing.names import Name, Target, Url
from routing.nodes.node import Do, Element, Go, Here, UnexpectedEvent, Uses
from routing.questions import AskServer, Speak

MAX_TOLD = 60      # characters of a text in the call's path


class AskFirst(BaseModel):
    """Digits that the caller types before the service is asked, such as a customer's number."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prompt: Name
    max_digits: int = Field(default=20, ge=1, le=20)
    wait_s: int = Field(default=5, ge=1, le=60)


class CallServer(Element):
    """`connect_s` and `answer_s` bound how long the caller waits in silence: a second try to connect, then the answer."""

    url: Url
    ask: AskFirst | None = None
    connect_s: float = Field(default=1.0, ge=0.1, le=2)
    answer_s: float = Field(default=2.0, ge=0.1, le=5)
    next: Target              # after an answer that names no other element
    failed: Target            # after everything else

    def uses(self) -> Uses:
        prompts = (("ask.prompt", self.ask.prompt),) if self.ask else ()
        return Uses(targets=(("next", self.next), ("failed", self.failed)), prompts=prompts)

    def decide(self, here: Here, memory: tuple[int, ...], event: Event) -> Go | Do:
        match event:
            case Entered() if self.ask:
                return Do(Read((self.ask.prompt,), self.ask.max_digits, self.ask.wait_s), "asks for digits")
            case Entered():
                return self._ask(here, here.facts.keys)
            case Digits(keys=keys):
                return self._ask(here, keys)
            case _:
                raise UnexpectedEvent(here, event)

    def _ask(self, here: Here, keys: str) -> Go | Do:
        answer = here.facts.answer(AskServer(here.name, keys))
        if isinstance(answer, Failed):
            return self._failed(answer.describe())
        return self._follow(here, answer)

    def _follow(self, here: Here, reply: Reply) -> Go | Do:
        target = here.tenant.find_node(reply.go_to) if reply.go_to else self.next
        if target is None:
            kind = "number of ours" if str(reply.go_to).startswith("+") else "element or extension"
            return self._failed(f"its answer cannot be used: go_to: no {kind} {reply.go_to!r}")
        said = "".join(f"{name}={value}, " for name, value in reply.show.items())
        if reply.text is None:
            return Go(target, f"{said}on to {target}")
        sound = here.facts.answer(Speak(reply.text, reply.language or here.chosen.language or here.tenant.language))
        told = " ".join(reply.text.split())
        shown = told if len(told) <= MAX_TOLD else f"{told[:MAX_TOLD]}..."
        if not sound:
            return self._failed(f"{said}could not read '{shown}'")
        return Do(Say(sound), f"{said}reads '{shown}', on to {target}", then=target)

    def _failed(self, why: str) -> Go:
        return Go(self.failed, f"{why}, on to {self.failed}")
