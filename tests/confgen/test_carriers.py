"""What is rendered of the carriers that tenants share, read back by another program's parser."""

from pathlib import Path, PurePosixPath

import pytest
from asterisk import config as pyst2_config

from confgen.publish.dialplan_changes import difference
from confgen.render.dialplan import DialplanLine, load
from confgen.render.sip_objects import objects_in, text_of
from confgen.render.tenant_files import render_platform, render_tenant
from confgen.secrets import Secrets, with_missing
from routing.check.check import read_platform, read_tenants
from routing.platform.platform import Platform
from routing.tenant.tenant import Tenant
from tests.tenants_for_tests import ACME, changed
from yaml_models.errors import ConfigError

CARRIERS = """carriers:
  telco: {kind: address, address: 192.0.2.7, country: DE, area_code: "30"}
  plain: {kind: address, address: 192.0.2.8}
  prefixed: {kind: address, address: 192.0.2.9, country: DE, area_code: "030"}
  voice: {kind: registration, server: sip.example.org, user: pbx, country: PL}
"""
SECRETS = Secrets(ami="x", ami_cli="y", trunks={"platform-trunk-voice": "p$w"})


def sections(name: str) -> dict[str, dict[str, list[str]]]:
    """Of the platform's file, by type: the values of each option."""
    platform = read_platform(CARRIERS, "platform.yaml")
    files = render_platform(platform.carriers, with_missing(SECRETS, [], platform.carriers))
    found: dict[str, dict[str, list[str]]] = {}
    for row in objects_in(files):
        if row.name == name:
            found[row.kind] = {}
            for key, _, value in (line.partition(" = ") for line in text_of(row).splitlines()[1:]):
                found[row.kind].setdefault(key, []).append(value)
    return found


def test_carrier_leads_to_one_context_and_to_no_tenant() -> None:
    found = sections("platform-trunk-telco")
    assert found.keys() == {"endpoint", "identify", "aor"}
    assert (found["endpoint"]["context"], found["endpoint"]["identify_by"]) == (["carrier"], ["ip"])
    assert not found["endpoint"].keys() & {"accountcode", "tenantid"}
    assert found["identify"]["match"] == ["192.0.2.7"]


@pytest.mark.parametrize(("carrier", "written"), [
    ("telco", "yes,00,49,0,30"), ("prefixed", "yes,00,49,0,30"), ("plain", "yes,00,,,"), ("voice", "yes,00,48,,")])
def test_carrier_says_how_it_writes_numbers_by_one_option(carrier: str, written: str) -> None:
    (option,) = sections(f"platform-trunk-{carrier}")["endpoint"]["set_var"]
    names, _, values = option.removeprefix("ARRAY(").partition(")=")
    assert names.split(",")[:5] == ["OUTSIDE", "ABROAD", "COUNTRY", "NATIONAL", "AREA"]
    assert values.split(",")[:5] == written.split(",")


def test_carrier_that_registers_has_its_password_and_asks_to_be_called_by_a_name_that_is_no_number() -> None:
    found = sections("platform-trunk-voice")
    assert found["auth"]["password"] == ["p$w"]
    assert found["registration"]["contact_user"] == ["platform"]
    with pytest.raises(ConfigError, match=r"carriers\.voice: no password is kept for it; give it with: centralka secret platform-trunk-voice"):
        with_missing(Secrets(ami="x", ami_cli="y"), [], read_platform(CARRIERS, "platform.yaml").carriers)


def test_another_parser_finds_the_same_sections(tmp_path: Path) -> None:
    file = tmp_path / "platform.conf"
    file.write_text(render_platform(read_platform(CARRIERS, "x").carriers, SECRETS)["pjsip/platform.conf"])
    names = [category.name for category in pyst2_config.Config(str(file)).categories]
    assert {name: names.count(name) for name in names} == {
        "platform-trunk-telco": 3, "platform-trunk-plain": 3, "platform-trunk-prefixed": 3, "platform-trunk-voice": 5}
    assert render_platform({}, SECRETS) == {}


def acme(text: str = ACME, platform: str = CARRIERS) -> Tenant:
    (tenant,) = read_tenants({"acme.yaml": text}, {"acme.yaml": read_platform(platform, "platform.yaml")})
    return tenant


def rendered(tenant: Tenant) -> dict[str, str]:
    sounds = {name: f"{name}-0" for name in tenant.all_prompts()}
    return render_tenant(tenant, with_missing(SECRETS, [tenant]), sounds, PurePosixPath("/srv/x"))


def test_tenants_file_has_none_of_the_carriers_own_objects() -> None:
    assert not [row.name for row in objects_in(rendered(acme())) if not row.name.startswith("acme-")]


def test_number_is_one_line_that_asterisk_takes_without_reading_all_of_the_dialplan() -> None:
    number = ("{to: main}\n", '{to: main}\n  "+48221234599": {to: sales}\n')
    old, new = (rendered(acme(text)) for text in (ACME, changed(number)))
    assert "[carriers]\nexten => 48221234567,1,Goto(acme-carrier,${EXTEN},1)\n" in old["extensions/acme.conf"]
    found = difference(*(load(each["extensions/acme.json"]) for each in (old, new)))
    assert found
    assert found.lines == (DialplanLine("carriers", "48221234599", "1", "Goto", "acme-carrier,${EXTEN},1"),)


def test_tenant_that_shares_no_carrier_gets_no_calls_of_one() -> None:
    assert "[carriers]" not in rendered(acme(ACME + "trunks: {}\n"))["extensions/acme.conf"]
    assert "[carriers]" not in rendered(acme(platform="brake: null\n"))["extensions/acme.conf"]
    assert Platform().carriers == {}
