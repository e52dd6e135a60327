"""Voicemail: a greeting, then a message for a user's mailbox."""

from routing.call.reasons import Why
from routing.call.state import Entered, Event, Played, VoicemailEnded
from routing.call.step import Cause, Hangup, Play, Voicemail
from routing.nodes.node import Do, Element, Go, Here, UnexpectedEvent, Uses
from routing.numbering.value_types import Extension, Name

LEAVE_MESSAGE: Name = "sys_leave_message"
SORRY = int(Cause.NORMAL)      # remembered while the apology is played: the cause of the hang-up after it


class VoicemailBox(Element):
    mailbox: Extension
    greeting: Name = LEAVE_MESSAGE

    def uses(self) -> Uses:
        return Uses(users=(("mailbox", self.mailbox),), prompts=(("greeting", self.greeting),), ends=True)

    def decide(self, here: Here, memory: tuple[int, ...], event: Event) -> Go | Do:
        return take_message(here, self.mailbox, self.greeting, memory, event)


def take_message(here: Here, mailbox: Extension, greeting: Name, memory: tuple[int, ...], event: Event) -> Do:
    """The steps of leaving a message: greeting, recording, good-bye, or an apology when the mailbox fails."""
    match event:
        case Entered():
            return Do(Play((greeting,)), Why.PLAYS(greeting))
        case Played() if memory:
            return Do(Hangup(Cause.NORMAL), Why.CALLER_TOLD() + Why.HANGS_UP())
        case Played():
            return Do(Voicemail(mailbox), Why.RECORDS(mailbox))
        case VoicemailEnded(failed=True):
            return Do(Play(("sys_unavailable",)), Why.MAILBOX_FAILED(), (SORRY,))
        case VoicemailEnded():
            return Do(Hangup(Cause.NORMAL), Why.MAILBOX_DONE())
        case _:
            raise UnexpectedEvent(here, event)
