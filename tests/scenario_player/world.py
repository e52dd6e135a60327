"""The world of a scenario on the real system: what is set, how its phones behave, and the carrier behind the tenant's trunk."""

import asyncio
import re
import time
from collections.abc import Sequence
from datetime import timedelta

from redis import Redis

from routing.call.facts import NOTHING_SET, Personal
from routing.call.step import Dial, ExternalNumber
from routing.hours.calendars import CalendarEvent
from routing.numbering.endpoint import TrunkEndpoint
from routing.platform.trunks import AddressTrunk
from simulator.scenario_grammar import PhoneBehaviour, PhoneDoes
from simulator.scenario_run import Scene
from simulator.simulate import simulate
from sipp import Address, Answer, AwaitHangUp, Callee, Cast, Refuse, Ring, SendHangUp, Silence, keys
from store import calendars, live, personal, switches, user_calls
from store.follower import LiveFollower
from store.lines import COUNTRIES, STOPPED, lines_key, outside_key
from tests.live.pbx import Pbx, until

DAY_S = 24 * 3600
SIP_PORT = 5060                        # where the caller behind a trunk is
SHORTEST_RING_S = 3                    # one who answers later than that is only heard ringing
HOSTILE = "Local%2F202%40members-phone"    # without Dial's option i Asterisk would dial just that
ABSENT_PHONE = PhoneBehaviour(PhoneDoes.UNREGISTERED)
FAILS = Refuse(503, "Service Unavailable")      # a trunk that carries no call
ANSWERS = PhoneBehaviour(PhoneDoes.ANSWERS)     # a number outside of which the scenario says nothing


async def put_settings(pbx: Pbx, follower: LiveFollower, scene: Scene) -> None:
    """What users have set and where switches stand, once the decision service knows. Nothing is left of the scenario before."""
    tenant, slug, settings = scene.tenant, scene.tenant.tenant, scene.settings()
    wanted = {extension: settings.get(extension, NOTHING_SET) for extension in tenant.users}
    positions = scene.switches()
    async with live.connect(pbx.settings.redis_url) as client:
        for extension, after in wanted.items():
            await personal.change(client, slug, extension, lambda _, after=after: after)      # type: ignore[misc]
        for name, position in positions.items():
            await switches.put(client, slug, name, position)

        fields = {f"{slug}/{extension}": f"0 {number}" for extension, number in scene.scenario.given.last_callers.items()}
        await client.hdel(user_calls.LAST_CALLERS, *(f"{slug}/{extension}" for extension in tenant.users))
        if fields:
            await client.hset(user_calls.LAST_CALLERS, mapping=fields)

    def is_known() -> bool:
        users, found = follower.live.personal.get(slug, {}), follower.live.switches.get(slug, {})
        return all(users.get(extension, NOTHING_SET) == after for extension, after in wanted.items()) and all(
            found.get(name) == position for name, position in positions.items())

    await until(is_known, "the decision service knows what is set")


async def what_is_set(pbx: Pbx, scene: Scene) -> dict[str, Personal]:
    """What users have set, where it is something."""
    async with live.connect(pbx.settings.redis_url) as client:
        found = {extension: await personal.read(client, scene.tenant.tenant, extension) for extension in scene.tenant.users}
    return {extension: settings for extension, settings in found.items() if settings != NOTHING_SET}


async def where_switches_stand(pbx: Pbx, scene: Scene) -> dict[str, str]:
    async with live.connect(pbx.settings.redis_url) as client:
        found = await switches.positions(client, scene.tenant.tenant)
    return {name: switch.standing(found.get(name)) for name, switch in scene.tenant.switches.items()}


async def put_calendars(pbx: Pbx, scene: Scene) -> None:
    """In place of what the AMI service has tried to fetch from addresses that nobody serves."""
    begins = scene.moment.replace(hour=0, minute=0)
    async with live.connect(pbx.settings.redis_url) as client:
        for name, fetched in scene.calendars().items():
            field = f"{scene.tenant.tenant}/{name}"
            await until(lambda field=field: client.hexists(live.CALENDAR_TRIES, field), f"calendar {field} was asked for")      # type: ignore[misc]
            title = scene.scenario.given.calendars.get(name)
            events = (CalendarEvent(begins=begins, ends=begins + timedelta(seconds=DAY_S), title=title),) if title else ()
            await calendars.put(client, field, fetched.url, time.time(), events, None)


def put_outside(client: Redis, scene: Scene) -> None:
    """What goes on with the outside, in Redis. The places that calls hold last longer than any scenario."""
    slug, given = scene.tenant.tenant, scene.scenario.given.outside
    day = scene.moment.date().isoformat()
    client.delete(lines_key(slug), outside_key(slug, day))
    client.hdel(STOPPED, f"{slug}/", *(f"{slug}/{user}" for user in scene.tenant.users))
    for country in client.sscan_iter(COUNTRIES, f"{slug}/*"):
        client.srem(COUNTRIES, country)
    ends = int(time.time() + DAY_S) * 1000
    calls = [f"outside.{i}/{user}/{i}/seen//1" for user, many in given.calls.items() for i in range(many)]
    for place in [*calls, *(f"inside.{i}" for i in range(given.lines - len(calls)))]:
        client.zadd(lines_key(slug), {place: ends})
    for user, minutes in given.minutes.items():
        client.hset(outside_key(slug, day), user, minutes * 60)
        client.hincrby(outside_key(slug, day), "", minutes * 60)
    for user in given.usage().stopped:
        client.hset(STOPPED, f"{slug}/{user}", "the scenario says so")
    for country in given.countries:
        client.sadd(COUNTRIES, f"{slug}/{country}")


