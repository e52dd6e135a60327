"""The decision service: each FastAGI request is one step of one call. Holds nothing between requests."""

import asyncio
import random
import signal
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Protocol
from urllib.parse import unquote

import structlog

from agi.fastagi import Application, Query, start_server
from agi.published import Published
from agi.step_text import AgiError, Result, path_text, read_event, read_state, start_text, state_text, step_text
from routing.call import Decision, Event, State
from routing.callers import caller_number
from routing.engine import next_step
from routing.facts import Facts
from routing.numbers import dialled_number
from routing.questions import Question, Unanswered
from routing.tenant import Tenant
from store.follower import Live

log = structlog.get_logger()


class Answering(Protocol):
    """Who answers what a decision asks. Never fails: without Redis it says what it knows. `decision` names the decision,
    the same one when Asterisk asks for it again."""

    async def answer(self, tenant: str, question: Question, decision: str) -> int: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """A decision as Asterisk reads it. `event` is that of the call's record: its kind and what it tells."""

    event: str
    state: str
    step: str


class DecisionService:
    """Decides by the published tenants. `live` is the in-process copy of what is live."""

    def __init__(
        self, published: Published, live: Live, answers: Answering, asterisk_home: PurePosixPath,
    ) -> None:
        self._published = published
        self._live = live
        self._answers = answers
        self._home = asterisk_home

    async def step(self, query: Query) -> list[str]:
        """The AGI commands that tell the decision: the end of the time limit for it, an event with its reasons, and what
        the channel keeps."""
        answer = await self.answer(query)
        return [
            "SET AUTOHANGUP 0",
            f'EXEC CELGenUserEvent "{answer.event}"',
            f'SET VARIABLE STATE "{answer.state}"',
            f'SET VARIABLE STEP "{answer.step}"',
        ]

    async def answer(self, query: Query) -> Answer:
        """The decision. Arguments, in the dialplan's order: tenant, origin, number dialled, caller's extension, STATE,
        DIGITS, DIALSTATUS, VMSTATUS, the caller's number and name; what the caller chose is percent-encoded."""
        began = time.perf_counter()
        try:
            (slug, origin, dialled, extension, state_before, digits, dial_status, voicemail_status,
             caller, caller_name) = query.arguments
        except ValueError:
            raise AgiError(f"found {len(query.arguments)} arguments, expected 10") from None
        published = self._published.tenant(slug)
        state = read_state(state_before)
        result = Result(digits, dial_status, voicemail_status)
        event = read_event(state, origin, dialled, extension, result)
        tenant = published.tenant
        number = unquote(dialled)
        facts = Facts(
            datetime.now(UTC), extension, caller_number(unquote(caller), tenant.country),
            dialled_number(number, tenant.country, tenant.numbers), random.random(), self._live.devices,  # noqa: S311
            self._live.switches.get(slug, {}), self._live.personal.get(slug, {}))
        decision = await self._decide(tenant, facts, state, event, f"{query.uniqueid}/{state_before}")
        text = step_text(decision.step, tenant, published.sounds, self._home)
        log.info(
            "step", tenant=slug, call=query.uniqueid, step=text,
            path="; ".join(f"{visit.node}: {visit.why}" for visit in decision.path),
            took_us=round((time.perf_counter() - began) * 1e6))
        path = path_text(decision.path)
        told = f"step,{path}" if state else f"start,{start_text(caller, caller_name, dialled)};{path}"
        return Answer(told, state_text(decision.state), text)

    async def _decide(self, tenant: Tenant, facts: Facts, state: State | None, event: Event, name: str) -> Decision:
        """Answers the questions that come up, each once: a walk has an end, and so have they."""
        answers: dict[Question, int] = {}
        while True:
            try:
                return next_step(tenant, replace(facts, answers=answers), state, event)
            except Unanswered as unanswered:
                answers[unanswered.question] = await self._answers.answer(tenant.tenant, unanswered.question, name)


async def serve(service: DecisionService, address: str, port: int) -> None:
    """Answers until SIGTERM or SIGINT; requests already begun are finished."""
    application = Application(loop=asyncio.get_running_loop())
    application.add_route("step", service.step)
    server = await start_server(application, address, port)
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    log.info("agi_ready", address=address, port=port)
    await stopping.wait()
    server.close()
    await asyncio.wait_for(server.wait_closed(), 5)
