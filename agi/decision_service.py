"""The decision service: each FastAGI request is one step of one call. It keeps no state between requests."""

import asyncio
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Protocol, TypeVar
from urllib.parse import quote, unquote

import structlog

from agi.channel_text import ChannelResult, path_text, read_digits, read_event, read_state, start_text, state_text
from agi.fastagi import Application, Hold, Query, start_server
from agi.slow_answers import Asking, SlowAnswers
from routing.call.effects import CheckPin, LiveEffect, PinIs
from routing.call.facts import Answer, Facts, Request, Unanswered
from routing.call.questions import HasPin, LiveQuestion
from routing.call.reasons import Why
from routing.call.state import Awaits, Origin, Visit
from routing.engine.engine import next_step, transfer_refusal
from routing.engine.entry import START
from routing.nodes.outbound_policy import why_not_called
from routing.numbering.numbers import caller_name, caller_number, dialled_number
from services import metrics
from services.asterisk_text import DIGITS, AgiError, checked, lot_name, sound_path, step_text
from services.published_tenants import PublishedTenants
from store.follower import Live

DRAIN_S = 8.0                     # less than a supervisor waits before it kills: docker/compose.yaml, runtime
FAILOVER = "Goto(failover)"       # the dialplan's own: it ends a call whose caller has been served already
UNIQUEID = r"[A-Za-z0-9._-]{1,80}"

log = structlog.get_logger()
T = TypeVar("T")


class Answering(Protocol):
    """The source of answers to a decision's questions. Never fails: without Redis it answers from local knowledge. `decision`
    names the decision; the name is the same when Asterisk requests the decision again."""

    async def answer(self, tenant: str, call: str, question: LiveQuestion | LiveEffect, decision: str) -> Answer: ...
    async def check_pin(self, tenant: str, question: CheckPin, pin: str) -> PinIs:
        """`pin` is the correct PIN, '' if none is set."""


@dataclass(frozen=True, slots=True)
class AgiAnswer:
    """A decision as Asterisk reads it. `event` is the event of the call record: its kind and its contents."""

    event: str
    state: str
    step: str
    forgets: bool = False      # the digits keyed for this decision
    caller: tuple[str, ...] = ()         # the commands that correct what people are shown of the caller


def _corrections(has_colleagues_number: bool, has_colleagues_name: bool) -> tuple[str, ...]:
    """The AGI commands by which a caller from outside is shown without these."""
    number = ('SET VARIABLE CALLERID(num) ""', 'SET VARIABLE CALLERID(pres) "unavailable"') if has_colleagues_number else ()
    return (*number, *(('SET VARIABLE CALLERID(name) ""',) if has_colleagues_name else ()))


