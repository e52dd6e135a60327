"""The SIP objects of a tenant's devices and trunks, and of the carriers that tenants share. Pure."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from confgen.render.sip_objects import Aor, Auth, Endpoint, Identify, OutboundRegistration, SipObject
from confgen.secrets import Secrets
from routing.numbering.endpoint import PLATFORM, TrunkEndpoint
from routing.numbering.numbers import country_code, prefixes
from routing.numbering.value_types import Extension, Name
from routing.platform.trunks import (
    CODECS,
    AddressTrunk,
    CalledNumber,
    Carrier,
    ForwardedBy,
    IdentityHeader,
    Keys,
    OwnTrunk,
    RegistrationTrunk,
    Transport,
)
from routing.tenant.equipment import Use
from routing.tenant.tenant import Tenant

ANALOGUE = ("alaw", "ulaw")              # any other codec distorts fax and modem signals
# Of telephones, in seconds: a call ends when no audio comes, since the telephone has lost power or network. One that holds its
# call may send nothing for long.
SILENCE_S, SILENCE_ON_HOLD_S = 90, 3600
NO_MESSAGES = "messages"                 # no such context exists: a MESSAGE outside a call is refused
NO_RETRY_LIMIT = 2**31 - 1
DTMF_MODES = {Keys.AUTO: "auto", Keys.RFC4733: "rfc4733", Keys.INFO: "info", Keys.TONES: "inband"}
CALLED_IN = {
    CalledNumber.REQUEST: "", CalledNumber.TO: "To", CalledNumber.P_CALLED_PARTY_ID: "P-Called-Party-ID",
    CalledNumber.DIVERSION: "Diversion"}
VOUCHES_IN = {
    IdentityHeader.P_ASSERTED: "P-Asserted-Identity", IdentityHeader.P_PREFERRED: "P-Preferred-Identity",
    IdentityHeader.REMOTE_PARTY: "Remote-Party-ID", IdentityHeader.FROM: ""}
FORWARDED_IN = {ForwardedBy.DIVERSION: "Diversion", ForwardedBy.NOTHING: ""}


def tenant_objects(
    tenant: Tenant, secrets: Secrets, encrypted: Collection[str], media_address: str = "",
) -> Iterator[SipObject]:
    """`encrypted`: the endpoints that speak TLS and SRTP alone. `media_address`: of telephones' audio, which has none of a
    transport. Raises KeyError for a secret that is missing."""
    for extension in tenant.users:
        for device, name in zip(tenant.users[extension].devices, tenant.endpoints_of(extension), strict=True):
            endpoint = _device(tenant, extension, f"{extension}-{device}", name, name in secrets.next_sip, name in encrypted)
            yield replace(endpoint, media_address=media_address, bind_rtp_to_media_address=bool(media_address))
            yield Auth(name=name, auth_type="digest", username=name, password=secrets.sip[name])
            if name in secrets.next_sip:     # replaces the one above once the telephone has used it
                yield Auth(name=f"{name}-next", auth_type="digest", username=name, password=secrets.next_sip[name])
            yield Aor(
                name=name, max_contacts=1, remove_existing=True, default_expiration=300, maximum_expiration=3600,
                qualify_frequency=60)
    uses = tenant.analogue.values()
    for name, trunk in tenant.own_trunks.items():
        endpoint = _trunk(
            name, f"{tenant.tenant}-incoming", trunk, {"OUTSIDE": "yes"}, is_analogue=bool(uses), for_fax=Use.FAX in uses)
        if isinstance(trunk, AddressTrunk):      # else the number decides: [tenant_incoming] in asterisk-conf/extensions.conf
            endpoint = replace(endpoint, accountcode=tenant.tenant, tenantid=tenant.tenant)
        yield from _with_carrier(endpoint, trunk, secrets, contact_user="" if isinstance(trunk, AddressTrunk) else trunk.number)


def carrier_objects(carriers: Mapping[Name, Carrier], secrets: Secrets) -> Iterator[SipObject]:
    """Of the carriers that tenants share, which lead to the one context [carrier]. Raises as `tenant_objects`."""
    for name, carrier in carriers.items():
        spelling = spelling_of(carrier)
        variables = {"OUTSIDE": "yes", "ABROAD": spelling.abroad, "COUNTRY": spelling.country_code,
                     "NATIONAL": spelling.national, "AREA": spelling.area_code}
        endpoint = _trunk(str(TrunkEndpoint(PLATFORM, name)), "carrier", carrier, variables, is_analogue=True, for_fax=True)
        yield from _with_carrier(endpoint, carrier, secrets, contact_user=PLATFORM)


@dataclass(frozen=True, slots=True)
class Spelling:
    """Prefixes of the numbers that a carrier calls, which [carrier] in asterisk-conf/extensions.conf reads."""

    abroad: str
    country_code: str
    national: str
    area_code: str


def spelling_of(carrier: Carrier) -> Spelling:
    if carrier.country is None:
        return Spelling("00", "", "", "")
    abroad, national = prefixes(carrier.country)
    return Spelling(abroad, str(country_code(carrier.country)), national, carrier.area_code.removeprefix(national))


def phone_variables(tenant: Tenant, extension: Extension) -> dict[str, str]:
    """Variables of a channel on which the user calls: the user, and what may be keyed during a call (features.conf)."""
    return {
        "CALLER_EXTENSION": extension, "TRANSFER_CONTEXT": f"{tenant.tenant}-transfer",
        "DYNAMIC_FEATURES": "#".join(f"{tenant.tenant}-{feature}" for feature in in_call(tenant)),
        "FEATUREMAP(atxfer)": "D", "FEATURE(atxferabort)": tenant.codes.in_call.back or ""}


def in_call(tenant: Tenant) -> dict[str, str]:
    """The codes of a conversation, by the extension of the tenant's [keyed]; to park takes a lot with an extension."""
    names = ["blind_transfer", "attended_transfer", "move", *(["park"] if tenant.park_extension else [])]
    return {name: code for name in names if (code := getattr(tenant.codes.in_call, name))}


