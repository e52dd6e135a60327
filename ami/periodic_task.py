"""Outermost loops of a service's periodic tasks."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, NoReturn

import structlog

from ami.client import AmiError
from services.asterisk_text import AgiError
from store.live import AWAY, stop_if_cancelled

log = structlog.get_logger()

AGAIN_S: Final = 5.0
EXPECTED: Final = (AmiError, AgiError, *AWAY)


async def take_turns(turn: Callable[[], Awaitable[None]], *, every_s: float, failed: str) -> NoReturn:
    """Takes a turn, and the next one `every_s` after its end. A turn that fails stops nothing else: `failed` is logged, once
    while Asterisk, Redis or the published configuration is unavailable for the same reason."""
    reported = ""
    while True:
        try:
            await turn()
            reported = ""
        except EXPECTED as error:
            if str(error) != reported:
                log.warning(failed, problem=str(error))
            reported = str(error)
        except Exception:  # the outermost loop: the service's other tasks go on
            log.exception(failed)
        stop_if_cancelled()
        await asyncio.sleep(every_s)


async def kept_running(run: Callable[[], Awaitable[None]], *, name: str) -> NoReturn:
    """Runs a task for ever: after an exception it starts again, and the service's other tasks go on."""
    while True:
        try:
            await run()
            log.error("task_ended", task=name)
        except Exception:  # the outermost loop: the others of the service go on
            log.exception("task_failed", task=name)
        stop_if_cancelled()
        await asyncio.sleep(AGAIN_S)
