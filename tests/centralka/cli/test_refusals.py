"""Whatever `apply` refuses in tenants' files, `check` says with the same words, all of it at once, and by the right line."""

import wave
from collections.abc import Callable
from pathlib import Path

import pytest

from confgen.secrets import load_secrets, save_secrets
from tests.centralka.cli.test_app import SCENARIO, centralka
from tests.tenants_for_tests import ACME, ROSSI, changed

TRUNK = ("menus:\n", 'trunks:\n  own: {kind: registration, server: sip.example.com, user: acme, number: "+48221234567"}\nmenus:\n')
RECORDED = ("  welcome: {text: Witamy}", "  welcome:\n    text: Witamy\n  hello:\n    language: en\n    file: hello.wav")
TRANSLATED = ("  welcome: {text: Witamy}", "  welcome:\n    text: Witamy\n    translations:\n      en:\n        file: hello.wav")
KEYS = 'keys: {"1": sale, "2": service, "3": "203"}'
CALENDAR = ("menus:\n", "calendars:\n  office:\n    days: [{on: 2026-12-24, title: Wigilia}]\n    file: office.ics\nmenus:\n")


def line_of(text: str, wanted: str) -> int:
    (line,) = (number for number, each in enumerate(text.splitlines(), 1) if each.strip() == wanted)
    return line


