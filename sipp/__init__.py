"""Phones for tests and benchmarks: a typed wrapper around the `sipp` program (3.6.1, Debian's sip-tester).

    async with Cast(Address("127.0.0.1")) as cast:
        await cast.callee(Callee(then=Answer(ring_ms=200)), at="127.77.0.2", account=Account("acme-201-desk", secret))
        await cast.call(Call(number="201", caller=Caller("200"), account=Account("acme-200-desk", other)), at="127.77.0.1")

Why not pysipp, the one Python wrapper on PyPI: version 0.1.0 fails on import with any pluggy since 1.0
(`PluginManager.__init__() got an unexpected keyword argument 'implprefix'`), and it has no types, no asyncio and
no word about why a call failed.
"""

from sipp.cast import Cast
from sipp.ear import Ear
from sipp.report import Message, Result, SippFailed, Statistics
from sipp.rtp import Digit, Media, Silence, Tone, keys
from sipp.run import Address, Load, Sipp, run, started
from sipp.scenario import (
    Account,
    Answer,
    Attempts,
    AwaitHangUp,
    Call,
    Callee,
    Caller,
    Cancel,
    Options,
    Refuse,
    Refused,
    Register,
    Ring,
    SendHangUp,
    Subscribe,
)

__all__ = [
    "Account",
    "Address",
    "Answer",
    "Attempts",
    "AwaitHangUp",
    "Call",
    "Callee",
    "Caller",
    "Cancel",
    "Cast",
    "Digit",
    "Ear",
    "Load",
    "Media",
    "Message",
    "Options",
    "Refuse",
    "Refused",
    "Register",
    "Result",
    "Ring",
    "SendHangUp",
    "Silence",
    "Sipp",
    "SippFailed",
    "Statistics",
    "Subscribe",
    "Tone",
    "keys",
    "run",
    "started",
]  # fmt: skip
