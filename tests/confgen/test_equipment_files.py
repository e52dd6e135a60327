"""What DECT systems and gateways are told."""

import re
from pathlib import PurePosixPath

import pytest

from confgen.render.phone_files import Credentials, Files, Server, address_of, files_of, places_of
from confgen.render.tenant_files import credentials_of, render_tenant
from confgen.secrets import Secrets, with_missing
from routing.tenant.tenant import Tenant
from tests.confgen.render.test_phone_files import of
from tests.confgen.test_templates import of_type
from tests.phones import documented
from tests.phones.files import READERS, p_values, parse_xml
from tests.tenants_for_tests import acme

SERVER = Server("pbx.example.com", 5060, "https://pbx.example.com:8443")
FAX = '  "204": {name: Fax, devices: [fax], voicemail: no}\n  "205": {name: Till, devices: [terminal], voicemail: no}\nnumbers:'
HALL = """dect:
  hall:
    model: gigaset_n870
    mac: 7C2F80000001
    bases: {roof: 7C2F80000002}
    handsets: {anna: {device: 201-desk, ipui: 029e74a599}, jan: {device: 202-desk}}
menus:"""
PORTS = "[{device: 204-fax, use: fax}, {device: 205-terminal, use: card_terminal}]"


def cellar(model: str, ports: str = PORTS) -> Tenant:
    return acme(("numbers:", FAX), ("menus:", f"gateways:\n  cellar: {{model: {model}, mac: 00A0BA000001, ports: {ports}}}\nmenus:"))


def rendered(tenant: Tenant, label: str) -> tuple[Files, Credentials]:
    credentials = credentials_of(tenant, with_missing(Secrets(), [tenant]))
    assert credentials
    each = {name: each for _, name, each in tenant.equipment()}[label]
    return files_of(tenant, label, each, credentials, SERVER), credentials


def test_dect_manager_is_told_each_handsets_account_and_place() -> None:
    tenant = acme(("menus:", HALL))
    files, credentials = rendered(tenant, "hall")
    assert set(files) == {"7C2F80000001.xml", "7c2f80000001.xml", "directory.xml"}
    read = READERS["gigaset"](files["7C2F80000001.xml"])
    assert [(account.user, account.password, account.voicemail) for account in read.accounts] == [
        (name, credentials.sip[name], "*97") for name in ("acme-201-desk", "acme-202-desk")]
    assert read.server == address_of("hall", tenant.dect["hall"], credentials, SERVER)
    assert read.admin_password == credentials.admin["hall"]
    places = places_of(tenant, "hall", tenant.dect["hall"], credentials)
    assert [place.slot for place in places] == ["029e74a599", "00002"]
    for place in places:
        assert re.fullmatch("[0-9]{4}", place.code)
        assert f'name="hs.{place.slot}.DECT_AC" value="{place.code}"' in files["7C2F80000001.xml"]


def test_handsets_have_a_directory_of_everybody_of_the_tenant() -> None:
    tenant = acme(("menus:", HALL), ("name: Jan", "name: \"Jan & 'Co' (a+b/c)\""))
    files, credentials = rendered(tenant, "hall")
    entries = parse_xml(files["directory.xml"])
    assert entries.tag == "list"
    assert [(entry.get("name"), entry.get("office1")) for entry in entries] == [("Anna", "201"), ("Jan & 'Co' (a+b/c)", "202"), ("Zofia", "203")]
    told = {each.get("name"): each.get("value") for each in parse_xml(files["7c2f80000001.xml"]).iter("param")}
    assert told["CentralBook.0.ServerURL"] == f"{SERVER.base}/{credentials.address['hall']}/directory.xml"
    assert told["Netdir.21.Activated"] == "1"


def test_gigaset_is_told_nothing_that_its_maker_does_not_document() -> None:
    known = [re.escape(name).replace(r"\{HS\}", "([0-9]{5}|[0-9a-f]{10})") for name in documented.GIGASET.split()]
    for name in of(rendered(acme(("menus:", HALL)), "hall")[0]["7C2F80000001.xml"]):
        assert any(re.fullmatch(pattern, name) for pattern in known), name


@pytest.mark.parametrize(("model", "reader", "file"), [
    ("grandstream_ht802", "grandstream", "cfg00a0ba000001.xml"), ("patton_sn4112", "patton", "00A0BA000001.cfg")])
def test_gateway_is_told_the_account_of_each_port(model: str, reader: str, file: str) -> None:
    tenant = cellar(model)
    files, credentials = rendered(tenant, "cellar")
    read = READERS[reader](files[file])
    assert [(account.user, account.password, account.host) for account in read.accounts] == [
        (name, credentials.sip[name], "pbx.example.com") for name in ("acme-204-fax", "acme-205-terminal")]
    assert read.server.startswith(address_of("cellar", tenant.gateways["cellar"], credentials, SERVER)[:60])
    assert read.admin_password == credentials.admin["cellar"]


