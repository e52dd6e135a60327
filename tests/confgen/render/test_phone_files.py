"""What telephones are told: only what their makers document, all of what the tenant's file says, nobody else's secrets."""

import re

import pytest

from confgen.render.carrier_password import UnsafeValue
from confgen.render.phone_files import Credentials, Files, Server, address_of, files_of
from confgen.render.tenant_files import credentials_of
from confgen.secrets import Secrets, with_missing
from routing.tenant.phone_models import PHONES, Vendor
from routing.tenant.tenant import Tenant
from tests.phones import documented
from tests.phones.files import READERS, Account, Lamp, parse_xml, yealink_values
from tests.tenants_for_tests import acme

SERVER = Server("pbx.example.com", 5060, "https://pbx.example.com:8443")
KEYS = '[{kind: blf, extension: "202"}, {kind: speed_dial, number: "+48221112233", label: Bank}]'
VENDORS = list(dict.fromkeys(model.vendor for model in PHONES.values()))
OF_VENDOR = {vendor: next(name for name, model in PHONES.items() if model.vendor is vendor and model.keys > 8) for vendor in VENDORS}


def tenant_with(model: str, more: str = "", **changes: str) -> Tenant:
    phones = f'phones:\n  anna: {{model: {model}, mac: "805ec0000001", lines: [201-desk], keys: {KEYS}{more}}}\nmenus:'
    return acme(("menus:", phones), *changes.items())


def rendered(tenant: Tenant) -> tuple[Files, Credentials]:
    credentials = credentials_of(tenant, with_missing(Secrets(), [tenant]))
    assert credentials
    return files_of(tenant, "anna", tenant.phones["anna"], credentials, SERVER), credentials


def main_file(files: Files) -> str:
    return max(files.values(), key=len)


@pytest.mark.parametrize("vendor", VENDORS)
def test_telephone_is_told_its_line_its_keys_and_where_to_ask_again(vendor: Vendor) -> None:
    tenant = tenant_with(OF_VENDOR[vendor])
    files, credentials = rendered(tenant)
    read = READERS[vendor](main_file(files))
    (account,) = read.accounts
    assert account == Account(
        "acme-201-desk", "acme-201-desk", credentials.sip["acme-201-desk"], "pbx.example.com", 5060, account.label, "*97")
    assert "201" in account.label
    keys = [Lamp("blf", "202", "Jan"), Lamp("speed_dial", "+48221112233", "Bank")]
    if vendor is Vendor.POLY:
        (dial,) = (item for item in parse_xml(files["805ec0000001-directory.xml"]).iter("item") if item.find("sd") is not None)
        assert keys.pop() == Lamp("speed_dial", dial.findtext("ct", ""), dial.findtext("ln", ""))
    assert list(read.keys) == keys
    assert read.server == address_of("anna", tenant.phones["anna"], credentials, SERVER)
    assert read.admin_password == credentials.admin["anna"]


LAMPS = """parkings:
  desk: {slots: 701-702, unanswered: sales}
switches:
  night: {positions: [day, night]}
codes: {switches: {night: "*61"}}
queues:
  line: {extension: "301", members: ["201"], unanswered: sales}
menus:"""
LAMP_KEYS = ', keys: [{kind: park, slot: "702"}, {kind: switch, switch: night, label: Noc}, {kind: pause}]'


@pytest.mark.parametrize("vendor", VENDORS)
def test_keys_for_slots_switches_and_pauses_have_lamps_and_dial_what_they_show(vendor: Vendor) -> None:
    phones = f'phones:\n  anna: {{model: {OF_VENDOR[vendor]}, mac: "805ec0000001", lines: [201-desk]{LAMP_KEYS}}}\nmenus:'
    text = main_file(rendered(acme(("menus:", LAMPS), ("menus:", phones)))[0])
    own_key_for_slots = "park" if vendor in (Vendor.SNOM, Vendor.GRANDSTREAM, Vendor.POLY) else "blf"
    assert list(READERS[vendor](text).keys) == [
        Lamp(own_key_for_slots, "702", "702"), Lamp("blf", "*61", "Noc"), Lamp("blf", "*52201", "Przerwa")]
    if vendor is Vendor.YEALINK:
        assert yealink_values(text)["transfer.dsskey_deal_type"] == "2"


@pytest.mark.parametrize("vendor", VENDORS)
def test_display_speaks_the_language_of_the_telephone_else_of_the_tenant(vendor: Vendor) -> None:
    said = {"pl": ("Polish", "Polski", "pl", "Polish_Poland"), "it": ("Italian", "Italiano", "it", "Italian_Italy")}
    for more, language in (("", "pl"), (", language: it", "it")):
        assert READERS[vendor](main_file(rendered(tenant_with(OF_VENDOR[vendor], more))[0])).language in said[language]


@pytest.mark.parametrize(("zone", "yealink", "snom"), [
    ("Europe/Warsaw", ("+1", "1", "3/5/7/2", "10/5/7/3"), ("3600", "3600 03.05.07 02:00:00 10.05.07 03:00:00")),
    ("America/New_York", ("-5", "1", "3/2/7/2", "11/1/7/2"), ("-18000", "3600 03.02.07 02:00:00 11.01.07 02:00:00")),
    ("Asia/Kolkata", ("+5:30", "0", "", ""), ("19800", "")),
])
def test_clock_follows_the_time_zone_with_its_summer(zone: str, yealink: tuple[str, ...], snom: tuple[str, ...]) -> None:
    values = yealink_values(main_file(rendered(tenant_with("yealink_t46u", f", timezone: {zone}"))[0]))
    names = ("time_zone", "summer_time", "start_time", "end_time")
    assert tuple(values.get(f"local_time.{name}", "") for name in names) == yealink
    settings = parse_xml(main_file(rendered(tenant_with("snom_d785", f", timezone: {zone}"))[0])).find("phone-settings")
    assert settings is not None
    assert (settings.findtext("utc_offset"), settings.findtext("dst")) == snom


