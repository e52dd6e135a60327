"""What a tenant's file may say of telephones, and what the person is told who says something else."""

import pytest

from routing.check.check import read_tenants
from tests.tenants_for_tests import ACME, ROSSI, acme, changed, problems
from yaml_models.errors import ConfigError


def with_phones(*phones: str, more: str = "") -> str:
    return changed(("menus:", "phones:\n" + "".join(f"  {phone}\n" for phone in phones) + f"{more}menus:"))


GOOD = 'anna: {model: yealink_t46u, mac: "80:5E:C0:11:22:33", lines: [201-desk]}'


@pytest.mark.parametrize("mac", ["80:5E:C0:11:22:33", "80-5e-c0-11-22-33", "805e.c011.2233", "805EC0112233"])
def test_mac_address_may_be_written_as_on_any_label(mac: str) -> None:
    phone = GOOD.replace("80:5E:C0:11:22:33", mac)
    assert acme(("menus:", f"phones:\n  {phone}\nmenus:")).phones["anna"].mac == "805ec0112233"


@pytest.mark.parametrize(("phone", "expected"), [
    (GOOD.replace("t46u", "t47u"), "phones.anna.model: found 'yealink_t47u', no such model is known (did you mean"),
    (GOOD.replace("yealink_t46u", "T46U"), "phones.anna.model: found 'T46U', no such model is known (did you mean 'yealink_t46u'?)"),
    (GOOD.replace("yealink_t46u", "gigaset_n870"), "phones.anna.model: found 'gigaset_n870', which belongs in the section dect"),
    (GOOD.replace("[201-desk]", "201-desk"), "phones.anna.lines: found '201-desk', expected a list"),
    (GOOD.replace("[201-desk]", "[]"), "phones.anna.lines: found no entries, expected at least 1"),
    (GOOD.replace("33\"", "3\""), "phones.anna.mac: found '80:5E:C0:11:22:3', expected a MAC address"),
    (GOOD.replace("201-desk", "209-desk"), "phones.anna.lines.#1: no user with extension '209'"),
    (GOOD.replace("201-desk", "201-dect"), "phones.anna.lines.#1: user 201 has no device 'dect', expected one of desk"),
    (GOOD.replace("201-desk", "desk"), "phones.anna.lines.#1: found 'desk', expected a user's device such as 201-desk"),
    (GOOD.replace("201-desk]", "201-desk], timezone: Europe/Warszawa"), "phones.anna.timezone: found 'Europe/Warszawa', expected a time"),
    (GOOD.replace("201-desk]", '201-desk], keys: [{kind: blf, extension: "209"}]'), "phones.anna.keys.#1.extension: no user"),
    (GOOD.replace("201-desk]", '201-desk], keys: [{kind: speed_dial, number: "0$x", label: x}]'), "phones.anna.keys.#1.number: found '0$x'"),
    (GOOD.replace("t46u", "t31p").replace("201-desk]", "201-desk, 202-desk, 203-desk]"), "found 3 lines, a Yealink SIP-T31P has 2"),
    (GOOD.replace("t46u", "t31p").replace("201-desk]", '201-desk], keys: [{kind: blf, extension: "202"}, {kind: blf, extension: "203"}]'),
     "found 2 keys, a Yealink SIP-T31P has 2, 1 of them beside its lines"),
])
def test_what_is_wrong_is_told_with_its_place(phone: str, expected: str) -> None:
    found = problems(with_phones(phone))
    assert len(found) == 1
    assert expected in found[0]
    assert found[0].startswith("acme.yaml:13 ")


LAMPS = """parkings: {desk: {slots: 701-702, unanswered: sales}}
switches: {night: {positions: [day, night]}, rain: {positions: [dry, wet]}}
codes: {switches: {night: "*61"}}
queues: {line: {extension: "301", members: ["201"], unanswered: sales}}
"""


