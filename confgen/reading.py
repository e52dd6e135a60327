"""How Asterisk comes to read a revision, and to say that it took it."""

import asyncio
import sqlite3
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Protocol

from confgen.dialplan import Line, More, more
from confgen.realtime import ADDED, added, can_be_added, write_added, write_mailboxes
from confgen.revision import Revision
from confgen.sip_objects import Section, sections_of
from routing.endpoint import tenant_of

MARKER, MARKED = "extensions/00-revision.conf", "centralka-revision"      # the file and its context
VERIFY_LIMIT_S = 5.0       # a reload answers before it has happened
VERIFY_PAUSE_S = 0.03
MANY_ENDPOINTS = 100       # to ask for each takes longer than to list all

DIALPLAN = "dialplan reload"
RELOAD_ALL = "module reload res_pjsip.so"
MAILBOXES_OF_PHONES = "module reload res_pjsip_mwi.so"      # looked up by each phone when it registers
WATCH = "pjsip reload qualify aor {}"       # before its phone registers: from then on its state is known
ADDED_AT_MOST = 20         # to watch each takes a third of a reload, but no call waits for it
LINES_AT_MOST = 200        # to add each takes a millisecond
Objects = Mapping[tuple[str, str], Section]

RELOADS: dict[str, tuple[str, ...]] = {
    "extensions": (DIALPLAN,),
    "parking": ("module reload res_parking.so",),
    "features": ("module reload features",),
    "voicemail": (),       # write_mailboxes is enough
    "musiconhold": ("moh reload",),
    "queuerules": ("queue reload rules",),
    "queues": ("queue reload all",),
    "pjsip": (
        RELOAD_ALL, "module reload res_pjsip_endpoint_identifier_ip.so",
        "module reload res_pjsip_outbound_registration.so", MAILBOXES_OF_PHONES),
}
"""Which commands make Asterisk read a folder of rendered files again; the longest are last."""
READ_BY = {
    RELOAD_ALL: ("sip/endpoint.conf", "sip/auth.conf", "sip/aor.conf"),
    "module reload res_pjsip_endpoint_identifier_ip.so": ("sip/identify.conf",),
    "module reload res_pjsip_outbound_registration.so": ("sip/registration.conf",),
}
"""Commands that nothing needs unless one of these files changed."""


class AsteriskRefused(Exception):
    """Asterisk did not take what was published; the revision before it is current again."""


class Asterisk(Protocol):
    """The running Asterisk."""

    async def command(self, text: str) -> str:
        """What its command line answers. Raises AsteriskRefused when the command fails or nobody answers."""

    async def reload(self, text: str) -> None:
        """Runs a command that may take long; `command` is answered meanwhile. Raises AsteriskRefused."""

    async def add(self, line: Line) -> None:
        """Adds a line to the dialplan. Raises AsteriskRefused."""

    async def remove(self, line: Line) -> None:
        """Raises AsteriskRefused."""


def changed_paths(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path)))


def is_read_by_asterisk(path: str) -> bool:
    """The others are read by our services."""
    return path.partition("/")[0] in RELOADS


def marker_of(files: Mapping[str, str]) -> str:
    """What names in the dialplan the last revision that had something new for Asterisk."""
    return files[MARKER].split("exten => ")[1].split(",")[0]


