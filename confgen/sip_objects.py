"""Asterisk's SIP objects of all tenants, in one file for each of their types (asterisk-conf/sorcery.conf).

Asterisk asks every file that it knows for every type of object, and finds a file by going through all it knows: with a file
for each of a thousand tenants a reload takes 7 s, even of nothing. These are made of the tenants' own, which people read.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

TYPES = ("endpoint", "auth", "aor", "identify", "registration")
_BEGIN = re.compile(r"^(?=\[)", re.MULTILINE)
_TYPE = re.compile(r"^type = ([a-z]+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Section:
    """One SIP object. Objects of several kinds may have the same name."""

    kind: str
    name: str
    text: str


def sections_of(files: Mapping[str, str]) -> list[Section]:
    """All that the rendered `pjsip/<tenant>.conf` define. Raises KeyError where a section has no type that is known."""
    return [section for path in sorted(files) if path.startswith("pjsip/") for section in _sections(files[path])]


def by_type(files: Mapping[str, str]) -> dict[str, str]:
    """`sip/<type>.conf` for each type."""
    found: dict[str, list[str]] = {kind: ["; All tenants'. Rendered, of the files in ../pjsip.\n"] for kind in TYPES}
    for section in sections_of(files):
        found[section.kind].append(section.text)
    return {f"sip/{kind}.conf": "".join(texts) for kind, texts in found.items()}


def endpoints_in(files: Mapping[str, str]) -> set[str]:
    """The names of the endpoints."""
    return {section.name for section in sections_of(files) if section.kind == "endpoint"}


def _sections(text: str) -> Iterator[Section]:
    for part in _BEGIN.split(text)[1:]:
        kind = _TYPE.search(part)
        if not kind or kind.group(1) not in TYPES:
            raise KeyError(f"found {part[:60]!r}, expected a section with a type of {', '.join(TYPES)}")
        yield Section(kind.group(1), part[1:part.index("]")], part.rstrip("\n") + "\n")
