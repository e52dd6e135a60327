from pathlib import Path

from centralka.cli.configuration import load_tenants, tenant_files
from runtime import testcall
from runtime.places import TENANTS
from runtime.testcall import leaves, what_prevents


def test_the_demo_tenant_has_what_the_test_call_uses() -> None:
    assert what_prevents(TENANTS) == ""


def test_demo_that_somebody_changed_is_told_instead_of_called(tmp_path: Path) -> None:
    text = (TENANTS / "acme.yaml").read_text()
    (tmp_path / "acme.yaml").write_text(text.replace('"1": sales', '"1": "203"'))
    assert what_prevents(tmp_path) == "a call to +48221234567 with key 1 ends now as: answered by 203"


def test_the_phone_of_the_test_call_calls_from_no_tenants_trunk() -> None:
    tenants = load_tenants(tenant_files([TENANTS]))
    trunks = {getattr(trunk, "address", "") for tenant in tenants for trunk in tenant.trunks.values()}
    assert testcall.PHONE not in trunks


def test_every_reason_of_a_failed_call_is_told() -> None:
    group = ExceptionGroup("all", [ValueError("one"), ExceptionGroup("some", [ValueError("two")])])
    assert [str(error) for error in leaves(group)] == ["one", "two"]