class Reading:
    """Has Asterisk read what changed from `before` to `after`, or everything if it never got the whole of `before`: a publish
    was killed (`was_completed` is false), or it was starting.

    A few SIP objects more are found in the database at once, and a few lines more of the dialplan are added to it. For every
    other change of them Asterisk has to go through all there are, which takes long; some calls wait for it.
    """

    def __init__(self, home: Path, asterisk: Asterisk, before: Revision, after: Revision, *, was_completed: bool) -> None:
        self.folders: tuple[str, ...] = ()
        self._was_completed = was_completed
        self._home, self._asterisk, self._before, self._after = home, asterisk, before, after
        self._reloading: asyncio.Task[None] | None = None

    async def taken(self) -> None:
        """Returns once Asterisk has everything. Raises AsteriskRefused. Either way `ended` is still to be waited for."""
        is_known = self._was_completed and await self._has_marker(self._before)
        changed = self._before.changed(self._after) if is_known else tuple(self._after)
        self.folders = tuple(
            folder for folder in RELOADS if not is_known or any(path.startswith(f"{folder}/") for path in changed))
        commands = [command for folder in self.folders for command in RELOADS[folder]
                    if not is_known or command not in READ_BY or set(READ_BY[command]) & set(changed)]
        if "voicemail" in self.folders:
            mailboxes = [path for path in changed if path.startswith("voicemail/")]
            write_mailboxes(self._home, self._after, mailboxes if is_known else None)
        old, new = (
            {(section.kind, section.name): section for section in sections_of(
                {path: files[path] for path in changed if path in files})} for files in (self._before, self._after))
        if is_known and _mailboxes(old, new) == _mailboxes(new, old):
            commands = [command for command in commands if command != MAILBOXES_OF_PHONES]
        if RELOAD_ALL in commands:
            commands = self._without_reload(commands, old, new) if is_known else commands
        if DIALPLAN in commands and is_known and (lines := self._more(changed)):
            commands.remove(DIALPLAN)
            for line in lines.lines:
                await self._asterisk.add(line)
            for line in lines.replaced:
                await self._asterisk.remove(line)
        own = set(RELOADS["pjsip"]) | {command for command in commands if command.startswith(WATCH.format(""))}
        for command in commands:
            if command not in own:
                await self._asterisk.reload(command)
        self._reloading = asyncio.create_task(self._reload([command for command in commands if command in own]))
        come, gone = ({name for kind, name in one.keys() - other.keys() if kind == "endpoint"}
                      for one, other in ((new, old), (old, new)))
        await self._verify(self._reloading, come, gone)

    async def ended(self) -> str:
        """Waits for the last reload; says what did not go well in them."""
        if self._reloading is None:
            return ""
        try:
            await self._reloading
        except (AsteriskRefused, OSError, sqlite3.Error) as problem:
            return str(problem)
        return ""

    def _more(self, changed: Collection[str]) -> More | None:
        """What the dialplan has more than before, if that is all, and little. The marker of the revision comes last."""
        lines, replaced = list[Line](), list[Line]()
        for path in changed:
            if path.startswith("extensions/") and path != MARKER:
                both = path in self._before and path in self._after
                found = more(self._before[path], self._after[path]) if both else None
                if not found:
                    return None
                lines += found.lines
                replaced += found.replaced
        if len(lines) > LINES_AT_MOST or MARKER not in self._after:
            return None
        markers = (Line(MARKED, marker_of(files), "1", "NoOp") for files in (self._after, self._before))
        return More((*lines, next(markers)), (*replaced, next(markers)))

    def _without_reload(self, commands: list[str], old: Objects, new: Objects) -> list[str]:
        """The commands without the long one, if objects were only added, and few: they are in the database then."""
        come = [new[key] for key in new.keys() - old.keys() if key[0] in ADDED]
        phones = [section.name for section in come if section.kind == "aor"]
        is_more = all(key[0] not in ADDED or new.get(key) == section for key, section in old.items())
        if not is_more or len(phones) > ADDED_AT_MOST or not all(can_be_added(section) for section in come):
            return commands
        write_added(self._home, [*self._added_of(self._before), *come])
        return [*(command for command in commands if command != RELOAD_ALL), *(WATCH.format(name) for name in phones)]

    def _added_of(self, files: Revision) -> list[Section]:
        """Those objects in the database that the revision has, too."""
        there = added(self._home)
        paths = {f"pjsip/{tenant_of(name)}.conf" for name in there} & files.keys()
        return [section for section in sections_of({path: files[path] for path in paths}) if section.name in there]

    async def _reload(self, commands: list[str]) -> None:
        if RELOAD_ALL in commands:
            write_added(self._home, self._added_of(self._after))
        for command in commands:
            await self._asterisk.reload(command)
        if RELOAD_ALL in commands:
            write_added(self._home, ())

    async def _verify(self, reloading: "asyncio.Task[None]", come: set[str], gone: set[str]) -> None:
        if len(come | gone) > MANY_ENDPOINTS:
            await asyncio.wait([reloading])
        deadline = float("inf")
        while wrong := await self._what_is_wrong(come, gone):
            if reloading.done():
                reloading.result()
                now = asyncio.get_running_loop().time()
                deadline = min(deadline, now + VERIFY_LIMIT_S)
                if now > deadline:
                    raise AsteriskRefused(wrong)
            await asyncio.sleep(VERIFY_PAUSE_S)

    async def _what_is_wrong(self, come: set[str], gone: set[str]) -> str:
        """What Asterisk has not taken yet, '' when it has everything."""
        if not await self._has_marker(self._after):
            return "Asterisk did not take the new dialplan; its log says why"
        present = await self._present(come | gone)
        if missing := come - present:
            return f"Asterisk did not take the endpoints {', '.join(sorted(missing)[:10])}; its log says why"
        if left := gone & present:
            return f"Asterisk still has the endpoints {', '.join(sorted(left)[:10])}"
        return ""

    async def _has_marker(self, files: Revision) -> bool:
        """Whether Asterisk runs the dialplan of this revision."""
        return MARKER in files and f"'{marker_of(files)}'" in await self._answer(f"dialplan show {MARKED}")

    async def _present(self, endpoints: set[str]) -> set[str]:
        """Those of the endpoints that Asterisk has."""
        if len(endpoints) > MANY_ENDPOINTS:
            listed = await self._answer("pjsip list endpoints")
            return {line.split()[1].split("/")[0] for line in listed.splitlines() if line.split()[:1] == ["Endpoint:"]}
        return {name for name in endpoints if "Endpoint:" in await self._answer(f"pjsip show endpoint {name}")}

    async def _answer(self, text: str) -> str:
        """'' where Asterisk says that there is no such thing."""
        try:
            return await self._asterisk.command(text)
        except AsteriskRefused:
            return ""


def _mailboxes(objects: Objects, others: Objects) -> dict[tuple[str, str], list[str]]:
    """Whose lamp tells of which, of the endpoints that are among the others too."""
    return {key: [line for line in section.text.splitlines() if line.startswith("mailboxes")]
            for key, section in objects.items() if key in others}
