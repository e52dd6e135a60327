"""Asterisk's files from the tenants. Pure: tenants, secrets and sounds in, {path: text} out."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath

from confgen.published_tenant import Source, published_values
from confgen.render.encoder import CarrierPassword, fill
from confgen.render.hints import lamps_of
from confgen.render.phone_files import SECURE, Credentials, model_of
from confgen.secrets import Secrets, mobile_users, permission_pins_of, pin_name
from routing.hunt.caller_id import CALLER
from routing.hunt.hunting import Algorithm
from routing.hunt.ring_rules import CallKind
from routing.numbering.endpoint import PLATFORM, TrunkEndpoint
from routing.numbering.numbers import country_code, prefixes
from routing.numbering.value_types import Did, Extension, Name
from routing.platform.trunks import Carrier
from routing.tenant.equipment import devices_of
from routing.tenant.tenant import Tenant

STRATEGIES = {
    Algorithm.RING_ALL: "ringall", Algorithm.ORDERED: "linear", Algorithm.ROUND_ROBIN: "rrmemory",
    Algorithm.LONGEST_IDLE: "leastrecent", Algorithm.LEAST_LOADED: "fewestcalls", Algorithm.RANDOM: "random"}
"""Asterisk's words for how a queue rings its members."""

Files = dict[str, str]      # path below the revision's directory -> text


def render_tenant(tenant: Tenant, secrets: Secrets, sounds: Mapping[str, str], home: PurePosixPath,
                  tls: bool = False, source: Source | None = None) -> Files:
    """One tenant's files, made of `source`. `sounds` maps prompts to sound names; `home` is the instance as Asterisk sees it;
    `tls`: equipment that can speaks TLS and SRTP."""
    slug = tenant.tenant
    ring = [endpoint for extension in tenant.failover.ring for endpoint in tenant.endpoints_of(extension)]
    values = {
        "tenant": tenant,
        "encrypted": [
            tenant.endpoint_of(device) for _, _, each in tenant.equipment() if tls and model_of(each).vendor in SECURE
            for _, device in devices_of(each)],
        "sip_passwords": secrets.sip, "next_sip_passwords": secrets.next_sip,
        "analogue": {tenant.endpoint_of(device): use.value for device, use in tenant.analogue.items()},
        "trunk_passwords": _trunk_passwords(secrets, tenant.own_trunks),
        "pins": {
            extension: secrets.pins[pin_name(tenant, extension)]
            for extension, user in tenant.users.items() if user.voicemail
        },
        "trunks": tenant.own_trunks.items(), "owner": slug,
        "failover_endpoints": ring,
        "dial": dial,
        "mobile_users": mobile_users(tenant),
        "agent": lambda extension: agent(tenant, extension),
        "elsewhere": lambda extension, device: elsewhere(tenant, extension, device),
        "strategies": STRATEGIES,
        "in_call": in_call(tenant),
        "lamps": lamps_of(tenant),
        "sound": lambda prompt: f"{home}/sounds/{slug}/{sounds[prompt]}",
    }
    published = {
        **published_values(tenant, source), "sounds": dict(sorted(sounds.items())),
        "permission_pins": permission_pins_of(tenant, secrets),
        "call_server_secrets": {name: secrets.call_servers[f"{slug}/{name}"] for name in tenant.call_servers},
        "mobile_pins": {extension: secrets.mobile_pins[pin_name(tenant, extension)] for extension in mobile_users(tenant)},
    }
    files = {
        f"pjsip/{slug}.conf": fill("pjsip.conf", values),
        f"extensions/{slug}.conf": fill("extensions.conf", values),
        f"features/{slug}.conf": fill("features.conf", values),
        f"parking/{slug}.conf": fill("parking.conf", values),
        f"voicemail/{slug}.conf": fill("voicemail.conf", values),
        f"musiconhold/{slug}.conf": fill("musiconhold.conf", values),
        f"queues/{slug}.conf": fill("queues.conf", values),
        f"queuerules/{slug}.conf": fill("queuerules.conf", values),
        f"tenants/{slug}.json": json.dumps(published, ensure_ascii=False),
    }
    if credentials := credentials_of(tenant, secrets):
        files[f"phones/{slug}.json"] = json.dumps(asdict(credentials), indent=1)
    return files


@dataclass(frozen=True, slots=True)
class Spelling:
    """How a carrier may write the numbers that it calls: [carrier] in asterisk-conf/extensions.conf."""

    abroad: str
    country_code: str
    national: str
    area_code: str


def spelling_of(carrier: Carrier) -> Spelling:
    if carrier.country is None:
        return Spelling("00", "", "", "")
    abroad, national = prefixes(carrier.country)
    return Spelling(abroad, str(country_code(carrier.country)), national, carrier.area_code.removeprefix(national))


def render_platform(carriers: Mapping[Name, Carrier], secrets: Secrets) -> Files:
    """What belongs to no single tenant."""
    trunks = {str(TrunkEndpoint(PLATFORM, name)): carrier for name, carrier in carriers.items()}
    values = {
        "trunks": [(name, carrier, spelling_of(carrier)) for name, carrier in trunks.items()], "owner": "", "analogue": {},
        "trunk_passwords": _trunk_passwords(secrets, trunks)}
    return {f"pjsip/{PLATFORM}.conf": fill("platform.conf", values)} if trunks else {}


def _trunk_passwords(secrets: Secrets, endpoints: Iterable[str]) -> dict[str, CarrierPassword]:
    return {name: CarrierPassword(secrets.trunks[name]) for name in endpoints if name in secrets.trunks}


def credentials_of(tenant: Tenant, secrets: Secrets) -> Credentials | None:
    """What the provisioning service has to know to set up the tenant's telephones; None where it has none."""
    labels = [label for _, label, _ in tenant.equipment()]
    endpoints = [tenant.endpoint_of(device) for _, _, each in tenant.equipment() for _, device in devices_of(each)]
    return Credentials(
        sip={endpoint: secrets.newest_sip(endpoint) for endpoint in endpoints},
        address={label: secrets.devices[f"{tenant.tenant}/{label}"] for label in labels},
        admin={label: secrets.admins[f"{tenant.tenant}/{label}"] for label in labels},
    ) if labels else None


def in_call(tenant: Tenant) -> dict[str, str]:
    """The codes of a conversation, by the extension of the tenant's [keyed]; to park takes a lot with an extension."""
    names = ["blind_transfer", "attended_transfer", "move", *(["park"] if tenant.park_extension else [])]
    return {name: code for name in names if (code := getattr(tenant.codes.in_call, name))}


def dial(endpoints: Iterable[str]) -> str:
    """Dial()'s first argument for endpoints that ring together."""
    return "&".join(f"PJSIP/{name}" for name in endpoints)


def agent(tenant: Tenant, extension: Extension) -> str:
    """Dial()'s first argument for an agent of a queue."""
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
    """It sees one of the tenant's numbers: a colleague who calls has none that says anything outside."""
    if mobile is None:
        return []
    presentation = tenant.users[extension].presentation
    shown = tenant.main_number if presentation == CALLER else presentation
    told = f"{mobile[1]}-1-{mobile[0]}-{shown}-{tenant.main_number}-{extension}-{tenant.trunk_endpoint(None, mobile[0])}"
    return [f"Local/{told}@{tenant.tenant}-admit/n"]