def behaviour(phone: PhoneBehaviour) -> Answer | Refuse | Ring:
    match phone.does:
        case PhoneDoes.ANSWERS if phone.after_s < SHORTEST_RING_S:
            return Answer(ring_ms=phone.after_s * 1000 or 100, ending=SendHangUp(300))
        case PhoneDoes.ANSWERS | PhoneDoes.RINGS:
            return Ring()
        case PhoneDoes.BUSY:
            return Refuse(486, "Busy Here")
        case PhoneDoes.DECLINES:
            return Refuse(603, "Decline")
        case PhoneDoes.REDIRECTS:
            return Refuse(302, f"Moved Temporarily\r\nContact: <sip:{HOSTILE}@127.0.0.1>")
        case _:
            raise ValueError(f"no phone is there that is {phone.does}")


def device_phones(scene: Scene) -> dict[str, PhoneBehaviour]:
    """By endpoint, the phones that the scenario tells of. Where a user answers or is in a call, it is on the first device."""
    found: dict[str, PhoneBehaviour] = {}
    for who, phone in scene.scenario.phones.items():
        if who in scene.tenant.users:
            first, *others = scene.tenant.endpoints_of(who)
            rest = {PhoneDoes.ANSWERS: PhoneBehaviour(PhoneDoes.RINGS), PhoneDoes.IN_A_CALL: ABSENT_PHONE}.get(phone.does, phone)
            found |= {first: phone, **dict.fromkeys(others, rest)}
        elif not who.startswith("+"):
            found[f"{scene.tenant.tenant}-{who}"] = phone
    return found


async def carriers(pbx: Pbx, cast: Cast, scene: Scene) -> None:
    """The numbers outside that the scenario calls, behind their trunks, once Asterisk knows that somebody is there."""
    legs = legs_of(scene)
    phones = {scene.scenario.phones.get(leg.number, ANSWERS) for leg in legs}
    stays = Answer(ending=AwaitHangUp()) if scene.scenario.talk else None      # until who transfers has handed over
    for name, trunk in trunks_of(scene, legs).items():
        does = FAILS if name in scene.scenario.given.failing_trunks else stays or far_behaviour(*phones)
        await cast.callee(Callee(then=does), at=Address(trunk.address, trunk.port), calls=None)
        await asyncio.to_thread(pbx.runtime.asterisk_cli, f"pjsip qualify {TrunkEndpoint(scene.tenant.tenant, name)}")
        await until(
            lambda trunk=trunk: re.search(      # type: ignore[misc]
                rf"{trunk.address}:{trunk.port}\S* +\S+ +Avail", pbx.runtime.asterisk_cli("pjsip show contacts")),
            "Asterisk knows that the carrier is there")


def far_behaviour(phone: PhoneBehaviour) -> Answer | Refuse | Ring:
    """Whoever answers presses the key that takes the call, whether or not it is asked for, and once more in case it was not
    asked for yet."""
    match phone.does:
        case PhoneDoes.ANSWERS if phone.after_s < SHORTEST_RING_S:
            media = (Silence(1500), *keys("1"), Silence(1500), *keys("1"), Silence(1000))
            return Answer(ring_ms=phone.after_s * 1000 or 100, media=media, ending=SendHangUp(300))
        case PhoneDoes.NO_KEY:
            return Answer()
        case PhoneDoes.UNREGISTERED:
            return Refuse(404, "Not Found")
        case _:
            return behaviour(phone)


def why_not_live(scene: Scene) -> str:
    """Why a scenario is played by the simulator alone; '' for all others."""
    legs = legs_of(scene)
    if any(trunk.port == SIP_PORT for trunk in trunks_of(scene, legs).values()):
        return "the carrier and its caller would be two phones at one address"
    if len({scene.scenario.phones.get(leg.number, ANSWERS) for leg in legs}) > 1:
        return "the numbers outside do different things, and one carrier plays them all alike"
    return ""


def legs_of(scene: Scene) -> list[ExternalNumber]:
    """The numbers outside that the scenario calls."""
    steps = simulate(scene.tenant, scene.script()).steps
    return [leg for step in steps if isinstance(step, Dial) for leg in step.outside]


def numbers_in(steps: Sequence[str]) -> list[str]:
    """The numbers outside that Asterisk was told to call."""
    return [number for step in steps for number in re.findall(r"(?:PJSIP/|Local/[0-9]+-[01]-)(\+?[0-9]+)[@-]", step)]


def trunks_of(scene: Scene, legs: Sequence[ExternalNumber]) -> dict[str, AddressTrunk]:
    """The trunks that the scenario's calls leave by."""
    endpoints = {leg.trunk for leg in legs}
    found: dict[str, AddressTrunk] = {}
    for name, trunk in scene.tenant.trunks.items():
        if str(TrunkEndpoint(scene.tenant.tenant, name)) not in endpoints:
            continue
        if not isinstance(trunk, AddressTrunk):
            raise TypeError(f"{scene.tenant.tenant}: found trunk {name}, expected one that is known by its address")
        found[name] = trunk
    return found
