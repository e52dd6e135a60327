"""Asterisk's device states, copied from AMI to Redis, and its boot time.

Only events and lists without text that a caller chose are read: AMI does not encode a line feed in a caller's number, so
the number can contain whole forged events. https://docs.asterisk.org/Configuration/Interfaces/Asterisk-Manager-Interface-AMI/
"""

import asyncio
from datetime import datetime

import structlog

from ami.client import AmiClient, AmiError, Message
from ami.records.calls import endpoint_of
from ami.view.boot_time import BootTime
from routing.call.facts import DeviceState
from store.live import LiveHash

log = structlog.get_logger()

# https://docs.asterisk.org/Latest_API/API_Documentation/Dialplan_Functions/DEVICE_STATE/
STATES = {
    "NOT_INUSE": DeviceState.IDLE,
    "RINGING": DeviceState.RINGING,
    "INUSE": DeviceState.IN_USE,
    "ONHOLD": DeviceState.IN_USE,
    "RINGINUSE": DeviceState.IN_USE,
    "BUSY": DeviceState.BUSY,
    "UNAVAILABLE": DeviceState.UNAVAILABLE,
    "INVALID": DeviceState.UNAVAILABLE,
    "UNKNOWN": DeviceState.UNKNOWN,
}
RETRY_S = 2.0


class LiveView:
    """Keeps `devices` as Asterisk reports them; while Asterisk is unreachable, they keep their last states."""

    def __init__(self, ami: AmiClient, devices: LiveHash) -> None:
        self._boot = BootTime()                      # of the Asterisk last connected to; up to a second too late
        self._ami, self._devices = ami, devices
        self._late: list[Message] | None = []        # events that arrive while a snapshot is taken
        ami.on_event("FullyBooted", self._note_boot)
        ami.on_event("DeviceStateChange", self._take)
        ami.on_event("Registry", _log_registration)

    @property
    def booted_at(self) -> datetime | None:
        return self._boot.earliest

    async def run(self) -> None:
        """Take a snapshot at each new connection. Never returns."""
        number = 0
        while True:
            number = await self._ami.connection_after(number)
            try:
                await self._take_snapshot()
            except AmiError as error:
                log.warning("devices_not_read", problem=str(error))
                number -= 1
                await asyncio.sleep(RETRY_S)
                continue

    async def _take_snapshot(self) -> None:
        self._late = []
        devices = await self._ami.listing("DeviceStateList", limit_s=30)
        late, self._late = self._late, None
        self._devices.values.clear()
        for event in (*devices, *late):
            self._set_device(event)
        self._devices.rewrite()
        log.info("devices_read", devices=len(self._devices.values))

    def _take(self, event: Message) -> None:
        if self._late is not None:
            self._late.append(event)
        else:
            self._set_device(event)

    def _set_device(self, event: Message) -> None:
        technology, _, endpoint = event.device.partition("/")
        if technology == "PJSIP" and endpoint:
            self._devices.put(endpoint, STATES.get(event.state, DeviceState.UNKNOWN).value)

    def _note_boot(self, event: Message) -> None:
        """FullyBooted, sent at the end of the boot and after each login."""
        self._boot.note(int(event.uptime))


def _log_registration(event: Message) -> None:
    log.info("registration", endpoint=endpoint_of(event.username), status=event.status, uri=event.domain)
