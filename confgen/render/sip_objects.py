"""Asterisk's SIP objects as the tenants' own rendered files define them, which people read. Asterisk reads none of these: most
objects are in a database (confgen/publish/sip_database.py), the others in one file for each of their types
(asterisk-conf/sorcery.conf).

Asterisk asks every file that it knows for every type of object, and finds a file by going through all it knows: with a file
for each of a thousand tenants a reload takes 7 s, even of nothing.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

IN_FILES = ("identify", "registration")
TYPES = ("endpoint", "auth", "aor", *IN_FILES)
_BEGIN = re.compile(r"^(?=\[)", re.MULTILINE)
_TYPE = re.compile(r"^type = ([a-z]+)$", re.MULTILINE)
_COMMENT = re.compile(r"^;.*\n", re.MULTILINE)
_HEAD = "; All tenants'. Rendered, of the files in ../pjsip.\n"
_TENANT = "; From "           # no value can hold a semicolon
Key = tuple[str, str]         # the type and the name


@dataclass(frozen=True, slots=True)
class Section:
    """One SIP object. Objects of several kinds may have the same name."""

    kind: str
    name: str
    text: str

    @property
    def key(self) -> Key:
        return self.kind, self.name


def sections_of(files: Mapping[str, str]) -> list[Section]:
    """All that the rendered `pjsip/<tenant>.conf` define. Raises KeyError where a section has no type that is known."""
    return [section for path in sorted(files) if path.startswith("pjsip/") for section in _sections(files[path])]


def by_type(before: Mapping[str, str], changed: Mapping[str, str], gone: Collection[str]) -> dict[str, str]:
    """`sip/<type>.conf` for each type that is in files, from those of the revision before and from the `pjsip/<tenant>.conf`
    that changed or are gone since. Where the revision before has not got them as it should, they are made of all tenants'."""
    tenants = {path for path in before if path.startswith("pjsip/")}
    old = {kind: _by_tenant(before.get(f"sip/{kind}.conf", "")) for kind in IN_FILES}
    if any(its.keys() != tenants for its in old.values()):
        changed = {**{path: before[path] for path in tenants}, **changed}
    new = {path: list(_sections(text)) for path, text in changed.items()}
    return {f"sip/{kind}.conf": _HEAD + "".join(
        f"{_TENANT}{path}\n{text}" for path, text in sorted({**old[kind], **_of_kind(new, kind)}.items()) if path not in gone)
        for kind in IN_FILES}


def _by_tenant(text: str) -> dict[str, str]:
    """The tenants' parts of one such file."""
    parts = (part.partition("\n") for part in text.split(_TENANT)[1:])
    return {path: sections for path, _, sections in parts}


def _of_kind(sections: Mapping[str, Sequence[Section]], kind: str) -> dict[str, str]:
    return {path: "".join(each.text for each in its if each.kind == kind) for path, its in sections.items()}


def endpoints_in(files: Mapping[str, str]) -> set[str]:
    """The names of the endpoints."""
    return {section.name for section in sections_of(files) if section.kind == "endpoint"}


def _sections(text: str) -> Iterator[Section]:
    for part in _BEGIN.split(_COMMENT.sub("", text))[1:]:
        kind = _TYPE.search(part)
        if not kind or kind.group(1) not in TYPES:
            raise KeyError(f"found {part[:60]!r}, expected a section with a type of {', '.join(TYPES)}")
        yield Section(kind.group(1), part[1:part.index("]")], part.rstrip("\n") + "\n")
