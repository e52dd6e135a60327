"""`centralka rotate`: a device gets another password, and the old one goes once the device has used the new one."""

import asyncio
import difflib
import fcntl
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Annotated

import typer

from centralka.asterisk import RunningAsterisk, running_asterisk
from centralka.cli import configuration
from centralka.cli.terminal import errors_reported, load_instance, out
from centralka.settings import Settings
from confgen.publish.asterisk_reload import AsteriskRefused
from confgen.publish.publishing import locked
from confgen.secrets import Secrets, load_secrets, save_secrets
from routing.numbering.endpoint import UserDevice

MODULE = "res_pjsip_authenticator_digest"
LEVEL = 4              # level of debug messages that name the endpoint's password that matched
WATCHED = "rotation"   # the log file that they go to, as long as it is watched
PAUSE_S = 0.5


def rotate(
    context: typer.Context, tenant: Annotated[str, typer.Argument(help="Such as acme.")],
    device: Annotated[str, typer.Argument(help="Such as 201-desk.")],
    minutes: Annotated[float, typer.Option(min=0.0, max=1440.0, help="How long to wait for the device to use it.")] = 10.0,
) -> None:
    """Exit code 2 if the device has not used the new password in time; run again, the command goes on waiting."""
    settings = load_instance(context)
    with errors_reported():
        endpoint = _endpoint(settings, tenant, device)

    async def run() -> bool:
        with _alone(settings, endpoint):
            return await rotate_alone()

    async def rotate_alone() -> bool:
        async with running_asterisk(settings) as asterisk:
            if asterisk is None:
                raise AsteriskRefused("no Asterisk runs here: nothing would tell whether the device has used the new password")
            await _change(settings, tenant, lambda secrets: secrets.with_next_sip(endpoint), asterisk)
            async with _logged_registrations(settings, asterisk) as lines:
                await asterisk.command(f"pjsip send notify check-sync endpoint {endpoint}")
                try:
                    async with asyncio.timeout(minutes * 60):
                        await _used(lines, endpoint)
                except TimeoutError:
                    return False
            await _change(settings, tenant, lambda secrets: secrets.rotated(endpoint), asterisk)
            return True

    with errors_reported(), out.status(f"Waiting for {endpoint} to use its new password..."):
        is_used = asyncio.run(run())
    if is_used:
        out.print(f"{endpoint} has used its new password; the old one is refused from now on")
    else:
        out.print(f"{endpoint} has not used its new password in {minutes:g} minutes: both are right; run this again to go on")
        raise typer.Exit(2)


def _endpoint(settings: Settings, tenant: str, device: str) -> str:
    """Raises LookupError where no such device is published."""
    found = configuration.published_tenants(settings).get(tenant)
    if found is None:
        raise LookupError(f"no tenant {tenant!r} is published")
    devices = [str(UserDevice(extension, name)) for extension, user in found.users.items() for name in user.devices]
    if device not in devices:
        close = difflib.get_close_matches(device, devices, n=3)
        raise LookupError(f"{tenant} has no device {device!r}, expected one such as {', '.join(close or devices[:3])}")
    return found.endpoint_of(device)


async def _change(settings: Settings, tenant: str, change: Callable[[Secrets], Secrets], asterisk: RunningAsterisk) -> None:
    file = settings.home / "secrets.json"
    with locked(settings.home):
        before = load_secrets(file)
        after = change(before)
        save_secrets(file, after)
        try:
            await configuration.republish(tenant, after, settings, asterisk)
        except BaseException:
            save_secrets(file, before)
            raise


@contextmanager
def _alone(settings: Settings, endpoint: str) -> Iterator[None]:
    """One rotation at a time: they share a log and the level of its messages. Raises BlockingIOError during another one."""
    with open(settings.home / "published" / ".rotation", "a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            other = lock.read() or "another device"
            why = f"another command waits for {other}; try again later"
            raise BlockingIOError(f"{endpoint} has not been changed: {why}") from None
        lock.truncate(0)
        lock.write(endpoint)
        lock.flush()
        yield


@asynccontextmanager
async def _logged_registrations(settings: Settings, asterisk: RunningAsterisk) -> AsyncIterator[Path]:
    """Makes Asterisk log to a file which password each request was authenticated with."""
    file = settings.home / "log" / WATCHED
    await asterisk.command(f"logger remove channel {WATCHED}")      # of a command that was killed, and its file
    file.unlink(missing_ok=True)
    await asterisk.command(f"logger add channel {WATCHED} debug")
    await asterisk.command(f"core set debug {LEVEL} {MODULE}.so")
    try:
        yield file
    finally:
        await asterisk.command(f"core set debug 0 {MODULE}.so")
        await asterisk.command(f"logger remove channel {WATCHED}")
        file.unlink(missing_ok=True)


async def _used(file: Path, endpoint: str) -> None:
    """Returns when the endpoint has authenticated with its second password."""
    right = re.compile(rf" {re.escape(endpoint)}:{re.escape(endpoint)}-next:.* Result: SUCCESS")
    read = 0
    while True:
        new = await asyncio.to_thread(_whole_lines, file, read)
        read += len(new)
        if right.search(new.decode(errors="replace")):
            return
        await asyncio.sleep(PAUSE_S)


def _whole_lines(file: Path, start: int) -> bytes:
    """The content of the file from that position on, up to the last line end."""
    if not file.exists():
        return b""
    with open(file, "rb") as log:
        log.seek(start)
        new = log.read()
    return new[:new.rfind(b"\n") + 1]
