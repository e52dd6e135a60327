"""Comparison of two configurations: the callers and hours whose calls end elsewhere after a change. Pure.

Representative calls are simulated against both configurations: each number whose handling differs, at the moments of a
week that matter to it, from the callers that matter, with the keys of the menus on the way, with all phones free, busy and
so on, and with single switches and users in other states than usual. Similar results share one line.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from routing.call.state import Origin
from routing.tenant.tenant import Tenant
from simulator.behaviour import changed_numbers, entries_of, reachable, shared_by_all
from simulator.mentions import Mentions, mentions_of
from simulator.samples import Sample, callers_of, hours, moments_of
from simulator.script import Script, Simulation
from simulator.simulate import simulate
from simulator.worlds import MAX_SPECIAL, World, special_worlds, usual_worlds

MAX_CALLS = 12_000       # compared in all, each simulated twice
MAX_WAYS = 25            # through the menus, for one caller at one moment
MAX_QUESTIONS = 3        # keys one after the other
MAX_SHOWN = 4            # in one line
WRONG = "wrong key"
FREE = "all are free"


@dataclass(frozen=True, slots=True)
class RoutingChange:
    """Calls that end elsewhere. `when`, `caller`, `keys` and `state` are words, '' where it does not matter."""

    number: str
    when: str
    caller: str
    keys: str
    state: str
    before: str
    after: str

    def __str__(self) -> str:
        parts = [part for part in (self.number, self.when, self.caller, self.keys, self.state) if part]
        return f"{', '.join(parts)}: {self.before} -> {self.after}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """`same_end` are numbers whose calls end as before, but with other prompts or phones on the way. `compared` counts
    calls; `is_cut`: the limit was reached, so that some changes may be missing."""

    new: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    changes: tuple[RoutingChange, ...] = ()
    same_end: tuple[str, ...] = ()
    compared: int = 0
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class _Call:
    """One representative call without its moment, as its line in the result describes it."""

    caller: str
    keys: tuple[str, ...]
    state: str          # words of its world


@dataclass(slots=True)
class _Work:
    """The remaining budget of comparisons, and the calls compared."""

    left: int
    done: int = 0
    is_cut: bool = False

    def spend(self) -> bool:
        if self.left <= 0:
            self.is_cut = True
            return False
        self.left -= 1
        self.done += 1
        return True


def compare(before: Tenant, after: Tenant, week: date, only: str = "", max_calls: int = MAX_CALLS) -> Comparison:
    """Compares two configurations of one tenant over the week that begins on that Monday; `only`: just this number."""
    changed = changed_numbers({before.tenant: before}, {after.tenant: after}).get(after.tenant, ())
    numbers = [number for number in changed if only in ("", number)]
    was, will_be = entries_of(before), entries_of(after)
    both = [number for number in numbers if number in was and number in will_be]
    changes: list[RoutingChange] = []
    same_end: list[str] = []
    compared, left, is_cut = 0, max_calls, False
    for i, number in enumerate(both):
        work = _Work(left // (len(both) - i))
        found = _Number(before, after, number, week, work, usual_worlds(before, after)).changes()
        changes += found
        same_end += [] if found or work.is_cut else [number]
        compared, left, is_cut = compared + work.done, left - work.done, is_cut or work.is_cut
    return Comparison(
        tuple(number for number in numbers if number not in was), tuple(number for number in numbers if number not in will_be),
        tuple(changes), tuple(same_end), compared, is_cut)


@dataclass(slots=True)
class _Number:
    """The comparison of one number's calls."""

    before: Tenant
    after: Tenant
    number: str
    week: date
    work: _Work
    worlds: tuple[World, ...]
    ends: dict[_Call, dict[datetime, tuple[str, str]]] = field(default_factory=dict)

    def changes(self) -> list[RoutingChange]:
        mentions = self._mentions()
        moments = list(moments_of(mentions, self.week, self.before.timezone))
        is_public = self.number in self.after.numbers
        callers = list(callers_of(mentions, self.after.country)) if is_public else [self._colleague()]
        calls = [(caller, sample) for caller in callers for sample in moments]
        for caller, sample in calls:
            self._at(sample, caller, callers[0])
        special = list(special_worlds(self.before, self.after, self.number))
        self.work.is_cut |= len(special) > MAX_SPECIAL
        for world in special[:MAX_SPECIAL]:
            for caller, sample in calls:
                self._all_ways(sample, caller, world)
        return self._changes(moments)

    def _mentions(self) -> Mentions:
        """Times and numbers mentioned by both sides where this number's calls can go; those that only one mentions first."""
        before, after = (
            mentions_of([*reachable(tenant, entries_of(tenant)[self.number]).values(), *shared_by_all(tenant).values()])
            for tenant in (self.before, self.after))
        monday = datetime.combine(self.week, time())
        offsets = [ZoneInfo(tenant.timezone).utcoffset(monday) or timedelta() for tenant in (self.before, self.after)]
        return before.joined(after.moved(offsets[0] - offsets[1]))

    def _colleague(self) -> str:
        """The caller of an internal number: a user other than the one called, in both configurations if possible."""
        both = [user for user in self.after.users if user in self.before.users] or list(self.after.users)
        return next((user for user in both if user != self.number), both[0])

    def _at(self, sample: Sample, caller: str, usual: str) -> None:
        """All ways through the menus, with free phones; in other worlds too, unless the calls end as the usual caller's do."""
        usual_day, *others = self.worlds
        for keys in self._all_ways(sample, caller, usual_day):
            free = self.ends[_Call(caller, keys, "")][sample.moment]
            alike = caller != usual and self.ends.get(_Call(usual, keys, ""), {}).get(sample.moment) == free
            for world in others:
                theirs = self.ends.get(_Call(usual, keys, world.words), {}).get(sample.moment)
                if alike and theirs:
                    self.ends.setdefault(_Call(caller, keys, world.words), {})[sample.moment] = theirs
                elif not self._end(_Call(caller, keys, world.words), world, sample, set(), None):
                    return

    def _all_ways(self, sample: Sample, caller: str, world: World) -> list[tuple[str, ...]]:
        """The ways through the menus in that world, each compared, within the limits."""
        ways: list[tuple[str, ...]] = []
        waiting: list[tuple[str, ...]] = [()]
        tried: set[tuple[str, ...]] = {()}
        while waiting:
            keys = waiting.pop(0)
            if not self._end(_Call(caller, keys, world.words), world, sample, tried, waiting):
                break
            ways.append(keys)
        return ways

    def _end(
        self, call: _Call, world: World, sample: Sample, tried: set[tuple[str, ...]], waiting: list[tuple[str, ...]] | None,
    ) -> bool:
        """The end of the call on both sides; False when no more may be compared."""
        if not self.work.spend():
            return False
        results = [self._simulated(tenant, call, world, sample.moment) for tenant in (self.before, self.after)]
        self.ends.setdefault(call, {})[sample.moment] = (_end_of(results[0]), _end_of(results[1]))
        if waiting is not None and WRONG not in call.keys:
            for tenant, result in zip((self.before, self.after), results, strict=True):
                self.work.is_cut |= len(set(result.asked)) > len(set(result.asked[:MAX_QUESTIONS]))
                for keys in _further(tenant, call.keys, result):
                    if keys in tried:
                        continue
                    if len(tried) >= MAX_WAYS:
                        self.work.is_cut = True
                        break
                    tried.add(keys)
                    waiting.append(keys)
        return True

    def _simulated(self, tenant: Tenant, call: _Call, world: World, moment: datetime) -> Simulation:
        is_public = self.number in tenant.numbers
        keys = tuple(_pressed(tenant, key) for key in call.keys)
        if WRONG in call.keys:
            keys = (*keys, *keys[-1:] * 10)        # repeated until the menu gives up
        return simulate(tenant, Script(
            Origin.TRUNK if is_public else Origin.PHONE, self.number, moment, "" if is_public else call.caller, keys,
            world.states, world.silent, call.caller, switches=world.switches, personal=world.personal))

    def _changes(self, moments: list[Sample]) -> list[RoutingChange]:
        """Calls that end elsewhere, similar ones in one line: grouped by moments, then by states, keys and callers."""
        usual = [world.words for world in self.worlds]
        callers = {call.caller for call in self.ends}
        asked = {moment for call, ends in self.ends.items() if call.keys for moment in ends}
        states: dict[_Line, list[str]] = {}
        for call, ends in self.ends.items():
            for (before, after), at in _by_end(ends).items():
                for keys, when in ((call.keys, at & asked), (None, at - asked)):
                    if when:
                        line = _Line(hours(moments, when), call.caller, keys, before, after)
                        states.setdefault(line, []).append(call.state)
        ways_of: dict[tuple[_Line, str], list[tuple[str, ...] | None]] = {}
        world_of: dict[str, str] = {}
        for line, found in states.items():
            words = _states(found, usual)
            world_of[words] = found[0]
            ways_of.setdefault((replace(line, keys=None), words), []).append(line.keys)
        callers_of_line: dict[tuple[_Line, str, str], list[str]] = {}
        for (line, state), alike in ways_of.items():
            ways = _ways(alike, {call.keys for call in self.ends if call.state == world_of[state]})
            callers_of_line.setdefault((replace(line, caller=""), state, ways), []).append(line.caller)
        return [
            RoutingChange(self.number, line.when, _callers(who, callers), ways, state, line.before, line.after)
            for (line, state, ways), who in callers_of_line.items()]


