"""Password guesses, counted by address and by account, and bans of addresses. Pure; the caller supplies the moment.

An address that sends ALLOWED wrong passwords is banned. An account that is guessed from many addresses allows each of them one
wrong password: its own user needs none. An address where a device is registered is never banned, since others share it.
"""

import re
from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Final

from store.bans import REMEMBERED, Ban

ALLOWED: Final = 10                     # wrong passwords of an address
GUARDED: Final = 30                     # wrong passwords of an account, after which each address is allowed one
FORGIVEN_S: Final = 60.0                # one wrong password less after so many seconds
FIRST_BAN, LONGEST_BAN = timedelta(minutes=10), timedelta(days=1)
MOST_KNOWN: Final = 10_000              # addresses, and accounts
MOST_BANS: Final = 2_000                # Asterisk compares each request with all of them
# Asterisk's text, of which the caller chooses the From and the Call-ID. Source: log_failed_request() in pjsip_distributor.c.
# It means a wrong answer to a challenge that reached the sender: a forged address receives none.
_REFUSED: Final = re.compile(r"Request '\S+' from '(?P<sender>.*?)' failed for '.* - (?:Failed|Error) to authenticate")
_ADDRESSES: Final = re.compile(r"' failed for '\[?([0-9a-f.:]+?)\]?:[0-9]{1,5}' \(callid: ")
_ACCOUNT: Final = re.compile(r"<sips?:([a-z0-9_-]{1,80})@[^<>]*>$")


@dataclass(frozen=True, slots=True)
class Guess:
    """A wrong password. `addresses` has several if the sender wrote some into the request: one of them is the real one."""

    addresses: tuple[str, ...]
    account: str                        # '' if the name cannot be an account's


def guess_of(text: str) -> Guess | None:
    """The guess that a message of Asterisk reports; None for other messages."""
    found = _REFUSED.fullmatch(text)
    if found is None:
        return None
    named = _ACCOUNT.search(found["sender"])
    addresses = dict.fromkeys(network for each in _ADDRESSES.findall(text) if (network := network_of(each)))
    return Guess(tuple(addresses), named[1] if named else "")


def network_of(address: str) -> str:
    """The address as bans name it: the IPv6 network of a customer counts as one. '' if the text is not an address."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return ""
    return str(ip_network(f"{parsed}/64", strict=False)) if parsed.version == 6 else str(parsed)


@dataclass(slots=True)
class _Counts:
    """Counters that decrease with time, by name; those that changed longest ago are forgotten first."""

    forgiven_s: float
    _levels: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)

    def level(self, name: str, now_s: float) -> float:
        level, at_s = self._levels.get(name, (0.0, now_s))
        return max(0.0, level - (now_s - at_s) / self.forgiven_s)

    def add(self, name: str, amount: float, now_s: float) -> float:
        level = self.level(name, now_s) + amount
        self._levels[name] = level, now_s
        self._levels.move_to_end(name)
        if len(self._levels) > MOST_KNOWN:
            self._levels.popitem(last=False)
        return level

    def forget(self, name: str) -> None:
        self._levels.pop(name, None)

    def above(self, least: float, now_s: float) -> dict[str, int]:
        levels = {name: self.level(name, now_s) for name in self._levels}
        return {name: round(level) for name, level in levels.items() if level >= least}


class Guesses:
    def __init__(self) -> None:
        self._addresses, self._accounts = _Counts(FORGIVEN_S), _Counts(FORGIVEN_S)
        self._accounts_at: OrderedDict[str, tuple[str, ...]] = OrderedDict()

    def note(self, guess: Guess, known: Collection[str], now_s: float) -> list[str]:
        """The addresses to ban. `known`: those where devices are registered."""
        is_guarded = bool(guess.account) and self._accounts.add(guess.account, 1, now_s) > GUARDED
        banned = []
        for address in guess.addresses:
            level = self._addresses.add(address, 1, now_s)
            if guess.account:
                self._remember(address, guess.account)
            if address not in known and (level > ALLOWED - 1 or is_guarded):
                banned.append(address)
        return banned

    def accounts_at(self, address: str) -> tuple[str, ...]:
        """The last accounts that the address guessed at, at most five."""
        return self._accounts_at.get(address, ())

    def forget(self, address: str) -> None:
        """Reset the address's counter."""
        self._addresses.forget(address)

    def notable(self, known: Collection[str], now_s: float) -> dict[str, int]:
        """Recent wrong passwords of guarded accounts, and of known addresses that would be banned otherwise."""
        addresses = self._addresses.above(ALLOWED, now_s)
        return self._accounts.above(GUARDED, now_s) | {each: count for each, count in addresses.items() if each in known}

    def _remember(self, address: str, account: str) -> None:
        accounts = dict.fromkeys((*self._accounts_at.get(address, ()), account))
        self._accounts_at[address] = tuple(accounts)[-5:]
        self._accounts_at.move_to_end(address)
        if len(self._accounts_at) > MOST_KNOWN:
            self._accounts_at.popitem(last=False)


def new_ban(before: Ban | None, accounts: tuple[str, ...], now: datetime) -> Ban:
    """A ban twice as long as the previous one, if that one was less than a day ago."""
    times = before.times + 1 if before is not None and now < before.until + REMEMBERED else 1
    length = min(LONGEST_BAN, FIRST_BAN * 2 ** min(times - 1, 10))
    return Ban(now, now + length, accounts, times)


def in_force(bans: Mapping[str, Ban], known: Collection[str], now: datetime) -> list[str]:
    """The addresses that are banned now, the latest first, at most as many as Asterisk gets."""
    active = [address for address, ban in bans.items() if now < ban.until and address not in known]
    return sorted(active, key=lambda address: bans[address].since, reverse=True)[:MOST_BANS]