@pytest.mark.parametrize(("key", "more", "expected"), [
    ('park, slot: "702"', LAMPS, ""),
    ('park, slot: "703"', LAMPS, "slot: no parking slot '703', expected one of 701-702"),
    ('park, slot: "703"', "", "slot: no parking slot '703', there are no parkings"),
    ("switch, switch: night", LAMPS, ""),
    ("switch, switch: nigth", LAMPS, "switch: no switch named 'nigth', expected one of night, rain"),
    ("switch, switch: night", "", "switch: no switch named 'night', there are none"),
    ("switch, switch: rain", LAMPS, "switch: the key dials the switch's code, and codes.switches has none for 'rain'"),
    ("pause", LAMPS, ""),
    ("pause", "", "kind: user 201 is in no queue to pause in"),
    ("pause", LAMPS.replace("{switches", "{pause: null, switches"), "kind: the key dials the code pause, which is switched off"),
    ("lamp", "", "kind: found 'lamp', expected one of blf, speed_dial, park, switch, pause"),
])
def test_key_shows_what_there_is(key: str, more: str, expected: str) -> None:
    phone = GOOD.replace("201-desk]", f"201-desk], keys: [{{kind: {key}}}]")
    found = problems(with_phones(phone, more=more))
    assert len(found) == bool(expected), found
    assert not expected or (found[0].startswith("acme.yaml:13 phones.anna.keys.#1") and expected in found[0]), found


def test_key_says_of_what_kind_it_is() -> None:
    phone = GOOD.replace("201-desk]", '201-desk], keys: [{slot: "701"}]')
    assert problems(with_phones(phone)) == ["acme.yaml:13 phones.anna.keys.#1: 'kind' is missing, expected one of blf, speed_dial, park, switch, pause"]


def test_device_is_one_telephone_only() -> None:
    other = GOOD.replace("anna", "hall").replace("33\"", "34\"")
    assert problems(with_phones(GOOD, other)) == [
        "acme.yaml:14 phones.hall.lines.#1: 201-desk is already a line of anna; a device is one telephone"]


def test_more_telephones_than_extensions_must_be_meant() -> None:
    users = ("203\": {name: Zofia, devices: [desk]", "203\": {name: Zofia, devices: [desk, hall]")
    lines = [GOOD.replace("anna", f"p{i}").replace("33\"", f"3{i}\"").replace("201-desk", device)
             for i, device in enumerate(("201-desk", "202-desk", "203-desk", "203-hall"))]
    text = with_phones(*lines).replace(*users)
    assert problems(text) == [
        "acme.yaml:12 phones: found 4 telephones for 3 extensions; if meant, say more_equipment: yes"]
    assert problems(text.replace("menus:", "more_equipment: yes\nmenus:")) == []


def test_telephone_belongs_to_one_tenant() -> None:
    with pytest.raises(ConfigError) as error:
        read_tenants({
            "acme.yaml": with_phones(GOOD),
            "rossi.yaml": changed(("menus:", f"phones:\n  {GOOD.replace('80:5E:C0:11:22:33', '805ec0112233')}\nmenus:"), text=ROSSI)})
    assert str(error.value) == "rossi.yaml:13 phones.anna.mac: MAC 80:5e:c0:11:22:33 already belongs to acme.yaml:13 phones.anna.mac"


def test_tenant_without_telephones_is_as_before() -> None:
    assert list(acme().equipment()) == []
    assert problems(ACME) == []


FAXES = (
    '"203": {name: Zofia, devices: [desk], voicemail: false}',
    '"203": {name: Zofia, devices: [desk], voicemail: false}\n  "204": {name: Fax, devices: [fax], voicemail: no}\n'
    '  "205": {name: Till, devices: [till], voicemail: no}\n  "206": {name: Fax two, devices: [fax], voicemail: no}')
