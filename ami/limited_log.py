"""Log files of limited size, with a limit on the rate of lines of one kind."""

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MOST_BYTES: Final = 5 << 20
OLD_FILES: Final = 3
REMEMBERED: Final = 10_000      # kinds; those that were written longest ago are forgotten first


class BoundedFile:
    """A text file of lines; at `most_bytes` it becomes `<name>.1`, the previous one `<name>.2`, up to `old_files`."""

    def __init__(self, path: Path, most_bytes: int = MOST_BYTES, old_files: int = OLD_FILES) -> None:
        self._path, self._most_bytes, self._old_files = path, most_bytes, old_files

    def write(self, lines: list[str]) -> None:
        """Raises OSError."""
        text = "".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace")
        with open(self._path, "ab") as file:
            if file.tell() + len(text) <= self._most_bytes or not file.tell():
                file.write(text)
                return
        self._rotate()
        with open(self._path, "ab") as file:
            file.write(text)

    def _rotate(self) -> None:
        for number in range(self._old_files, 0, -1):
            newer = self._path.with_name(f"{self._path.name}.{number - 1}") if number > 1 else self._path
            if newer.exists():
                newer.replace(self._path.with_name(f"{self._path.name}.{number}"))


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at_s: float
    left_out: int = 0


class LineLimits:
    """A bucket of `at_once` lines for each kind, which regains `per_second`. Pure; the caller supplies the moment."""

    def __init__(self, at_once: int, per_second: float) -> None:
        self._at_once, self._per_second = at_once, per_second
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def may_write(self, kind: str, now_s: float) -> bool:
        bucket = self._buckets.setdefault(kind, _Bucket(self._at_once, now_s))
        self._buckets.move_to_end(kind)
        bucket.tokens = min(self._at_once, bucket.tokens + (now_s - bucket.at_s) * self._per_second)
        bucket.at_s = now_s
        if len(self._buckets) > REMEMBERED:
            self._buckets.popitem(last=False)
        if bucket.tokens < 1:
            bucket.left_out += 1
            return False
        bucket.tokens -= 1
        return True

    def take_left_out(self, kind: str) -> int:
        """The number of lines of the kind that were left out since the last call."""
        bucket = self._buckets.get(kind)
        if bucket is None:
            return 0
        left_out, bucket.left_out = bucket.left_out, 0
        return left_out
