"""What runs, what is registered, what is wrong: asked of every part at this moment."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from rich.console import Group
from rich.table import Table
from rich.text import Text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from agi.ami_client import AmiClient, AmiError, Message
from agi.live_view import STATES
from centralka.settings import Settings
from routing.endpoint import TrunkEndpoint, read_endpoint
from routing.facts import DeviceState
from store import calendars, database, live, registrations
from store.calendars import Address
from store.calls import CallStore
from store.lines import Lines
from store.live import LiveCall
from store.registrations import Registration

LIMIT_S = 5.0
NEW = timedelta(days=1)      # how long an address is told as another one than before


class TrunkKind(StrEnum):
    REGISTRATION = "registration"
    ADDRESS = "address"


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """One part of the instance. `problem` is '' while it is up."""

    name: str
    where: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class PhoneStatus:
    """A device of a user."""

    endpoint: str
    state: DeviceState
    contacts: tuple[str, ...]                    # SIP addresses; none while it isn't registered
    notice: str = ""                             # never seen, gone, or come from elsewhere


@dataclass(frozen=True, slots=True)
class TrunkStatus:
    """A trunk. `state` is Asterisk's word: of the registration, else of the endpoint."""

    endpoint: str
    kind: TrunkKind
    state: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """Everything that `centralka status` tells. `wrong` is empty when all is well."""

    services: tuple[ServiceStatus, ...]
    phones: tuple[PhoneStatus, ...]
    trunks: tuple[TrunkStatus, ...]
    calls: tuple[LiveCall, ...]
    wrong: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        return 2 if self.wrong else 0

    def to_json(self) -> str:
        return json.dumps(asdict(self), default=str, indent=1)


async def collect(settings: Settings, ami_user: str, ami_secret: str) -> Status:
    """Ask everything, each within a few seconds. Never raises for a part that is away: that is what it tells."""
    phones: tuple[PhoneStatus, ...] = ()
    trunks: tuple[TrunkStatus, ...] = ()
    calls: tuple[LiveCall, ...] = ()
    addresses: dict[str, Address] = {}
    stopped: dict[str, str] = {}
    seen: dict[str, Registration] | None = None

    async def ask_asterisk() -> None:
        nonlocal phones, trunks
        async with AmiClient(settings.ami_address, settings.ami_port, ami_user, ami_secret) as ami:
            await ami.action("CoreStatus", LIMIT_S)
            phones, trunks = _read_endpoints(
                await ami.listing("PJSIPShowEndpoints"), await ami.listing("PJSIPShowRegistrationsOutbound"))

    async def ask_redis() -> None:
        nonlocal calls, addresses, stopped, seen
        async with live.connect(settings.redis_url) as redis:
            calls = tuple(await live.calls_in_progress(redis))
            addresses = await calendars.addresses(redis)
            stopped = await Lines(redis).stopped()
            seen = await registrations.load(redis)

    services = await asyncio.gather(
        _ask("asterisk", f"{settings.ami_address}:{settings.ami_port}", ask_asterisk),
        _ask("agi", f"{settings.agi_address}:{settings.agi_port}",
             lambda: _ask_listener(settings.agi_address, settings.agi_port)),
        _ask("ami", settings.redis_url, lambda: _ask_ami_service(settings.redis_url)),
        _ask("provision", f"{settings.provision_address}:{settings.provision_port}",
             lambda: _ask_listener(settings.provision_address, settings.provision_port)),
        _ask("redis", settings.redis_url, ask_redis),
        _ask("database", make_url(settings.database_url).render_as_string(), lambda: _ask_database(settings.database_url)),
    )
    wrong = [f"{service.name} at {service.where}: {service.problem}" for service in services if service.problem]
    wrong += [f"trunk {trunk.endpoint}: {trunk.problem}" for trunk in trunks if trunk.problem]
    wrong += [f"calendar {field}: {_not_fetched(address)}" for field, address in addresses.items() if address.problem]
    wrong += [f"calls outside of {whose(field)} are stopped since {why}" for field, why in sorted(stopped.items())]
    if seen is not None:
        phones = tuple(replace(phone, notice=notice_of(phone, seen.get(phone.endpoint))) for phone in phones)
    return Status(tuple(services), phones, trunks, calls, tuple(wrong))


def notice_of(phone: PhoneStatus, seen: Registration | None) -> str:
    """What a person should know of a device that is not simply there."""
    if seen is None:
        return "" if phone.contacts else "never seen"
    if not phone.contacts:
        return f"registers no more since {seen.since:%F %H:%M} UTC, was at {seen.address}"
    if not seen.is_there:
        return f"does not answer since {seen.since:%F %H:%M} UTC, is registered from {seen.address}"
    if seen.before and datetime.now(UTC) - seen.since < NEW:
        return f"registers from {seen.address} since {seen.since:%F %H:%M} UTC, before from {seen.before}"
    return ""


