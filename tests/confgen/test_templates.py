"""What the rendered files make Asterisk do: who is let in as whom, and where calls go when nobody decides."""

import re
from pathlib import PurePosixPath

import pytest

from confgen.publish.instance import STATIC as FOLDER
from confgen.render.carrier_password import UnsafeValue
from confgen.render.tenant_files import Files, render_tenant
from confgen.secrets import Secrets, with_missing
from routing.tenant.tenant import Tenant
from tests.tenants_for_tests import acme

Section = tuple[str, dict[str, str]]
TRUNKS = ("menus:", """trunks:
  carrier: {kind: address, address: 192.0.2.7, port: 5070}
  other: {kind: registration, server: sip.example.org, port: 5080, user: acme1, number: "+48221234567"}
menus:""")
SOUNDS = "/srv/x/sounds/acme/"
STATIC = FOLDER / "extensions.conf"


def kept(tenant: Tenant) -> Secrets:
    return with_missing(Secrets(ami="x", ami_cli="y", trunks={"acme-trunk-other": "p$w[1]"}), [tenant])


def rendered(tenant: Tenant, secrets: Secrets | None = None) -> Files:
    return render_tenant(
        tenant, secrets or kept(tenant), {name: f"{name}-0" for name in tenant.all_prompts()}, PurePosixPath("/srv/x"))


def sections(text: str) -> list[Section]:
    """The sections of a pjsip file. A key that stands twice in one section fails."""
    found: list[Section] = []
    for line in text.splitlines():
        if line.startswith("["):
            found.append((line.strip("[]"), {}))
        elif line and not line.startswith(";"):
            key, _, value = line.partition(" = ")
            assert key not in found[-1][1], line
            found[-1][1][key] = value
    return found


def of_type(tenant: Tenant, kind: str) -> dict[str, dict[str, str]]:
    found = [(name, values) for name, values in sections(rendered(tenant)["pjsip/acme.conf"]) if values["type"] == kind]
    assert len(found) == len(dict(found)), "no section of one type stands twice"
    return dict(found)


def dialplan(tenant: Tenant) -> dict[tuple[str, str], list[str]]:
    """The steps of each (context, extension), without their priorities, with those of included contexts as they run there."""
    shared = steps_of(STATIC.read_text())
    text = rendered(tenant)["extensions/acme.conf"]
    found = steps_of(text)
    for context, included in re.findall(r"^\[(.+)\]\ninclude => (.+)$", text, re.MULTILINE):
        for (where, key), steps in shared.items():
            if where == included and (context, key) not in found:
                tenant, _, origin = context.partition("-")
                found[context, key] = [
                    step.replace("${CUT(CONTEXT,-,1)}", tenant).replace("${CUT(CONTEXT,-,2)}", origin) for step in steps]
    return found


def steps_of(text: str) -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = {}
    context = key = ""
    for line in text.splitlines():
        if line.startswith("["):
            context = line.strip("[]")
        elif line.startswith("exten => "):
            key, priority, step = line.removeprefix("exten => ").split(",", 2)
            if priority == "hint":
                continue
            assert priority == "1"
            assert (context, key) not in found
            found[context, key] = [step]
        elif line.startswith(" same => "):
            found[context, key].append(line.removeprefix(" same => ").split(",", 1)[1])
    return found


PHONES = {"acme-201-desk", "acme-202-desk", "acme-203-desk"}


def test_phone_is_known_by_its_name_and_password_alone() -> None:
    tenant = acme(TRUNKS)
    endpoints, auths = of_type(tenant, "endpoint"), of_type(tenant, "auth")
    for name in PHONES:
        assert endpoints[name]["identify_by"] == "username"
        assert endpoints[name]["auth"] == name
        assert endpoints[name]["aors"] == name
        assert auths[name]["auth_type"] == "digest"
        assert auths[name]["username"] == name
        assert name not in of_type(tenant, "identify")


def test_each_phone_has_the_password_that_was_kept_for_it() -> None:
    tenant = acme(TRUNKS)
    secrets = kept(tenant)
    auths = {name: values for name, values in sections(rendered(tenant, secrets)["pjsip/acme.conf"]) if values["type"] == "auth"}
    assert {name: auths[name]["password"] for name in PHONES} == secrets.sip
    assert auths["acme-trunk-other"]["password"] == "p$w[1]"


