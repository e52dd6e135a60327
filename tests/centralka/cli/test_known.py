"""An apply reads only the tenants' files that changed, and every one when anything else did."""

import os
import wave
from collections.abc import Callable
from pathlib import Path

import pytest

from centralka.cli import checking, configuration, known
from centralka.settings import Settings
from confgen.publish.instance import write_instance
from confgen.publish.publishing import read_current
from confgen.secrets import Secrets, load_secrets, save_secrets
from tests.confgen.publish.test_publishing import INSTANCE
from tests.tenants_for_tests import ROSSI, changed
from yaml_models.errors import ConfigError

WITH_SOUND = (("prompts:\n", "prompts:\n  recorded: {file: recorded.wav}\n"),)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Acme and Rossi, published; Acme with a recording and with scenarios."""
    write_instance(tmp_path, INSTANCE)
    save_secrets(tmp_path / "secrets.json", Secrets())
    folder = tmp_path / "tenants"
    folder.mkdir()
    record(folder / "recorded.wav")
    (folder / "acme.yaml").write_text(changed(*WITH_SOUND))
    (folder / "acme.scenarios.yaml").write_text("# none yet\n")
    (folder / "rossi.yaml").write_text(ROSSI)
    return Settings(home=tmp_path, tenants=folder)


def record(file: Path, samples: bytes = b"\0\0" * 800) -> None:
    with wave.open(str(file), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(samples)


def read(settings: Settings) -> set[str]:
    """The names of the files that an apply reads now."""
    return {Path(name).name for name in configuration.read_changed([settings.tenants], settings).files}


async def apply(settings: Settings, *removed: str) -> tuple[str, ...]:
    """The paths of the published files that changed."""
    rendered = configuration.render_read(configuration.read_changed([settings.tenants], settings), settings)
    return (await configuration.apply(rendered, settings, None, removed)).changed


async def test_only_the_tenant_that_changed_is_read_and_the_others_stay(settings: Settings) -> None:
    assert read(settings) == {"acme.yaml", "rossi.yaml"}
    await apply(settings)
    assert read(settings) == set()
    (settings.tenants / "acme.yaml").write_text(changed(*WITH_SOUND, ('"3": "203"', '"3": "202"')))
    assert read(settings) == {"acme.yaml"}
    before = read_current(settings.home)
    assert await apply(settings) == ("tenants/acme.json",)
    after = read_current(settings.home)
    assert {path for path in before if before[path] != after[path]} == {"tenants/acme.json"}
    everything = configuration.render([settings.tenants], settings)
    assert {path: after[path] for path in everything.files} == everything.files


async def test_operators_file_is_read_once_by_an_apply(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    platform = settings.tenants / "platform.yaml"
    platform.write_text("carriers: {telco: {kind: address, address: 192.0.2.7}}\n")
    opened: list[Path] = []
    read_text = checking.read_text

    def noted(path: Path, name: str) -> str:
        opened.append(path)
        return read_text(path, name)

    monkeypatch.setattr(checking, "read_text", noted)
    assert read(settings) == {"acme.yaml", "rossi.yaml"}
    assert opened.count(platform) == 1


def other_sound(settings: Settings) -> None:
    record(settings.tenants / "recorded.wav", b"\1\1" * 800)


def other_scenarios(settings: Settings) -> None:
    (settings.tenants / "acme.scenarios.yaml").write_text("scenarios: []\n")


def no_scenarios(settings: Settings) -> None:
    (settings.tenants / "acme.scenarios.yaml").unlink()


def other_password(settings: Settings) -> None:
    secrets = load_secrets(settings.home / "secrets.json")
    save_secrets(settings.home / "secrets.json", secrets.model_copy(update={"sip": {**secrets.sip, "acme-201-desk": "other"}}))


def other_package(settings: Settings) -> None:
    (settings.home / "packages" / "phonenumbers-99.dist-info").mkdir()


def other_code(settings: Settings) -> None:
    (settings.home / "code" / "templates" / "pjsip.conf.j2").write_text("other")


def nothing_readable(settings: Settings) -> None:
    (settings.home / "published" / "known.json").write_text("{")


def other_revision(settings: Settings) -> None:
    os.replace(next((settings.home / "published" / "revisions").iterdir()), settings.home / "published" / "revisions" / "000009-other")
    (settings.home / "published" / "current").unlink()
    (settings.home / "published" / "current").symlink_to("revisions/000009-other")


BOTH = {"acme.yaml", "rossi.yaml"}


@pytest.mark.parametrize(("change", "expected"), [
    (other_sound, {"acme.yaml"}), (other_scenarios, {"acme.yaml"}), (no_scenarios, {"acme.yaml"}), (other_password, BOTH),
    (other_package, BOTH), (other_code, BOTH), (nothing_readable, BOTH), (other_revision, BOTH)])
async def test_whatever_may_make_a_difference_is_noticed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, change: Callable[[Settings], None], expected: set[str],
) -> None:
    for folder in ("packages", "code/templates"):
        (settings.home / folder).mkdir(parents=True)
    monkeypatch.setattr(known, "PACKAGES", settings.home / "packages")
    monkeypatch.setattr(known, "REPOSITORY", settings.home / "code")
    await apply(settings)
    assert read(settings) == set()
    change(settings)
    assert read(settings) == expected


async def test_year_that_begins_has_everything_read_since_calendars_are_written_out_from_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch,
) -> None:
    await apply(settings)
    with monkeypatch.context() as later:
        later.setattr(known, "this_year", lambda: 2999)
        assert read(settings) == BOTH


async def test_number_of_a_tenant_that_is_not_read_still_belongs_to_it(settings: Settings) -> None:
    await apply(settings)
    number = configuration.load_tenant("acme", [settings.tenants]).main_number
    text = ROSSI.replace("numbers:\n", f'numbers:\n  "{number}": {{to: "201"}}\n')
    assert text != ROSSI
    (settings.tenants / "rossi.yaml").write_text(text)
    with pytest.raises(ConfigError, match=rf"rossi\.yaml:\d+ numbers\.\{number}: number \{number} already belongs to .*acme\.yaml"):
        read(settings)


async def test_tenant_under_another_files_name_is_the_same_and_twice_it_is_refused(settings: Settings) -> None:
    await apply(settings)
    (settings.tenants / "rossi.yaml").rename(settings.tenants / "renamed.yaml")
    assert read(settings) == set()
    (settings.tenants / "rossi.yaml").write_text(ROSSI)
    with pytest.raises(ConfigError, match="tenant rossi already belongs to"):
        read(settings)


async def test_tenant_without_a_file_is_not_kept_by_being_known(settings: Settings) -> None:
    await apply(settings)
    (settings.tenants / "rossi.yaml").unlink()
    with pytest.raises(ValueError, match="published tenants without a file: rossi"):
        await apply(settings)
    assert "tenants/rossi.json" in await apply(settings, "rossi")
    assert not any("rossi" in path or "rossi" in text for path, text in read_current(settings.home).items())


async def test_after_a_rollback_the_files_count_as_they_stand(settings: Settings) -> None:
    await apply(settings)
    (settings.tenants / "acme.yaml").write_text(changed(*WITH_SOUND, ('"3": "203"', '"3": "202"')))
    await apply(settings)
    await configuration.roll_back(settings, None)
    assert await apply(settings) == ("tenants/acme.json",)
