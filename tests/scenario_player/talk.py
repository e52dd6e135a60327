"""Two talk, and users among them transfer the call, as a scenario says: by the codes that they key on real telephones."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from ami.records.calls import endpoint_of, extension_of
from routing.numbering.endpoint import TrunkEndpoint, read_endpoint
from simulator.scenario_grammar import Handing, PhoneDoes, Transfers
from simulator.scenario_run import Scene
from tests.agents.audio import dominant_frequency
from tests.agents.baresip import Phone, phone
from tests.live.pbx import Pbx, until
from tests.scenario_player.seen import mailbox
from tests.scenario_player.stage import Stage
from tests.scenario_player.world import device_phones

LIMIT_S = 30.0
VOICE_HZ = 440                         # of every baresip; the ringing tone is 425


@asynccontextmanager
async def talkers_of(pbx: Pbx, scene: Scene) -> AsyncIterator[dict[str, Phone]]:
    """The users' telephones that answer, where a call is transferred: SIPp takes no second INVITE, which tells a telephone whom it
    talks with now. By extension."""
    async with AsyncExitStack() as stack:
        found: dict[str, Phone] = {}
        for endpoint, does in device_phones(scene).items() if scene.scenario.talk else ():
            if does.does is PhoneDoes.ANSWERS:
                user = extension_of(endpoint, scene.tenant.tenant)
                found[user] = await stack.enter_async_context(phone(pbx.new_address().host))
                await found[user].register(endpoint, pbx.secrets.sip[endpoint], pbx.server, answers=True)
        yield found


class Talk:
    """`phones` are all telephones that can be driven, by the extension or the number of who has one."""

    def __init__(self, pbx: Pbx, stage: Stage, scene: Scene, phones: dict[str, Phone]) -> None:
        self._pbx, self._stage, self._scene, self._phones = pbx, stage, scene, phones
        self._answered_by = ""         # who talks at the end
        self.done = 0
        self.refusals: list[str] = []  # as a step tells Asterisk to play sounds

    async def play(self) -> None:
        """Until the call is over; where two talk at the end, one of them hangs up then."""
        for action in self._scene.scenario.talk:
            await self._talks(action.by)
            await self._transfer(action)
            self.done += 1
        answered, _, who = self._scene.simulated().ends.rpartition(" by ")
        if answered == "answered":
            last = self._scene.scenario.talk[-1]
            gone = "" if last.by == who else last.by
            await until(lambda: self._is_talking("trunk" if who.startswith("+") else who, gone), f"{who} talks, and not {gone}", LIMIT_S)
            self._answered_by = who
            if who in self._phones:
                await self._hears_voice(who)
                await self._phones[who].hang_up()
            else:
                await asyncio.to_thread(self._hang_up)
        await until(lambda: not self._bridges(alone=True), "no channel is left", LIMIT_S)

    def ending(self, steps: Sequence[str]) -> str:
        if self._answered_by:
            return f"answered by {self._answered_by}"
        return f"message for {mailbox(steps, 'VoiceMail')}" if any(step.startswith("VoiceMail(") for step in steps) else "refused"

    async def _transfer(self, action: Transfers) -> None:
        codes = self._scene.tenant.codes.in_call
        code = codes.blind_transfer if action.how is Handing.BLIND else codes.attended_transfer
        before = self._up()
        if action.how is Handing.ASKED:
            self._stage.handed_over.clear()
        try:
            await self._key(action, code, before)
        finally:
            self._stage.handed_over.set()

    async def _key(self, action: Transfers, code: object, before: set[str]) -> None:
        codes, by = self._scene.tenant.codes.in_call, self._phones[action.by]
        await by.press(f"{code}{action.to}#")
        async with asyncio.timeout(LIMIT_S):
            refused = await self._stage.transfers.get()
        if refused:
            self.refusals.append(f"Playback({refused[0]})")
            return
        if action.how is Handing.BLIND:
            return
        await until(lambda: self._up() - before or self._element_is_up(action.to), f"{action.to} answers", LIMIT_S)
        if action.how is Handing.ASKED:
            await by.hang_up()
            await until(lambda: action.by not in str(self._bridges()), f"{action.by} is gone", LIMIT_S)
            return
        if action.to in self._phones:
            await self._hears_voice(action.to)
        await by.press(str(codes.back))
        await until(lambda: not self._up() - before, f"{action.to} is gone", LIMIT_S)

    async def _talks(self, who: str) -> None:
        """Until this user talks with another, and no prompt is played."""
        await until(lambda: self._is_talking(who, ""), f"{who} talks", LIMIT_S)
        await self._hears_voice(who)

    async def _hears_voice(self, who: str) -> None:
        async def is_heard() -> bool:
            return abs(dominant_frequency(await self._phones[who].hear(0.3)) - VOICE_HZ) < 8

        await until(is_heard, f"{who} hears a voice", LIMIT_S)

    def _is_talking(self, who: str, gone: str) -> bool:
        return any(who in pair and gone not in pair for pair in self._bridges() if len(pair) == 2)

    def _hang_up(self) -> None:
        for fields in self._channels():
            self._pbx.runtime.asterisk_cli(f"channel request hangup {fields[0]}")

    def _bridges(self, *, alone: bool = False) -> list[list[str]]:
        """Who is in a bridge with whom: extensions, and 'trunk'. With `alone` those in none, too."""
        found: dict[str, list[str]] = defaultdict(list)
        for fields in self._channels():
            if fields[-2] or alone:
                found[fields[-2]].append(self._party(fields[0]))
        return list(found.values())

    def _party(self, channel: str) -> str:
        endpoint = endpoint_of(channel)
        is_trunk = isinstance(read_endpoint(endpoint), TrunkEndpoint)
        return "trunk" if is_trunk else extension_of(endpoint, self._scene.tenant.tenant)

    def _element_is_up(self, number: str) -> bool:
        """Whether no telephone but an element has answered who asks it: half of a Local channel stays there."""
        lines = self._pbx.runtime.asterisk_cli("core show channels concise").splitlines()
        half = f"Local/{number}@{self._scene.tenant.tenant}-transfer-"
        return any(line.startswith(half) and ";1!" in line and line.split("!")[4] == "Up" for line in lines)

    def _up(self) -> set[str]:
        return {fields[0] for fields in self._channels() if fields[4] == "Up"}

    def _channels(self) -> list[list[str]]:
        """Of the tenant's telephones and trunks."""
        lines = self._pbx.runtime.asterisk_cli("core show channels concise").splitlines()
        return [line.split("!") for line in lines if line.startswith(f"PJSIP/{self._scene.tenant.tenant}-")]
