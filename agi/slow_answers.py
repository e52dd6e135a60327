"""Answers that take longer than a decision may: a call server's reply, generated speech, recognised speech."""

import math
from dataclasses import dataclass

from agi import speech, understanding
from agi.call_servers import CallServers, ServerRequest, longest_s
from agi.fastagi import Hold
from agi.speech import Speech
from agi.understanding import Understanding
from routing.call.call_server import CallServerReply, Failed
from routing.call.facts import Facts
from routing.call.questions import AskServer, SlowQuestion, Speak, Understand
from services.published_tenants import PublishedTenant

AFTERWARDS_S = 4     # for the decision that follows, as long as any other


@dataclass(frozen=True, slots=True)
class Asking:
    """The call that a question is about, by its linkedid, and the channel that asks, by its uniqueid. `decision` names the
    decision, the same one when Asterisk asks for it again."""

    published: PublishedTenant
    call: str
    facts: Facts
    channel: str
    decision: str


class SlowAnswers:
    def __init__(self, call_servers: CallServers, speech: Speech, understanding: Understanding) -> None:
        self._call_servers = call_servers
        self._speech = speech
        self._understanding = understanding

    async def answer(
        self, asking: Asking, question: SlowQuestion, hold: Hold,
    ) -> CallServerReply | Failed | str | tuple[str, ...]:
        """Never fails. First extends the time limit of the call's decision."""
        tenant = asking.published.tenant
        match question:
            case AskServer(server=name, keys=keys):
                server = tenant.call_servers[name]
                hold(math.ceil(longest_s(server.connect_s, server.answer_s)) + AFTERWARDS_S)
                return await self._call_servers.ask(ServerRequest(
                    tenant.tenant, name, server.url, asking.published.call_server_secrets.get(name, ""),
                    body_of(asking, name, keys), int(asking.facts.moment.timestamp()), server.connect_s, server.answer_s))
            case Speak(text=text, language=language):
                hold(math.ceil(speech.LIMIT_S) + AFTERWARDS_S)
                return await self._speech.sound_of(tenant.tenant, text, language)
            case Understand():
                hold(math.ceil(understanding.LIMIT_S) + AFTERWARDS_S)
                return await self._understanding.said_in(asking.channel, tenant.tenant, question)


def body_of(asking: Asking, server: str, keys: str) -> dict[str, str]:
    """The body of a request to a call server. `caller` is '' when the number is hidden."""
    facts = asking.facts
    return {
        "call": asking.call, "tenant": asking.published.tenant.tenant, "call_server": server, "caller": facts.caller,
        "caller_extension": facts.caller_extension, "dialled": facts.dialled, "digits": keys,
        "at": facts.moment.isoformat(timespec="seconds"),
    }
