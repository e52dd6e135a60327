"""Where a tenant's rendered dialplan differs from the one before: by steps and hints alone, Asterisk takes it line by line.

To read the dialplan is to read all tenants', and calls wait for that: with a thousand tenants on a busy machine for seconds.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

HINT = "hint"
_CONTEXT = re.compile(r"\[([a-z0-9_-]+)\]")
_BEGIN = re.compile(r"exten => (?P<extension>[^,/ ]+),(?P<priority>1|hint),(?P<step>.*)")
_NEXT = re.compile(r" same => n,(?P<step>.*)")
# Nothing in it that a configuration file or the dialplan reads otherwise than AMI does: quotes, escapes, comments.
_STEP = re.compile(r"(?P<application>[A-Za-z]+)\((?P<data>[^\"'\\;|]*)\)")
_DEVICES = re.compile(r"[A-Za-z]+[:/][^\"'\\;|,() ]+")
_NUMBERS = re.compile(r"_(?P<stem>[0-9*]+)\[(?P<digits>[0-9]+)\]")

Key = tuple[str, str, str]      # context, extension, '1' or 'hint'
Steps = Mapping[Key, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Line:
    """A step of an extension as AMI takes it. A hint has its devices for an application."""

    context: str
    extension: str
    priority: str        # '1', '2', ... or 'hint'
    application: str
    data: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """`lines` come first, each in the place of the one that has its priority. Those `gone` go after them: another pattern has
    the hint of their numbers then. `watched`: what the hints of single numbers are now, which Asterisk makes of a pattern's
    when somebody watches the number; '' for one that has none any more."""

    lines: tuple[Line, ...]
    gone: tuple[Line, ...]
    watched: tuple[Line, ...]


    def __len__(self) -> int:
        return len(self.lines) + len(self.gone) + len(self.watched)


def together(differences: Iterable[Difference]) -> Difference:
    """Those of several files, which may have lines of one context: what goes from one and comes to another stays."""
    each = list(differences)
    lines = tuple(line for one in each for line in one.lines)
    places = set(map(_place, lines))
    gone = tuple(line for one in each for line in one.gone if _place(line) not in places)
    return Difference(lines, gone, tuple(line for one in each for line in one.watched))


def difference(old: str, new: str) -> Difference | None:
    """None where a context comes or goes, or where a line is not one of those that AMI takes as a file does."""
    before, after = _steps(old), _steps(new)
    was, now = (_lines({key: these[key] for key in these if these[key] != others.get(key)})
                for these, others in ((before, after), (after, before)))
    if was is None or now is None or {key[0] for key in before} != {key[0] for key in after}:
        return None
    places = {_place(line) for line in now}
    return Difference(
        tuple(line for line in now if line not in was), tuple(line for line in was if _place(line) not in places),
        tuple(_watched(before, after)))


def _steps(text: str) -> Steps:
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


def _lines(steps: Steps) -> list[Line] | None:
    """None where one cannot be added."""
    found = []
    for (context, extension, priority), texts in steps.items():
        for number, text in enumerate(texts, 1):
            if priority == HINT and _DEVICES.fullmatch(text):
                found.append(Line(context, extension, HINT, text))
            elif priority != HINT and extension and (match := _STEP.fullmatch(text)):
                found.append(Line(context, extension, str(number), match["application"], match["data"]))
            else:
                return None
    return found


def _place(line: Line) -> Key:
    return line.context, line.extension, line.priority


def _watched(before: Steps, after: Steps) -> Iterator[Line]:
    was, now = (
        {(context, number): text for (context, extension, priority), (text, *_) in steps.items() if priority == HINT
         for number in _numbers(extension)} for steps in (before, after))
    for (context, number), devices in was.items():
        if now.get((context, number)) != devices:
            yield Line(context, number, HINT, now.get((context, number), ""))


def _numbers(pattern: str) -> Iterator[str]:
    """Those that a pattern of a hint means (confgen/render/hints.py)."""
    if match := _NUMBERS.fullmatch(pattern):
        yield from (match["stem"] + digit for digit in match["digits"])