def test_ata_has_t38_for_a_fax_alone_no_call_waiting_and_codecs_that_a_modem_survives() -> None:
    values = p_values(rendered(cellar("grandstream_ht802"), "cellar")[0]["cfg00a0ba000001.xml"])
    assert (values["P228"], values["P710"]) == ("0", "1")                    # T.38; pass-through
    assert values["P91"] == values["P791"] == "1"                            # call waiting is off
    assert {values[name] for name in ("P57", "P58", "P757", "P758")} == {"8", "0"}


def test_socket_that_nothing_is_plugged_into_is_off() -> None:
    values = p_values(rendered(cellar("grandstream_ht802", "[{device: 204-fax, use: fax}]"), "cellar")[0]["cfg00a0ba000001.xml"])
    assert values["P401"] == "0"
    assert "P735" not in values


def test_ata_is_told_nothing_that_its_maker_does_not_document() -> None:
    assert of(rendered(cellar("grandstream_ht802"), "cellar")[0]["cfg00a0ba000001.xml"]) <= set(documented.GRANDSTREAM_HT.split())


def test_iad_is_told_nothing_but_commands_that_its_maker_documents() -> None:
    commands = tuple(command for line in documented.PATTON.strip().splitlines() for command in line.split("|"))
    for line in rendered(cellar("patton_sn4112"), "cellar")[0]["00A0BA000001.cfg"].splitlines():
        assert not line.strip() or line.startswith("#") or line.strip().startswith(commands), line


def test_analogue_port_has_no_codec_that_a_fax_does_not_survive_and_is_busy_with_its_first_call() -> None:
    endpoints = of_type(cellar("grandstream_ht802"), "endpoint")
    for name in ("acme-204-fax", "acme-205-terminal"):
        assert endpoints[name]["allow"] == "alaw,ulaw"
        assert endpoints[name]["device_state_busy_at"] == "1"
        assert "mailboxes" not in endpoints[name]
    assert endpoints["acme-204-fax"]["t38_udptl"] == "yes"
    assert endpoints["acme-204-fax"]["t38_udptl_ec"] == "redundancy"
    assert "t38_udptl" not in endpoints["acme-205-terminal"]
    assert endpoints["acme-201-desk"]["allow"] == "alaw,ulaw,g722"
    assert "device_state_busy_at" not in endpoints["acme-201-desk"]


def test_carrier_is_offered_no_codec_that_a_fax_does_not_survive() -> None:
    trunk = ("numbers:", "trunks: {carrier: {kind: address, address: 192.0.2.9}}\nnumbers:")
    port = ("menus:", f"gateways:\n  cellar: {{model: grandstream_ht801, mac: 00A0BA000001, ports: {PORTS.split('},')[0]}}}]}}\nmenus:")
    with_fax, without = (of_type(acme(*changes), "endpoint")["acme-trunk-carrier"] for changes in (
        (("numbers:", FAX), trunk, port), (trunk,)))
    assert (with_fax["allow"], with_fax["t38_udptl"]) == ("alaw,ulaw", "yes")
    assert without["allow"] == "alaw,ulaw,g722"
    assert "t38_udptl" not in without


def test_password_that_is_to_take_the_place_of_another_is_accepted_beside_it_and_told_to_the_telephone() -> None:
    tenant = acme(("menus:", HALL))
    secrets = with_missing(Secrets(), [tenant]).with_next_sip("acme-201-desk")
    new = secrets.next_sip["acme-201-desk"]
    text = render_files(tenant, secrets)["pjsip/acme.conf"]
    assert "auth = acme-201-desk,acme-201-desk-next\n" in text
    assert f"[acme-201-desk-next]\ntype = auth\nauth_type = digest\nusername = acme-201-desk\npassword = {new}\n" in text
    credentials = credentials_of(tenant, secrets)
    assert credentials
    assert credentials.sip == {"acme-201-desk": new, "acme-202-desk": secrets.sip["acme-202-desk"]}
    rotated = secrets.rotated("acme-201-desk")
    assert (rotated.sip["acme-201-desk"], rotated.next_sip) == (new, {})
    assert "-next" not in render_files(tenant, rotated)["pjsip/acme.conf"]


def render_files(tenant: Tenant, secrets: Secrets) -> Files:
    return render_tenant(tenant, secrets, {name: f"{name}-0" for name in tenant.all_prompts()}, PurePosixPath("/srv/x"))
