"""A dialplan's rows: text, lines and JSON say the same, and nothing unsafe becomes a row."""

from pathlib import Path, PurePosixPath

import pytest

from centralka.cli.configuration import load_tenants, tenant_files
from confgen.render.carrier_password import UnsafeValue
from confgen.render.dialplan import (
    Code,
    Context,
    DialplanExtension,
    DialplanLine,
    DialplanStep,
    dump,
    lines_of,
    load,
    step,
    text_of,
)
from confgen.render.tenant_files import render_tenant
from confgen.secrets import Secrets, with_missing
from routing.numbering.endpoint import TrunkEndpoint

TESTS = Path(__file__).parents[2]
PLAN = [
    Context("acme-phone", includes=("tenant_call",)),
    Context("acme-agent", (
        DialplanExtension("201", (step("Dial", "PJSIP/acme-201-desk", "", "itT"), step("Hangup", Code("${HANGUPCAUSE}"))), "PJSIP/acme-201-desk"),
        DialplanExtension("_20[12]", hint="PJSIP/acme-${EXTEN}-desk"))),
]


def test_rows_as_the_text_of_a_file() -> None:
    assert text_of(PLAN) == """
[acme-phone]
include => tenant_call

[acme-agent]
exten => 201,1,Dial(PJSIP/acme-201-desk,,itT)
 same => n,Hangup(${HANGUPCAUSE})
exten => 201,hint,PJSIP/acme-201-desk
exten => _20[12],hint,PJSIP/acme-${EXTEN}-desk
"""


def test_rows_as_lines_of_ami() -> None:
    assert [*lines_of(PLAN[0])] == []
    assert [*lines_of(PLAN[1])] == [
        DialplanLine("acme-agent", "201", "1", "Dial", "PJSIP/acme-201-desk,,itT"), DialplanLine("acme-agent", "201", "2", "Hangup", "${HANGUPCAUSE}"),
        DialplanLine("acme-agent", "201", "hint", "PJSIP/acme-201-desk"), DialplanLine("acme-agent", "_20[12]", "hint", "PJSIP/acme-${EXTEN}-desk")]


def test_revision_keeps_every_row_as_it_was() -> None:
    tenants = load_tenants(tenant_files([TESTS / "live" / "tenants", TESTS / "flows"]))
    trunks = {str(TrunkEndpoint(tenant.tenant, name)): "pw" for tenant in tenants for name in tenant.trunks}
    secrets = with_missing(Secrets(trunks=trunks), tenants)
    for tenant in tenants:
        files = render_tenant(tenant, secrets, dict.fromkeys(tenant.all_prompts(), "x"), PurePosixPath("/srv/x"), tls=True)
        kept = load(files[f"extensions/{tenant.tenant}.json"])
        assert files[f"extensions/{tenant.tenant}.conf"].endswith(text_of(kept))
        assert load(dump(kept)) == kept


@pytest.mark.parametrize("hostile", ["1,s", "${SHELL(id)}", "1)\nexten => _X.,1,System(id", "a;b", 'a"b', "a\\b"])
def test_argument_that_could_become_another_step_is_refused(hostile: str) -> None:
    with pytest.raises(UnsafeValue):
        step("Dial", f"PJSIP/{hostile}")
    with pytest.raises(UnsafeValue):
        DialplanExtension(f"20{hostile}", (DialplanStep("Hangup", "16"),))
    with pytest.raises(UnsafeValue):
        Context(f"acme-{hostile}")
