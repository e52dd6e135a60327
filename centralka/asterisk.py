"""The running Asterisk as publishing knows it: its command line over AMI."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from agi.ami_client import AmiClient, AmiError
from centralka.settings import AMI_CLI_USER, Settings
from confgen.publish import AsteriskRefused
from confgen.secrets import load_secrets


class RunningAsterisk:
    """The command line of Asterisk over AMI, with the errors that publishing knows."""

    def __init__(self, ami: AmiClient) -> None:
        self._ami = ami

    async def command(self, text: str) -> str:
        try:
            return await self._ami.command(text)
        except AmiError as error:
            raise AsteriskRefused(str(error)) from None


@asynccontextmanager
async def running_asterisk(settings: Settings) -> AsyncIterator[RunningAsterisk | None]:
    """The instance's Asterisk over AMI; None when none runs."""
    try:
        _, writer = await asyncio.open_connection(settings.ami_address, settings.ami_port)
    except OSError:
        yield None
        return
    writer.close()
    secret = load_secrets(settings.home / "secrets.json").ami_cli
    async with AmiClient(settings.ami_address, settings.ami_port, AMI_CLI_USER, secret) as ami:
        yield RunningAsterisk(ami)
