"""The running Centralka that live tests call, and what it says afterwards."""

import asyncio
import itertools
import subprocess
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import redis

from centralka.cli.configuration import load_tenants, tenant_files
from centralka.settings import Settings
from confgen.secrets import Secrets, load_secrets
from routing.call.english import in_english
from routing.call.facts import NOTHING_SET, DeviceState
from routing.call.state import Origin
from runtime.instance import centralka_command
from runtime.process import Runtime
from simulator.script import Script
from simulator.simulate import simulate
from sipp import Account, Address, Callee, Caller, Cast, Sipp
from store import database, personal
from store.calls import CallStore
from store.live import DEVICES, PERSONAL, connect
from store.records import CallRecord, Leg

TENANTS = Path(__file__).parent / "tenants"
ADDRESS = "127.77.0.1"
TRUNK = {"acme": "127.77.0.20", "rossi": "127.77.0.21", "hunt": "127.77.0.22", "told": "127.77.0.29", "out": "127.77.0.41",
         "swap": "127.77.0.140", "swapb": "127.77.0.141", "north": "127.77.0.150", "south": "127.77.0.150"}
LIMIT_S = 15.0
LONG_AGO = datetime.fromtimestamp(0, UTC)

_callers = itertools.count(int(time.time()) % 100_000 * 1000)
_phones = itertools.count(1)