class DecisionService:
    """Decides by the published tenants. `live` is the in-process copy of the live state; `now` returns an aware datetime."""

    def __init__(
        self, published: PublishedTenants, live: Live, answers: Answering, slow: SlowAnswers,
        asterisk_home: PurePosixPath, now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._published = published
        self._live = live
        self._answers = answers
        self._slow = slow
        self._home = asterisk_home
        self._now = now

    async def step(self, query: Query, hold: Hold) -> list[str]:
        """The AGI commands that pass the decision to Asterisk: the end of its time limit, an event with its reasons, and the
        channel variables."""
        answer = await self.answer(query, hold)
        return [
            *(['SET VARIABLE DIGITS ""'] if answer.forgets else []),
            *answer.caller,
            "SET AUTOHANGUP 0",
            f'EXEC CELGenUserEvent "{answer.event}"',
            f'SET VARIABLE STATE "{answer.state}"',
            f'SET VARIABLE STEP "{answer.step}"',
        ]

    async def answer(self, query: Query, hold: Hold) -> AgiAnswer:
        """The decision. [step] in asterisk-conf/extensions.conf names the arguments; `dialled`, `caller` and `name` are
        percent-encoded, `ended` is DIALSTATUS with HANGUPCAUSE."""
        began = time.perf_counter()
        of = query.argument
        slug, dialled, extension, state_before = of("tenant"), of("dialled"), of("extension"), of("state")
        caller, called_themselves, transferrer = of("caller"), of("name"), of("transferrer")
        published = self._published.tenant(slug)
        state = read_state(state_before)
        result = ChannelResult(of("digits"), of("ended"), of("voicemail"), of("left"))
        event = read_event(state, of("origin"), dialled, extension, result)
        tenant = published.tenant
        number = unquote(dialled)
        is_secret = state is not None and state.awaits is Awaits.PIN
        said, who = unquote(caller), caller_number(unquote(caller), tenant.country)
        corrections: tuple[str, ...] = ()
        if of("origin") == Origin.TRUNK:
            who = caller_number(said, tenant.country, tenant.internal_numbers)
            if state is None:
                name = caller_name(unquote(called_themselves), said, tenant.internal_numbers, tenant.names.values())
                poses = not who and bool(caller_number(said, tenant.country))
                corrections = _corrections(poses, bool(called_themselves) and not name)
                caller, called_themselves = "" if poses else caller, quote(name, safe="")
        facts = Facts(
            self._now(), extension, who,
            dialled_number(number, tenant.country, tenant.numbers), random.random(), self._live.devices,  # noqa: S311
            self._live.switches.get(slug, {}),
            dict(self._live.personal.get(slug, {})),      # a copy: this decision itself may change the settings
            self._live.calendars.get(slug, {}),
            transferrer=transferrer if transferrer in tenant.users else "",
            keys="" if is_secret else read_digits(result.digits))
        call = checked(of("call"), UNIQUEID, "linkedid")
        asking = Asking(published, call, facts, query.uniqueid, f"{query.uniqueid}/{state_before}")
        kind = "step," if state else f"start,{start_text(caller, called_themselves, dialled)};"
        try:
            decision = await self._decide(asking, lambda facts: next_step(tenant, facts, state, event), hold)
            text = step_text(decision.step, tenant, published.sounds, self._home)
        except AgiError:
            raise
        except Exception:      # a fault of ours: it stops this decision only, and the caller still reaches a person
            log.exception("decision_failed", tenant=slug, call=call, state=state_before)
            _count("step", "failover", began)
            failed = path_text((Visit(state.node if state else START, Why.INTERNAL_ERROR()),))
            return AgiAnswer(f"{kind}{failed}", state_before, FAILOVER, is_secret, corrections)
        path = path_text(decision.path)
        log.info(
            "step", tenant=slug, call=call, step=text, path=path, took_us=round((time.perf_counter() - began) * 1e6))
        _count("step", type(decision.step).__name__.lower(), began)
        return AgiAnswer(f"{kind}{path}", state_text(decision.state), text, is_secret, corrections)

    async def transfer(self, query: Query, hold: Hold) -> list[str]:
        """The AGI commands that set the target of a phone's transfer, or the sounds that explain a refusal. Arguments:
        `tenant`, the phone's `extension`, the digits it `keyed`, the linkedid as `call`."""
        began = time.perf_counter()
        slug, extension, keyed = query.argument("tenant"), query.argument("extension"), query.argument("keyed")
        published = self._published.tenant(slug)
        tenant = published.tenant
        dialled = read_digits(keyed)
        facts = Facts(
            self._now(), transferrer=checked(extension, "[0-9]{2,6}", "extension"),
            dialled=dialled_number(dialled, tenant.country, tenant.numbers), devices=self._live.devices,
            switches=self._live.switches.get(slug, {}), personal=self._live.personal.get(slug, {}),
            calendars=self._live.calendars.get(slug, {}))
        refusal = transfer_refusal(tenant, facts, dialled)
        call = checked(query.argument("call"), UNIQUEID, "linkedid")
        _count("transfer", "refused" if refusal else "allowed", began)
        log.info("transfer", tenant=slug, call=call, by=extension, to=dialled, refused=bool(refusal))
        if refusal:
            sounds = "&".join(sound_path(self._home, slug, published.sounds[prompt]) for prompt in refusal)
            return [f'SET VARIABLE REFUSAL "{sounds}"']
        target = [f'SET VARIABLE TARGET "{dialled}"']
        lot = tenant.lot_of(tenant.internal_numbers.get(dialled, ""))
        if lot is None:
            return target

        def sounds_of(*prompts: str) -> str:
            return "&".join(sound_path(self._home, slug, published.sounds[prompt]) for prompt in prompts)

        return [
            *target, f'SET VARIABLE LOT "{lot_name(tenant, lot.name)}"', f'SET VARIABLE LOT_SLOTS "{"-".join(lot.slots)}"',
            f'SET VARIABLE LOT_SOUND "{sounds_of("sys_parked")}"', f'SET VARIABLE LOT_DIGITS "{sounds_of(*DIGITS)}"',
            f'SET VARIABLE LOT_FULL "{sounds_of("sys_parking_full")}"']

    async def admit(self, query: Query, hold: Hold) -> list[str]:
        """Screen an external call that the dialplan makes by itself: REFUSED is set if it is not allowed. Arguments: `tenant`,
        the user who pays or '' as `payer`, `number`, the linkedid as `call`."""
        began = time.perf_counter()
        slug = query.argument("tenant")
        published = self._published.tenant(slug)
        call = checked(query.argument("call"), UNIQUEID, "linkedid")
        user = checked(query.argument("payer"), "([0-9]{2,6})?", "payer")
        called = checked(query.argument("number"), r"\+[0-9]{7,15}", "number outside")
        asking = Asking(published, call, Facts(self._now()), query.uniqueid, f"{query.uniqueid}/")
        why = await self._decide(asking, lambda facts: why_not_called(published.tenant, facts, user, called), hold)
        _count("admit", "refused" if why else "allowed", began)
        refused = why[0].why if why else ""
        log.info("outbound_call_screened", tenant=slug, call=call, extension=user, number=called, refused=refused)
        return ['SET VARIABLE REFUSED "yes"'] if why else []

    async def _decide(self, asking: Asking, decide: Callable[[Facts], T], hold: Hold) -> T:
        """Answers the questions that the decision asks, each once; a walk through the call flow ends, so the questions do."""
        answers: dict[Request, Answer] = {}
        while True:
            try:
                return decide(replace(asking.facts, answers=answers))
            except Unanswered as unanswered:
                answers[unanswered.question] = await self._answer(asking, unanswered.question, hold)

    async def _answer(self, asking: Asking, question: Request, hold: Hold) -> Answer:
        if isinstance(question, CheckPin | HasPin):
            pin = asking.published.pin(question.extension, question.of)
            if isinstance(question, HasPin):
                return bool(pin)
            return await self._answers.check_pin(asking.published.tenant.tenant, question, pin)
        if isinstance(question, LiveQuestion | LiveEffect):
            return await self._answers.answer(asking.published.tenant.tenant, asking.call, question, asking.decision)
        return await self._slow.answer(asking, question, hold)


def _count(request: str, result: str, began_s: float) -> None:
    metrics.DECISIONS.labels(request, result).inc()
    metrics.DECISION_SECONDS.labels(request).observe(time.perf_counter() - began_s)


async def serve(service: DecisionService, address: str, port: int) -> None:
    """Answers until SIGTERM or SIGINT; requests that have begun by then are answered within DRAIN_S, or closed."""
    application = Application(loop=asyncio.get_running_loop())
    application.add_route("step", service.step)
    application.add_route("transfer", service.transfer)
    application.add_route("admit", service.admit)
    server = await start_server(application, address, port)
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    log.info("agi_ready", address=address, port=port)
    await stopping.wait()
    server.close()
    await application.drain(DRAIN_S)
