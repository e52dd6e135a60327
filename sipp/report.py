"""Report of a run from SIPp's files: statistics, times, and the SIP messages that explain a failed call."""

import csv
import re
import xml.etree.ElementTree as xml
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import takewhile
from math import ceil
from pathlib import Path

_STAMP = re.compile(r"^-{40,} (\d{4}-\d\d-\d\d)\s(\d\d:\d\d:\d\d\.\d+)\n", re.M)
_CALL_ID = re.compile(r"^(?:Call-ID|i)\s*:\s*(\S+)", re.M | re.I)
_EVENT = re.compile(r"\d{4}-\d\d-\d\d\t[\d:.]+\t\d+\.\d+: ")  # often glued to the text of the one before
_EVENT_CALL = re.compile(r"Call-I[Dd]:? '?([^\s',]+)")
_UNEXPECTED = re.compile(r"while expecting '[^']*' \(index (\d+)\), received '([^\r\n]*)")
_WAITED = re.compile(r"receive timeout on message .*?:(\d+) without label")
_SHOWN = 6000  # characters of one SIP message in an explanation


@dataclass(frozen=True, slots=True)
class Statistics:
    """Totals of a run. Retransmissions count messages SIPp had to send again."""

    created: int
    successful: int
    failed: int
    retransmissions: int
    unexpected_messages: int
    receive_timeouts: int
    calls_per_s: float


@dataclass(frozen=True, slots=True)
class Message:
    at: str
    sent: bool
    call_id: str
    text: str

    @property
    def first_line(self) -> str:
        return self.text.split("\n", 1)[0].strip()

    def __str__(self) -> str:
        cut = f"\n[... {len(self.text) - _SHOWN} characters more]" if len(self.text) > _SHOWN else ""
        return f"--- {self.at} {'sent' if self.sent else 'received'}\n{self.text[:_SHOWN].strip()}{cut}"


@dataclass(frozen=True, slots=True)
class Result:
    """One SIPp program's run. `setup_ms`: for each call answered, from its first INVITE to its 200. `first_invite_at`: the
    moment of the first call's INVITE, in seconds since 1970."""

    title: str
    statistics: Statistics
    setup_ms: tuple[float, ...]
    invites: int
    messages: tuple[Message, ...]
    failure: str | None
    first_invite_at: float | None = None

    def setup_percentile(self, percent: float) -> float:
        """Nearest rank, in ms."""
        if not self.setup_ms:
            raise ValueError(f"{self.title}: no call was answered")
        ordered = sorted(self.setup_ms)
        return ordered[max(0, ceil(len(ordered) * percent / 100) - 1)]

    def received(self, start: str) -> tuple[Message, ...]:
        """The received messages whose first line starts with the text: "INVITE", "SIP/2.0 404"."""
        return tuple(one for one in self.messages if not one.sent and one.first_line.startswith(start))


class SippFailed(AssertionError):
    """A run in which a call didn't go as its scenario says. The text holds the messages of the first such call."""

    def __init__(self, result: Result) -> None:
        super().__init__(result.failure)
        self.result = result


def read(directory: Path, *, title: str, exit_code: int) -> Result:
    """The result of the SIPp program that ran in this directory."""
    statistics = _statistics(directory / "statistics.csv")
    messages = tuple(_messages(_text(directory / "messages.log")))
    errors = _text(directory / "errors.log")
    failed = statistics.failed > 0 or exit_code not in (0, 99)
    failure = None
    if failed:
        failure = _explain(title, statistics, exit_code, errors, messages, directory)
    setup_ms, begun_at = _times(directory / "short.log")
    return Result(title, statistics, setup_ms, len(begun_at), messages, failure, min(begun_at, default=None))


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


def _statistics(path: Path) -> Statistics:
    rows = list(csv.DictReader(_text(path).splitlines(), delimiter=";"))
    last = rows[-1] if rows else {}

    def total(column: str) -> int:
        return int(last.get(f"{column}(C)") or 0)

    return Statistics(
        created=int(last.get("TotalCallCreated") or 0),
        successful=total("SuccessfulCall"),
        failed=total("FailedCall"),
        retransmissions=total("Retransmissions"),
        unexpected_messages=total("FailedUnexpectedMessage"),
        receive_timeouts=total("FailedTimeoutOnRecv"),
        calls_per_s=float(last.get("CallRate(C)") or 0),
    )


def _messages(log: str) -> list[Message]:
    parts = _STAMP.split(log)
    found = []
    for clock, body in zip(parts[2::3], parts[3::3], strict=True):
        heading, _, text = body.partition("\n\n")
        call_id = _CALL_ID.search(text)
        found.append(Message(clock, " sent" in heading, call_id[1] if call_id else "", text.rstrip()))
    return found


def _times(path: Path) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Set-up times, and when each call's first INVITE passed, from the one-line-per-message log."""
    started: dict[str, float] = {}
    answered: dict[str, float] = {}
    for line in _text(path).splitlines():
        fields = line.split("\t")
        if len(fields) < 7 or not fields[5].endswith("INVITE"):
            continue
        at, call_id, first_line = float(fields[2]), fields[4], fields[6]
        if first_line.startswith("INVITE "):
            started.setdefault(call_id, at)
        elif first_line.startswith("SIP/2.0 200") and call_id in started:
            answered.setdefault(call_id, (at - started[call_id]) * 1000)
    return tuple(answered.values()), tuple(started.values())


def _expected(directory: Path, index: int) -> str:
    """Messages that the scenario accepts at this step: the optional ones and the required one."""
    steps = [step for step in xml.fromstring(_text(directory / "scenario.xml")) if step.tag != "label"]  # noqa: S314
    following = list(takewhile(lambda step: step.tag == "recv", steps[index:]))
    if not following:
        return f"nothing during <{steps[index].tag}> (step {index})"
    names = []
    for step in following:
        names.append(step.get("response") or step.get("request") or "?")
        if step.get("optional") != "true":
            break
    must = names.pop()
    return f"{must} (or {', '.join(names)} before it)" if names else must


def _explain(
    title: str, statistics: Statistics, exit_code: int, errors: str, messages: tuple[Message, ...], directory: Path
) -> str:
    lines = [f"{title}: {statistics.failed} of {statistics.created} calls failed (sipp exit code {exit_code})"]
    events = [event.strip() for event in _EVENT.split(errors)[1:]]
    first = events[0] if events else ""
    named = _EVENT_CALL.search(first)
    call_id = named[1].strip("'") if named else messages[0].call_id if messages else ""
    unexpected, waited = _UNEXPECTED.search(first), _WAITED.search(first)
    if unexpected:
        expected = _expected(directory, int(unexpected[1]))
        lines.append(f"Call-ID {call_id}: expected {expected}, received {unexpected[2]!r}")
    elif waited:
        lines.append(f"Call-ID {call_id}: expected {_expected(directory, int(waited[1]))}, nothing came in time")
    elif first:
        lines.append(first)
    else:
        lines.append(_text(directory / "stderr.log").strip()[-2000:] or "sipp gave no reason")
    lines += _shown(message for message in messages if message.call_id == call_id)
    return "\n".join(lines)


def _shown(messages: Iterable[Message]) -> list[str]:
    """Each message once, followed by a line that counts its retransmissions."""
    lines, known = [], set()
    for message in messages:
        again = message.text in known
        known.add(message.text)
        direction = "sent" if message.sent else "received"
        lines.append(f"--- {message.at} {direction} again: {message.first_line}" if again else str(message))
    return lines
