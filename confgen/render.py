"""Asterisk's files from the tenants. Pure: tenants, secrets and sounds in, {path: text} out."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import PurePosixPath

from confgen.encoder import CarrierPassword, fill
from confgen.phones import Credentials
from confgen.secrets import Secrets, mobile_users, permission_pins_of, pin_name
from routing.equipment_check import devices_of
from routing.hunting import Algorithm
from routing.names import Extension
from routing.outside import CALLER
from routing.rings import CallKind
from routing.tenant import Tenant, trunk_endpoint_name

STRATEGIES = {
    Algorithm.RING_ALL: "ringall", Algorithm.ORDERED: "linear", Algorithm.ROUND_ROBIN: "rrmemory",
    Algorithm.LONGEST_IDLE: "leastrecent", Algorithm.LEAST_LOADED: "fewestcalls", Algorithm.RANDOM: "random"}
"""Asterisk's words for how a queue rings its members."""
IN_CALL = ("blind_transfer", "attended_transfer")
"""The codes of a conversation that are extensions of [transfer] in asterisk-conf/extensions.conf."""

Files = dict[str, str]      # path below the revision's directory -> text


def render_tenant(tenant: Tenant, secrets: Secrets, sounds: Mapping[str, str], home: PurePosixPath) -> Files:
    """One tenant's files. `sounds` maps prompts to sound names; `home` is the instance as Asterisk sees it."""
    slug = tenant.tenant
    trunks = {trunk_endpoint_name(slug, name): trunk for name, trunk in tenant.trunks.items()}
    ring = [endpoint for extension in tenant.failover.ring for endpoint in tenant.endpoints_of(extension)]
    values = {
        "tenant": tenant,
        "sip_passwords": secrets.sip, "next_sip_passwords": secrets.next_sip,
        "analogue": {f"{slug}-{device}": use.value for device, use in tenant.analogue.items()},
        "trunk_passwords": {name: CarrierPassword(secrets.trunks[name]) for name in trunks if name in secrets.trunks},
        "pins": {
            extension: secrets.pins[pin_name(tenant, extension)]
            for extension, user in tenant.users.items() if user.voicemail
        },
        "trunks": trunks.items(),
        "failover_endpoints": ring,
        "dial": dial,
        "mobile_users": mobile_users(tenant),
        "agent": lambda extension: agent(tenant, extension),
        "strategies": STRATEGIES,
        "in_call": {name: code for name in IN_CALL if (code := getattr(tenant.codes.in_call, name))},
        "sound": lambda prompt: f"{home}/sounds/{slug}/{sounds[prompt]}",
    }
    published = {
        "tenant": tenant.model_dump(mode="json"), "sounds": dict(sounds),
        "permission_pins": permission_pins_of(tenant, secrets),
        "call_server_secrets": {name: secrets.call_servers[f"{slug}/{name}"] for name in tenant.call_servers},
        "mobile_pins": {extension: secrets.mobile_pins[pin_name(tenant, extension)] for extension in mobile_users(tenant)},
    }
    files = {
        f"pjsip/{slug}.conf": fill("pjsip.conf", values),
        f"extensions/{slug}.conf": fill("extensions.conf", values),
        f"features/{slug}.conf": fill("features.conf", values),
        f"voicemail/{slug}.conf": fill("voicemail.conf", values),
        f"musiconhold/{slug}.conf": fill("musiconhold.conf", values),
        f"queues/{slug}.conf": fill("queues.conf", values),
        f"queuerules/{slug}.conf": fill("queuerules.conf", values),
        f"tenants/{slug}.json": json.dumps(published, ensure_ascii=False, indent=1),
    }
    if credentials := credentials_of(tenant, secrets):
        files[f"phones/{slug}.json"] = json.dumps(asdict(credentials), indent=1)
    return files


def credentials_of(tenant: Tenant, secrets: Secrets) -> Credentials | None:
    """What the provisioning service has to know to set up the tenant's telephones; None where it has none."""
    labels = [label for _, label, _ in tenant.equipment()]
    endpoints = [f"{tenant.tenant}-{device}" for _, _, each in tenant.equipment() for _, device in devices_of(each)]
    return Credentials(
        sip={endpoint: secrets.newest_sip(endpoint) for endpoint in endpoints},
        address={label: secrets.devices[f"{tenant.tenant}/{label}"] for label in labels},
        admin={label: secrets.admins[f"{tenant.tenant}/{label}"] for label in labels},
    ) if labels else None


def dial(endpoints: Iterable[str]) -> str:
    """Dial()'s first argument for endpoints that ring together."""
    return "&".join(f"PJSIP/{name}" for name in endpoints)


def agent(tenant: Tenant, extension: Extension) -> str:
    """Dial()'s first argument for an agent of a queue. A mobile sees one of the tenant's numbers: a colleague who waits has
    none that says anything outside."""
    ways, user = tenant.ways_of(extension, CallKind.QUEUE), tenant.users[extension]
    channels = [
        f"Local/{delay_s}-{name}@later" if delay_s else f"PJSIP/{name}"
        for name, delay_s in zip(ways.endpoints, ways.delays_s, strict=True)]
    if ways.mobile:
        number, after_s = ways.mobile
        shown = tenant.main_number if user.presentation == CALLER else user.presentation
        trunk = tenant.trunk_endpoint(None)
        channels.append(f"Local/{after_s}-1-{number}-{shown}-{tenant.main_number}-{trunk}@{tenant.tenant}-confirm/n")
    return "&".join(channels)
