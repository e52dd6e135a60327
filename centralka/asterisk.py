"""The running Asterisk for publishing: its command line over AMI."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ami.client import ACTION_LIMIT_S, AmiClient, AmiError
from centralka.settings import AMI_CLI_USER, Settings
from confgen.publish.asterisk_reload import AsteriskRefused
from confgen.render.dialplan import DialplanLine
from confgen.secrets import load_secrets

RELOAD_LIMIT_S = 180.0      # grows with the square of the number of endpoints


class RunningAsterisk:
    """The command line of Asterisk over AMI, with the errors that publishing knows. It answers one connection's commands one
    after the other, so what takes long has another connection."""

    def __init__(self, ami: AmiClient, reloading: AmiClient) -> None:
        self._ami, self._reloading = ami, reloading

    async def command(self, text: str) -> str:
        try:
            return await self._ami.command(text)
        except AmiError as error:
            raise AsteriskRefused(str(error)) from None

    async def reload(self, text: str) -> None:
        try:
            await self._reloading.command(text, RELOAD_LIMIT_S)
        except AmiError as error:
            raise AsteriskRefused(str(error)) from None

    async def add(self, line: DialplanLine) -> None:
        what = {"Application": line.application, "ApplicationData": line.data, "Replace": "yes"}
        await self._change_dialplan("DialplanExtensionAdd", line, **what)

    async def remove(self, line: DialplanLine) -> None:
        await self._change_dialplan("DialplanExtensionRemove", line)

    async def _change_dialplan(self, action: str, line: DialplanLine, **what: str) -> None:
        where = {"Context": line.context, "Extension": line.extension, "Priority": line.priority}
        try:
            await self._ami.action(action, ACTION_LIMIT_S, **where, **what)
        except AmiError as error:
            raise AsteriskRefused(f"{error} ({line})") from None


@asynccontextmanager
async def running_asterisk(settings: Settings) -> AsyncIterator[RunningAsterisk | None]:
    """The instance's Asterisk over AMI; None when none runs."""
    try:
        _, writer = await asyncio.open_connection(settings.ami_address, settings.ami_port)
    except OSError:
        yield None
        return
    writer.close()
    login = settings.ami_address, settings.ami_port, AMI_CLI_USER, load_secrets(settings.home / "secrets.json").ami_cli
    async with AmiClient(*login) as ami, AmiClient(*login) as reloading:
        yield RunningAsterisk(ami, reloading)