def test_phone_may_not_say_who_it_is() -> None:
    endpoints = of_type(acme(TRUNKS), "endpoint")
    for extension, user in acme().users.items():
        phone = endpoints[f"acme-{extension}-desk"]
        assert phone["trust_id_inbound"] == "no"
        assert phone["callerid"] == f"{user.name} <{extension}>"
        assert phone["set_var"].startswith("ARRAY(CALLER_EXTENSION,")
        assert phone["set_var"].partition(")=")[2].split(",")[0] == extension


def test_phone_and_trunk_enter_their_own_contexts() -> None:
    contexts = {name: values["context"] for name, values in of_type(acme(TRUNKS), "endpoint").items()}
    assert contexts == dict.fromkeys(PHONES, "acme-phone") | {
        "acme-trunk-carrier": "acme-incoming", "acme-trunk-other": "acme-incoming"}
    assert {context for context, _ in dialplan(acme(TRUNKS))} == {
        "acme-phone", "acme-trunk", "acme-failover", "acme-confirm", "acme-admit", "acme-site", "acme-transfer", "acme-keyed",
        "acme-elsewhere", "acme-own", "acme-incoming", "acme-carrier", "at-sip_example_org"}


def test_trunk_is_known_by_its_address_and_never_by_a_name() -> None:
    tenant = acme(TRUNKS)
    endpoints = of_type(tenant, "endpoint")
    for name in ("acme-trunk-carrier", "acme-trunk-other"):
        assert endpoints[name]["identify_by"] == "ip"
        assert "auth" not in endpoints[name]
        assert endpoints[name]["set_var"].startswith("ARRAY(OUTSIDE,")
        assert endpoints[name].get("trust_id_inbound", "no") == "no"
    assert of_type(tenant, "identify") == {
        "acme-trunk-carrier": {"type": "identify", "endpoint": "acme-trunk-carrier", "match": "192.0.2.7"},
        "acme-trunk-other": {"type": "identify", "endpoint": "acme-trunk-other", "match": "sip.example.org"}}


def test_trunk_without_registration_has_its_carriers_contact_alone() -> None:
    tenant = acme(TRUNKS)
    assert of_type(tenant, "aor")["acme-trunk-carrier"]["contact"] == "sip:192.0.2.7:5070"
    assert set(of_type(tenant, "registration")) == {"acme-trunk-other"}


def test_trunk_that_registers_tells_the_carrier_what_it_needs() -> None:
    tenant = acme(TRUNKS)
    registration = of_type(tenant, "registration")["acme-trunk-other"]
    assert registration["server_uri"] == "sip:sip.example.org:5080"
    assert registration["client_uri"] == "sip:acme1@sip.example.org:5080"
    assert registration["contact_user"] == "+48221234567"
    assert registration["line"] == "yes"
    assert registration["endpoint"] == registration["outbound_auth"] == "acme-trunk-other"
    assert of_type(tenant, "endpoint")["acme-trunk-other"]["outbound_auth"] == "acme-trunk-other"
    assert of_type(tenant, "auth")["acme-trunk-other"]["username"] == "acme1"
    assert of_type(tenant, "aor")["acme-trunk-other"]["contact"] == "sip:sip.example.org:5080"


def test_no_endpoint_without_a_password_is_known_by_a_name() -> None:
    for name, endpoint in of_type(acme(TRUNKS), "endpoint").items():
        assert "auth" in endpoint or endpoint["identify_by"] == "ip", name


def test_every_endpoint_carries_its_tenant_but_one_at_whose_server_other_tenants_may_register() -> None:
    endpoints = of_type(acme(TRUNKS), "endpoint")
    assert not endpoints.pop("acme-trunk-other").keys() & {"tenantid", "accountcode"}
    for endpoint in endpoints.values():
        assert endpoint["tenantid"] == endpoint["accountcode"] == "acme"


def test_phones_lamp_is_that_of_its_own_mailbox_if_it_has_one() -> None:
    endpoints = of_type(acme(), "endpoint")
    assert endpoints["acme-201-desk"]["mailboxes"] == "201@acme"
    assert "mailboxes" not in endpoints["acme-203-desk"]


