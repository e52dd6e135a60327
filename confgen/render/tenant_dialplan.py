"""The contexts of one tenant. Pure.

Most contexts of a tenant hold nothing but the name of the one that all tenants share, [tenant_...] in
asterisk-conf/extensions.conf: there the name of the tenant's context says whose call it is.
"""

from collections.abc import Callable, Iterable, Iterator

from confgen.render.dialplan import Code, Context, DialplanExtension, DialplanStep, step
from confgen.render.encoder import encode
from confgen.render.hints import Numbers, lamps_of
from confgen.render.sip_objects import variables_text
from confgen.render.tenant_sip import phone_variables, server_context
from confgen.secrets import mobile_users
from routing.hunt.caller_id import CALLER
from routing.hunt.hunting import Algorithm
from routing.hunt.ring_rules import CallKind
from routing.numbering.value_types import Did, Extension, Name
from routing.platform.trunks import RegistrationTrunk
from routing.tenant.tenant import Tenant

CHOOSES_AGAIN = (Algorithm.LONGEST_IDLE, Algorithm.LEAST_LOADED, Algorithm.RANDOM)
"""Queues whose agents Asterisk chooses anew for each attempt, so that one who lets a call ring would be rung again."""
Sound = Callable[[Name], str]            # the file of a prompt


def tenant_contexts(tenant: Tenant, sound: Sound, *, has_encrypted: bool) -> Iterator[Context]:
    """`has_encrypted`: some of its devices speak TLS alone. Raises UnsafeValue."""
    slug = tenant.tenant
    yield Context(f"{slug}-phone", includes=("tenant_call",))
    yield Context(f"{slug}-trunk", includes=("tenant_call",))
    if tenant.own_trunks:
        yield Context(f"{slug}-incoming", includes=("tenant_incoming",))
    for name in ("transfer", "keyed", "confirm", "admit"):
        yield Context(f"{slug}-{name}", includes=(f"tenant_{name}",))
    yield Context(f"{slug}-own", (DialplanExtension("s", (step("MSet", *_own(tenant, sound)), step("Return"))),))
    if has_encrypted:
        yield Context(f"{slug}-encrypted", tuple(_emergencies_without_tls(tenant)), ("tenant_encrypted",))
    if tenant.shares_carriers:
        # One context of all tenants: a carrier that they share calls a number, here in its one spelling, and that chooses the
        # tenant. [carrier] in asterisk-conf/extensions.conf reads the other spellings.
        yield _numbers(tenant, "carriers")
    servers = dict.fromkeys(trunk.server for trunk in tenant.own_trunks.values() if isinstance(trunk, RegistrationTrunk))
    for server in servers:
        yield _numbers(tenant, server_context(server))
    if tenant.shares_carriers or servers:
        yield Context(f"{slug}-carrier", includes=("tenant_carrier",))
    if users := mobile_users(tenant):
        yield Context(f"{slug}-mobile", tuple(_called_from_mobile(tenant, user) for user in users), ("tenant_mobile",))
    yield Context(f"{slug}-elsewhere", tuple(_elsewhere(tenant)))
    for name, queue in tenant.queues.items():
        if queue.strategy in CHOOSES_AGAIN:
            yield Context(f"{tenant.queue_name(name)}-turns", (DialplanExtension("s", (step("Return"),)),))
        if queue.exit_keys:
            yield Context(f"{tenant.queue_name(name)}-keys", tuple(_key(key) for key in queue.exit_keys))
    if tenant.agents:
        yield Context(f"{slug}-agent", tuple(_agent(tenant, extension) for extension in tenant.agents))
    if tenant.trunks:
        yield Context(f"{slug}-site", tuple(_sites(tenant)))
    yield Context(f"{slug}-lamps", tuple(_lamps(tenant)))
    yield Context(f"{slug}-failover", tuple(_failover(tenant, sound)))


def _numbers(tenant: Tenant, context: str) -> Context:
    """The tenant's numbers in a context that tenants share."""
    return Context(context, tuple(
        DialplanExtension(did[1:], (step("Goto", f"{tenant.tenant}-carrier", Code("${EXTEN}"), 1),)) for did in tenant.numbers))


