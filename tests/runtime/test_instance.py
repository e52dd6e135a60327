import os
import pwd
from pathlib import Path, PurePosixPath

import pytest

from confgen.publish.instance import FOLDERS
from confgen.publish.ownership import IDS, Id, OwnershipRule, permit, rule_of
from runtime.failure import RuntimeFailure
from runtime.instance import Instance, merge_settings, require_free_ids

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="gives files to other users")


def rights(path: Path) -> tuple[int, int, int]:
    found = path.lstat()
    return found.st_uid, found.st_gid, found.st_mode & 0o7777


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    for folder in FOLDERS:
        (home / folder).mkdir(parents=True)
    return home


def test_the_operators_own_settings_stay() -> None:
    before = "# ours\nCENTRALKA_RTP_START=20000\nCENTRALKA_SIP_ADDRESS=10.0.0.1\n"
    after = merge_settings(before, {"CENTRALKA_SIP_ADDRESS": "127.77.0.1"})
    assert after == "# ours\nCENTRALKA_RTP_START=20000\nCENTRALKA_SIP_ADDRESS=127.77.0.1\n"
    assert merge_settings(after, {"CENTRALKA_SIP_ADDRESS": "127.77.0.1"}) == after


def test_every_folder_of_an_instance_has_an_owner() -> None:
    assert [folder for folder in FOLDERS if rule_of(PurePosixPath(folder)) is None] == []


def test_only_root_writes_what_decides_the_work_of_a_process() -> None:
    for path in ("asterisk/manager.conf", "published/current", "redis.conf", "settings.env", "secrets.json", "sounds/acme/a.wav", "."):
        rule = rule_of(PurePosixPath(path))
        assert rule
        assert rule.owner is Id.ROOT
        assert not (rule.folder | rule.file) & 0o022


def test_each_part_of_a_revision_is_for_its_readers_alone() -> None:
    for revisions in ("folders", "revisions"):
        for folder, group in (("tenants", Id.SERVICES), ("phones", Id.PROVISION), ("pjsip", Id.ASTERISK), ("voicemail", Id.ASTERISK)):
            path = PurePosixPath("published") / revisions / "000001-abc" / folder
            assert rule_of(path) == rule_of(path / "acme.json") == OwnershipRule(Id.ROOT, group)


@needs_root
def test_secrets_are_for_root_alone_and_asterisk_cannot_change_its_configuration(home: Path) -> None:
    for name in ("secrets.json", "settings.env", "asterisk/manager.conf", "tls/sip-key.pem", "tls/web-key.pem", "tls/key.pem"):
        (home / name).write_text("")
    permit(home)
    assert rights(home) == (0, Id.INSTANCE, 0o750)
    assert rights(home / "secrets.json") == (0, 0, 0o600)
    assert rights(home / "asterisk" / "manager.conf") == (0, Id.ASTERISK, 0o640)
    assert rights(home / "asterisk") == (0, Id.ASTERISK, 0o2750)
    assert rights(home / "spool") == (Id.ASTERISK, Id.ASTERISK, 0o700)
    assert rights(home / "tls" / "sip-key.pem") == (0, Id.ASTERISK, 0o640)
    assert rights(home / "tls" / "web-key.pem") == (0, Id.PROVISION, 0o640)
    assert rights(home / "tls" / "key.pem")[2] == 0o600


@needs_root
def test_files_of_an_instance_that_an_older_version_started_get_their_new_owners(home: Path) -> None:
    (home / "log" / "cel-custom" / "cel.csv").write_text("")
    for folder in (home / "log", home / "log" / "cel-custom"):
        os.chown(folder, 102, 102)
    os.chown(home / "log" / "cel-custom" / "cel.csv", 102, 102)
    permit(home)
    assert rights(home / "log") == (Id.ASTERISK, Id.RECORDS, 0o2770)
    assert rights(home / "log" / "cel-custom") == (Id.ASTERISK, Id.RECORDS, 0o2770)
    assert rights(home / "log" / "cel-custom" / "cel.csv") == (Id.ASTERISK, Id.RECORDS, 0o660)


@needs_root
def test_what_a_process_made_itself_keeps_its_owner(home: Path) -> None:
    permit(home)
    own = home / "log" / "messages.log"
    own.write_text("")
    os.chown(own, Id.AMI, Id.RECORDS)
    own.chmod(0o640)
    permit(home)
    assert rights(own) == (Id.AMI, Id.RECORDS, 0o640)


@needs_root
def test_a_link_in_a_directory_that_asterisk_writes_gives_away_nothing(home: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("")
    before = rights(outside)
    (home / "spool" / "link").symlink_to(outside)
    (home / "spool" / "folder").symlink_to(tmp_path)
    permit(home)
    assert rights(outside) == before


def test_calls_recorded_by_an_older_version_are_kept(tmp_path: Path) -> None:
    (tmp_path / "centralka.sqlite").write_text("calls")
    (tmp_path / "centralka.sqlite-wal").write_text("newest calls")
    Instance(tmp_path, PurePosixPath("/srv/home"))._move_older_files()
    assert (tmp_path / "records" / "centralka.sqlite").read_text() == "calls"
    assert (tmp_path / "records" / "centralka.sqlite-wal").read_text() == "newest calls"
    assert not list(tmp_path.glob("centralka.sqlite*"))


def test_calls_of_an_older_version_that_runs_are_not_ended(tmp_path: Path) -> None:
    (tmp_path / "settings.env").write_text("")
    with pytest.raises(RuntimeFailure, match="as other users"):
        Instance(tmp_path, PurePosixPath("/srv/home")).prepare({}, is_running=True)
    assert (tmp_path / "settings.env").read_text() == ""


def test_number_of_a_user_that_an_account_of_the_host_has_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    me = pwd.getpwuid(os.geteuid())
    require_free_ids()
    monkeypatch.setattr("runtime.instance.IDS", (me.pw_uid, *IDS))
    with pytest.raises(RuntimeFailure, match=f"found the user '{me.pw_name}' with the number {me.pw_uid}"):
        require_free_ids()
