"""Status: processes, registrations and problems, queried from every part at this moment."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from rich.console import Group
from rich.table import Table
from rich.text import Text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from ami.client import AmiClient, AmiError, Message
from ami.view.live_view import STATES
from centralka.settings import Settings
from confgen.publish.disk_space import scarce_space
from routing.call.facts import DeviceState
from routing.numbering.endpoint import TrunkEndpoint, read_endpoint
from store import calendars, database, live, record_health, registrations
from store.bans import Ban, load_bans, load_guessed
from store.calendars import CalendarFetch
from store.calls import CallStore
from store.lines import Lines
from store.live import LiveCall
from store.record_health import RecordHealth
from store.registrations import Registration

LIMIT_S = 5.0
LISTED = 40      # of trunks, phones and calls, where all tenants' are asked for
NEVER_SEEN = "never seen"
NEW = timedelta(days=1)      # how long a changed address is reported


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
    contacts: tuple[str, ...]                    # SIP addresses; empty while it is not registered
    notice: str = ""                             # never seen, gone, or come from elsewhere

    @property
    def is_notable(self) -> bool:
        """True if it no longer registers or answers, or has another address; False for a device that was never set up."""
        return self.notice not in ("", NEVER_SEEN)


@dataclass(frozen=True, slots=True)
class TrunkStatus:
    """A trunk. `state` is as Asterisk reports it: of the registration, else of the endpoint."""

    endpoint: str
    kind: TrunkKind
    state: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """Everything that `centralka status` reports. `wrong` is empty when all is well."""

    services: tuple[ServiceStatus, ...]
    phones: tuple[PhoneStatus, ...]
    trunks: tuple[TrunkStatus, ...]
    calls: tuple[LiveCall, ...]
    wrong: tuple[str, ...]
    bans: Mapping[str, Ban] = field(default_factory=dict)       # in force, by address

    @property
    def exit_code(self) -> int:
        return 2 if self.wrong else 0

    def to_json(self) -> str:
        return json.dumps(asdict(self), default=str, indent=1)


async def collect(settings: Settings, ami_user: str, ami_secret: str) -> Status:
    """Query every part, each within a few seconds. Never raises for an unavailable part: it reports that part as a problem."""
    phones: tuple[PhoneStatus, ...] = ()
    trunks: tuple[TrunkStatus, ...] = ()
    calls: tuple[LiveCall, ...] = ()
    addresses: dict[str, CalendarFetch] = {}
    stopped: dict[str, str] = {}
    bans: dict[str, Ban] = {}
    guessed: dict[str, int] = {}
    seen: dict[str, Registration] | None = None
    health: RecordHealth | None = None

    async def ask_asterisk() -> None:
        nonlocal phones, trunks
        await _ask_listener(settings.ami_address, settings.ami_port)
        async with AmiClient(settings.ami_address, settings.ami_port, ami_user, ami_secret) as ami:
            await ami.action("CoreStatus", LIMIT_S)
            phones, trunks = _read_endpoints(
                await ami.listing("PJSIPShowEndpoints"), await ami.listing("PJSIPShowRegistrationsOutbound"))

    async def ask_redis() -> None:
        nonlocal calls, addresses, stopped, seen, health, bans, guessed
        async with live.connect(settings.redis_url) as redis:
            calls = tuple(await live.calls_in_progress(redis))
            addresses = await calendars.addresses(redis)
            stopped = await Lines(redis).stopped()
            seen = await registrations.load(redis)
            bans = {address: ban for address, ban in (await load_bans(redis)).items() if datetime.now(UTC) < ban.until}
            guessed = await load_guessed(redis)
            health = await record_health.get(redis)
            await redis.ping()           # refused while Redis cannot write

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
    wrong += [f"{name}: {count} wrong SIP passwords lately" for name, count in sorted(guessed.items())]
    wrong += problems_of(health) if health else []
    if not health and (scarce := scarce_space(settings.home)):        # Redis does not know it while it cannot write
        wrong.append(scarce)
    if seen is not None:
        phones = tuple(replace(phone, notice=notice_of(phone, seen.get(phone.endpoint))) for phone in phones)
    return Status(tuple(services), phones, trunks, calls, tuple(wrong), bans)


def notice_of(phone: PhoneStatus, seen: Registration | None) -> str:
    """The notice about a device; '' for one that is simply registered."""
    if seen is None:
        return "" if phone.contacts else NEVER_SEEN
    if not phone.contacts:
        return f"registers no more since {seen.since:%F %H:%M} UTC, was at {seen.address}"
    if not seen.is_there:
        return f"does not answer since {seen.since:%F %H:%M} UTC, is registered from {seen.address}"
    if seen.before and datetime.now(UTC) - seen.since < NEW:
        return f"registers from {seen.address} since {seen.since:%F %H:%M} UTC, before from {seen.before}"
    return ""


def whose(field: str) -> str:
    """'acme 201 (end it with: centralka release acme 201)' of 'acme/201'."""
    stopped = field.replace("/", " ").strip()
    return f"{stopped} (end it with: centralka release {stopped})"


def problems_of(health: RecordHealth) -> list[str]:
    """Problems of call records, as sentences."""
    problems = []
    if health.database:
        problems.append(f"{health.waiting} call records wait for the database: {health.database}; the CEL file keeps them")
    if health.free < health.wanted_free:
        problems.append(f"{_megabytes(health.free)} are left in the file system of {health.folder}, and "
                        f"{_megabytes(health.reserved)} are reserved there for events of calls; make space: without both, call "
                        "records are lost")
    if health.reserve_problem and health.free >= health.wanted_free:
        problems.append(f"no space is reserved for events of calls: {health.reserve_problem}")
    if health.missed:
        problems.append(f"Asterisk did not write {health.missed} events of calls to the CEL file, the last one at "
                        f"{health.missed_at}; they were taken from AMI")
    if health.losses:
        problems.append(f"{health.losses} lines or calls could not be recorded as they should; {health.losses_file} holds "
                        "their events; delete it once you have looked at it")
    return problems


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"


def _not_fetched(address: CalendarFetch) -> str:
    found_at = datetime.fromtimestamp(address.fetched_at, UTC)
    known = f"as of {found_at:%F %H:%M} UTC" if address.fetched_at else "nothing is known of it"
    return f"cannot be fetched from {address.url}: {address.problem}; {known}"


async def _ask(name: str, where: str, question: Callable[[], Awaitable[None]]) -> ServiceStatus:
    try:
        async with asyncio.timeout(LIMIT_S * 3):
            await question()
    except TimeoutError:
        return ServiceStatus(name, where, "no answer")
    except (ConnectionRefusedError, FileNotFoundError):
        return ServiceStatus(name, where, "nothing listens there, so it does not run")
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
    try:
        async with live.connect(redis_url) as redis:
            is_ready = await redis.exists(live.READY)
            await redis.ping()
    except live.AWAY:
        raise LookupError("is not known while redis gives no answer or cannot write") from None
    if not is_ready:
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


def render(status: Status, tenant: str = "") -> Group:
    """For a terminal: problems first. Of a tenant everything is listed; of all tenants, where that were too much, what a
    person should look at."""
    mine = f"{tenant}-" if tenant else ""
    trunks = [each for each in status.trunks if each.endpoint.startswith(mine)]
    phones = [each for each in status.phones if each.endpoint.startswith(mine)]
    calls = [each for each in status.calls if not tenant or each.tenant == tenant]
    listed_trunks = trunks if tenant or len(trunks) <= LISTED else [each for each in trunks if each.problem]
    listed_phones = phones if tenant or len(phones) <= LISTED else [each for each in phones if each.is_notable][:LISTED]
    listed_calls = calls if tenant else calls[:LISTED]
    wrong = [Text(f"wrong: {sentence}", "red") for sentence in status.wrong] or [Text("nothing is wrong", "green")]
    left_out = [
        f"{len(everything) - len(listed)} more {what}" for what, everything, listed in (
            ("trunks", trunks, listed_trunks), ("phones", phones, listed_phones), ("calls", calls, listed_calls))
        if len(everything) > len(listed)]
    return Group(
        *wrong, "", _services(status.services), "", _trunks(listed_trunks) if trunks else "no trunk is known", "",
        _phones(listed_phones, phones) if phones else "no phone is known", "",
        _calls(listed_calls) if calls else "no call in progress is known",
        *(("", _bans(status.bans)) if status.bans and not tenant else ()),
        *([Text(f"not listed: {', '.join(left_out)}; centralka status TENANT lists all of a tenant")] if left_out else []))


def _services(services: Sequence[ServiceStatus]) -> Table:
    table = _table("services", "", "at")
    for service in services:
        state = Text("wrong", "red") if service.problem else Text("up", "green")
        table.add_row(service.name, state, Text(service.where, overflow="fold"))
    return table


def _trunks(trunks: Sequence[TrunkStatus]) -> Table:
    table = _table("trunks", "by", "state")
    for trunk in trunks:
        table.add_row(Text(trunk.endpoint), trunk.kind, Text(trunk.state, "red" if trunk.problem else "green"))
    return table


def _phones(phones: Sequence[PhoneStatus], counted: Sequence[PhoneStatus]) -> Table:
    registered = sum(bool(phone.contacts) for phone in counted)
    table = _table("phones", "state", f"{registered} of {len(counted)} registered from", "")
    for phone in phones:
        contacts = Text("\n".join(phone.contacts), overflow="fold")
        table.add_row(Text(phone.endpoint), phone.state, contacts, Text(phone.notice, "yellow"))
    return table


def _calls(calls: Sequence[LiveCall]) -> Table:
    table = _table("calls in progress", "from", "to", "for")
    for call in calls:
        seconds = max(0, int((datetime.now(UTC) - call.since).total_seconds()))
        table.add_row(Text(call.tenant), Text(call.caller), Text(call.dialled), f"{seconds // 60}:{seconds % 60:02d}")
    return table


def _bans(bans: Mapping[str, Ban]) -> Table:
    table = _table("banned addresses", "until", "guessed at", "end it with")
    for address, ban in sorted(bans.items(), key=lambda each: each[1].since, reverse=True)[:LISTED]:
        accounts = Text(", ".join(ban.accounts), overflow="fold")
        table.add_row(address, f"{ban.until:%F %H:%M} UTC", accounts, f"centralka unban {address}")
    return table


def _table(*headings: str) -> Table:
    table = Table(*headings, box=None, pad_edge=False, title_justify="left")
    table.columns[0].style = "bold"
    return table
