from routing.check import read_tenants
from runtime import testcall
from runtime.places import TENANTS
from runtime.testcall import leaves


def test_the_demo_tenant_has_what_the_test_call_uses() -> None:
    (acme,) = read_tenants({"acme.yaml": (TENANTS / "acme.yaml").read_text()})
    assert acme.tenant == testcall.TENANT
    assert testcall.NUMBER in acme.numbers
    assert testcall.TRUNK in {getattr(trunk, "address", "") for trunk in acme.trunks.values()}
    assert testcall.ENDPOINT in {endpoint for user in acme.users for endpoint in acme.endpoints_of(user)}
    group = acme.groups[acme.menus["main"].keys[testcall.KEY]]
    assert testcall.ENDPOINT.split("-")[1] in group.members


def test_the_phone_of_the_test_call_calls_from_no_tenants_trunk() -> None:
    texts = {path.name: path.read_text() for path in TENANTS.glob("*.yaml")}
    trunks = {getattr(trunk, "address", "") for tenant in read_tenants(texts) for trunk in tenant.trunks.values()}
    assert testcall.PHONE not in trunks


def test_every_reason_of_a_failed_call_is_told() -> None:
    group = ExceptionGroup("all", [ValueError("one"), ExceptionGroup("some", [ValueError("two")])])
    assert [str(error) for error in leaves(group)] == ["one", "two"]
