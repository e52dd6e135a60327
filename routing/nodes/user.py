"""User: all devices of a person ring; nobody answers, the mailbox or another element takes the call."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from routing.call import Cause, Dial, DialEnded, DialStatus, Entered, Event, Hangup, Play, Played, VoicemailEnded
from routing.names import Label, Name, Target, all_differ
from routing.nodes.node import Do, Go, Here, UnexpectedEvent, Uses
from routing.nodes.voicemail import LEAVE_MESSAGE, take_message

MISSED = {
    DialStatus.BUSY: ("busy", Cause.BUSY),
    DialStatus.NOANSWER: ("no answer", Cause.NO_ANSWER),
    DialStatus.UNAVAILABLE: ("not registered", Cause.UNAVAILABLE),
    DialStatus.CONGESTION: ("refused the call", Cause.UNAVAILABLE),
    DialStatus.CANCEL: ("the caller gave up", Cause.NORMAL),
}


class User(BaseModel):
    """A person with an extension, which is the key in the tenant's file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Label
    devices: Annotated[tuple[Name, ...], AfterValidator(all_differ)] = Field(default=("phone",), min_length=1, max_length=8)
    ring_s: int = Field(default=20, ge=3, le=120)
    voicemail: bool = True
    missed: Target | None = None     # where an unanswered call goes; without it, to the mailbox

    def uses(self) -> Uses:
        return Uses(targets=(("missed", self.missed),) if self.missed else (), ends=True)

    def decide(self, here: Here, memory: tuple[int, ...], event: Event) -> Go | Do:
        match event:
            case Entered():
                return Do(Dial(here.tenant.endpoints_of(here.name), self.ring_s), f"rings {', '.join(self.devices)}")
            case DialEnded(status=DialStatus.ANSWER):
                return Do(Hangup(Cause.NORMAL), "the conversation is over")
            case DialEnded(status=status):
                return self._missed(here, status)
            case Played() if memory:
                return Do(Hangup(Cause(memory[0])), "told the caller, hangs up")
            case Played() | VoicemailEnded():
                return take_message(here, here.name, LEAVE_MESSAGE, memory, event)
            case _:
                raise UnexpectedEvent(here, event)

    def _missed(self, here: Here, status: DialStatus) -> Go | Do:
        reason, cause = MISSED[status]
        if self.missed:
            return Go(self.missed, f"{reason}, on to {self.missed}")
        if self.voicemail:
            greeting = take_message(here, here.name, LEAVE_MESSAGE, (), Entered())
            return Do(greeting.step, f"{reason}, {greeting.why}")
        return Do(Play(("sys_unavailable",), early=True), f"{reason}, no mailbox", (int(cause),))