@dataclass(frozen=True, slots=True)
class _Line:
    """The properties shared by the calls of one line. `keys` None: no key is asked for."""

    when: str
    caller: str
    keys: tuple[str, ...] | None
    before: str
    after: str


def _by_end(ends: dict[datetime, tuple[str, str]]) -> dict[tuple[str, str], set[datetime]]:
    """The moments of calls that end elsewhere, by both ends."""
    changed: dict[tuple[str, str], set[datetime]] = {}
    for moment, (before, after) in ends.items():
        if before != after:
            changed.setdefault((before, after), set()).add(moment)
    return changed


def _further(tenant: Tenant, keys: tuple[str, ...], result: Simulation) -> Iterator[tuple[str, ...]]:
    """The keys that a caller might press after these: at each node's next question the keys it knows."""
    for i in range(len(keys), min(len(result.asked), MAX_QUESTIONS)):
        node = result.asked[i]
        if node not in result.asked[:i]:
            silence = ("",) * (i - len(keys))
            known = [name.removeprefix("keys.") for name, _ in tenant.nodes[node].uses().targets if name.startswith("keys.")]
            for key in (*known, WRONG) if known else list(tenant.internal_numbers)[:5]:
                yield (*keys, *silence, key)


def _pressed(tenant: Tenant, key: str) -> str:
    """The caller's key; a wrong key is one that no menu of the tenant knows, or that as few as possible know."""
    if key != WRONG:
        return key
    used = [field for node in tenant.nodes.values() for field, _ in node.uses().targets]
    return min("9876543210*#", key=lambda candidate: used.count(f"keys.{candidate}"))


