"""Log files for operators, made from Asterisk's log: messages.log, and security.log for messages that strangers cause. One line
a message, limited in rate and size. Refused SIP requests also go to sip_guard.py.
"""

import re
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

import structlog

from ami.client import AmiClient
from ami.periodic_task import take_turns
from ami.security.asterisk_log import AsteriskLog, LogMessage
from services import metrics

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


log = structlog.get_logger()

EVERY_S: Final = 0.25
ROTATE_AT: Final = 4 << 20      # bytes of Asterisk's own file, which is deleted once it has been read
SECURITY: Final = frozenset({
    "res_security_log.c", "res_pjsip/pjsip_distributor.c", "res_pjsip_acl.c", "acl.c", "security_events.c", "pjproject"})
_ADDRESS: Final = re.compile(
    r"RemoteAddress=\"IPV[46]/[A-Z]+/([0-9a-f.:]+)/|failed for '\[?([0-9a-f.:]+?)\]?:[0-9]+'|"
    r"from (?:UDP|TCP|TLS)?\s?\[?([0-9a-f.:]+?)\]?:[0-9]+ |Rejecting '([0-9a-f.:]+)'")


class LogKeeper:
    """`refused` gets each message of a refused request."""

    def __init__(self, asterisk_log: AsteriskLog, folder: Path, ami: AmiClient, refused: Callable[[LogMessage], None]) -> None:
        self._log, self._ami, self._refused = asterisk_log, ami, refused
        self._messages = _Kept(BoundedFile(folder / "messages.log"), LineLimits(100, 2), LineLimits(500, 10))
        self._security = _Kept(BoundedFile(folder / "security.log"), LineLimits(20, 0.1), LineLimits(500, 5))

    async def run(self) -> NoReturn:
        await take_turns(self._turn, every_s=EVERY_S, failed="asterisk_log_not_read")

    async def _turn(self) -> None:
        """Raises OSError, and AmiError if Asterisk cannot be asked to begin another file."""
        while messages := self._log.read():
            for message in messages:
                if message.source == "res_pjsip/pjsip_distributor.c":
                    self._refused(message)
            self._security.write([(address_in(each), each) for each in messages if is_of_security(each)])
            self._messages.write([(each.source, each) for each in messages if not is_of_security(each)])
            if self._log.bytes_read >= ROTATE_AT:
                await self._ami.action("LoggerRotate")


def is_of_security(message: LogMessage) -> bool:
    """True if strangers can cause the message. Errors of pjproject concern our own network or certificates."""
    return message.source in SECURITY and (message.source, message.level) != ("pjproject", "ERROR")


def address_in(message: LogMessage) -> str:
    """The address that caused the message, if the message contains one."""
    found = _ADDRESS.search(message.text)
    return next((each for each in found.groups() if each), "") if found else ""


class _Kept:
    """A file with limits for each kind of line, and for all together."""

    def __init__(self, file: BoundedFile, each: LineLimits, total: LineLimits) -> None:
        self._file, self._each, self._total = file, each, total

    def write(self, messages: Iterable[tuple[str, LogMessage]]) -> None:
        lines: list[str] = []
        for kind, message in messages:
            now_s = time.monotonic()
            if not self._each.may_write(kind, now_s) or not self._total.may_write("", now_s):
                metrics.LOG_LINES_LEFT_OUT.inc()
                continue
            for left_out, of in ((self._each.take_left_out(kind), kind), (self._total.take_left_out(""), "all")):
                if left_out:
                    lines.append(f"[{message.at}] NOTICE centralka: {left_out} lines left out ({of or 'no address'})")
            lines.append(str(message))
        if lines:
            self._file.write(lines)
