import os
from pathlib import Path, PurePosixPath

import pytest

from runtime.instance import Instance, merge_settings
from runtime.root import Owner

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="gives files to another user")


def test_the_operators_own_settings_stay() -> None:
    before = "# ours\nCENTRALKA_RTP_START=20000\nCENTRALKA_SIP_ADDRESS=10.0.0.1\n"
    after = merge_settings(before, {"CENTRALKA_SIP_ADDRESS": "127.77.0.1"})
    assert after == "# ours\nCENTRALKA_RTP_START=20000\nCENTRALKA_SIP_ADDRESS=127.77.0.1\n"
    assert merge_settings(after, {"CENTRALKA_SIP_ADDRESS": "127.77.0.1"}) == after


@needs_root
def test_secrets_are_for_the_instances_user_alone_and_asterisk_cannot_change_its_configuration(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "asterisk").mkdir(parents=True)
    (home / "published" / "revisions").mkdir(parents=True)
    (home / "spool").mkdir()
    for name in ("secrets.json", "settings.env", "asterisk/manager.conf"):
        (home / name).write_text("")
    Instance(home, PurePosixPath("/srv/home"), Owner(12345, 12346)).permit()

    def rights(name: str) -> tuple[int, int, int]:
        found = (home / name).stat()
        return found.st_uid, found.st_gid, found.st_mode & 0o7777

    assert rights("secrets.json") == (12345, 12346, 0o600)
    assert rights("asterisk/manager.conf") == (0, 12346, 0o640)
    assert rights("asterisk") == (0, 12346, 0o2750)
    assert rights("spool") == (12345, 12346, 0o2770)
    assert rights(".") == (0, 12346, 0o3770)


@needs_root
def test_a_link_in_a_directory_that_asterisk_writes_gives_away_nothing(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("")
    home = tmp_path / "home"
    (home / "spool").mkdir(parents=True)
    (home / "spool" / "link").symlink_to(outside)
    Instance(home, PurePosixPath("/srv/home"), Owner(12345, 12346)).permit()
    assert outside.stat().st_uid == 0


@needs_root
def test_a_revision_published_later_is_readable_by_asterisk(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "published").mkdir(parents=True)
    Instance(home, PurePosixPath("/srv/home"), Owner(12345, 12346)).permit()
    later = home / "published" / "revisions"
    later.mkdir(mode=0o750)
    assert later.stat().st_gid == 12346
