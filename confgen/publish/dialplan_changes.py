"""The difference between two revisions of a tenant's dialplan: if only steps and hints differ, it is sent to Asterisk line
by line.

A dialplan reload reads all tenants' files, and calls wait for it: seconds, with a thousand tenants on a busy machine.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from confgen.render.dialplan import HINT, Context, DialplanLine, lines_of

# Nothing that a configuration file or the dialplan reads otherwise than AMI does, such as quotes, escapes and comments, and
# shorter than a line of AMI may be, 1,024 bytes.
_AS_IN_A_FILE = re.compile(r"[^\"'\\;|]{0,900}")
_NUMBERS = re.compile(r"_(?P<stem>[0-9*]+)\[(?P<digits>[0-9]+)\]")

PriorityKey = tuple[str, str, str]      # context, extension, priority
Number = tuple[str, str]          # context, extension


@dataclass(frozen=True, slots=True)
class Difference:
    """`lines` come first, each in the place of the one that has its priority. Those `gone` go after them: another pattern has
    the hint of their numbers then. `watched`: what the hints of single numbers are now, which Asterisk makes of a pattern's
    when somebody watches the number; '' for one that has none any more."""

    lines: tuple[DialplanLine, ...]
    gone: tuple[DialplanLine, ...]
    watched: tuple[DialplanLine, ...]

    def __len__(self) -> int:
        return len(self.lines) + len(self.gone) + len(self.watched)


def together(differences: Iterable[Difference]) -> Difference:
    """Those of several tenants, which may have lines of one context: what goes from one and comes to another stays."""
    each = list(differences)
    lines = tuple(line for one in each for line in one.lines)
    places = set(map(_place, lines))
    gone = tuple(line for one in each for line in one.gone if _place(line) not in places)
    return Difference(lines, gone, tuple(line for one in each for line in one.watched))


def difference(old: Sequence[Context], new: Sequence[Context]) -> Difference | None:
    """None where a context or an include comes or goes, or where a line is not one of those that AMI takes as a file does."""
    if _frame(old) != _frame(new):
        return None
    before, after = _extensions(old), _extensions(new)
    was, now = ([line for key, lines in these.items() for line in lines if lines != others.get(key)]
                for these, others in ((before, after), (after, before)))
    if not all(map(_can_be_added, (*was, *now))):
        return None
    places = set(map(_place, now))
    return Difference(
        tuple(line for line in now if line not in was), tuple(line for line in was if _place(line) not in places),
        tuple(_watched(_hints(before), _hints(after))))


def _frame(contexts: Iterable[Context]) -> set[tuple[str, tuple[str, ...]]]:
    return {(context.name, context.includes) for context in contexts}


def _extensions(contexts: Iterable[Context]) -> dict[PriorityKey, list[DialplanLine]]:
    """The steps of each extension, and its hint, by the place of the first."""
    found: dict[PriorityKey, list[DialplanLine]] = {}
    for context in contexts:
        for line in lines_of(context):
            found.setdefault((line.context, line.extension, HINT if line.priority == HINT else "1"), []).append(line)
    return found


def _can_be_added(line: DialplanLine) -> bool:
    return all(_AS_IN_A_FILE.fullmatch(text) for text in (line.application, line.data))


def _place(line: DialplanLine) -> PriorityKey:
    return line.context, line.extension, line.priority


def _hints(extensions: Mapping[PriorityKey, Sequence[DialplanLine]]) -> dict[Number, str]:
    """The devices of each single number that a hint's pattern matches (confgen/render/hints.py)."""
    return {
        (line.context, match["stem"] + digit): line.application
        for (_, _, priority), (line, *_) in extensions.items() if priority == HINT
        if (match := _NUMBERS.fullmatch(line.extension)) for digit in match["digits"]}


def _watched(was: Mapping[Number, str], now: Mapping[Number, str]) -> Iterator[DialplanLine]:
    for (context, number), devices in was.items():
        if now.get((context, number)) != devices:
            yield DialplanLine(context, number, HINT, now.get((context, number), ""))
