"""The outermost loop of what a service does again and again."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, NoReturn

import structlog

from ami.client import AmiError
from services.allowed_text import AgiError
from store.live import AWAY, stop_if_cancelled

log = structlog.get_logger()

EXPECTED: Final = (AmiError, AgiError, *AWAY)


async def take_turns(turn: Callable[[], Awaitable[None]], *, every_s: float, failed: str) -> NoReturn:
    """Takes a turn, and the next one `every_s` after its end. A turn that fails ends nothing else: it is told as `failed`, once
    while Asterisk, Redis or what was published is away for the same reason."""
    told = ""
    while True:
        try:
            await turn()
            told = ""
        except EXPECTED as error:
            if str(error) != told:
                log.warning(failed, problem=str(error))
            told = str(error)
        except Exception:  # the outermost loop: the others of the service go on
            log.exception(failed)
        stop_if_cancelled()
        await asyncio.sleep(every_s)
