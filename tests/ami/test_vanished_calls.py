"""A call that Asterisk no longer has is over, whatever became of its last events."""

from pathlib import Path

import pytest

from ami.client import AmiClient
from ami.records.cel_file import CelFile
from ami.records.losses import Losses
from ami.records.vanished_calls import CONFIRM_S, QUIET_S, VanishedCalls
from store.live import LiveHash
from store.records import Outcome
from tests.ami.ami_peer import ADDRESS, Action, accept, ami_peer, response, until
from tests.ami.test_cel_follower import (
    Asterisk,
    Clock,
    MortalStore,
    call_lines,
    empty_database,
    expected,
    follow_file,
    kept,
    store,
)

__all__ = ["empty_database", "store"]


class Channels:
    """Asterisk's channels, by uniqueid, as Getvar knows them."""

    def __init__(self, *up: str) -> None:
        self.up = set(up)

    def answer(self, action: Action) -> bytes | None:
        if action["action"] != "Getvar":
            return accept(action)
        if action["channel"] in self.up:
            return response(action, f"Response: Success|Variable: UNIQUEID|Value: {action['channel']}")
        return response(action, "Response: Error|Message: No such channel")


@pytest.mark.parametrize("lost", ["its end", "all that was not read yet", "a hang-up"])
async def test_call_whose_end_was_never_read_has_a_record_that_says_so(store: MortalStore, tmp_path: Path, lost: str) -> None:
    asterisk, clock, calls = Asterisk(tmp_path / "cel.csv"), Clock(), LiveHash("calls", lambda: None)
    channels = Channels("1.1", "1.2", "2.1")
    follower = follow_file(CelFile(asterisk.path), store, calls=calls)
    await follower.resume()
    async with ami_peer(channels.answer) as peer, AmiClient(ADDRESS, peer.port, "centralka", "secret") as ami:
        await until(ami.connected.is_set)
        vanished = VanishedCalls(ami, follower, clock)

        async def time_passes(seconds: float) -> None:
            for _ in range(5):
                await follower.follow()
                await vanished.look()
                clock.now += seconds

        first, second = call_lines(1), call_lines(2)
        asterisk.write(b"\n".join([*first[:5], *second[:5]]) + b"\n")
        await time_passes(QUIET_S)
        assert set(calls.values) == {"1.1", "2.1"}              # Asterisk has them
        if lost == "a hang-up":
            asterisk.write(b"\n".join([*first[6:], *second[5:7]]) + b"\n")
        elif lost == "its end":
            asterisk.write(b"\n".join(second[5:7]) + b"\n")
        else:
            asterisk.path.write_bytes(b"")
        channels.up = {"2.1"}
        await time_passes(QUIET_S + CONFIRM_S)
        ((call, legs),) = (await kept(store)).values()
        assert (call.linkedid, call.outcome, call.answered_by) == ("1.1", Outcome.INTERRUPTED, "201")
        assert len(legs) == 2
        assert set(calls.values) == {"2.1"}
        assert b" 1.1 its end was never read" in (tmp_path / "losses.csv").read_bytes()
        rest = second[5:] if lost == "all that was not read yet" else second[7:]
        asterisk.write(b"\n".join(rest) + b"\n")
        await time_passes(1)
        assert (await kept(store))["2.1"] == expected(second)["2.1"]


async def test_call_of_which_an_event_comes_while_asterisk_is_asked_goes_on(store: MortalStore, tmp_path: Path) -> None:
    asterisk, clock = Asterisk(tmp_path / "cel.csv"), Clock()
    follower = follow_file(CelFile(asterisk.path), store)
    await follower.resume()
    lines = call_lines(1)
    asterisk.write(b"\n".join(lines[:5]) + b"\n")
    async with ami_peer(Channels().answer) as peer, AmiClient(ADDRESS, peer.port, "centralka", "secret") as ami:
        await until(ami.connected.is_set)
        vanished = VanishedCalls(ami, follower, clock)
        for each in lines[5:]:
            for _ in range(2):
                while await follower.follow():
                    pass
                await vanished.look()
                clock.now += QUIET_S
            asterisk.write(each + b"\n")
        while await follower.follow():
            pass
    assert await kept(store) == expected(lines)
    assert Losses(tmp_path / "losses.csv").count == 0


async def test_rest_of_a_call_that_has_its_record_changes_nothing(store: MortalStore, tmp_path: Path) -> None:
    asterisk, clock = Asterisk(tmp_path / "cel.csv"), Clock()
    asterisk.write(b"\n".join(call_lines(1)) + b"\n")
    follower = follow_file(CelFile(asterisk.path), store)
    await follower.resume()
    await follower.follow()
    asterisk.path.write_bytes(b"\n".join(call_lines(1)[6:9]) + b"\n")
    follower = follow_file(CelFile(asterisk.path), store)
    await follower.resume()
    async with ami_peer(Channels().answer) as peer, AmiClient(ADDRESS, peer.port, "centralka", "secret") as ami:
        await until(ami.connected.is_set)
        vanished = VanishedCalls(ami, follower, clock)
        for _ in range(6):
            await follower.follow()
            await vanished.look()
            clock.now += QUIET_S
    assert await kept(store) == expected(call_lines(1))
    assert not follower.pending
    assert Losses(tmp_path / "losses.csv").count == 0
