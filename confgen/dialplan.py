"""What a tenant's rendered dialplan has more than the one before: where it has nothing less, Asterisk takes that line by line.

To read the dialplan is to read all tenants', and calls wait for that: with a thousand tenants on a busy machine for seconds.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

HINT = "hint"
_CONTEXT = re.compile(r"\[([a-z0-9_-]+)\]")
_BEGIN = re.compile(r"exten => (?P<extension>[^,/ ]+),(?P<priority>1|hint),(?P<step>.*)")
_NEXT = re.compile(r" same => n,(?P<step>.*)")
# Nothing in it that a configuration file or the dialplan reads otherwise than AMI does: quotes, escapes, comments.
_STEP = re.compile(r"(?P<application>[A-Za-z]+)\((?P<data>[^\"'\\;|]*)\)")
_DEVICES = re.compile(r"[A-Za-z]+[:/][^\"'\\;|,() ]+")
_NUMBERS = re.compile(r"(?P<stem>_[0-9*]+)\[(?P<digits>[0-9]+)\]")

Key = tuple[str, str, str]      # context, extension, '1' or 'hint'


@dataclass(frozen=True, slots=True)
class Line:
    """A step of an extension as AMI takes it. A hint has its devices for an application."""

    context: str
    extension: str
    priority: str        # '1', '2', ... or 'hint'
    application: str
    data: str = ""


@dataclass(frozen=True, slots=True)
class More:
    """`lines` are added first. After them `replaced` hints can go: the lines have others for their numbers, and for more."""

    lines: tuple[Line, ...]
    replaced: tuple[Line, ...]


def more(old: str, new: str) -> More | None:
    """None where anything is gone or another than before, where a context is new, or where a line is not one of those that AMI
    takes as a file does."""
    before, after = _steps(old), _steps(new)
    added = {key: steps for key, steps in after.items() if key not in before}
    replaced = [key for key in before if key not in after]
    if any(after.get(key, steps) != steps for key, steps in before.items()):
        return None
    if not {context for context, _, _ in added} <= {context for context, _, _ in before}:
        return None
    if not all(any(_has_all(before, key, after, other) for other in added) for key in replaced):
        return None
    lines = [line for key, steps in added.items() for line in _lines(key, steps)]
    if None in lines:
        return None
    return More(
        tuple(line for line in lines if line),
        tuple(line for key in replaced for line in _lines(key, before[key]) if line))


def _steps(text: str) -> dict[Key, tuple[str, ...]]:
    found: dict[Key, tuple[str, ...]] = {}
    context, key = "", ("", "", "")
    for line in text.splitlines():
        if not line or line.startswith(";"):
            continue
        if match := _CONTEXT.fullmatch(line):
            context = match[1]
            key = (context, "", "")
        elif match := _BEGIN.fullmatch(line):
            key = (context, match["extension"], match["priority"])
            found[key] = (*found.get(key, ()), match["step"])
        else:
            match = _NEXT.fullmatch(line)
            found[key] = (*found.get(key, ()), match["step"] if match else line)
    return found


def _lines(key: Key, steps: Sequence[str]) -> Iterator[Line | None]:
    """None for what cannot be added."""
    context, extension, priority = key
    for number, step in enumerate(steps, 1):
        if priority == HINT:
            yield Line(context, extension, HINT, step) if _DEVICES.fullmatch(step) else None
        else:
            match = _STEP.fullmatch(step) if extension else None
            yield Line(context, extension, str(number), match["application"], match["data"]) if match else None


def _has_all(before: dict[Key, tuple[str, ...]], key: Key, after: dict[Key, tuple[str, ...]], other: Key) -> bool:
    """Whether the other hint is the same for all numbers of this one (confgen/lamps.py)."""
    mine, others = _NUMBERS.fullmatch(key[1]), _NUMBERS.fullmatch(other[1])
    return (
        mine is not None and others is not None and key[0] == other[0] and key[2] == other[2] == HINT
        and before[key] == after[other] and mine["stem"] == others["stem"] and set(mine["digits"]) <= set(others["digits"]))
