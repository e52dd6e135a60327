"""Starts the services that a running instance consists of."""

import asyncio

import uvloop

from agi import decision_service
from agi.decision_service import DecisionService
from agi.published import Published
from centralka.log import configure_log
from centralka.settings import Settings
from store.live import DeviceFollower


def run_agi(settings: Settings) -> None:
    """The FastAGI decision service."""

    async def run() -> None:
        async with DeviceFollower(settings.redis_url) as devices:
            service = DecisionService(Published(settings.home), devices.devices, settings.asterisk_home)
            await decision_service.serve(service, settings.agi_address, settings.agi_port)

    configure_log()
    uvloop.run(run())