def write_wav(file: Path, rate: int, channels: int = 1) -> None:
    with wave.open(str(file), "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(b"\1\1" * 800)


def forget_acme(home: Path) -> None:
    """Acme is published, and only Rossi has a file."""
    tenants = home.parent / "tenants"
    assert centralka(home, "apply").returncode == 0
    (tenants / "acme.yaml").unlink()
    (tenants / "rossi.yaml").write_text(ROSSI)


def keep_password(home: Path, password: str) -> None:
    file = home / "secrets.json"
    save_secrets(file, load_secrets(file).model_copy(update={"trunks": {"acme-trunk-own": password}}))


Arrange = Callable[[Path, Path], list[str]]      # the instance, its folder of tenants; the lines that are expected


def no_sound(home: Path, tenants: Path) -> list[str]:
    text = changed(RECORDED)
    (tenants / "acme.yaml").write_text(text)
    return [f"{tenants / 'acme.yaml'}:{line_of(text, 'file: hello.wav')} prompts.hello: no sound file hello.wav beside the tenant's "
            "file (No such file or directory)"]


def sound_that_is_a_folder(home: Path, tenants: Path) -> list[str]:
    (tenants / "hello.wav").mkdir()
    (line,) = no_sound(home, tenants)
    return [line.replace("No such file or directory", "Is a directory")]


def wrong_sound(home: Path, tenants: Path) -> list[str]:
    text = changed(TRANSLATED)
    (tenants / "acme.yaml").write_text(text)
    write_wav(tenants / "hello.wav", 44100, 2)
    return [f"{tenants / 'acme.yaml'}:{line_of(text, 'file: hello.wav')} prompts.welcome.translations.en: hello.wav is 44100 Hz "
            "stereo, 16 bit; a prompt is 8000 or 16000 Hz mono, 16 bit"]


def no_sound_at_all(home: Path, tenants: Path) -> list[str]:
    (tenants / "hello.wav").write_text("hello")
    (line,) = no_sound(home, tenants)
    return [line.partition(" no sound file")[0] + " hello.wav is no WAV file of plain samples"]


def no_calendar(home: Path, tenants: Path) -> list[str]:
    text = changed(CALENDAR)
    (tenants / "acme.yaml").write_text(text)
    return [f"{tenants / 'acme.yaml'}:{line_of(text, 'file: office.ics')} calendars.office: no calendar office.ics beside the "
            "tenant's file (No such file or directory)"]


def wrong_calendar(home: Path, tenants: Path) -> list[str]:
    (tenants / "office.ics").write_text("hello")
    (line,) = no_calendar(home, tenants)
    return [line.partition(" no calendar")[0] + " office.ics is no calendar that can be read: "]


def no_password(home: Path, tenants: Path) -> list[str]:
    text = changed(TRUNK)
    (tenants / "acme.yaml").write_text(text)
    line = line_of(text, TRUNK[1].splitlines()[1].strip())
    return [f"{tenants / 'acme.yaml'}:{line} trunks.own: no password is kept for it; give it with: centralka secret acme-trunk-own"]


def password_that_no_file_holds(home: Path, tenants: Path) -> list[str]:
    (line,) = no_password(home, tenants)
    keep_password(home, "a;b")
    return [line.replace("no password is kept for it", "found a password that is empty or holds ';', a backslash or what is not "
                         "printable ASCII")]


def carrier_without_password(home: Path, tenants: Path) -> list[str]:
    (tenants / "platform.yaml").write_text(
        "brake: null\ncarriers:\n  telco: {kind: address, address: 192.0.2.7}\n"
        "  voice: {kind: registration, server: sip.example.com, user: us}\n")
    return [f"{tenants / 'platform.yaml'}:4 carriers.voice: no password is kept for it; give it with: centralka secret "
            "platform-trunk-voice"]


def wrong_platform(home: Path, tenants: Path) -> list[str]:
    (tenants / "platform.yaml").write_text("brake: null\nplan: {}\n")
    (tenants / "acme.yaml").write_text(changed(("ring_s: 10", "ring_s: x"), ("menus:\n", "plan: {name: gold}\nmenus:\n")))
    found = no_sound_lines(tenants)
    return [f"{tenants / 'acme.yaml'}:{found} groups.service.ring_s: ", f"{tenants / 'platform.yaml'}:2 plan: unknown"]


def no_sound_lines(tenants: Path) -> int:
    text = (tenants / "acme.yaml").read_text()
    return next(number for number, each in enumerate(text.splitlines(), 1) if "ring_s: x" in each)


def secrets_that_cannot_be_used(home: Path, tenants: Path) -> list[str]:
    (home / "secrets.json").write_text('{"sip": 1}')
    return [f"{home / 'secrets.json'}:1 cannot be used: sip"]


def tenant_without_file(home: Path, tenants: Path) -> list[str]:
    forget_acme(home)
    return [f"{tenants}:1 published tenants without a file: acme; their phones would stop. If meant: --remove acme"]


def scenario_that_fails(home: Path, tenants: Path) -> list[str]:
    file = tenants / "acme.scenarios.yaml"
    file.write_text(SCENARIO.replace("by 201", "by 202"))
    return [f"{file}:8 scenarios.#1.expect.ends: "]


def no_scenarios_at_all(home: Path, tenants: Path) -> list[str]:
    file = tenants / "acme.scenarios.yaml"
    file.write_bytes(b"\xff")
    return [f"{file}:1 is not UTF-8 text"]


def no_text(home: Path, tenants: Path) -> list[str]:
    (tenants / "rossi.yaml").write_bytes(b"\xff")
    return [*no_sound(home, tenants), f"{tenants / 'rossi.yaml'}:1 is not UTF-8 text"]


def all_at_once(home: Path, tenants: Path) -> list[str]:
    """A wrong field, a missing sound, a missing calendar, a password and a number of another tenant's."""
    text = changed(TRUNK, RECORDED, CALENDAR, ('"1": sales', '"1": sale'))
    (tenants / "acme.yaml").write_text(text)
    (tenants / "rossi.yaml").write_text(ROSSI.replace("+390612345678", "+48221234567"))
    file = tenants / "acme.yaml"
    return [
        f"{file}:{line_of(text, TRUNK[1].splitlines()[1].strip())} trunks.own: no password",
        f"{file}:{line_of(text, 'file: office.ics')} calendars.office: no calendar",
        f"{file}:{line_of(text, KEYS)} menus.main.keys.1: ",
        f"{file}:{line_of(text, 'file: hello.wav')} prompts.hello: no sound",
        f"{tenants / 'rossi.yaml'}:11 numbers.+48221234567: number +48221234567 already belongs",
    ]


KINDS = [
    no_sound, sound_that_is_a_folder, wrong_sound, no_sound_at_all, no_calendar, wrong_calendar, no_password,
    password_that_no_file_holds, carrier_without_password, wrong_platform, secrets_that_cannot_be_used, tenant_without_file,
    scenario_that_fails, no_scenarios_at_all, no_text, all_at_once]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An instance with Acme, of which nothing runs."""
    home, tenants = tmp_path / "home", tmp_path / "tenants"
    home.mkdir()
    tenants.mkdir()
    (tenants / "acme.yaml").write_text(ACME)
    (home / "settings.env").write_text(f"CENTRALKA_TENANTS={tenants}\nCENTRALKA_AMI_ADDRESS=127.77.255.254\n")
    assert centralka(home, "init").returncode == 0
    return home


@pytest.mark.parametrize("arrange", KINDS)
def test_check_says_what_apply_says(home: Path, arrange: Arrange) -> None:
    expected = arrange(home, home.parent / "tenants")
    checked, applied = centralka(home, "check"), centralka(home, "apply")
    lines = checked.stderr.splitlines()
    assert len(lines) == len(expected), lines
    for line, begins in zip(lines, sorted(expected), strict=True):
        assert line.startswith(begins)
    assert (checked.returncode, checked.stdout) == (1, "")
    assert (applied.returncode, applied.stderr) == (1, checked.stderr)


def test_same_is_said_where_only_one_tenant_changed_since_the_last_apply(home: Path) -> None:
    tenants = home.parent / "tenants"
    (tenants / "rossi.yaml").write_text(ROSSI)
    assert centralka(home, "apply").returncode == 0
    (tenants / "rossi.yaml").write_text(ROSSI.replace("+390612345678", "+48221234567").replace("ring_s: 10", "ring_s: x"))
    checked, applied = centralka(home, "check"), centralka(home, "apply")
    assert len(checked.stderr.splitlines()) == 2
    assert (applied.returncode, applied.stderr) == (checked.returncode, checked.stderr)


def test_what_apply_takes_check_calls_good(home: Path) -> None:
    tenants = home.parent / "tenants"
    (tenants / "acme.yaml").write_text(changed(TRUNK, RECORDED))
    write_wav(tenants / "hello.wav", 16000)
    keep_password(home, "p$w")
    (tenants / "acme.scenarios.yaml").write_text(SCENARIO.replace("by 201", "by 202"))
    assert centralka(home, "check", "--despite-scenarios").returncode == centralka(home, "apply", "--despite-scenarios").returncode == 0
    (tenants / "acme.scenarios.yaml").unlink()
    (tenants / "acme.yaml").rename(tenants / "rossi.yaml")
    (tenants / "rossi.yaml").write_text(ROSSI)
    assert centralka(home, "check", str(tenants / "rossi.yaml")).returncode == 0, "one file says nothing of the others"
    assert centralka(home, "check", "--remove", "acme").returncode == centralka(home, "apply", "--remove", "acme").returncode == 0


def test_check_without_an_instance_says_that_it_could_not_look_for_passwords(tmp_path: Path) -> None:
    (tmp_path / "acme.yaml").write_text(ACME)
    done = centralka(tmp_path / "none", "check", str(tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (0, "1 tenant: good\n", "")
    (tmp_path / "acme.yaml").write_text(changed(TRUNK))
    done = centralka(tmp_path / "none", "check", str(tmp_path))
    assert (done.returncode, done.stdout) == (0, "1 tenant: good\n")
    assert done.stderr == f"the passwords of trunks were not checked: there is no instance in {tmp_path / 'none'}\n"