def _end_of(result: Simulation) -> str:
    """The end of a call, with all users who could have answered: the first to answer does not depend on the configuration."""
    if result.answered_by and len(result.rang) > 1:
        return f"answered by {' or '.join(sorted(result.rang))}"
    return result.ends


def _ways(ways: list[tuple[str, ...] | None], all_ways: set[tuple[str, ...]]) -> str:
    keyed = [way for way in ways if way is not None]
    if not keyed or set(keyed) == all_ways:
        return ""
    phrases = [
        " then ".join(f"key {key}" if key and key != WRONG else key or "no key" for key in way or ("",)) for way in keyed]
    more = len(phrases) - MAX_SHOWN
    return " or ".join([*phrases[:MAX_SHOWN], f"{more} other ways"] if more > 1 else phrases)


def _states(found: list[str], usual: list[str]) -> str:
    """The states; one that also holds on the usual day is not repeated for each special one."""
    everybody = [words for words in found if words in usual]
    if "" in found:
        return "" if len(everybody) in (1, len(usual)) else "when " + " or ".join(words or FREE for words in everybody)
    if len(everybody) == len(usual) - 1:
        return "when nobody takes the call"
    more = len(found) - MAX_SHOWN
    return "when " + " or ".join([*found[:MAX_SHOWN], f"in {more} other cases"] if more > 1 else found)


def _callers(found: list[str], compared: set[str]) -> str:
    if len(found) == len(compared):
        return ""
    return "from " + " or ".join(caller or "a hidden number" for caller in found)
