"""What is done again and again goes on, whatever a turn ends with."""

import asyncio

import pytest
from structlog.testing import capture_logs

from ami.client import AmiError
from ami.periodic_task import take_turns


async def test_turn_that_fails_is_followed_by_the_next_and_the_same_absence_is_told_once() -> None:
    ends = iter([AmiError("away"), AmiError("away"), None, AmiError("away"), KeyError("x"), AmiError("refused"), None])

    async def turn() -> None:
        end = next(ends, asyncio.CancelledError())
        if end is not None:
            raise end

    with capture_logs() as told, pytest.raises(asyncio.CancelledError):
        await take_turns(turn, every_s=0, failed="nothing is done")
    assert [(each["event"], each.get("problem")) for each in told] == [
        ("nothing is done", problem) for problem in ("away", "away", None, "refused")]
