"""Reloads: Asterisk takes the rows and files in which a revision differs from the one before, and confirms it.

SIP objects and mailboxes are written to the database, and Asterisk drops its copies; a few lines of the dialplan are changed
one by one over AMI; everything else is a reload of the module that reads the changed files.
"""

import asyncio
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Protocol

from confgen.publish.dialplan_changes import Difference, difference, together
from confgen.publish.revision import Revision
from confgen.publish.sip_database import TABLES, is_complete, make_database, write_all_objects, write_mailboxes, write_objects
from confgen.render import dialplan
from confgen.render.dialplan import Context, DialplanExtension, DialplanLine, step
from confgen.render.sip_objects import Aor, Auth, Endpoint, Key, OutboundRegistration, SipObject, key_of, objects_in
from confgen.render.tenant_files import without_rows

MARKER, MARKED = "extensions/00-revision.json", "centralka-revision"      # the file of its rows, and its context
DIGITS = 12      # of a hash: a marker holds two, that of what no tenant changes first
VERIFY_LIMIT_S = 5.0       # a reload answers before it has happened
VERIFY_PAUSE_S = 0.03
MANY_ENDPOINTS = 100       # to ask for each takes longer than to list all

DIALPLAN = "dialplan reload"
WATCH_ALL = "module reload res_pjsip.so"
MAILBOXES_OF_PHONES = "module reload res_pjsip_mwi.so"      # looked up by each phone when it registers
WATCH = "pjsip reload qualify aor {}"       # before its phone registers: from then on its state is known
WATCHED_AT_MOST = 3        # to watch one that is new takes half as long as to watch all
REGISTER = "pjsip send register {}"      # one that was refused for its password is not tried again otherwise
FORGET = "sorcery memory cache expire res_pjsip/{} {}"      # an object that Asterisk keeps; without a name all of its type
FORGOTTEN_AT_MOST, LINES_AT_MOST = 200, 200         # each takes a millisecond
Objects = Mapping[Key, SipObject]

RELOADS: dict[str, tuple[str, ...]] = {
    "extensions": (DIALPLAN,),
    "parking": ("module reload res_parking.so",),
    "features": ("module reload features",),
    "voicemail": (),       # write_mailboxes is enough
    "musiconhold": ("moh reload",),
    "queuerules": ("queue reload rules",),
    "queues": ("queue reload all",),
    "pjsip": (
        WATCH_ALL, "module reload res_pjsip_endpoint_identifier_ip.so",
        "module reload res_pjsip_outbound_registration.so", MAILBOXES_OF_PHONES),      # what is in the database is looked up
}
"""Which commands make Asterisk read a folder of rendered files again; the longest are last."""
READ_BY = {
    "module reload res_pjsip_endpoint_identifier_ip.so": "sip/identify.conf",
    "module reload res_pjsip_outbound_registration.so": "sip/registration.conf",
}
"""Commands that nothing needs unless this file changed."""


class AsteriskRefused(OSError):
    """Asterisk refused the published revision; the previous revision is current again."""


class Asterisk(Protocol):
    """The running Asterisk."""

    async def command(self, text: str) -> str:
        """The answer of its command line. Raises AsteriskRefused when the command fails or nobody answers."""

    async def reload(self, text: str) -> None:
        """Runs a command that may take long; `command` is answered meanwhile. Raises AsteriskRefused."""

    async def add(self, line: DialplanLine) -> None:
        """Puts a line into the dialplan, in the place of the one that has its priority. Raises AsteriskRefused."""

    async def remove(self, line: DialplanLine) -> None:
        """Raises AsteriskRefused."""


def changed_paths(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path)))


def is_read_by_asterisk(path: str) -> bool:
    """The others are read by our services."""
    return path.partition("/")[0] in RELOADS


def marker_files(marker: str) -> dict[str, str]:
    """The files of a context whose one extension names the last revision that had something new for Asterisk."""
    contexts = [Context(MARKED, (DialplanExtension(marker, (step("NoOp"),)),))]
    return {MARKER: dialplan.dump(contexts), MARKER.replace(".json", ".conf"): dialplan.text_of(contexts)}


def marker_of(files: Mapping[str, str]) -> str:
    """The name of that extension; '' in a revision without one, or of a version of Centralka that kept no rows."""
    return dialplan.load(files[MARKER])[0].extensions[0].pattern if MARKER in files else ""


