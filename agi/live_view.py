"""Device states and calls in progress, from AMI events, kept in memory and passed on to Redis."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import structlog

from agi.ami_client import AmiClient, AmiError, Message
from agi.cel import endpoint_of
from agi.live_writer import LiveWriter
from routing.facts import DeviceState
from store.live import LiveCall

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


@dataclass(slots=True)
class _Channel:
    name: str
    linkedid: str
    state: str


@dataclass(slots=True)
class _Call:
    tenant: str
    caller: str
    dialled: str
    since: datetime
    channels: set[str] = field(default_factory=set)  # uniqueids


class LiveView:
    """What Asterisk says is going on. Keeps the last known state while Asterisk is away."""

    def __init__(self, ami: AmiClient, writer: LiveWriter) -> None:
        self.devices: dict[str, DeviceState] = {}
        self.calls: dict[str, _Call] = {}
        self.current = asyncio.Event()               # set while the view follows a connection
        self._ami, self._writer = ami, writer
        self._channels: dict[str, _Channel] = {}
        self._late: list[Message] | None = []        # events that arrive while a snapshot is taken
        for name in ("DeviceStateChange", "Newchannel", "Newstate", "BridgeEnter", "Hangup"):
            ami.on_event(name, self._take)
        for name in ("ContactStatus", "Registry"):
            ami.on_event(name, _log_registration)

    async def run(self) -> None:
        """Take a snapshot at each new connection. Never returns."""
        number = 0
        while True:
            number = await self._ami.connection_after(number)
            try:
                await self._take_snapshot()
            except AmiError as error:
                log.warning("no snapshot of devices and calls", problem=str(error))
                number -= 1
                await asyncio.sleep(RETRY_S)
                continue
            self.current.set()
            await self._ami.lost(number)
            self.current.clear()

    def linkedids(self) -> frozenset[str]:
        return frozenset(self.calls)

    async def linkedids_now(self) -> frozenset[str]:
        """Asked of Asterisk at this moment; AmiError when it doesn't answer."""
        return frozenset(channel.linkedid for channel in await self._ami.listing("CoreShowChannels"))

    def everything(self) -> tuple[dict[str, DeviceState], dict[str, LiveCall]]:
        """Devices and calls, for Redis."""
        return dict(self.devices), {linkedid: self._live_call(linkedid) for linkedid in self.calls}

    async def _take_snapshot(self) -> None:
        self._late = []
        devices = await self._ami.listing("DeviceStateList", limit_s=30)
        channels = await self._ami.listing("CoreShowChannels", limit_s=30)
        self.devices.clear()
        self.calls.clear()
        self._channels.clear()
        late, self._late = self._late, None
        for event in (*devices, *channels, *late):
            self._apply(event)
        self._writer.rewrite()
        log.info("snapshot taken", devices=len(self.devices), calls=len(self.calls))

    def _take(self, event: Message) -> None:
        if self._late is not None:
            self._late.append(event)
        else:
            self._apply(event)

    def _apply(self, event: Message) -> None:
        match event.event:
            case "DeviceStateChange":
                self._set_device(event)
            case "Newchannel" | "Newstate" | "BridgeEnter" | "CoreShowChannel":
                self._set_channel(event)
            case "Hangup":
                self._remove_channel(event.uniqueid)
            case other:
                raise ValueError(f"an event {other!r} was not asked for")

    def _set_device(self, event: Message) -> None:
        technology, _, endpoint = event.device.partition("/")
        if technology != "PJSIP" or not endpoint:
            return
        state = STATES.get(event.state, DeviceState.UNKNOWN)
        if self.devices.get(endpoint) is not state:
            self.devices[endpoint] = state
            self._writer.device(endpoint, state)

    def _set_channel(self, event: Message) -> None:
        uniqueid, linkedid = event.uniqueid, event.linkedid
        if not uniqueid or not linkedid:
            return
        channel = self._channels.get(uniqueid)
        if channel is None and event.event == "BridgeEnter":
            return                                   # it hung up before; this event was on its way
        if channel is not None and channel.linkedid != linkedid:
            self._remove_channel(uniqueid)           # a transfer joined two calls
        self._channels[uniqueid] = _Channel(event.channel, linkedid, event.channelstatedesc)
        call = self.calls.get(linkedid)
        if call is None:
            caller = event.calleridnum
            call = self.calls[linkedid] = _Call(
                tenant=event.tenantid or event.accountcode, caller="" if caller == "<unknown>" else caller,
                dialled=event.exten, since=datetime.now(UTC) - _duration(event.duration))
        call.channels.add(uniqueid)
        self._writer.call(linkedid, self._live_call(linkedid))

    def _remove_channel(self, uniqueid: str) -> None:
        channel = self._channels.pop(uniqueid, None)
        if channel is None:
            return
        call = self.calls[channel.linkedid]
        call.channels.discard(uniqueid)
        if call.channels:
            self._writer.call(channel.linkedid, self._live_call(channel.linkedid))
        else:
            del self.calls[channel.linkedid]
            self._writer.call(channel.linkedid, None)

    def _live_call(self, linkedid: str) -> LiveCall:
        call = self.calls[linkedid]
        channels = _named(self._channels[uniqueid] for uniqueid in sorted(call.channels))
        return LiveCall(linkedid, call.tenant, call.caller, call.dialled, call.since, channels)


def _named(channels: Iterable[_Channel]) -> dict[str, str]:
    return {channel.name: channel.state for channel in channels}


def _log_registration(event: Message) -> None:
    status = event.contactstatus or event.status
    log.info("registration", endpoint=event.endpointname or endpoint_of(event.username), status=status,
             uri=event.uri or event.domain)


def _duration(text: str) -> timedelta:
    """'00:06:53' of CoreShowChannels; nothing of other events."""
    try:
        hours, minutes, seconds = (int(part) for part in text.split(":"))
    except ValueError:
        return timedelta(0)
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)