def whose(field: str) -> str:
    """'acme 201 (end it with: centralka release acme 201)' of 'acme/201'."""
    told = field.replace("/", " ").strip()
    return f"{told} (end it with: centralka release {told})"


def _not_fetched(address: Address) -> str:
    found_at = datetime.fromtimestamp(address.fetched_at, UTC)
    known = f"as of {found_at:%F %H:%M} UTC" if address.fetched_at else "nothing is known of it"
    return f"cannot be fetched from {address.url}: {address.problem}; {known}"


async def _ask(name: str, where: str, question: Callable[[], Awaitable[None]]) -> ServiceStatus:
    try:
        async with asyncio.timeout(LIMIT_S * 3):
            await question()
    except TimeoutError:
        return ServiceStatus(name, where, "no answer")
    except (AmiError, SQLAlchemyError, LookupError, ValueError, *live.AWAY) as error:
        return ServiceStatus(name, where, str(error.__cause__ or error) or type(error).__name__)
    return ServiceStatus(name, where)


async def _ask_listener(address: str, port: int) -> None:
    async with asyncio.timeout(LIMIT_S):
        _, writer = await asyncio.open_connection(address, port)
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


async def _ask_ami_service(redis_url: str) -> None:
    async with live.connect(redis_url) as redis:
        if not await redis.exists(live.READY):
            raise LookupError("gives no sign of life; it isn't running, or has no Asterisk or no database")


async def _ask_database(url: str) -> None:
    file = make_url(url).database
    if url.startswith("sqlite") and file and not Path(file).exists():
        raise LookupError("doesn't exist yet; the ami service makes it")
    engine = database.connect(url)
    try:
        await CallStore(engine).position()
    finally:
        await engine.dispose()


def _read_endpoints(endpoints: list[Message],
                    registrations: list[Message]) -> tuple[tuple[PhoneStatus, ...], tuple[TrunkStatus, ...]]:
    phones, trunks = [], []
    registered = {each.endpoint: str(each.status) for each in registrations}
    by_name = {str(each.objectname): each for each in endpoints}       # one that was added lately may be listed twice
    for name, each in sorted(by_name.items()):
        word = str(each.devicestate)
        state = STATES.get(word.upper().replace(" ", "").replace("NOTINUSE", "NOT_INUSE"), DeviceState.UNKNOWN)
        if isinstance(read_endpoint(name), TrunkEndpoint):
            trunks.append(_trunk(name, registered.get(name), state, word))
        else:
            # 'acme-201-desk/sip:201@192.0.2.7:5060,' for each contact. PJSIPShowContacts leaves permanent ones out.
            contacts = tuple(part.partition("/")[2] for part in str(each.contacts).split(",") if part)
            phones.append(PhoneStatus(name, state, contacts))
    return tuple(phones), tuple(trunks)


def _trunk(endpoint: str, registration: str | None, state: DeviceState, word: str) -> TrunkStatus:
    if registration is not None:
        problem = "" if registration == "Registered" else f"isn't registered with its carrier: {registration}"
        return TrunkStatus(endpoint, TrunkKind.REGISTRATION, registration, problem)
    problem = "its carrier doesn't answer OPTIONS" if state is DeviceState.UNAVAILABLE else ""
    return TrunkStatus(endpoint, TrunkKind.ADDRESS, word, problem)


def render(status: Status) -> Group:
    """Tables for a terminal."""
    services = _table("services", "at", "")
    for service in status.services:
        state = Text(service.problem, "red") if service.problem else Text("up", "green")
        services.add_row(service.name, Text(service.where), state)
    trunks = _table("trunks", "by", "state")
    for trunk in status.trunks:
        trunks.add_row(Text(trunk.endpoint), trunk.kind, Text(trunk.state, "red" if trunk.problem else "green"))
    phones = _table("phones", "state", "registered from", "")
    for phone in status.phones:
        phones.add_row(Text(phone.endpoint), phone.state, Text("\n".join(phone.contacts)), Text(phone.notice, "yellow"))
    calls = _table("calls in progress", "from", "to", "for")
    for call in status.calls:
        seconds = max(0, int((datetime.now(UTC) - call.since).total_seconds()))
        calls.add_row(Text(call.tenant), Text(call.caller), Text(call.dialled), f"{seconds // 60}:{seconds % 60:02d}")
    wrong = [Text(f"wrong: {sentence}", "red") for sentence in status.wrong] or [Text("nothing is wrong", "green")]
    return Group(services, trunks, phones, calls, *wrong)


def _table(*headings: str) -> Table:
    table = Table(*headings, box=None, pad_edge=False, title_justify="left")
    table.columns[0].style = "bold"
    return table