def own_part_of(files: Mapping[str, str]) -> str:
    """The part of the marker that stands for the configuration that no tenant changes."""
    return marker_of(files)[:DIGITS]


class Reading:
    """Has Asterisk read what changed from `before` to `after`, or everything if it never got the whole of `before`: a publish
    was killed (`was_completed` is false), or it was starting.

    SIP objects are in the database, where Asterisk finds them once it has forgotten what it had of them; a few lines of the
    dialplan are changed one by one. To go through all tenants' takes long, and some calls wait for it.
    """

    def __init__(self, home: Path, asterisk: Asterisk, before: Revision, after: Revision, *, was_completed: bool) -> None:
        self.folders: tuple[str, ...] = ()
        self._was_completed = was_completed
        self._home, self._asterisk, self._before, self._after = home, asterisk, before, after
        self._reloading: asyncio.Task[None] | None = None

    async def taken(self) -> None:
        """Returns once Asterisk has everything. Raises AsteriskRefused. Either way `ended` is still to be waited for."""
        is_known = (self._was_completed and is_complete(self._home) and not without_rows(self._before)
                    and await self._has_marker(self._before))
        changed = self._before.changed(self._after) if is_known else tuple(self._after)
        self.folders = tuple(
            folder for folder in RELOADS if not is_known or any(path.startswith(f"{folder}/") for path in changed))
        commands = [command for folder in self.folders for command in RELOADS[folder]
                    if not is_known or READ_BY.get(command) in (None, *changed)]
        if not is_known:
            make_database(self._home, self._after)
        if "voicemail" in self.folders:
            mailboxes = [path for path in changed if path.startswith("voicemail/")]
            write_mailboxes(self._home, self._after, mailboxes if is_known else None)
        old, new = (_objects({path: files[path] for path in changed if path in files}) for files in (self._before, self._after))
        another = [key for key in new if old.get(key) != new[key]]
        gone = [key for key in old if key not in new]
        if is_known:
            commands = list(_without_those_for_all(commands, old, new))
        if DIALPLAN in commands and is_known and (lines := self._lines(changed)):
            commands.remove(DIALPLAN)
            await self._change_dialplan(lines)
        with_another = self._with_another_password(changed, another)
        commands += [REGISTER.format(name) for name in with_another if (Auth.kind, name) in old]
        phones = (*RELOADS["pjsip"], WATCH.format(""), REGISTER.format(""))
        own = {command for command in commands if command.startswith(phones)}
        for command in commands:
            if command not in own:
                await self._asterisk.reload(command)
        # After the dialplan: an object may name a context that has just come.
        if is_known:
            write_objects(self._home, [new[key] for key in another], gone)
        else:
            write_all_objects(self._home, self._after)
        forgotten = [*another, *gone] if is_known else None
        await self._forget(forgotten)
        self._reloading = asyncio.create_task(self._reload([command for command in commands if command in own]))
        here, away = ({name for kind, name in keys if kind == Endpoint.kind} for keys in (another, gone))
        await self._verify(self._reloading, here, away)
        await self._forget(forgotten)        # if something had read one before it was written, and kept it after the first time

    async def ended(self) -> str:
        """Waits for the last reload; returns the problems of all reloads."""
        if self._reloading is None:
            return ""
        try:
            await self._reloading
        except AsteriskRefused as problem:
            return str(problem)
        return ""

    def _with_another_password(self, changed: Collection[str], another: Collection[Key]) -> list[str]:
        """Names of the trunk registrations whose password is in `another`."""
        files = {path: self._after[path] for path in changed if path in self._after}
        registrations = objects_in(files, [OutboundRegistration.kind])
        return [row.name for row in registrations if (Auth.kind, row.name) in another]

    def _lines(self, changed: Collection[str]) -> Difference | None:
        """The difference of the dialplan, None if it is large. The marker of the revision comes last."""
        if own_part_of(self._before) != own_part_of(self._after):
            return None
        differences = []
        for path in changed:
            if path.startswith("extensions/") and path.endswith(".json") and path != MARKER:
                both = path in self._before and path in self._after
                found = difference(*(dialplan.load(files[path]) for files in (self._before, self._after))) if both else None
                if not found:
                    return None
                differences.append(found)
        all_files = together(differences)
        if len(all_files) > LINES_AT_MOST:
            return None
        markers = (DialplanLine(MARKED, marker_of(files), "1", "NoOp") for files in (self._after, self._before))
        return Difference((*all_files.lines, next(markers)), (*all_files.gone, next(markers)), all_files.watched)

    async def _change_dialplan(self, lines: Difference) -> None:
        for line in lines.lines:
            await self._asterisk.add(line)
        for line in lines.gone:
            await self._asterisk.remove(line)
        for line in lines.watched:
            if f"'{line.extension}' =>" in await self._answer(f"dialplan show {line.extension}@{line.context}"):
                await (self._asterisk.add if line.application else self._asterisk.remove)(line)

    async def _forget(self, keys: Collection[Key] | None) -> None:
        """Makes Asterisk drop its cached copies of these SIP objects, or of all."""
        if keys is None or len(keys) > FORGOTTEN_AT_MOST:
            keys = [(kind, "") for kind in TABLES]
        for kind, name in keys:
            await self._asterisk.command(FORGET.format(kind, name).rstrip())

    async def _reload(self, commands: list[str]) -> None:
        for command in commands:
            await self._asterisk.reload(command)

    async def _verify(self, reloading: "asyncio.Task[None]", here: set[str], away: set[str]) -> None:
        if len(here | away) > MANY_ENDPOINTS:
            await asyncio.wait([reloading])
        deadline = float("inf")
        while wrong := await self._what_is_wrong(here, away):
            if reloading.done():
                reloading.result()
                now = asyncio.get_running_loop().time()
                deadline = min(deadline, now + VERIFY_LIMIT_S)
                if now > deadline:
                    raise AsteriskRefused(wrong)
            await asyncio.sleep(VERIFY_PAUSE_S)

    async def _what_is_wrong(self, here: set[str], away: set[str]) -> str:
        """The part that Asterisk has not loaded yet; '' when it has everything."""
        if not await self._has_marker(self._after):
            return "Asterisk did not take the new dialplan; its log says why"
        present = await self._present(here | away)
        if missing := here - present:
            return f"Asterisk did not take the endpoints {', '.join(sorted(missing)[:10])}; its log says why"
        if left := away & present:
            return f"Asterisk still has the endpoints {', '.join(sorted(left)[:10])}"
        return ""

    async def _has_marker(self, files: Revision) -> bool:
        """True when Asterisk runs the dialplan of this revision."""
        return bool(marker_of(files)) and f"'{marker_of(files)}'" in await self._answer(f"dialplan show {MARKED}")

    async def _present(self, endpoints: set[str]) -> set[str]:
        """Those of the given endpoints that Asterisk has loaded."""
        if len(endpoints) > MANY_ENDPOINTS:
            listed = await self._answer("pjsip list endpoints")
            return {line.split()[1].split("/")[0] for line in listed.splitlines() if line.split()[:1] == ["Endpoint:"]}
        return {name for name in endpoints if "Endpoint:" in await self._answer(f"pjsip show endpoint {name}")}

    async def _answer(self, text: str) -> str:
        """The answer; '' for an object that Asterisk does not know."""
        try:
            return await self._asterisk.command(text)
        except AsteriskRefused:
            return ""


def _objects(files: Mapping[str, str]) -> Objects:
    """Those that are in the database."""
    return {key_of(row): row for row in objects_in(files, TABLES)}


def _without_those_for_all(commands: Collection[str], old: Objects, new: Objects) -> Iterator[str]:
    """The commands without those that go through all phones, where it is enough to have a few watched, or none."""
    watched = [row.name for key, row in new.items() if isinstance(row, Aor) and old.get(key) != row]
    # Asterisk continues to qualify the address of a removed trunk until it goes through all.
    is_left = any(key not in new and isinstance(row, Aor) and row.contact for key, row in old.items())
    changes_mailboxes = any(_mailboxes(old[key]) != _mailboxes(new[key]) for key in old.keys() & new.keys())
    for command in commands:
        if command == WATCH_ALL and len(watched) <= WATCHED_AT_MOST and not is_left:
            yield from (WATCH.format(name) for name in watched)
        elif command != MAILBOXES_OF_PHONES or changes_mailboxes:
            yield command


def _mailboxes(row: SipObject) -> str:
    """The mailbox whose lamp a device shows."""
    return row.mailboxes if isinstance(row, Endpoint) else ""