def dial(endpoints: Iterable[str]) -> str:
    """Dial()'s first argument for endpoints that ring together."""
    return "&".join(f"PJSIP/{name}" for name in endpoints)


def agent(tenant: Tenant, extension: Extension) -> str:
    """Dial()'s first argument for an agent of a queue: what `rings` says, else all devices."""
    ways = tenant.ways_of(extension, CallKind.QUEUE)
    channels = [
        f"Local/{delay_s}-{name}@later" if delay_s else f"PJSIP/{name}"
        for name, delay_s in zip(ways.endpoints, ways.delays_s, strict=True)]
    return "&".join([*channels, *_mobile(tenant, extension, ways.mobile)])


def elsewhere(tenant: Tenant, extension: Extension, device: Name) -> str:
    """Dial()'s first argument for the user's other phones and the mobile, '' where there are none."""
    user = tenant.users[extension]
    others = [f"PJSIP/{name}" for own, name in zip(user.devices, tenant.endpoints_of(extension), strict=True) if own != device]
    return "&".join([*others, *_mobile(tenant, extension, (user.mobile, 0) if user.mobile else None)])


def _mobile(tenant: Tenant, extension: Extension, mobile: tuple[Did, int] | None) -> list[str]:
    """The caller ID for a mobile is one of the tenant's numbers: an extension means nothing on other networks."""
    if mobile is None:
        return []
    presentation = tenant.users[extension].presentation
    shown = tenant.main_number if presentation == CALLER else presentation
    leg = f"{mobile[1]}-1-{mobile[0]}-{shown}-{tenant.main_number}-{extension}-{tenant.trunk_endpoint(None, mobile[0])}"
    return [f"Local/{leg}@{tenant.tenant}-admit/n"]


def _own(tenant: Tenant, sound: Sound) -> list[Code]:
    """Variables that the shared contexts read: the tenant's sounds, and the extension of its parking lot."""
    values = {
        "CONFIRM_PROMPT": sound("sys_confirm"), "NOWHERE_TO_MOVE": sound("sys_nowhere_to_move"),
        "TRANSFER_TO": sound("sys_transfer_to"), "TRANSFER_FAILED": sound("sys_transfer_failed"),
        "PARK_EXTENSION": tenant.park_extension}
    return [Code(f"{name}={encode(value)}") for name, value in values.items()]


def _emergencies_without_tls(tenant: Tenant) -> Iterator[DialplanExtension]:
    for number in tenant.emergency_numbers:
        for dialled in (number, *tenant.emergency_spellings(number), f"+{tenant.country_code}{number}"):
            yield DialplanExtension(dialled, (step("Goto", f"{tenant.tenant}-phone", Code("${EXTEN}"), 1),))


def _called_from_mobile(tenant: Tenant, extension: Extension) -> DialplanExtension:
    """A user who called from the mobile and entered the right PIN dials as from the desk phone."""
    return DialplanExtension(extension, (
        step("Set", Code(variables_text(phone_variables(tenant, extension)))),
        step("Set", Code(f"CALLERID(name)={encode(tenant.users[extension].name)}")), step("Goto", "dial", 1)))


def _elsewhere(tenant: Tenant) -> Iterator[DialplanExtension]:
    """Devices to which a conversation may move: all of a user's but the one that keyed the code."""
    for extension, user in tenant.users.items():
        for device in user.devices:
            if others := elsewhere(tenant, extension, device):
                yield DialplanExtension(f"{extension}_{device}", (step("Dial", others, 30, "itT"),))
        yield DialplanExtension(extension, (step("Dial", dial(tenant.endpoints_of(extension)), 30, "itT"),))


def _key(key: str) -> DialplanExtension:
    """A key that leaves the queue."""
    return DialplanExtension(key, (step("Set", Code(f"LEFT=key {encode(key)} ${{QUEUEPOSITION}}")), step("Return")))


