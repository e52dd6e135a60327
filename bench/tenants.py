"""The tenants of the measurements of size: many small ones and a large one."""

from pathlib import Path

from routing.tenant.tenant import Tenant

USERS = 10
TRUNKS_PER_NETWORK = 200


def small_tenant(number: int, to: str = "201", users: str = "") -> str:
    """The file of the tenant t0000, t0001, ...: ten users, two public numbers, a trunk, a menu, a group. `to`: where calls to
    its first number go; `users`: more lines of that section."""
    slug = f"t{number:04}"
    lines = "".join(user(str(201 + i)) for i in range(USERS))
    return f"""\
tenant: {slug}
name: Firm {number}
country: PL
language: pl
timezone: Europe/Warsaw
users:
{lines}{users}numbers:
  "{did(number)}": {{to: "{to}"}}
  "+4822{number:04}002": {{to: main}}
trunks:
  carrier: {{kind: address, address: {trunk(number)}}}
menus:
  main:
    prompt: welcome
    keys: {{"1": sales, "2": hours}}
    no_key: bye
    wrong_key: bye
groups:
  sales: {{members: ["201", "202", "203"], unanswered: bye}}
schedules:
  hours: {{windows: [{{days: mon-fri, opens: "08:00", closes: "16:00"}}], open: sales, closed: bye}}
hangups:
  bye: {{prompt: welcome}}
prompts:
  welcome: {{text: Firma {number}}}
failover: {{ring: ["210"], ring_s: 3}}
"""


def user(extension: str) -> str:
    """The line of a user with one phone."""
    return f'  "{extension}": {{name: User {extension}, devices: [desk]}}\n'


def did(number: int) -> str:
    return f"+4822{number:04}001"


def trunk(number: int) -> str:
    """The address of the tenant's carrier, on this machine."""
    return f"127.80.{number // TRUNKS_PER_NETWORK}.{number % TRUNKS_PER_NETWORK + 20}"


def write_small_tenants(folder: Path, count: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        (folder / f"t{number:04}.yaml").write_text(small_tenant(number))


ELEMENTS, RULES, LISTED, CONDITIONS = 500, 1000, 20_000, 10
LARGE_DID, PASSED_ON_DID = "+48221234567", "+48221234568"


def large_tenant() -> Tenant:
    """500 elements, 1,000 rules and twice 20,000 numbers. A call to its first number passes all rules, which one node of
    conditions has, and to its second as many in ten nodes; none of them holds."""
    conditions = {"all": {"rules": [_rule(i) for i in range(RULES)], "otherwise": "201"}}
    each = RULES // CONDITIONS
    for i in range(CONDITIONS):
        rules = [_rule(rule) for rule in range(i * each, (i + 1) * each)]
        conditions[f"part{i}"] = {"rules": rules, "otherwise": f"part{i + 1}" if i + 1 < CONDITIONS else "201"}
    menus = {f"menu{i}": _menu(f"menu{i + 1}") for i in range(ELEMENTS - len(conditions) - 3)}
    menus[f"menu{len(menus)}"] = _menu("201")
    return Tenant.model_validate({
        "tenant": "large", "name": "Large", "country": "PL", "language": "pl", "timezone": "Europe/Warsaw",
        "users": {str(extension): {"name": f"User {extension}", "devices": ["desk"]} for extension in range(201, 231)},
        "numbers": {LARGE_DID: {"to": "all"}, PASSED_ON_DID: {"to": "part0"}},
        "conditions": conditions, "menus": menus,
        "groups": {"sales": {"members": ["201", "202", "203"], "unanswered": "bye"}},
        "hangups": {"bye": {"prompt": "sys_unavailable"}},
        "switches": {"night": {"positions": ["off", "on"]}},
        "lists": {"known": [f"+4860{i:07}" for i in range(LISTED)]},
        "blacklist": {"callers": [f"+4870{i:07}" for i in range(LISTED)]},
        "failover": {"ring": ["201"], "ring_s": 20},
    })


def _menu(to: str) -> dict[str, object]:
    return {"prompt": "sys_unavailable", "keys": {"1": to, "2": "all"}, "no_key": "bye", "wrong_key": "bye"}


def _rule(number: int) -> dict[str, object]:
    """By turns one of each kind. None holds for the call that is measured."""
    kinds: tuple[dict[str, object], ...] = (
        {"hours": [{"days": "mon-fri", "opens": "03:00", "closes": "03:01"}]},
        {"dates": [f"2030-01-{number % 28 + 1:02}"]},
        {"holidays": {}},
        {"caller": {"numbers": [f"+4822{number:07}"]}},
        {"caller": {"lists": ["known"]}},
        {"dialled": [f"+4822{number:07}"]},
        {"switches": {"night": "on"}},
        {"users": {str(201 + number % 30): "busy"}},
        {"groups": {"sales": "all_busy"}},
        {"share": 0.0001},
    )
    return {"when": kinds[number % len(kinds)], "to": "bye"}
