"""A dialplan as typed rows: contexts, their extensions, and each extension's steps and hint. Pure.

Three forms are derived from them: the text of extensions.conf (`text_of`), lines as AMI takes them one by one (`lines_of`), and
the JSON in which a revision keeps them (`dump`, `load`).
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from confgen.render.carrier_password import UnsafeValue
from confgen.render.encoder import encode

HINT = "hint"
_CONTEXT = re.compile(r"[a-z0-9_-]+")
_PATTERN = re.compile(r"[A-Za-z0-9_*#+%.!\[\]]+")


class Code(str):
    """Text in Asterisk's dialplan language, which our source writes out; each value in it was encoded."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class DialplanStep:
    """An application and the text between its parentheses. Made by `step`."""

    application: str
    data: str = ""


@dataclass(frozen=True, slots=True)
class DialplanExtension:
    """A number or pattern, the steps of its priorities from 1 on, and the devices of its hint, '' without one. Raises
    UnsafeValue."""

    pattern: str
    steps: tuple[DialplanStep, ...] = ()
    hint: str = ""

    def __post_init__(self) -> None:
        if not _PATTERN.fullmatch(self.pattern):
            raise UnsafeValue(f"found the extension {self.pattern[:80]!r}, expected {_PATTERN.pattern}")


@dataclass(frozen=True, slots=True)
class Context:
    """`includes`: contexts where Asterisk goes on looking for an extension. Raises UnsafeValue."""

    name: str
    extensions: tuple[DialplanExtension, ...] = ()
    includes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in (self.name, *self.includes):
            if not _CONTEXT.fullmatch(name):
                raise UnsafeValue(f"found the context {name[:80]!r}, expected {_CONTEXT.pattern}")


@dataclass(frozen=True, slots=True)
class DialplanLine:
    """A step or a hint as AMI takes it. A hint has its devices for an application."""

    context: str
    extension: str
    priority: str        # '1', '2', ... or 'hint'
    application: str
    data: str = ""


def step(application: str, *arguments: object) -> DialplanStep:
    """A step with these arguments; all but Code are encoded. Raises UnsafeValue."""
    return DialplanStep(application, ",".join(each if isinstance(each, Code) else str(encode(each)) for each in arguments))


def text_of(contexts: Iterable[Context]) -> str:
    return "".join(f"\n[{context.name}]\n{''.join(_context_lines(context))}" for context in contexts)


def lines_of(context: Context) -> Iterator[DialplanLine]:
    for extension in context.extensions:
        for priority, each in enumerate(extension.steps, 1):
            yield DialplanLine(context.name, extension.pattern, str(priority), each.application, each.data)
        if extension.hint:
            yield DialplanLine(context.name, extension.pattern, HINT, extension.hint)


def dump(contexts: Iterable[Context]) -> str:
    return json.dumps([
        (context.name, [
            (extension.pattern, [(each.application, each.data) for each in extension.steps], extension.hint)
            for extension in context.extensions], context.includes)
        for context in contexts], ensure_ascii=False)


def load(text: str) -> list[Context]:
    """The contexts that `dump` wrote. Raises ValueError or TypeError for any other text."""
    return [
        Context(name, tuple(
            DialplanExtension(pattern, tuple(DialplanStep(application, data) for application, data in steps), hint)
            for pattern, steps, hint in extensions), tuple(includes))
        for name, extensions, includes in json.loads(text)]


def _context_lines(context: Context) -> Iterator[str]:
    for name in context.includes:
        yield f"include => {name}\n"
    for extension in context.extensions:
        for number, each in enumerate(extension.steps):
            yield f"{' same => n' if number else f'exten => {extension.pattern},1'},{each.application}({each.data})\n"
        if extension.hint:
            yield f"exten => {extension.pattern},{HINT},{extension.hint}\n"
