"""One tenant of many is changed while calls run: the delay until it is live, and the effect on those calls."""

import asyncio
import itertools
import time
from asyncio.subprocess import DEVNULL
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from math import nan
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.instance import SETTINGS
from bench.percentile import percentile
from bench.tenants import did, small_tenant, trunk, user, write_small_tenants
from centralka.asterisk import running_asterisk
from centralka.cli import configuration
from centralka.settings import Settings
from confgen.publish.publishing import locked
from confgen.secrets import load_secrets, new_password, save_secrets
from runtime.failure import RuntimeFailure
from runtime.instance import centralka_command
from runtime.local import LocalRuntime
from runtime.signals import undisturbed
from sipp import Account, Address, Answer, Call, Callee, Caller, Cast, Load, Register, Result, SippFailed, run

OTHERS, OTHERS_PER_S = 5, 2         # tenants that are called besides the changed one, and how often
CHANGED_PER_S = 40                  # calls a second to the changed tenant: how exactly the moment is known
BEFORE_S, AFTER_S = 3, 9            # of calls around the beginning of the change
GRACE_S = 25
GOOD, REFUSED = 200, 401
PHONES = "127.80.100"
CALLED, OTHER = "201", "205"        # users: of the first number of any tenant, and one whom nobody calls
Publishing = Callable[[], Coroutine[Any, Any, tuple[float | None, float, float]]]


@dataclass(frozen=True, slots=True)
class Change:
    """A published state and its sign: calls reach the phone of `to`, or its REGISTER gets this answer."""

    title: str
    publish: Publishing
    text: str                        # of the tenant's file
    to: str
    answer: int | None = None


@dataclass(frozen=True, slots=True)
class Changed:
    """Seconds. `checked_s`: until the change was found, checked and rendered, Python's start apart (None: a command did all of
    it). From there, or from the command's start: `registered_s`, until a phone could register, or no more (None: it does not
    matter); `live_s`, until a call went the new way (None: all go the old one); `ended_s`, until all was done. The calls
    meanwhile: how many, how many failed, how many messages were sent again, their set-up times."""

    title: str
    checked_s: float | None
    registered_s: float | None
    live_s: float | None
    ended_s: float
    calls: int
    failed: int
    retransmissions: int
    setup_p50_ms: float
    setup_max_ms: float


class ManyTenants:
    """A running instance with `count` tenants, of which one is changed."""

    def __init__(self, runtime: LocalRuntime, folder: Path, count: int) -> None:
        self.runtime, self.folder, self.count = runtime, folder, count
        self.settings = Settings.load(runtime.home)
        self.changed = count // 2
        self._phones = itertools.count(1)

    def account(self, number: int, extension: str) -> Account | None:
        """None while the user is not published."""
        endpoint = f"t{number:04}-{extension}-desk"
        password = load_secrets(self.settings.home / "secrets.json").sip.get(endpoint)
        return Account(endpoint, password) if password else None

    def new_address(self) -> Address:
        return Address(f"{PHONES}.{next(self._phones)}")

    def edit(self, text: str) -> None:
        (self.folder / f"t{self.changed:04}.yaml").write_text(text)

    async def publish(self) -> tuple[float, float, float]:
        """Runs the work of `centralka apply`; returns the moments before it, before publishing and after it."""
        began = time.time()
        with locked(self.settings.home):
            rendered = configuration.render_read(configuration.read_changed([self.folder], self.settings), self.settings)
            checked = time.time()
            async with running_asterisk(self.settings) as asterisk:
                await configuration.apply(rendered, self.settings, asterisk, ())
        return began, checked, time.time()

    async def give_password(self) -> tuple[float, float, float]:
        """Another one than before to the phone of OTHER; the same moments."""
        began, file, endpoint = time.time(), self.settings.home / "secrets.json", f"t{self.changed:04}-{OTHER}-desk"
        with locked(self.settings.home):
            secrets = load_secrets(file)
            secrets = secrets.model_copy(update={"sip": {**secrets.sip, endpoint: new_password()}})
            save_secrets(file, secrets)
            checked = time.time()
            async with running_asterisk(self.settings) as asterisk:
                await configuration.republish(f"t{self.changed:04}", secrets, self.settings, asterisk)
        return began, checked, time.time()

    async def command(self) -> tuple[None, float, float]:
        """`centralka apply` itself: the moments before and after it."""
        began = time.time()
        process = await asyncio.create_subprocess_exec(
            *centralka_command(self.settings.home), "apply", str(self.folder), stdout=DEVNULL)
        if await process.wait():
            raise RuntimeFailure(f"centralka apply ended with {process.returncode}")
        return None, began, time.time()