def test_every_device_of_a_user_is_an_endpoint_of_its_own() -> None:
    tenant = acme(("Anna, devices: [desk]", "Anna, devices: [desk, mobile]"))
    endpoints = of_type(tenant, "endpoint")
    assert endpoints["acme-201-mobile"]["set_var"] == endpoints["acme-201-desk"]["set_var"]
    assert dialplan(tenant)["acme-failover", "201"][0] == "Dial(PJSIP/acme-201-desk&PJSIP/acme-201-mobile,20,i)"


def test_mailbox_opens_with_the_pin_that_was_kept_for_it() -> None:
    secrets = kept(acme())
    lines = rendered(acme(), secrets)["voicemail/acme.conf"].splitlines()[1:]
    assert lines == ["[acme]", f"201 => {secrets.pins['acme/201']},Anna", f"202 => {secrets.pins['acme/202']},Jan"]
    assert all(pin.isdigit() and len(pin) == 6 for pin in secrets.pins.values())
    assert set(secrets.pins) == {"acme/201", "acme/202"}


def test_extension_rings_its_user_when_nobody_decides() -> None:
    tenant = acme(("Jan, devices: [desk]", "Jan, devices: [desk], ring_s: 45"))
    plan = dialplan(tenant)
    assert plan["acme-failover", "202"] == [
        "Dial(PJSIP/acme-202-desk,45,i)", f"Playback({SOUNDS}sys_leave_message-0)", "VoiceMail(202@acme,s)", "Hangup(20)"]
    assert plan["acme-failover", "203"] == [
        "Dial(PJSIP/acme-203-desk,20,i)", f"Playback({SOUNDS}sys_unavailable-0)", "Hangup(20)"]
    assert plan["acme-failover", "_*."] == [f"Playback({SOUNDS}sys_code_failed-0)", "Hangup(16)"]
    assert {key for context, key in plan if context == "acme-failover"} == {"s", "_*.", "201", "202", "203"}


@pytest.mark.parametrize(("failover", "steps"), [
    ('{ring: ["201"], voicemail: "202"}',
     ["Dial(PJSIP/acme-201-desk,30,i)", f"Playback({SOUNDS}sys_leave_message-0)", "VoiceMail(202@acme,s)", "Hangup(20)"]),
    ('{ring: ["202", "201"], ring_s: 50}',
     ["Dial(PJSIP/acme-202-desk&PJSIP/acme-201-desk,50,i)", f"Playback({SOUNDS}sys_unavailable-0)", "Hangup(20)"]),
])
def test_call_from_outside_rings_the_failovers_users_when_nobody_decides(failover: str, steps: list[str]) -> None:
    tenant = acme(('{ring: ["201"], voicemail: "201"}', failover))
    assert dialplan(tenant)["acme-failover", "s"] == steps


@pytest.mark.parametrize("origin", ["phone", "trunk"])
def test_call_enters_the_step_loop_as_its_tenants_and_remembers_nothing(origin: str) -> None:
    entry = dialplan(acme(TRUNKS))[f"acme-{origin}", "_[0-9*#+]!"]
    variables = dict(part.split("=", 1) for part in next(step for step in entry if step.startswith("MSet("))[5:-1].split(","))
    assert (variables["TENANT"], variables["ORIGIN"], variables["DIALLED"]) == ("acme", origin, "${URIENCODE(${EXTEN})}")
    assert list(variables)[-1] == "DIALLED", "a bracket that a caller dialled would swallow what follows it"
    assert {variables[name] for name in ("STATE", "DIALSTATUS", "VMSTATUS", "LEFT", "RETRIES")} == {""}
    assert (variables["STEP"], variables["TIMEOUT(absolute)"]) == ("Goto(no_answer)", "4")
    assert entry[1:] == ["Goto(step,s,1)"]


def test_secret_that_no_file_can_hold_is_refused() -> None:
    secrets = kept(acme(TRUNKS)).model_copy(update={"trunks": {"acme-trunk-other": "pw;x"}})
    with pytest.raises(UnsafeValue):
        rendered(acme(TRUNKS), secrets)