class Pbx:
    def __init__(self, runtime: Runtime, tenants: Path = TENANTS) -> None:
        self.runtime = runtime
        self.settings = Settings.load(runtime.home)
        self.server = Address(self.settings.sip_address)
        self.tenants = {tenant.tenant: tenant for tenant in load_tenants(tenant_files([tenants]))}

    @property
    def secrets(self) -> Secrets:
        return load_secrets(self.settings.home / "secrets.json")

    def centralka(self, *arguments: str, answer: str = "") -> str:
        """What the command says; AssertionError unless it ends well. `answer` is what it reads."""
        done = subprocess.run(
            [*centralka_command(self.runtime.home), *arguments], input=answer, capture_output=True, text=True, timeout=60,
            check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def account(self, endpoint: str) -> Account:
        return Account(endpoint, self.secrets.sip[endpoint])

    def cast(self, limit_s: float = 180) -> Cast:
        return Cast(self.server, limit_s=limit_s)

    def new_address(self) -> Address:
        """Where no other phone of the tests is."""
        number = next(_phones)
        return Address(f"127.77.{1 + number // 200}.{number % 200 + 30}")

    async def phone(self, cast: Cast, endpoint: str, callee: Callee, *, calls: int | None = 1) -> Sipp:
        """A registered phone at an address of its own, once Asterisk and the decision service know it as idle."""
        phone = await cast.callee(callee, at=self.new_address(), account=self.account(endpoint), calls=calls)
        await self.until_state(endpoint, DeviceState.IDLE)
        return phone

    async def until_state(self, endpoint: str, *states: DeviceState) -> None:
        """Until the live view in Redis says so."""
        client = redis.Redis.from_url(self.settings.redis_url, decode_responses=True)
        try:
            await until(lambda: client.hget(DEVICES, endpoint) in states, f"{endpoint} is {' or '.join(states)}")
        finally:
            client.close()

    def outside_caller(self) -> Caller:
        """Somebody with a number that no other call of the tests has."""
        return Caller(f"+48600{next(_callers):09}")

    async def record(self, caller: Caller | str, tenant: str = "acme", *, since: datetime = LONG_AGO) -> CallRecord:
        """The record of the one call that this caller made since then, once it is there."""
        found = await self.records(caller, tenant, at_least=1, since=since)
        assert len(found) == 1, found
        return found[0]

    async def records(
        self, caller: Caller | str, tenant: str = "acme", *, at_least: int, since: datetime = LONG_AGO,
    ) -> list[CallRecord]:
        number = caller.number if isinstance(caller, Caller) else caller
        engine = database.connect(self.settings.database_url)
        found: list[CallRecord] = []

        async def are_there() -> bool:
            nonlocal found
            calls = await CallStore(engine).recent(tenant, 5000)
            found = [call for call in calls if call.caller == number and call.started_at >= since]
            return len(found) >= at_least

        try:
            await until(are_there, f"{at_least} call records of {number}")
        finally:
            await engine.dispose()
        return found

    async def since(self, tenant: str, moment: datetime) -> list[CallRecord]:
        """The tenant's calls that began then or later, the newest first."""
        engine = database.connect(self.settings.database_url)
        try:
            return await CallStore(engine).since(tenant, moment)
        finally:
            await engine.dispose()

    async def legs(self, call: CallRecord) -> list[Leg]:
        """Of a recorded call, the caller's first."""
        engine = database.connect(self.settings.database_url)
        try:
            return await CallStore(engine).legs(call.tenant, call.linkedid)
        finally:
            await engine.dispose()

    async def count(self, tenant: str) -> int:
        """How many calls of the tenant are recorded."""
        engine = database.connect(self.settings.database_url)
        try:
            return len(await CallStore(engine).recent(tenant, 100_000))
        finally:
            await engine.dispose()

    def state_of(self, endpoint: str) -> str | None:
        with redis.Redis.from_url(self.settings.redis_url, decode_responses=True) as client:
            state: str | None = client.hget(DEVICES, endpoint)
        return state

    def simulated(
        self, number: str, *keys: str, tenant: str = "acme", extension: str = "", silent: tuple[str, ...] = (),
        outside: Mapping[str, DeviceState] | None = None, **states: DeviceState,
    ) -> list[tuple[str, str]]:
        """The path that the simulator gives. Users are not registered unless `states` (x201=...) says otherwise; numbers
        outside answer unless `outside` does."""
        known = {user: states.get(f"x{user}", DeviceState.UNAVAILABLE) for user in self.tenants[tenant].users}
        known |= outside or {}
        origin = Origin.PHONE if extension else Origin.TRUNK
        script = Script(origin, number, datetime.now(UTC), extension, keys, known, frozenset(silent))
        return [(visit.node, in_english(visit.why)) for visit in simulate(self.tenants[tenant], script).path]

    async def nothing_is_left(self) -> None:
        """Until no channel is up; then no state of a call stays anywhere else, since it lives on the channel."""
        await until(lambda: self.runtime.asterisk_cli("core show channels count").startswith("0 active channels"),
                    "no channel is left")
        client = redis.Redis.from_url(self.settings.redis_url)
        try:
            await until(lambda: client.hlen("centralka:calls") == 0, "no call is left in the live view")
        finally:
            client.close()

    async def put_settings_back(self) -> None:
        """Whatever users have set is set no more."""
        async with connect(self.settings.redis_url) as client:
            for field in await client.hkeys(PERSONAL):
                await personal.change(client, *str(field).split("/"), lambda _: NOTHING_SET)

    def log_size(self) -> int:
        return (self.settings.home / "log" / "messages.log").stat().st_size

    def log_since(self, size: int, name: str = "messages.log") -> str:
        with open(self.settings.home / "log" / name, "rb") as log:
            log.seek(size)
            return log.read().decode(errors="replace")


def path_of(call: CallRecord) -> list[tuple[str, str]]:
    return [(entry.node, in_english(entry.why)) for entry in call.path]


async def until(question: Callable[[], object | Awaitable[object]], what: str, limit_s: float = LIMIT_S) -> None:
    """Waits until the question is answered with yes; AssertionError after the limit."""
    deadline = asyncio.get_running_loop().time() + limit_s
    while True:
        answer = question()
        if isinstance(answer, Awaitable):
            answer = await answer
        if answer:
            return
        assert asyncio.get_running_loop().time() < deadline, f"{what}: not within {limit_s} s"
        await asyncio.sleep(0.05)
