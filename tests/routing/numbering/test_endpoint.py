"""An endpoint's name says whose device or which trunk it is, and no name can be taken for another's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.numbering.endpoint import (
    DeviceEndpoint,
    TrunkEndpoint,
    UserDevice,
    device_of,
    read_device,
    read_endpoint,
    tenant_of,
)

SLUGS = st.from_regex(r"[a-z][a-z0-9]{1,30}", fullmatch=True)
NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,30}", fullmatch=True)
EXTENSIONS = st.from_regex(r"[0-9]{2,6}", fullmatch=True)
ENDPOINTS = st.one_of(
    st.builds(DeviceEndpoint, SLUGS, st.builds(UserDevice, EXTENSIONS, NAMES)), st.builds(TrunkEndpoint, SLUGS, NAMES))


@given(ENDPOINTS)
def test_what_an_endpoint_is_can_be_read_from_its_name(endpoint: DeviceEndpoint | TrunkEndpoint) -> None:
    assert read_endpoint(str(endpoint)) == endpoint
    assert tenant_of(str(endpoint)) == endpoint.tenant


def test_a_device_named_trunk_is_no_trunk() -> None:
    assert read_endpoint("acme-201-trunk") == DeviceEndpoint("acme", UserDevice("201", "trunk"))


@pytest.mark.parametrize("name", [
    "", "acme", "acme-201", "acme-201-", "acme-support", "acme-2-desk", "acme-trunk-", "acme-201-desk\n", "acme-٢٠١-desk",
    "acme-201-desk-next", "Local/201@acme-agent"])
def test_other_names_are_those_of_no_endpoint(name: str) -> None:
    assert read_endpoint(name) is None
    with pytest.raises(ValueError, match="expected"):
        device_of(name)


@pytest.mark.parametrize("text", ["", "201", "201-", "desk", "acme-201-desk", "201-desk\n"])
def test_what_is_no_device_of_a_user_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="such as 201-desk"):
        read_device(text)