def _agent(tenant: Tenant, extension: Extension) -> DialplanExtension:
    """An agent of queues, with one hint for all devices of the user."""
    return DialplanExtension(
        extension, (
            step("Gosub", "agent_turn", extension, 1), step("Dial", agent(tenant, extension), "", "itT"),
            step("Hangup", Code("${HANGUPCAUSE}"))),
        str(encode(dial(tenant.endpoints_of(extension)))))


def _sites(tenant: Tenant) -> Iterator[DialplanExtension]:
    """Numbers by which emergency services locate users: the site's, else the main number."""
    yield DialplanExtension("_X!", (step("Return", tenant.main_number),))
    for extension, user in tenant.users.items():
        if user.site:
            yield DialplanExtension(extension, (step("Return", tenant.site_number(extension)),))


def _lamps(tenant: Tenant) -> Iterator[DialplanExtension]:
    """Hints: the states that phones' lamps show (docs/lamps.md)."""
    slug, lamps, pause = encode(tenant.tenant), lamps_of(tenant), tenant.codes.pause or ""
    for numbers, devices in lamps.users:
        names = [f"PJSIP/{slug}-${{EXTEN}}-{encode(device)}" for device in devices]
        yield DialplanExtension(_pattern(numbers), hint="&".join(names))
    for numbers, lot in lamps.slots:
        yield DialplanExtension(_pattern(numbers), hint=f"park:${{EXTEN}}@{slug}-{encode(lot)}")
    for switch, code in tenant.codes.switches.items():
        yield DialplanExtension(code, hint=f"Custom:{slug}-switch-{encode(switch)}")
    for numbers in lamps.agents:
        yield DialplanExtension(_pattern(numbers, pause), hint=f"Custom:{slug}-away-${{EXTEN:{len(pause)}}}")


def _pattern(numbers: Numbers, code: str = "") -> str:
    return f"_{code}{numbers.stem}[{numbers.digits}]"


def _failover(tenant: Tenant, sound: Sound) -> Iterator[DialplanExtension]:
    """The extensions of calls for which the decision service gives no answer: an emergency number is called, in each spelling;
    a user's extension rings that user; any other code plays an error; everything else rings the failover's users."""
    ring = [endpoint for extension in tenant.failover.ring for endpoint in tenant.endpoints_of(extension)]
    yield _rings(tenant, sound, "s", ring, tenant.failover.ring_s, tenant.failover.voicemail)
    yield DialplanExtension("_*.", (step("Playback", sound("sys_code_failed")), step("Hangup", 16)))
    if tenant.trunks:
        for number in tenant.emergency_numbers:
            yield from _emergency(tenant, sound, number)
    for extension, user in tenant.users.items():
        mailbox = extension if user.voicemail else None
        yield _rings(tenant, sound, extension, tenant.endpoints_of(extension), user.ring_s, mailbox)


def _rings(
    tenant: Tenant, sound: Sound, pattern: str, endpoints: Iterable[str], ring_s: int, mailbox: Extension | None,
) -> DialplanExtension:
    left: list[DialplanStep] = [step("Playback", sound("sys_unavailable"))]
    if mailbox:
        left = [step("Playback", sound("sys_leave_message")), step("VoiceMail", f"{mailbox}@{tenant.tenant}", "s")]
    return DialplanExtension(pattern, (step("Dial", dial(endpoints), ring_s, "i"), *left, step("Hangup", 20)))


def _emergency(tenant: Tenant, sound: Sound, number: str) -> Iterator[DialplanExtension]:
    shown = Code("b(outside^${EXTEN}^1(${GOSUB_RETVAL}^${GOSUB_RETVAL}))")
    yield DialplanExtension(number, (
        step("Gosub", f"{tenant.tenant}-site", Code("${CALLER_EXTENSION}"), 1),
        *(step("Dial", f"PJSIP/{number}@{trunk}", 60, shown) for trunk in tenant.emergency_trunks),
        step("Playback", sound("sys_no_line"), "noanswer"), step("Hangup", 34)))
    # %2B: as URIENCODE() writes '+'.
    for dialled in (*tenant.emergency_spellings(number), f"%2B{tenant.country_code}{number}"):
        yield DialplanExtension(dialled, (step("Goto", number, 1),))
