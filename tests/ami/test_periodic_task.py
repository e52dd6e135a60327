"""What is done again and again goes on, whatever a turn ends with."""

import asyncio

import pytest
from structlog.testing import capture_logs

from ami import periodic_task
from ami.client import AmiError
from ami.periodic_task import kept_running, take_turns


async def test_turn_that_fails_is_followed_by_the_next_and_the_same_absence_is_told_once() -> None:
    ends = iter([AmiError("away"), AmiError("away"), None, AmiError("away"), KeyError("x"), AmiError("refused"), None])

    async def turn() -> None:
        end = next(ends, asyncio.CancelledError())
        if end is not None:
            raise end

    with capture_logs() as told, pytest.raises(asyncio.CancelledError):
        await take_turns(turn, every_s=0, failed="nothing_done")
    assert [(each["event"], each.get("problem")) for each in told] == [
        ("nothing_done", problem) for problem in ("away", "away", None, "refused")]


async def test_task_that_fails_begins_again_and_the_others_never_notice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(periodic_task, "AGAIN_S", 0)
    begun, goes_on = [], asyncio.Event()

    async def fails() -> None:
        begun.append(len(begun))
        if len(begun) < 4:
            raise (KeyError("x"), ExceptionGroup("two", [RecursionError(), OSError()]), MemoryError())[len(begun) - 1]
        goes_on.set()
        await asyncio.Event().wait()

    async with asyncio.TaskGroup() as tasks, asyncio.timeout(10):
        other = tasks.create_task(asyncio.Event().wait())
        task = tasks.create_task(kept_running(fails, name="it"))
        await goes_on.wait()
        assert not other.done()
        other.cancel()
        task.cancel()