@pytest.mark.parametrize(("zone", "rule"), [
    ("Europe/Warsaw", "start=3/-1/7/2:0:0;end=10/-1/7/3:0:0;save=1:0:0"),
    ("America/New_York", "start=3/8/7/2:0:0;end=11/1/7/2:0:0;save=1:0:0")])
def test_cisco_changes_its_clock_on_the_right_sundays(zone: str, rule: str) -> None:
    root = parse_xml(main_file(rendered(tenant_with("cisco_8851", f", timezone: {zone}"))[0]))
    assert root.findtext("flat-profile/Daylight_Saving_Time_Rule") == rule


def of(text: str) -> set[str]:
    """The parameters that a device is told, whichever way its maker writes them."""
    if not text.startswith("<?xml"):
        return set(yealink_values(text))
    root = parse_xml(text)
    match root.tag:
        case "gs_provision":
            return {each.tag for each in root[1]}
        case "device":
            return {each.tag for each in root[0]}
        case "PHONE_CONFIG":
            return set(root[0].attrib)
        case "provisioning":
            return {each.get("name", "") for each in root.iter("param")}
        case other:
            raise AssertionError(other)


@pytest.mark.parametrize(("model", "names"), [
    ("grandstream_gxp2130", documented.GRANDSTREAM_GXP), ("cisco_8851", documented.CISCO), ("poly_vvx450", documented.POLY)])
def test_telephone_is_told_nothing_that_its_maker_does_not_document(model: str, names: str) -> None:
    known = [re.escape(name).replace(r"\{N\}", "[1-9][0-9]*") for name in names.split()]
    for name in of(main_file(rendered(tenant_with(model))[0])):
        assert any(re.fullmatch(pattern, name) for pattern in known), name


def test_yealink_is_told_nothing_that_its_maker_does_not_document() -> None:
    known = [re.escape(name).replace(r"\{N\}", "[1-9][0-9]*") for name in documented.YEALINK.split()]
    for name in yealink_values(main_file(rendered(tenant_with("yealink_t46u"))[0])):
        assert any(re.fullmatch(pattern, name) for pattern in known), name


def test_snom_is_told_nothing_that_its_maker_does_not_document() -> None:
    root = parse_xml(main_file(rendered(tenant_with("snom_d785"))[0]))
    assert [part.tag for part in root] == ["phone-settings", "functionKeys", "tbook"]
    assert {setting.tag for setting in root[0]} <= set(documented.SNOM.split())


@pytest.mark.parametrize("vendor", VENDORS)
def test_directory_names_everybody_of_the_tenant(vendor: Vendor) -> None:
    everything = "".join(rendered(tenant_with(OF_VENDOR[vendor]))[0].values())
    for name, extension in (("Anna", "201"), ("Jan", "202"), ("Zofia", "203")):
        assert re.search(rf"(?s)>{name}<.{{0,60}}>{extension}<", everything)


@pytest.mark.parametrize("vendor", VENDORS)
def test_name_with_markup_stays_a_name(vendor: Vendor) -> None:
    files, _ = rendered(tenant_with(OF_VENDOR[vendor], **{"name: Jan": "name: \"Jan & 'Co' (a+b/c)\""}))
    nodes = [node for text in files.values() if text.startswith("<?xml") for node in parse_xml(text).iter()]
    assert "Jan & 'Co' (a+b/c)" in [text for node in nodes for text in (node.text, *node.attrib.values())]
    assert READERS[vendor](main_file(files)).keys[0].label == "Jan & 'Co' (a+b/c)"


@pytest.mark.parametrize("vendor", VENDORS)
def test_value_that_could_begin_another_line_is_refused_though_the_model_let_it_through(vendor: Vendor) -> None:
    tenant = tenant_with(OF_VENDOR[vendor])
    credentials = rendered(tenant)[1]
    for hostile in ("x\naccount.1.password = y", "x\r\ny", "x\0"):
        worse = Credentials({**credentials.sip, "acme-201-desk": hostile}, credentials.address, credentials.admin)
        with pytest.raises(UnsafeValue):
            files_of(tenant, "anna", tenant.phones["anna"], worse, SERVER)


@pytest.mark.parametrize("model", PHONES)
def test_every_model_can_be_set_up_full_of_keys(model: str) -> None:
    count = min(PHONES[model].keys - 1, 8 if PHONES[model].vendor is Vendor.GRANDSTREAM else 120)
    keys = ", ".join('{kind: blf, extension: "202"}' for _ in range(count))
    phones = f'phones:\n  anna: {{model: {model}, mac: "805ec0000001", lines: [201-desk], keys: [{keys}]}}\nmenus:'
    files, _ = rendered(acme(("menus:", phones)))
    assert len(READERS[PHONES[model].vendor](main_file(files)).keys) == count


def test_only_its_own_passwords_are_where_a_tenants_telephones_are_looked_up() -> None:
    secrets = with_missing(Secrets(), [tenant_with("yealink_t46u")])
    credentials = credentials_of(tenant_with("yealink_t46u"), secrets)
    assert credentials
    assert set(credentials.sip) == {"acme-201-desk"}
    assert credentials_of(acme(), secrets) is None
