"""The rendered files, read back by another program's parser."""

from pathlib import Path, PurePosixPath

import pytest
from asterisk import config as pyst2_config
from hypothesis import given
from hypothesis import strategies as st

from confgen.render.carrier_password import UnsafeValue
from confgen.render.encoder import encode
from confgen.render.sip_objects import endpoints_in
from confgen.render.tenant_dialplan import agent, elsewhere
from confgen.render.tenant_files import Files, render_tenant
from confgen.secrets import Secrets, with_missing
from routing.check.check import read_tenant
from tests.tenants_for_tests import ROSSI, acme, changed
from yaml_models.errors import ConfigError

TRUNKS = ("menus:", """trunks:
  carrier: {kind: address, address: 192.0.2.7}
  other: {kind: registration, server: sip.example.org, user: acme1, number: "+48221234567"}
menus:""")


def rendered(tenant=None) -> Files:  # type: ignore[no-untyped-def]
    tenant = tenant or acme(TRUNKS)
    secrets = with_missing(Secrets(ami="x", ami_cli="y", trunks={"acme-trunk-other": "pw"}), [tenant])
    sounds = {name: f"{name}-0" for name in tenant.all_prompts()}
    return render_tenant(tenant, secrets, sounds, PurePosixPath("/srv/x"))


def test_another_parser_finds_the_same_sections_and_values(tmp_path: Path) -> None:
    file = tmp_path / "pjsip.conf"
    file.write_text(rendered()["pjsip/acme.conf"])
    sections = [category.name for category in pyst2_config.Config(str(file)).categories]
    assert sections.count("acme-201-desk") == 3                      # endpoint, auth, aor
    assert sections.count("acme-trunk-carrier") == 3                 # endpoint, identify, aor
    assert sections.count("acme-trunk-other") == 5                   # endpoint, auth, registration, identify, aor
    first = pyst2_config.Config(str(file)).categories[0]
    values = {item.name: item.value.strip() for item in first.items}
    assert values["tenantid"] == "acme"
    assert values["context"] == "acme-phone"


def test_queue_has_a_member_for_each_agent_whose_penalty_is_its_tier_and_a_rule_that_lets_the_next_tier_in() -> None:
    files = rendered(acme(("menus:", """queues:
  support: {members: ["201"], later: [{after_s: 10, members: ["202"]}], wrap_up_s: 7, unanswered: main}
menus:""")))
    queue = files["queues/acme.conf"].splitlines()
    assert "[acme-support]" in queue
    assert "wrapuptime = 7" in queue
    assert [line for line in queue if line.startswith("member")] == [
        "member => Local/201@acme-agent/n,1,201,hint:201@acme-agent", "member => Local/202@acme-agent/n,2,202,hint:202@acme-agent"]
    assert files["queuerules/acme.conf"].splitlines()[-2:] == ["[acme-support]", "penaltychange => 10,2,,2"]


def test_every_endpoint_is_named() -> None:
    assert endpoints_in(rendered()) == {
        "acme-201-desk", "acme-202-desk", "acme-203-desk", "acme-trunk-carrier", "acme-trunk-other"}


def test_two_tenants_with_the_same_extensions_share_no_name() -> None:
    def sections(files: Files) -> set[str]:
        return {line for path, text in files.items() if path.endswith(".conf") for line in text.splitlines() if line.startswith("[")}

    rossi = read_tenant(ROSSI, "rossi.yaml")
    assert not sections(rendered()) & sections(rendered(rossi))
    assert not any("acme" in text for text in rendered(rossi).values())


def test_each_device_gets_its_own_password_and_keeps_it() -> None:
    first = with_missing(Secrets(ami="x", ami_cli="y"), [acme()])
    assert len(set(first.sip.values())) == 3
    assert all(len(password) >= 20 for password in first.sip.values())
    assert with_missing(first, [acme()]) == first


def test_mobile_that_a_queue_or_a_code_rings_leaves_by_the_route_for_mobiles() -> None:
    routes = TRUNKS[1].replace("menus:", "routes: [{classes: [mobile], trunks: [other]}]\nqueues:\n"
                               '  support: {members: ["201"], unanswered: main}\nmenus:')
    tenant = acme((TRUNKS[0], routes), ("Anna, devices: [desk]", 'Anna, devices: [desk], mobile: "+48600100201", '
                                        "rings: {queue: {desk: 0, mobile: 5}}"))
    leg = "1-+48600100201-+48221234567-+48221234567-201-acme-trunk-other@acme-admit/n"
    assert agent(tenant, "201") == f"PJSIP/acme-201-desk&Local/5-{leg}"
    assert elsewhere(tenant, "201", "desk") == f"Local/0-{leg}"


def test_trunk_that_registers_needs_the_carriers_password() -> None:
    with pytest.raises(ConfigError, match="centralka secret acme-trunk-other"):
        with_missing(Secrets(ami="x", ami_cli="y"), [acme(TRUNKS)])


@given(st.text())
def test_only_harmless_text_enters_a_file(text: str) -> None:
    try:
        encode(text)
    except UnsafeValue:
        return
    assert not set(text) & set("\n\r\0;$[]{}\"\\|,=`")


def test_name_with_accents_and_punctuation_is_shown_on_phones() -> None:
    tenant = read_tenant(changed(("name: Anna", "name: \"Zażółć O'Neill (R&D)\"")), "acme.yaml")
    assert "callerid = Zażółć O'Neill (R&D) <201>" in rendered(tenant)["pjsip/acme.conf"]
