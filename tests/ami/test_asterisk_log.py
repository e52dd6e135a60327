"""Asterisk's log: a message is one line, and none is of a stranger's making; logs stay below their bounds."""

from pathlib import Path

from ami.security.asterisk_log import CHUNK, AsteriskLog
from ami.security.log_keeper import BoundedFile, LineLimits

TOKEN = "0123456789abcdef"


def line(text: str, level: str = "WARNING", source: str = "pjproject") -> bytes:
    return f"[2026-11-30 12:00:00.123 {TOKEN}] {level}[4711][C-0000000a] {source}: {text}\n".encode()


def test_message_with_line_feeds_is_one_and_forges_no_other(tmp_path: Path) -> None:
    file = tmp_path / "asterisk.log"
    log = AsteriskLog(file, TOKEN)
    assert log.read() == []                     # Asterisk has not begun one
    forged = "Error processing packet:\nX: y\r\n[2026-11-30 12:00:00.123] ERROR[1] forged.c: \x1b[31mline\n-- end of packet."
    file.write_bytes(line(forged) + line("next", "ERROR", "chan_pjsip.c"))
    first, second = log.read()
    assert (first.level, first.source, second.level, second.source, second.text) == ("WARNING", "pjproject", "ERROR", "chan_pjsip.c", "next")
    assert first.text == r"Error processing packet:\x0aX: y\x0d\x0a[2026-11-30 12:00:00.123] ERROR[1] forged.c: \x1b[31mline\x0a-- end of packet."
    assert "\n" not in str(first)
    assert log.read() == []


def test_bytes_that_are_no_text_are_shown(tmp_path: Path) -> None:
    (tmp_path / "asterisk.log").write_bytes(line("x").replace(b"x\n", b"\xff\xfe\n"))
    (found,) = AsteriskLog(tmp_path / "asterisk.log", TOKEN).read()
    assert found.text == r"\xff\xfe"


def test_next_process_goes_on_where_the_one_before_ended(tmp_path: Path) -> None:
    file = tmp_path / "asterisk.log"
    file.write_bytes(line("one"))
    assert [each.text for each in AsteriskLog(file, TOKEN).read()] == ["one"]
    with open(file, "ab") as log:
        log.write(line("two"))
    assert [each.text for each in AsteriskLog(file, TOKEN).read()] == ["two"]


def test_rotated_file_is_read_to_its_end_and_then_the_next_one(tmp_path: Path) -> None:
    file = tmp_path / "asterisk.log"
    file.write_bytes(line("one"))
    log = AsteriskLog(file, TOKEN)
    assert [each.text for each in log.read()] == ["one"]
    with open(file, "ab") as old:
        file.unlink()
        old.write(line("two"))
    file.write_bytes(line("three"))
    found = [each.text for _ in range(4) for each in log.read()]
    assert found == ["two", "three"]


def test_a_flood_is_read_whole_though_pieces_end_within_messages(tmp_path: Path) -> None:
    texts = [f"{number} " + "x" * (number % 300) for number in range(5 * CHUNK // 150)]
    (tmp_path / "asterisk.log").write_bytes(b"".join(map(line, texts)))
    log = AsteriskLog(tmp_path / "asterisk.log", TOKEN)
    found: list[str] = []
    while some := log.read():
        found += [each.text for each in some]
    assert found == [text.strip() for text in texts]


def test_log_files_stay_below_their_bound_and_keep_the_newest(tmp_path: Path) -> None:
    file = BoundedFile(tmp_path / "messages.log", most_bytes=1000, old_files=2)
    for number in range(500):
        file.write([f"line {number}"])
    files = sorted(tmp_path.iterdir())
    assert [each.name for each in files] == ["messages.log", "messages.log.1", "messages.log.2"]
    assert all(each.stat().st_size <= 1000 for each in files)
    kept = "".join(each.read_text() for each in reversed(files)).split("\n")
    assert kept[-2] == "line 499"
    assert kept[:-1] == [f"line {number}" for number in range(500 - len(kept) + 1, 500)]


def test_lines_of_one_kind_are_limited_and_others_are_not() -> None:
    limits = LineLimits(at_once=3, per_second=0.5)
    assert [limits.may_write("a", 0) for _ in range(5)] == [True, True, True, False, False]
    assert limits.may_write("b", 0)
    assert limits.may_write("a", 2)
    assert limits.take_left_out("a") == 2
    assert limits.take_left_out("a") == 0