def _device(tenant: Tenant, extension: Extension, device: str, name: str, has_next: bool, is_encrypted: bool) -> Endpoint:
    slug, user, use = tenant.tenant, tenant.users[extension], tenant.analogue.get(device)
    is_fax = use is Use.FAX
    groups = tuple(f"{slug}-{group}" for group in tenant.pickup_groups_of(extension))
    return Endpoint(
        name=name, context=f"{slug}-{'encrypted' if is_encrypted else 'phone'}", identify_by="username",
        # With SRTP only, whose keys TLS protects. `transport` is the way out: what registers by UDP is not reached. Its calls
        # are refused by the context. Other telephones are reached by the transport that they registered with.
        transport="tls" if is_encrypted else "", media_encryption="sdes" if is_encrypted else "no",
        disallow="all", allow=ANALOGUE if use else CODECS,
        incoming_call_offer_pref="remote", dtmf_mode="auto", rtp_timeout=SILENCE_S, rtp_timeout_hold=SILENCE_ON_HOLD_S,
        device_state_busy_at=1 if use else 0,                  # an analogue port is busy with its first call
        t38_udptl=is_fax, t38_udptl_ec="redundancy" if is_fax else "none", t38_udptl_nat=is_fax,
        t38_bind_udptl_to_media_address=is_fax, direct_media=False, rtp_symmetric=True, force_rport=True, rewrite_contact=True,
        auth=(name, f"{name}-next") if has_next else (name,), aors=name,
        callerid=f"{user.name} <{extension}>", trust_id_inbound=False, accountcode=slug, tenantid=slug, language="en",
        send_pai=True, message_context=NO_MESSAGES,
        subscribe_context=f"{slug}-lamps",                     # phones see the lamps of their own tenant
        named_call_group=groups, named_pickup_group=groups,
        moh_suggest=f"{slug}-{tenant.hold_music}" if tenant.hold_music else "default",
        set_var=phone_variables(tenant, extension), mailboxes=f"{extension}@{slug}" if user.voicemail else "")