@contextmanager
def many_tenants(count: int) -> Iterator[ManyTenants]:
    """In an instance of their own, removed at the end."""
    runtime = LocalRuntime("bench")
    runtime.remove()
    try:
        with TemporaryDirectory() as folder:
            write_small_tenants(Path(folder), count)
            runtime.prepare(SETTINGS)
            runtime.apply(Path(folder))
            runtime.start()
            yield ManyTenants(runtime, Path(folder), count)
    finally:
        with undisturbed():
            runtime.remove()


async def measure_changes(many: ManyTenants) -> list[Changed]:
    """Each from calls that go to CALLED."""
    file, found = partial(small_tenant, many.changed), []
    for change in (
        Change("a number's calls go to another user", many.publish, file("202"), "202"),
        Change("the same, by the command", many.command, file("202"), "202"),
        Change("a new user with a phone and a mailbox gets them", many.publish, file("298", user("298")), "298", GOOD),
        Change("the same, by the command", many.command, file("299", user("299")), "299", GOOD),
        Change("a phone gets another password", many.give_password, file(CALLED), OTHER, GOOD),
        Change("a user goes", many.publish, file(CALLED).replace(user(OTHER), ""), OTHER, REFUSED),
    ):
        found.append(await _measure(many, change))
        many.edit(small_tenant(many.changed))
        await asyncio.to_thread(asyncio.run, many.publish())
    return found


async def _measure(many: ManyTenants, change: Change) -> Changed:
    server, phone = Address(many.settings.sip_address), many.new_address()
    cast = Cast(server, limit_s=BEFORE_S + AFTER_S + GRACE_S)
    answers = Callee(then=Answer())
    goes = change.to != OTHER          # the calls, to this phone
    registered: float | None = None
    began, checked, ended, callers = None, nan, nan, list[Result]()
    before = many.account(many.changed, change.to)
    with suppress(SippFailed, ExceptionGroup):          # a phone that saw something else: counted below
        async with cast:
            for number in (many.changed, *range(OTHERS)):
                account = many.account(number, CALLED)
                await cast.callee(answers, at=many.new_address(), account=account, calls=None, traced=False)
            if goes and not change.answer:
                await cast.callee(answers, at=phone, account=before, calls=None, traced=False)
            calling = [asyncio.create_task(_call(cast, many.changed, CHANGED_PER_S))]
            calling += [asyncio.create_task(_call(cast, number, OTHERS_PER_S)) for number in range(OTHERS)]
            await asyncio.sleep(BEFORE_S)
            many.edit(change.text)
            publishing = asyncio.create_task(asyncio.to_thread(asyncio.run, change.publish()))
            if change.answer:
                registered = await _register(many, change, before, phone, server)
            if goes and change.answer:
                await cast.callee(answers, at=phone, calls=None, traced=False)
            began, checked, ended = await publishing
            callers += await asyncio.gather(*calling)
    live_at = cast.results[phone].first_invite_at if goes else None
    setup_ms = [ms for caller in callers for ms in caller.setup_ms]
    results = (*callers, *cast.results.values())
    return Changed(
        change.title, checked - began if began else None, registered - checked if registered else None,
        (live_at - checked if live_at else nan) if goes else None, ended - checked,
        sum(caller.statistics.created for caller in callers), sum(result.statistics.failed for result in results),
        sum(result.statistics.retransmissions for result in results), percentile(setup_ms, 50), max(setup_ms))


async def _call(cast: Cast, number: int, per_s: int) -> Result:
    load = Load(per_s * (BEFORE_S + AFTER_S), per_s, at_once=2000)
    try:
        return await cast.call(
            Call(number=did(number)[1:], caller=Caller("+48600100200")), at=trunk(number), load=load, traced=False)
    except SippFailed as failed:
        return failed.result


async def _register(many: ManyTenants, change: Change, before: Account | None, phone: Address, server: Address) -> float:
    """Registers with the current account until the answer is the expected one; returns the moment of that answer. A phone
    that is to be refused keeps trying with the account of before."""
    async with asyncio.timeout(GRACE_S):
        while True:
            account = before if change.answer == REFUSED else many.account(many.changed, change.to)
            if account and (account != before or change.answer == REFUSED):
                with suppress(SippFailed):
                    await run(Register(account=account, expect=change.answer or GOOD), local=phone, server=server, limit_s=5)
                    return time.time()
            else:
                await asyncio.sleep(0.01)
