"""The shelf of telephones: an apply changes one tenant's, and nothing that is published wrongly hides another tenant's."""

import asyncio
import json
import os
from functools import cache
from pathlib import Path, PurePosixPath

import pytest

from confgen.publish.publishing import publish
from confgen.render.phone_files import Credentials
from confgen.render.tenant_files import Files, credentials_of, render_tenant
from confgen.secrets import Secrets, with_missing
from provision import shelf
from provision.shelf import Shelf
from routing.check.check import read_tenants
from tests.provision.conftest import PHONES
from tests.tenants_for_tests import ACME, ROSSI, changed


@pytest.fixture
def credentials() -> dict[str, Credentials]:
    return {}


def files_of_both(credentials: dict[str, Credentials], label: str = "anna") -> Files:
    """Acme's and Rossi's; Acme's first telephone has that label. Adds their telephones' credentials to `credentials`."""
    files, found = rendered(label)
    credentials |= found
    return dict(files)


@cache
def rendered(label: str) -> tuple[Files, dict[str, Credentials]]:
    tenants = read_tenants({
        "acme.yaml": changed(("menus:", PHONES.format("805ec00000").replace("anna:", f"{label}:")), text=ACME),
        "rossi.yaml": changed(("menus:", PHONES.format("805ec00001")), text=ROSSI)})
    secrets = with_missing(Secrets(), tenants)
    files: Files = {}
    credentials: dict[str, Credentials] = {}
    for tenant in tenants:
        found = credentials_of(tenant, secrets)
        assert found
        if label == "anna" or tenant.tenant == "acme":
            credentials[tenant.tenant] = found
            files |= render_tenant(tenant, secrets, {name: f"{name}-0" for name in tenant.all_prompts()}, PurePosixPath("/srv/x"))
    return files, credentials


async def published(home: Path, files: Files, kept: set[str]) -> None:
    for folder in ("published/revisions", "db", "asterisk"):
        (home / folder).mkdir(parents=True, exist_ok=True)
    await publish(home, files, None, kept)


def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tenants that are read from now on."""
    slugs: list[str] = []
    really = shelf.read_published

    def noted(values: dict[str, object]) -> object:
        slugs.append(str(values["tenant"]["tenant"]))  # type: ignore[index]
        return really(values)

    monkeypatch.setattr(shelf, "read_published", noted)
    return slugs


async def test_only_the_tenant_that_an_apply_changed_is_read_again(
    tmp_path: Path, credentials: dict[str, Credentials], monkeypatch: pytest.MonkeyPatch,
) -> None:
    await published(tmp_path, files_of_both(credentials), set())
    phones = Shelf(tmp_path)
    await phones.refresh()
    slugs = parsed(monkeypatch)
    await published(tmp_path, files_of_both(credentials, "ania"), {"rossi"})
    await asyncio.gather(phones.refresh(), phones.refresh())
    assert slugs == ["acme"]
    found = phones.by_mac("805ec0000001")
    assert found
    assert found.label == "ania"
    assert phones.find(credentials["acme"].address["ania"]) == found
    assert phones.find(credentials["rossi"].address["anna"]) == phones.by_mac("805ec0000101")


@pytest.mark.parametrize("broken", ["phones/acme.json", "tenants/acme.json"])
@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"tenant": {"another": "version"}}', None])
async def test_files_that_cannot_be_used_hide_no_other_tenants_telephones(
    tmp_path: Path, credentials: dict[str, Credentials], broken: str, text: str | None,
) -> None:
    await published(tmp_path, files_of_both(credentials), set())
    before = Shelf(tmp_path)
    await before.refresh()
    kept = before.by_mac("805ec0000001")
    await published(tmp_path, files_of_both(credentials, "ania"), {"rossi"})
    file = tmp_path / "published" / "decided" / broken
    os.unlink(file)
    if text is not None:
        file.write_text(text)
    afresh = Shelf(tmp_path)
    for phones in (before, afresh):
        await phones.refresh()
        rossi = phones.by_mac("805ec0000101")
        assert rossi
        assert phones.find(credentials["rossi"].address["anna"]) == rossi
    if text is not None or broken.startswith("tenants"):
        assert before.by_mac("805ec0000001") == kept, "it keeps what it had"
    assert afresh.by_mac("805ec0000001") is None


async def test_files_are_read_off_the_event_loop(
    tmp_path: Path, credentials: dict[str, Credentials], monkeypatch: pytest.MonkeyPatch,
) -> None:
    await published(tmp_path, files_of_both(credentials), set())
    loop_goes_on, really = asyncio.Event(), shelf.read_published
    loop = asyncio.get_running_loop()

    def waits_for_the_loop(values: dict[str, object]) -> object:
        asyncio.run_coroutine_threadsafe(loop_goes_on.wait(), loop).result(timeout=60)
        return really(values)

    monkeypatch.setattr(shelf, "read_published", waits_for_the_loop)
    phones = Shelf(tmp_path)
    refreshing = asyncio.create_task(phones.refresh())
    await asyncio.sleep(0)
    loop_goes_on.set()
    await refreshing
    assert phones.by_mac("805ec0000101")


async def test_device_without_an_address_of_its_own_is_no_device(tmp_path: Path, credentials: dict[str, Credentials]) -> None:
    files = files_of_both(credentials)
    values = json.loads(files["phones/acme.json"])
    del values["address"]["anna"]
    await published(tmp_path, files | {"phones/acme.json": json.dumps(values)}, set())
    phones = Shelf(tmp_path)
    await phones.refresh()
    assert phones.by_mac("805ec0000001") is None
    assert phones.by_mac("805ec0000101")
