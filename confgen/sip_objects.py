"""Asterisk's SIP objects of all tenants, in one file for each of their types (asterisk-conf/sorcery.conf).

Asterisk asks every file that it knows for every type of object, and finds a file by going through all it knows: with a file
for each of a thousand tenants a reload takes 7 s, even of nothing. These are made of the tenants' own, which people read.
"""

import re
from collections.abc import Iterator, Mapping

TYPES = ("endpoint", "auth", "aor", "identify", "registration")
_BEGIN = re.compile(r"^(?=\[)", re.MULTILINE)
_TYPE = re.compile(r"^type = ([a-z]+)$", re.MULTILINE)


def by_type(files: Mapping[str, str]) -> dict[str, str]:
    """`sip/<type>.conf` for each type, of all the rendered `pjsip/<tenant>.conf`."""
    found: dict[str, list[str]] = {kind: ["; All tenants'. Rendered, of the files in ../pjsip.\n"] for kind in TYPES}
    for path in sorted(files):
        if path.startswith("pjsip/"):
            for kind, section in _sections(files[path]):
                found[kind].append(section)
    return {f"sip/{kind}.conf": "".join(sections) for kind, sections in found.items()}


def endpoints_in(files: Mapping[str, str]) -> dict[str, str]:
    """The endpoints that the rendered pjsip files define, with their sections."""
    sections = (each for path, text in files.items() if path.startswith("pjsip/") for each in _sections(text))
    return {section[1:section.index("]")]: section for kind, section in sections if kind == "endpoint"}


def _sections(text: str) -> Iterator[tuple[str, str]]:
    """Each section's type and text. Raises KeyError where a section has none that is known."""
    for part in _BEGIN.split(text)[1:]:
        section = part.rstrip("\n") + "\n"
        kind = _TYPE.search(section)
        if not kind or kind.group(1) not in TYPES:
            raise KeyError(f"found {section[:60]!r}, expected a section with a type of {', '.join(TYPES)}")
        yield kind.group(1), section
