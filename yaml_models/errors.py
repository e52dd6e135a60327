"""Errors in a tenant's configuration, for the person who corrects the file."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One error: where, what was found, what was expected."""

    file: str
    line: int          # counted from 1
    path: str          # 'menus.main.keys.2'; '' for the whole file
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.path + ': ' if self.path else ''}{self.text}"


class ConfigError(Exception):
    """A configuration that cannot be used. Holds every problem found, in the order of the file."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(problems)
        super().__init__("\n".join(map(str, self.problems)))
