"""The files of a revision from the tenants. Pure: tenants, secrets and sounds in, {path: text} out.

Beside each text whose changes are published row by row stand its rows: pjsip/acme.conf is the text of pjsip/acme.json.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from pathlib import PurePosixPath

from confgen.published_tenant import Source, published_values
from confgen.render import dialplan
from confgen.render.encoder import fill
from confgen.render.mailboxes import dump_mailboxes, mailboxes_of, mailboxes_text
from confgen.render.phone_files import SECURE, Credentials, model_of
from confgen.render.sip_objects import SipObject, dump, text_of
from confgen.render.tenant_dialplan import tenant_contexts
from confgen.render.tenant_sip import carrier_objects, in_call, tenant_objects
from confgen.secrets import Secrets, mobile_users, permission_pins_of, pin_name
from routing.hunt.hunting import Algorithm
from routing.numbering.endpoint import PLATFORM
from routing.numbering.value_types import Name
from routing.platform.trunks import Carrier
from routing.tenant.equipment import devices_of
from routing.tenant.tenant import Tenant

STRATEGIES = {
    Algorithm.RING_ALL: "ringall", Algorithm.ORDERED: "linear", Algorithm.ROUND_ROBIN: "rrmemory",
    Algorithm.LONGEST_IDLE: "leastrecent", Algorithm.LEAST_LOADED: "fewestcalls", Algorithm.RANDOM: "random"}
"""Asterisk's words for how a queue rings its members."""

WITH_ROWS = ("extensions/", "pjsip/", "voicemail/")
Files = dict[str, str]      # path below the revision's directory -> text


def render_tenant(tenant: Tenant, secrets: Secrets, sounds: Mapping[str, str], home: PurePosixPath,
                  tls: bool = False, source: Source | None = None, media_address: str = "") -> Files:
    """One tenant's files, made of `source`. `sounds` maps prompts to sound names; `home` is the instance as Asterisk sees it;
    `tls`: equipment that can speaks TLS and SRTP; `media_address`: of telephones' audio, empty for any of the machine's."""
    slug = tenant.tenant
    encrypted = [
        tenant.endpoint_of(device) for _, _, each in tenant.equipment() if tls and model_of(each).vendor in SECURE
        for _, device in devices_of(each)]
    head = f"; Tenant {slug}. Rendered; edit the tenant's file instead.\n"
    mailboxes = mailboxes_of(tenant, secrets)

    def sound(prompt: Name) -> str:
        return f"{home}/sounds/{slug}/{sounds[prompt]}"

    contexts = list(tenant_contexts(tenant, sound, has_encrypted=bool(encrypted)))
    values = {
        "tenant": tenant,
        "strategies": STRATEGIES,
        "in_call": in_call(tenant),
        "sound": sound,
    }
    published = {
        **published_values(tenant, source), "sounds": dict(sorted(sounds.items())),
        "permission_pins": permission_pins_of(tenant, secrets),
        "call_server_secrets": {name: secrets.call_servers[f"{slug}/{name}"] for name in tenant.call_servers},
        "mobile_pins": {extension: secrets.mobile_pins[pin_name(tenant, extension)] for extension in mobile_users(tenant)},
    }
    files = {
        **_sip_files(slug, head, list(tenant_objects(tenant, secrets, encrypted, media_address))),
        f"extensions/{slug}.conf": head + dialplan.text_of(contexts),
        f"extensions/{slug}.json": dialplan.dump(contexts),
        f"features/{slug}.conf": fill("features.conf", values),
        f"parking/{slug}.conf": fill("parking.conf", values),
        f"voicemail/{slug}.conf": f"{head}[{slug}]\n{mailboxes_text(mailboxes)}",
        f"voicemail/{slug}.json": dump_mailboxes(mailboxes),
        f"musiconhold/{slug}.conf": fill("musiconhold.conf", values),
        f"queues/{slug}.conf": fill("queues.conf", values),
        f"queuerules/{slug}.conf": fill("queuerules.conf", values),
        f"tenants/{slug}.json": json.dumps(published, ensure_ascii=False),
    }
    if credentials := credentials_of(tenant, secrets):
        files[f"phones/{slug}.json"] = json.dumps(asdict(credentials), indent=1)
    return files


def render_platform(carriers: Mapping[Name, Carrier], secrets: Secrets) -> Files:
    """The files of the carriers that tenants share; none without carriers."""
    if not carriers:
        return {}
    head = "; Carriers that tenants share. Rendered; edit platform.yaml instead.\n"
    return _sip_files(PLATFORM, head, list(carrier_objects(carriers, secrets)))


def without_rows(paths: Collection[str]) -> set[str]:
    """The tenants, or PLATFORM, of a revision's paths that were rendered by a version of Centralka that kept no rows."""
    texts = (path.removesuffix(".conf") for path in paths if path.endswith(".conf") and path.startswith(WITH_ROWS))
    slugs = {name.partition("/")[2] for name in texts if f"{name}.json" not in paths}
    return {slug for slug in slugs if slug == PLATFORM or f"tenants/{slug}.json" in paths}


def _sip_files(slug: str, head: str, rows: Sequence[SipObject]) -> Files:
    return {f"pjsip/{slug}.conf": head + "".join(f"\n{text_of(row)}" for row in rows), f"pjsip/{slug}.json": dump(rows)}


def credentials_of(tenant: Tenant, secrets: Secrets) -> Credentials | None:
    """Credentials with which the provisioning service sets up the tenant's devices; None for a tenant without devices."""
    labels = [label for _, label, _ in tenant.equipment()]
    endpoints = [tenant.endpoint_of(device) for _, _, each in tenant.equipment() for _, device in devices_of(each)]
    return Credentials(
        sip={endpoint: secrets.newest_sip(endpoint) for endpoint in endpoints},
        address={label: secrets.devices[f"{tenant.tenant}/{label}"] for label in labels},
        admin={label: secrets.admins[f"{tenant.tenant}/{label}"] for label in labels},
    ) if labels else None