CELLAR = 'gateways:\n  cellar: {model: grandstream_ht802, mac: 00A0BA000001, ports: [{device: 204-fax, use: fax}, {device: 205-till, use: card_terminal}]}\n'
ATTIC = "  attic: {model: grandstream_ht801, mac: 00A0BA000002, ports: [{device: 206-fax, use: fax}]}\n"
HALL = "dect:\n  hall: {model: gigaset_n670, mac: 7C2F80000001, handsets: {anna: {device: 201-desk, ipui: 029e74a599}, jan: {device: 202-desk}}}\n"


def with_equipment(text: str, *changes: tuple[str, str]) -> list[str]:
    return problems(changed(FAXES, ("menus:", f"{text}menus:"), *changes))


def test_fax_card_terminal_and_cordless_telephones_are_good() -> None:
    assert with_equipment(CELLAR + HALL) == []
    assert with_equipment(HALL.replace("029e74a599", "029E74A599")) == []       # as the handset shows it


@pytest.mark.parametrize(("text", "expected"), [
    (CELLAR.replace("ht802", "ht801"), "gateways.cellar.ports: found 2 ports, a Grandstream HT801 has 1"),
    (CELLAR.replace("204-fax", "203-desk, extra: 1"), "gateways.cellar.ports.#1.extra: unknown key"),
    (CELLAR.replace("204-fax", "202-desk"), "gateways.cellar.ports.#1.device: a fax leaves and hears no messages, expected voicemail: no"),
    (CELLAR.replace("use: fax", "use: modem"), "gateways.cellar.ports.#1.use: found 'modem'"),
    (CELLAR + "  attic: {model: grandstream_ht801, mac: 00A0BA000002, ports: [{device: 206-fax, use: fax}]}\n",
     "gateways.attic.ports: found 3 analogue ports of no site, expected at most 2 a site"),
    (HALL.replace("handsets", "bases: {roof: 7C2F80000002}, handsets"), "dect.hall.bases: found 1 bases, a Gigaset N670 IP PRO has at most 0"),
    (HALL.replace("202-desk", "202-desk, ipui: 029e74a599"), "029e74a599 stands twice; each handset has its own"),
    (HALL.replace("{device: 202-desk}", "202-desk"), "dect.hall.handsets.jan: found '202-desk', expected names with their values"),
    (HALL.replace("029e74a599", "29e74"), "ipui: found '29e74', expected a handset's IPUI"),
    (CELLAR + HALL.replace("hall", "cellar"), "gateways.cellar: 'cellar' is also one of dect"),
])
def test_what_is_wrong_with_gateways_and_dect_is_told_with_its_place(text: str, expected: str) -> None:
    found = with_equipment(text)
    assert expected in "\n".join(found)


def test_third_analogue_port_at_another_site_is_good() -> None:
    other = 'sites: {attic: {number: "+48221234567", address: Attic 1}}\n'
    assert with_equipment(CELLAR + ATTIC.replace("use: fax}]", "use: fax}], site: nowhere") + other)[0].endswith(
        "gateways.attic.site: no site named 'nowhere', expected one of attic")
    assert with_equipment(CELLAR + ATTIC.replace("use: fax}]", "use: fax}], site: attic") + other) == []


def test_base_of_one_tenant_is_no_others() -> None:
    bases = HALL.replace("n670", "n870").replace("handsets", "bases: {roof: 7C2F80000002}, handsets")
    with pytest.raises(ConfigError, match=r"dect.hall.mac: MAC 7c:2f:80:00:00:02 already belongs to acme.yaml:13 dect.hall.bases.roof"):
        read_tenants({
            "acme.yaml": changed(("menus:", f"{bases}menus:")),
            "rossi.yaml": changed(("menus:", f"{HALL.replace('80000001', '80000002')}menus:"), text=ROSSI)})


def test_analogue_port_takes_no_second_call() -> None:
    tenant = acme(FAXES, ("menus:", f"{CELLAR}menus:"))
    assert not tenant.takes_second_call("204")
    assert not tenant.takes_second_call("205")
    assert tenant.takes_second_call("201")
    assert tenant.takes_second_call("206")          # a fax of no gateway's
