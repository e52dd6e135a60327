"""The Debian mirror the host itself uses, read from its apt sources."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class AptSource:
    """One archive of an apt source."""

    uri: str
    suites: frozenset[str]
    components: frozenset[str]


def parse_deb822(text: str) -> Iterator[AptSource]:
    """The archives in a `.sources` file (sources.list(5), DEB822 style)."""
    for stanza in text.split("\n\n"):
        fields: dict[str, str] = {}
        name = ""
        for line in stanza.splitlines():
            if line.startswith("#"):
                continue
            if line[:1].isspace():
                fields[name] = f"{fields.get(name, '')} {line.strip()}"
            elif ":" in line:
                name, _, value = line.partition(":")
                name = name.strip().lower()
                fields[name] = value.strip()
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes").lower() == "no":
            continue
        for uri in fields.get("uris", "").split():
            yield AptSource(uri, frozenset(fields.get("suites", "").split()), frozenset(fields.get("components", "").split()))


def parse_one_line(text: str) -> Iterator[AptSource]:
    """The archives in a `.list` file (sources.list(5), one-line style)."""
    for line in text.splitlines():
        kind, _, rest = line.partition("#")[0].strip().partition(" ")
        if kind != "deb":
            continue
        rest = rest.strip()
        if rest.startswith("["):
            rest = rest.partition("]")[2].strip()
        uri, *words = rest.split() or [""]
        if len(words) >= 2:
            yield AptSource(uri, frozenset(words[:1]), frozenset(words[1:]))


def choose(sources: Iterable[AptSource], codename: str) -> str | None:
    """The first archive that carries main of the host's own release over HTTP: the full archive, not updates or security."""
    for source in sources:
        if codename in source.suites and "main" in source.components and source.uri.startswith(("http://", "https://")):
            return source.uri
    return None


def find_mirror(etc: Path = Path("/etc")) -> str | None:
    """The mirror to build roots from; None leaves it to mmdebstrap. DEBIAN_MIRROR decides where it is set."""
    if forced := os.environ.get("DEBIAN_MIRROR"):
        return forced
    release = etc / "os-release"
    names = dict(line.split("=", 1) for line in release.read_text().splitlines() if "=" in line) if release.exists() else {}
    codename = names.get("VERSION_CODENAME", "").strip('"')
    apt = etc / "apt"
    lists = [path for path in (apt / "sources.list", *sorted((apt / "sources.list.d").glob("*.list"))) if path.is_file()]
    sources = [source for path in lists for source in parse_one_line(path.read_text())]
    for path in sorted((apt / "sources.list.d").glob("*.sources")):
        sources.extend(parse_deb822(path.read_text()))
    return choose(sources, codename)
