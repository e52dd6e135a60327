"""A rollback brings the last apply's configuration back, and no secret that was given since."""

import json
from pathlib import Path

import pytest

from centralka.cli.configuration import Undone, apply, read_changed, render_read, republish, roll_back
from centralka.settings import Settings
from confgen.publish.instance import write_instance
from confgen.publish.publishing import earlier_revisions, published_slugs, read_current
from confgen.render.tenant_files import without_rows
from confgen.secrets import Secrets, load_secrets, save_secrets
from tests.confgen.publish.test_publishing import INSTANCE, aors
from tests.services.test_published_tenants import of_another_version
from tests.tenants_for_tests import ROSSI, changed

OLA = ("users:\n", 'users:\n  "204": {name: Ola, devices: [desk]}\n')


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Acme, published."""
    write_instance(tmp_path, INSTANCE)
    save_secrets(tmp_path / "secrets.json", Secrets())
    folder = tmp_path / "tenants"
    folder.mkdir()
    (folder / "acme.yaml").write_text(changed())
    return Settings(home=tmp_path, tenants=folder)


async def publish(settings: Settings, acme: str, *, rossi: bool = False) -> None:
    (settings.tenants / "acme.yaml").write_text(acme)
    file = settings.tenants / "rossi.yaml"
    if rossi:
        file.write_text(ROSSI)
    else:
        file.unlink(missing_ok=True)
    rendered = render_read(read_changed([settings.tenants], settings), settings)
    await apply(rendered, settings, None, published_slugs(settings.home) - rendered.sounds.keys())


async def rotate(settings: Settings, endpoint: str) -> str:
    """The password that its telephone has now."""
    file = settings.home / "secrets.json"
    for change in (lambda secrets: secrets.with_next_sip(endpoint), lambda secrets: secrets.rotated(endpoint)):
        save_secrets(file, change(load_secrets(file)))
        await republish("acme", load_secrets(file), settings, None)
    return load_secrets(file).sip[endpoint]


def phones(settings: Settings) -> str:
    return read_current(settings.home)["pjsip/acme.conf"]


async def test_rollback_says_which_tenants_and_numbers_are_as_before(settings: Settings) -> None:
    await publish(settings, changed())
    before = read_current(settings.home)
    await publish(settings, changed(("\"3\": \"203\"", "\"3\": \"202\"")), rossi=True)
    undone = await roll_back(settings, None)
    assert undone == Undone(undone.published, [], ["rossi"], ["acme"], {"acme": ("+48221234567",)})
    assert {path: text for path, text in read_current(settings.home).items() if "revision" not in path} == {
        path: text for path, text in before.items() if "revision" not in path}
    with pytest.raises(LookupError, match="no earlier revision"):
        await roll_back(settings, None)


async def test_password_that_a_telephone_was_given_since_still_lets_it_in_after_a_rollback(settings: Settings) -> None:
    await publish(settings, changed())
    old = load_secrets(settings.home / "secrets.json").sip["acme-201-desk"]
    await publish(settings, changed(OLA))
    new = await rotate(settings, "acme-201-desk")
    undone = await roll_back(settings, None)
    assert undone.as_before == ["acme"]
    assert "204-desk" not in phones(settings)
    assert new in phones(settings)
    assert old not in phones(settings)


async def test_rotation_is_no_change_that_a_rollback_undoes(settings: Settings) -> None:
    await publish(settings, changed())
    new = await rotate(settings, "acme-201-desk")
    with pytest.raises(LookupError, match="no earlier revision"):
        await roll_back(settings, None)
    assert new in phones(settings)


async def test_two_rollbacks_go_two_applies_back(settings: Settings) -> None:
    for name in ("one", "two", "three"):
        await publish(settings, changed(("name: Acme", f"name: Acme {name}")), rossi=name == "one")
    for name in ("two", "one"):
        await roll_back(settings, None)
        assert f"Acme {name}" in read_current(settings.home)["tenants/acme.json"]
    assert published_slugs(settings.home) == {"acme", "rossi"}
    assert "rossi-201-desk" in aors(settings.home)


async def test_carriers_that_tenants_share_are_as_before_after_a_rollback(settings: Settings) -> None:
    file = settings.tenants / "platform.yaml"
    for address in ("192.0.2.7", "192.0.2.8"):
        file.write_text(f"carriers: {{telco: {{kind: address, address: {address}}}}}\n")
        await publish(settings, changed())
    assert "match = 192.0.2.8" in read_current(settings.home)["pjsip/platform.conf"]
    await publish(settings, changed(OLA))
    await roll_back(settings, None)
    assert "match = 192.0.2.8" in read_current(settings.home)["pjsip/platform.conf"]
    await roll_back(settings, None)
    assert "match = 192.0.2.7" in read_current(settings.home)["pjsip/platform.conf"]


def older(settings: Settings) -> None:
    """Makes the current revision one of a version that kept no rows beside the texts."""
    for path in (settings.home / "published" / "current").glob("*/*.json"):
        if path.parent.name not in ("tenants", "phones"):
            path.unlink()


async def test_revision_of_a_version_that_kept_no_rows_is_rendered_whole_by_the_next_change(settings: Settings) -> None:
    file = settings.tenants / "platform.yaml"
    file.write_text("carriers: {telco: {kind: address, address: 192.0.2.7}}\n")
    await publish(settings, changed(), rossi=True)
    everybody = aors(settings.home)
    older(settings)
    new = await rotate(settings, "acme-201-desk")
    assert new in phones(settings)
    assert aors(settings.home) == everybody
    assert without_rows(read_current(settings.home)) == set()
    await publish(settings, changed(OLA), rossi=True)
    assert aors(settings.home) == everybody | {"acme-204-desk"}


async def test_rollback_goes_back_to_a_revision_of_a_version_that_kept_no_rows(settings: Settings) -> None:
    await publish(settings, changed(), rossi=True)
    everybody = aors(settings.home)
    older(settings)
    await publish(settings, changed(OLA), rossi=True)
    await roll_back(settings, None)
    assert aors(settings.home) == everybody
    assert without_rows(read_current(settings.home)) == set()


def forget_a_sound(settings: Settings) -> None:
    """In the revision before, as if it were of a version that had not got it."""
    folder = settings.home / "published" / "revisions" / earlier_revisions(settings.home)[-1] / "tenants"
    for file in folder.iterdir():
        values = json.loads(file.read_text())
        del values["sounds"]["sys_transfer_failed"]
        file.unlink()
        file.write_text(json.dumps(values))


async def test_revision_of_an_earlier_version_gets_the_sounds_that_are_new_since(settings: Settings) -> None:
    await publish(settings, changed(OLA))
    await publish(settings, changed())
    forget_a_sound(settings)
    assert (await roll_back(settings, None)).as_before == ["acme"]
    assert "204-desk" in phones(settings)


async def test_tenant_of_an_earlier_version_that_is_gone_cannot_come_back_by_a_rollback_and_that_is_said(settings: Settings) -> None:
    await publish(settings, changed(), rossi=True)
    await publish(settings, changed())
    forget_a_sound(settings)
    with pytest.raises(LookupError, match="rossi was published by an earlier version, which had no sys_transfer_failed; apply its file"):
        await roll_back(settings, None)


async def test_upgrade_renders_anew_and_a_rollback_goes_where_it_would_have_gone_before(settings: Settings) -> None:
    await publish(settings, changed())
    first = read_current(settings.home)
    await publish(settings, changed(OLA))
    for file in (settings.home / "published" / "folders").glob("*/tenants/acme.json"):
        file.write_text(json.dumps(of_another_version(json.loads(file.read_text()))))
    (settings.home / "published" / "known.json").unlink()      # which an upgrade makes worthless
    await publish(settings, changed(OLA))
    assert "vintage" not in read_current(settings.home)["tenants/acme.json"]
    assert len(earlier_revisions(settings.home)) == 1
    await roll_back(settings, None)
    assert read_current(settings.home)["tenants/acme.json"] == first["tenants/acme.json"]
    assert earlier_revisions(settings.home) == []


async def test_change_at_the_same_time_as_an_upgrade_can_be_rolled_back(settings: Settings) -> None:
    await publish(settings, changed())
    for file in (settings.home / "published" / "folders").glob("*/tenants/acme.json"):
        file.write_text(json.dumps(of_another_version(json.loads(file.read_text()))))
    (settings.home / "published" / "known.json").unlink()
    await publish(settings, changed(OLA))
    await roll_back(settings, None)
    assert "204-desk" not in phones(settings)
