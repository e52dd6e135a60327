from pathlib import Path

import pytest

from runtime.mirror import choose, find_mirror, parse_deb822, parse_one_line

DEB822 = """\
Types: deb
URIs: https://packages.example/tool
Suites: stable
Components: main

# a snapshot
Types: deb deb-src
URIs: http://mirror.example/debian
Suites: bookworm
 bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
"""


def test_the_mirror_is_the_one_that_carries_the_hosts_own_release() -> None:
    assert choose(parse_deb822(DEB822), "bookworm") == "http://mirror.example/debian"


def test_a_disabled_source_is_no_mirror() -> None:
    assert choose(parse_deb822("Enabled: no\n" + DEB822.split("\n\n")[1]), "bookworm") is None


def test_one_line_sources_are_read_with_their_options() -> None:
    text = "deb-src http://no.example/d bookworm main\ndeb [arch=amd64 trusted=no] http://yes.example/debian bookworm main\n"
    assert choose(parse_one_line(text), "bookworm") == "http://yes.example/debian"


def test_a_compact_disc_is_no_mirror() -> None:
    assert choose(parse_one_line("deb cdrom:[Debian]/ bookworm main\ndeb file:/media bookworm main\n"), "bookworm") is None


def test_the_hosts_files_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEBIAN_MIRROR", raising=False)
    (tmp_path / "apt" / "sources.list.d").mkdir(parents=True)
    (tmp_path / "os-release").write_text('NAME="Debian GNU/Linux"\nVERSION_CODENAME=bookworm\n')
    assert find_mirror(tmp_path) is None
    (tmp_path / "apt" / "sources.list.d" / "debian.sources").write_text(DEB822)
    assert find_mirror(tmp_path) == "http://mirror.example/debian"


def test_the_operator_may_name_another_mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEBIAN_MIRROR", "http://mine.example/debian")
    assert find_mirror(tmp_path) == "http://mine.example/debian"
