"""Hints for phones' BLF lamps (docs/lamps.md), as few as possible.

A hint that is a pattern costs Asterisk nothing until somebody watches one of its numbers; then it makes that number's hint.
The time of a dialplan reload grows with the square of the number of hints: ten thousand hints take 4 s, during
which calls wait.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from routing.numbering.value_types import Extension
from routing.tenant.tenant import Tenant


@dataclass(frozen=True, slots=True)
class Numbers:
    """Those that differ in the last digit: `stem` '20' and `digits` '13' are 201 and 203."""

    stem: str
    digits: str


@dataclass(frozen=True, slots=True)
class Lamps:
    """`users`: numbers whose users have devices of these names; `slots`: of a lot of that name; `agents`: their extensions."""

    users: tuple[tuple[Numbers, tuple[str, ...]], ...]
    slots: tuple[tuple[Numbers, str], ...]
    agents: tuple[Numbers, ...]


def lamps_of(tenant: Tenant) -> Lamps:
    by_devices: dict[tuple[str, ...], list[Extension]] = {}
    for extension, user in tenant.users.items():
        by_devices.setdefault(tuple(user.devices), []).append(extension)
    return Lamps(
        users=tuple((numbers, devices) for devices, extensions in by_devices.items() for numbers in together(extensions)),
        slots=tuple((numbers, lot.name) for lot in tenant.lots for numbers in together(lot.slots)),
        agents=tuple(together(tenant.agents)) if tenant.codes.pause else (),
    )


def together(extensions: Iterable[Extension]) -> Iterator[Numbers]:
    digits: dict[str, list[str]] = {}
    for extension in extensions:
        digits.setdefault(extension[:-1], []).append(extension[-1])
    for stem, last in digits.items():
        yield Numbers(stem, "".join(sorted(last)))
