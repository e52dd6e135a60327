"""SIP objects: one row, of which text, database columns and JSON say the same."""

from collections import Counter
from pathlib import Path, PurePosixPath

import pytest
from asterisk import config as pyst2_config

from centralka.cli.configuration import load_tenants, tenant_files
from confgen.render.sip_objects import Aor, Auth, Endpoint, SipObject, dump, key_of, load, objects_in, options_of, text_of
from confgen.render.tenant_files import render_tenant
from confgen.secrets import Secrets, with_missing
from routing.numbering.endpoint import TrunkEndpoint

TESTS = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    """Rendered of all tenants that the tests have."""
    tenants = load_tenants(tenant_files([TESTS / "live" / "tenants", TESTS / "flows"]))
    trunks = {str(TrunkEndpoint(tenant.tenant, name)): "p$w[1]" for tenant in tenants for name in tenant.trunks}
    secrets = with_missing(Secrets(trunks=trunks), tenants).with_next_sip("acme-201-desk")
    rendered: dict[str, str] = {}
    for tenant in tenants:
        rendered |= render_tenant(tenant, secrets, dict.fromkeys(tenant.all_prompts(), "x"), PurePosixPath("/srv/x"), tls=True)
    return rendered


def test_another_parser_reads_in_the_text_what_the_database_gets(files: dict[str, str], tmp_path: Path) -> None:
    rows = objects_in(files)
    text = tmp_path / "pjsip.conf"
    text.write_text("".join(files[path] for path in sorted(files) if path.startswith("pjsip/") and path.endswith(".conf")))
    sections = pyst2_config.Config(str(text)).categories
    assert [section.name for section in sections] == [row.name for row in rows]
    for row, section in zip(rows, sections, strict=True):
        read = {item.name: item.value.strip() for item in section.items}
        assert read.pop("type") == row.kind
        options = options_of(row)
        assert read.items() <= options.items()
        left = {name: value for name, value in options.items() if name not in read}
        assert left.items() <= options_of(nothing_but_defaults(row)).items(), "what the text leaves out is as Asterisk has it"


def nothing_but_defaults(row: SipObject) -> SipObject:
    match row:
        case Endpoint():
            return Endpoint(name="x", context="x", identify_by="x", trust_id_inbound=False)
        case Aor():
            return Aor(name="x")
        case other:
            return other


def test_revision_keeps_every_row_as_it_was(files: dict[str, str]) -> None:
    rows = objects_in(files)
    assert load(dump(rows)) == rows
    assert all(count == 1 for count in Counter(map(key_of, rows)).values())
    assert load(dump(rows), ["aor"]) == [row for row in rows if row.kind == "aor"]


def test_object_shows_what_differs_from_asterisks_defaults_and_what_nobody_may_leave_open() -> None:
    phone = Endpoint(name="acme-201-desk", context="acme-phone", identify_by="username", trust_id_inbound=False, allow=("alaw", "g722"),
                     set_var={"CALLER_EXTENSION": "201", "FEATURE(atxferabort)": "*1"})
    assert text_of(phone).splitlines() == [
        "[acme-201-desk]", "type = endpoint", "context = acme-phone", "identify_by = username", "allow = alaw,g722",
        "trust_id_inbound = no", "set_var = ARRAY(CALLER_EXTENSION,FEATURE(atxferabort))=201,*1"]
    with pytest.raises(TypeError, match="trust_id_inbound"):
        Endpoint(name="acme-201-desk", context="acme-phone", identify_by="username")  # type: ignore[call-arg]


def test_password_is_in_no_message() -> None:
    assert "hunter2" not in repr(Auth(name="x", auth_type="digest", username="x", password="hunter2"))
