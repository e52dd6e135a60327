import os
from pathlib import Path

from centralka.log import Batches


def test_full_disk_under_the_log_raises_nothing_and_is_counted_once_there_is_space(tmp_path: Path) -> None:
    with open("/dev/full", "w", encoding="utf-8") as stream, open(tmp_path / "log", "ab") as file:
        log = Batches(stream)
        log.write("event=one\n")
        log.write("event=two\n")
        os.dup2(file.fileno(), stream.fileno())
        log.write("event=three\n")
        log.write("event=four\n")
    assert (tmp_path / "log").read_text() == "\nlevel=error event=log_lines_lost lines=2\nevent=three\nevent=four\n"
