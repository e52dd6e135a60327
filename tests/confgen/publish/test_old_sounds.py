"""Old sounds are deleted a day after the last configuration that plays them can be gone back to, and none that one still needs."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from confgen.publish import revision
from confgen.publish.old_sounds import UNUSED_KEPT, delete_old_sounds
from confgen.publish.publishing import earlier_revisions, locked, publish
from confgen.render.tenant_files import Files
from tests.confgen.publish.test_publishing import home

__all__ = ["home"]
LATER = UNUSED_KEPT + timedelta(hours=1)


def now() -> datetime:
    return datetime.now(UTC)


def acme(home: Path, *sounds: str, tenant: str = "acme") -> Files:
    """A tenant's file that names these sounds, which are there."""
    folder = home / "sounds" / tenant
    folder.mkdir(exist_ok=True)
    for sound in sounds:
        (folder / f"{sound}.wav").touch()
    return {f"tenants/{tenant}.json": json.dumps({"sounds": dict(enumerate(sounds))})}


def sounds(home: Path, tenant: str = "acme") -> list[str]:
    return sorted(file.stem for file in (home / "sounds" / tenant).glob("*"))


async def test_sound_of_every_revision_that_can_be_gone_back_to_is_kept(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revision, "KEPT_REVISIONS", 3)
    for number in range(5):
        await publish(home, acme(home, "same", f"welcome-{number}"), None)
    delete_old_sounds(home, now() + LATER)
    assert sounds(home) == ["same", "welcome-2", "welcome-3", "welcome-4"]
    assert len(earlier_revisions(home)) == 2


async def test_call_that_began_before_the_apply_plays_its_prompt_for_a_day(home: Path) -> None:
    await publish(home, acme(home, "one"), None)
    await publish(home, acme(home, "two"), None, earlier=[])
    assert sounds(home) == ["one", "two"]
    assert delete_old_sounds(home, now() + UNUSED_KEPT - timedelta(minutes=1)) == 0
    assert delete_old_sounds(home, now() + LATER) == 1
    assert sounds(home) == ["two"]


async def test_apply_deletes_what_an_earlier_one_left(home: Path) -> None:
    await publish(home, acme(home, "one"), None)
    await publish(home, acme(home, "two"), None, earlier=[])
    state = home / "published" / "unused-sounds.json"
    state.write_text(state.read_text().replace(f"{now():%Y}-", f"{now().year - 1}-"))
    await publish(home, acme(home, "three"), None)
    assert sounds(home) == ["three", "two"]


async def test_sound_that_is_used_again_is_not_deleted(home: Path) -> None:
    first, second = acme(home, "one"), acme(home, "two")
    await publish(home, first, None)
    await publish(home, second, None, earlier=[])
    await publish(home, first, None, earlier=[])
    delete_old_sounds(home, now() + LATER)
    assert sounds(home) == ["one"]
    await publish(home, acme(home, "two"), None, earlier=[])
    delete_old_sounds(home, now() + LATER)
    assert sounds(home) == ["two"]


async def test_state_that_says_a_used_sound_is_unused_deletes_nothing(home: Path) -> None:
    await publish(home, acme(home, "one"), None)
    state = home / "published" / "unused-sounds.json"
    known = json.loads(state.read_text())
    known["acme"]["unused"] = {"one.wav": "2020-01-01T00:00:00+00:00"}
    state.write_text(json.dumps(known))
    assert delete_old_sounds(home, now() + LATER) == 0


@pytest.mark.parametrize("torn", ["", "{", None])
async def test_state_that_is_lost_only_defers(home: Path, torn: str | None) -> None:
    await publish(home, acme(home, "one"), None)
    await publish(home, acme(home, "two"), None, earlier=[])
    state = home / "published" / "unused-sounds.json"
    state.unlink()
    if torn is not None:
        state.write_text(torn)
    assert delete_old_sounds(home, now() + LATER) == 0
    assert delete_old_sounds(home, now() + 2 * LATER) == 1


async def test_same_prompt_of_two_tenants_is_kept_for_the_one_that_has_it(home: Path) -> None:
    both = acme(home, "same") | acme(home, tenant="rossi")
    os.link(home / "sounds" / "acme" / "same.wav", home / "sounds" / "rossi" / "same.wav")
    await publish(home, both | acme(home, "same", tenant="rossi"), None)
    await publish(home, acme(home, "other") | acme(home, "same", tenant="rossi"), None, earlier=[])
    delete_old_sounds(home, now() + LATER)
    assert (sounds(home), sounds(home, "rossi")) == (["other"], ["same"])


async def test_removed_tenants_sounds_go_with_its_last_revision(home: Path) -> None:
    await publish(home, acme(home, "one") | acme(home, "two", tenant="rossi"), None)
    await publish(home, acme(home, "one"), None)
    delete_old_sounds(home, now() + LATER)
    assert sounds(home, "rossi") == ["two"], "a rollback brings it back"
    await publish(home, acme(home, "one"), None, earlier=[])
    delete_old_sounds(home, now() + LATER)
    delete_old_sounds(home, now() + 2 * LATER)
    assert not (home / "sounds" / "rossi").exists()


async def test_half_a_sound_that_a_killed_command_left_is_deleted(home: Path) -> None:
    await publish(home, acme(home, "one"), None)
    (home / "sounds" / "acme" / ".one.raw.wav").touch()
    delete_old_sounds(home, now())
    delete_old_sounds(home, now() + LATER)
    assert sounds(home) == ["one"]


async def test_published_file_that_cannot_be_read_costs_no_sound_and_no_apply(home: Path) -> None:
    await publish(home, acme(home, "one"), None)
    published = await publish(home, {"tenants/acme.json": "{}", **acme(home, "two", tenant="rossi")}, None)
    assert "old sounds of acme are not deleted" in published.complaint
    delete = [publish(home, acme(home, name, tenant="rossi") | {"tenants/acme.json": "{}"}, None, earlier=[]) for name in ("x", "y")]
    for each in delete:
        await each
    with pytest.raises(ValueError, match="acme"):
        delete_old_sounds(home, now() + LATER)
    assert (sounds(home), sounds(home, "rossi")) == (["one"], ["y"]), "another tenant's are deleted all the same"


async def test_nothing_is_read_of_a_tenant_that_did_not_change(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    really = json.load
    monkeypatch.setattr(json, "load", lambda file: read.append(Path(file.name).stem) or really(file))
    rossi = acme(home, "two", tenant="rossi")
    await publish(home, acme(home, "one") | rossi, None)
    assert sorted(read) == ["acme", "rossi"]
    read.clear()
    await publish(home, acme(home, "three") | rossi, None)
    assert set(read) == {"acme"}


def test_two_commands_never_delete_at_once(home: Path) -> None:
    with locked(home), pytest.raises(BlockingIOError), locked(home):
        raise AssertionError


async def test_old_words_of_queues_are_deleted_a_day_after_the_new_ones(home: Path) -> None:
    folder = home / "data" / "sounds"
    for digest in ("one", "two"):
        (folder / f"pl_line-{digest}" / "digits").mkdir(parents=True)
        (folder / f"pl_line-{digest}" / "digits" / "1.wav").touch()
    (folder / "pl_line").symlink_to("pl_line-two")
    assert delete_old_sounds(home, now()) == 0
    assert delete_old_sounds(home, now() + LATER) == 1
    assert sorted(file.name for file in folder.glob("pl*")) == ["pl_line", "pl_line-two"]
