from pathlib import Path

import pytest

from runtime.failure import RuntimeFailure
from runtime.packages import missing, read_list
from runtime.places import PACKAGE_LISTS


def test_comments_and_empty_lines_name_no_package(tmp_path: Path) -> None:
    listed = tmp_path / "list.txt"
    listed.write_text("# why\n\nasterisk   # the PBX\n  redis-server\nlibstdc++6\n")
    assert read_list(listed) == ("asterisk", "redis-server", "libstdc++6")


def test_a_line_that_apt_could_read_as_an_option_is_refused_with_its_place(tmp_path: Path) -> None:
    listed = tmp_path / "list.txt"
    listed.write_text("asterisk\n--allow-unauthenticated\n")
    with pytest.raises(RuntimeFailure, match=r"list\.txt:2: found '--allow-unauthenticated'"):
        read_list(listed)


@pytest.mark.parametrize("listed", sorted(PACKAGE_LISTS.glob("*.txt")), ids=lambda path: path.stem)
def test_every_list_of_the_repository_is_read(listed: Path) -> None:
    assert read_list(listed)


def test_only_packages_that_are_not_installed_are_missing() -> None:
    assert missing(("dpkg", "no-such-package-here")) == ("no-such-package-here",)