def _trunk(
    name: str, context: str, trunk: OwnTrunk | Carrier, variables: Mapping[str, str], *, is_analogue: bool, for_fax: bool,
) -> Endpoint:
    """Known by its address and never by the name in a From header: a trunk has no password to ask for. `is_analogue`: what
    comes from and goes to an analogue port is never made G.722 and back."""
    return Endpoint(
        name=name, context=context, identify_by="ip", transport=trunk.transport.value, disallow="all",
        allow=ANALOGUE if is_analogue else trunk.codecs, dtmf_mode=DTMF_MODES[trunk.keys],
        rtp_timeout=trunk.silence_s, rtp_timeout_hold=trunk.silence_on_hold_s,
        t38_udptl=for_fax, t38_udptl_ec="redundancy" if for_fax else "none",
        t38_bind_udptl_to_media_address=for_fax, direct_media=False, rtp_symmetric=True, aors=name,
        trust_id_inbound=trunk.trust, from_user=trunk.from_user or "", from_domain=trunk.from_domain or "",
        message_context=NO_MESSAGES, language="en", set_var={**variables, **_habits(trunk)}, allow_transfer=False,
        allow_subscribe=False)


def _habits(trunk: OwnTrunk | Carrier) -> dict[str, str]:
    """Variables of a trunk's channels, which [incoming] and [outside] in asterisk-conf/extensions.conf read."""
    habits = {
        "CALLED_IN": CALLED_IN[trunk.called_number], "CALLED_PREFIX": trunk.called_prefix,
        "VOUCHES_IN": VOUCHES_IN[trunk.identity], "FORWARDED_IN": FORWARDED_IN[trunk.forwarded_by]}
    if not isinstance(trunk, AddressTrunk):
        habits |= {"ACCOUNT": trunk.user}
    if isinstance(trunk, RegistrationTrunk):
        habits |= {"ACCOUNT_NUMBER": trunk.number, "SERVER": server_context(trunk.server)}
    return {name: value for name, value in habits.items() if value}


def server_context(server: str) -> str:
    """The context with the numbers of all tenants that register at this server."""
    return f"at-{re.sub('[^a-z0-9]', '_', server.lower())}"


def _with_carrier(
    endpoint: Endpoint, trunk: OwnTrunk | Carrier, secrets: Secrets, contact_user: str,
) -> Iterator[SipObject]:
    """A trunk's endpoint and the objects by which it and its carrier find each other."""
    name = endpoint.name
    host = trunk.address if isinstance(trunk, AddressTrunk) else trunk.server
    way = "" if trunk.transport is Transport.UDP else f";transport={trunk.transport.value}"
    uri = f"sip:{host}:{trunk.port}{way}"
    yield Identify(name=name, endpoint=name, match=(host, *trunk.calls_from))
    yield Aor(name=name, contact=uri, qualify_frequency=trunk.qualify_s)
    if isinstance(trunk, AddressTrunk):
        yield endpoint
        return
    yield replace(endpoint, outbound_auth=name)
    yield Auth(name=name, auth_type="digest", username=trunk.auth_user or trunk.user, password=secrets.trunks[name])
    # Every refusal may be the carrier's passing trouble: none ends the attempts.
    yield OutboundRegistration(
        name=name, transport=trunk.transport.value, outbound_auth=name, server_uri=uri,
        client_uri=f"sip:{trunk.user}@{host}:{trunk.port}{way}", contact_user=contact_user, line=True, endpoint=name,
        expiration=trunk.expiry_s, retry_interval=trunk.retry_s, forbidden_retry_interval=trunk.retry_s,
        fatal_retry_interval=trunk.retry_s, auth_rejection_permanent=False, max_retries=NO_RETRY_LIMIT)
