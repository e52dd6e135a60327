"""Gauges that Asterisk is asked for: queues and the registrations of trunks.

QueueSummary contains numbers and the queues' names only, no text that a caller chose (ami/view/live_view.py explains why).
"""

from pathlib import Path
from shutil import disk_usage
from typing import Final, NoReturn

import structlog

from ami.client import AmiClient, Message
from ami.periodic_task import take_turns
from services import metrics

log = structlog.get_logger()

EVERY_S: Final = 10.0
_AGENTS: Final = {"logged_in": "loggedin", "available": "available"}


class Gauges:
    def __init__(self, ami: AmiClient, home: Path) -> None:
        self._ami = ami
        self._queues, self._trunks = set[str](), set[str]()
        metrics.AMI_CONNECTED.set_function(lambda: float(ami.connected.is_set()))
        metrics.DATA_FREE_BYTES.set_function(lambda: float(disk_usage(home).free))
        metrics.DATA_SIZE_BYTES.set_function(lambda: float(disk_usage(home).total))

    async def run(self) -> NoReturn:
        await take_turns(self._turn, every_s=EVERY_S, failed="gauges_not_updated")

    async def _turn(self) -> None:
        """Raises AmiError."""
        self._set_queues(await self._ami.listing("QueueSummary"))
        self._set_trunks(await self._ami.listing("PJSIPShowRegistrationsOutbound"))

    def _set_queues(self, found: list[Message]) -> None:
        for each in found:
            queue = str(each.queue)
            metrics.QUEUE_CALLERS.labels(queue).set(int(each.callers))
            metrics.QUEUE_LONGEST_WAIT_SECONDS.labels(queue).set(int(each.longestholdtime))
            for state, header in _AGENTS.items():
                metrics.QUEUE_AGENTS.labels(queue, state).set(int(each[header]))
        names = {str(each.queue) for each in found}
        for queue in self._queues - names:
            metrics.QUEUE_CALLERS.remove(queue)
            metrics.QUEUE_LONGEST_WAIT_SECONDS.remove(queue)
            for state in _AGENTS:
                metrics.QUEUE_AGENTS.remove(queue, state)
        self._queues = names

    def _set_trunks(self, found: list[Message]) -> None:
        for each in found:
            metrics.TRUNK_REGISTERED.labels(str(each.endpoint)).set(float(each.status == "Registered"))
        names = {str(each.endpoint) for each in found}
        for trunk in self._trunks - names:
            metrics.TRUNK_REGISTERED.remove(trunk)
        self._trunks = names
