"""The test call of `make up` on the demo tenant: from the trunk through the menu to a phone, audio checked on both sides."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from centralka.cli.configuration import load_tenants, tenant_files
from centralka.settings import Settings
from confgen.secrets import load_secrets
from routing.call.english import in_english
from routing.call.facts import DeviceState
from routing.call.state import Origin
from routing.numbering.endpoint import device_of
from routing.platform.trunks import AddressTrunk
from runtime.failure import RuntimeFailure
from simulator.script import Script
from simulator.simulate import simulate
from sipp import Account, Address, Answer, Call, Callee, Caller, Cast, Digit, Ear, SendHangUp, Silence, SippFailed, Tone
from sipp.rtp import samples_in
from sipp.sound import share_of_tone
from store import database
from store.calls import CallStore
from store.records import CallRecord as CallRecord

TENANT = "acme"
NUMBER = "+48221234567"
KEY = "1"                               # in the menu: the group of sales
TRUNK = "127.0.0.20"                    # the address of the tenant's trunk
ENDPOINT = "acme-201-dect"              # a member of the group
PHONE = "127.0.0.30"                    # where that phone is during the call
CALLER_HZ, PHONE_HZ = 440, 1000
HEARD = 0.5                             # the share of a side's sound that must be the other side's tone
TAIL_SAMPLES = 12_000                   # 1.5 s
RECORD_LIMIT_S = 60.0


@dataclass(frozen=True, slots=True)
class MeasuredCall:
    """The result of the call. `setup_ms`: from the INVITE to the answer of the menu."""

    setup_ms: float
    answered_by: str
    path: tuple[str, ...]


def what_prevents(tenants: Path) -> str:
    """The reason that the test call cannot use these tenant files, for example after a change of the demo; '' if it can."""
    found = next((tenant for tenant in load_tenants(tenant_files([tenants])) if tenant.tenant == TENANT), None)
    if found is None:
        return f"there is no tenant {TENANT}"
    extension = device_of(ENDPOINT).extension
    if extension not in found.users or ENDPOINT not in found.endpoints_of(extension):
        return f"{TENANT} has no device {ENDPOINT}"
    if TRUNK not in {trunk.address for trunk in found.trunks.values() if isinstance(trunk, AddressTrunk)}:
        return f"{TENANT} has no trunk at {TRUNK}"
    script = Script(Origin.TRUNK, NUMBER, datetime.now(UTC), keys=(KEY,), states={extension: DeviceState.IDLE})
    result = simulate(found, script)
    expected = f"answered by {extension}"
    return "" if result.outcome == expected else f"a call to {NUMBER} with key {KEY} ends now as: {result.ends}"


def place_test_call(home: Path) -> MeasuredCall:
    """Raises RuntimeFailure when the call did not go as it should."""
    try:
        return asyncio.run(call(Settings.load(home)))
    except* (SippFailed, OSError, TimeoutError) as errors:
        problems = "\n".join(str(error) for error in leaves(errors))
        raise RuntimeFailure(f"the test call to {NUMBER} failed:\n{problems}") from None


async def call(settings: Settings) -> MeasuredCall:
    """One call, and its record."""
    secret = load_secrets(settings.home / "secrets.json").sip[ENDPOINT]
    number = f"+48600{time.time_ns() // 1_000_000 % 1_000_000:06}"
    began = datetime.now(UTC)
    async with Ear(TRUNK) as caller_ear, Ear(PHONE) as phone_ear:
        async with Cast(Address(settings.sip_address, settings.sip_port), limit_s=25) as cast:
            answer = Answer(ring_ms=200, media=(Tone(PHONE_HZ, 1500),))
            await cast.callee(Callee(then=answer), at=PHONE, account=Account(ENDPOINT, secret), ear=phone_ear)
            media = (Silence(500), Digit(KEY), Silence(900), Tone(CALLER_HZ, 1500))
            placed = Call(number=NUMBER, caller=Caller(number, "Test call"), media=media, ending=SendHangUp(200))
            result = await cast.call(placed, at=TRUNK, ear=caller_ear)
        caller_heard = share_of_end(caller_ear, PHONE_HZ)
        phone_heard = share_of_end(phone_ear, CALLER_HZ)
    if caller_heard < HEARD or phone_heard < HEARD:
        raise RuntimeFailure(
            f"the test call was answered, but its sound was lost: the caller heard {caller_heard:.0%} of the phone's tone, "
            f"the phone {phone_heard:.0%} of the caller's; expected {HEARD:.0%}"
        )
    record = await record_of(settings, number, began)
    if not record.answered_by or record.answered_by != device_of(ENDPOINT).extension:
        raise RuntimeFailure(f"the test call was recorded as answered by {record.answered_by}, expected {ENDPOINT}")
    path = tuple(f"{one.node}: {in_english(one.why)}" for one in record.path)
    return MeasuredCall(result.setup_percentile(50), record.answered_by, path)


def share_of_end(ear: Ear, hz: int) -> float:
    """Share of this tone in the sound of the last seconds; before them the caller heard the menu."""
    return share_of_tone(samples_in(ear.packets)[-TAIL_SAMPLES:], hz)


async def record_of(settings: Settings, caller: str, began: datetime) -> CallRecord:
    """The record that the AMI service writes once the call has ended."""
    engine = database.connect(settings.database_url)
    deadline = time.monotonic() + RECORD_LIMIT_S
    try:
        while time.monotonic() < deadline:
            for record in await CallStore(engine).recent(TENANT, 20):
                if record.caller == caller and record.started_at > began - timedelta(seconds=5):
                    return record
            await asyncio.sleep(0.1)
    finally:
        await engine.dispose()
    raise RuntimeFailure(f"the test call went well, but no record of it came within {RECORD_LIMIT_S:.0f} s; see the log of ami")


def leaves(group: BaseExceptionGroup[BaseException]) -> Iterable[BaseException]:
    """The exceptions in a group of groups."""
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from leaves(error)
        else:
            yield error
