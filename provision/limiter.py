"""Limit of wrong requests per address. Pure; the caller supplies the moment."""

from collections import OrderedDict
from ipaddress import ip_address, ip_network

ALLOWED = 20             # wrong requests at once
REGAINED_S = 6.0         # one more after so many seconds
REMEMBERED = 10_000      # addresses; the ones that were wrong longest ago are forgotten first


class Limiter:
    """A bucket for each address; an IPv6 network of a customer's counts as one."""

    def __init__(self) -> None:
        self._spent: OrderedDict[str, tuple[float, float]] = OrderedDict()     # how many, as of when

    def is_blocked(self, address: str, now_s: float) -> bool:
        return self._level(_counted(address), now_s) + 1 > ALLOWED

    def note_wrong(self, address: str, now_s: float) -> None:
        key = _counted(address)
        self._spent[key] = self._level(key, now_s) + 1, now_s
        self._spent.move_to_end(key)
        while len(self._spent) > REMEMBERED:
            self._spent.popitem(last=False)

    def _level(self, key: str, now_s: float) -> float:
        spent, at_s = self._spent.get(key, (0.0, now_s))
        return max(0.0, spent - (now_s - at_s) / REGAINED_S)


def _counted(address: str) -> str:
    parsed = ip_address(address.partition("%")[0])
    return str(ip_network(f"{parsed}/64", strict=False)) if parsed.version == 6 else address
