"""The phones of one test: callees registered and listening first, then callers, and all gone at the end."""

from contextlib import AsyncExitStack
from dataclasses import replace
from types import TracebackType
from typing import Self

from sipp.ear import Ear
from sipp.report import Result, SippFailed
from sipp.run import Address, Load, Sipp, run, started
from sipp.scenario import Account, Attempts, Call, Callee, Register


class Cast:
    """`async with Cast(server) as cast:` start callees, then place calls.

    Leaving the block ends the callees once their calls have ended, and raises SippFailed if one of them received something
    else than its scenario says, or another number of calls than it was to get. An exception inside kills them instead.
    """

    def __init__(self, server: Address, *, limit_s: float = 30) -> None:
        self.server = server
        self.limit_s = limit_s
        self._stack = AsyncExitStack()
        self._callees: list[tuple[Sipp, int | None]] = []
        self._registered: list[tuple[Account, Address]] = []
        self.results: dict[Address, Result] = {}

    async def __aenter__(self) -> Self:
        return self

    async def callee(
        self,
        callee: Callee,
        *,
        at: Address | str,
        account: Account | None = None,
        calls: int | None = 1,
        ear: Ear | None = None,
        traced: bool = True,
    ) -> Sipp:
        """A phone that waits for calls; with an account it is registered, until the end. `calls=None`: any number."""
        address = at if isinstance(at, Address) else Address(at)
        if account:
            # From the phone's own port, since a server behind NAT settings calls back where the REGISTER came from.
            await self._register(account, address, expires_s=3600)
            self._registered.append((account, address))
        sipp = await self._stack.enter_async_context(
            started(callee, local=address, limit_s=self.limit_s, ear=ear, traced=traced)
        )
        await sipp.listening()
        self._callees.append((sipp, calls))
        return sipp

    async def call(
        self,
        call: Call | Attempts,
        *,
        at: Address | str,
        load: Load | None = None,
        ear: Ear | None = None,
        traced: bool = True,
    ) -> Result:
        """Places the call or the calls, to the end."""
        return await run(call, local=at, server=self.server, load=load, limit_s=self.limit_s, ear=ear, traced=traced)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        failures: list[SippFailed] = []
        async with self._stack:
            if error is None:
                for sipp, _ in self._callees:
                    sipp.take_no_more_calls()
                for sipp, calls in self._callees:
                    result = self.results[sipp.local] = _counted(await sipp.result(), calls)
                    if result.failure:
                        failures.append(SippFailed(result))
        for account, address in self._registered:
            try:
                await self._register(account, address, expires_s=0)
            except SippFailed as failed:
                failures.append(failed)
        if failures and error is None:
            raise failures[0] if len(failures) == 1 else ExceptionGroup("several phones", failures)

    async def _register(self, account: Account, at: Address, *, expires_s: int) -> None:
        await run(Register(account=account, expires_s=expires_s), local=at, server=self.server, limit_s=10)


def _counted(result: Result, calls: int | None) -> Result:
    if result.failure or calls is None or result.invites == calls:
        return result
    seen = "\n".join(str(message) for message in result.messages)
    return replace(result, failure=f"{result.title}: {result.invites} calls came, {calls} expected\n{seen}".strip())
