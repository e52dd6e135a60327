"""Tenant files for tests: two firms with the same extensions, each as small as the test allows."""

from collections.abc import Iterable

from routing.check.check import read_tenant
from routing.tenant.tenant import Tenant
from yaml_models.errors import ConfigError

ACME = """\
tenant: acme
name: Acme
country: PL
language: pl
timezone: Europe/Warsaw
users:
  "201": {name: Anna, devices: [desk]}
  "202": {name: Jan, devices: [desk]}
  "203": {name: Zofia, devices: [desk], voicemail: false}
numbers:
  "+48221234567": {to: main}
menus:
  main:
    prompt: welcome
    keys: {"1": sales, "2": service, "3": "203"}
    no_key: sales
    wrong_key: "201"
groups:
  sales: {extension: "300", members: ["201", "202"], unanswered: mail}
  service: {algorithm: ordered, members: ["202", "201"], ring_s: 10, unanswered: mail}
voicemails:
  mail: {mailbox: "201"}
prompts:
  welcome: {text: Witamy}
failover: {ring: ["201"], voicemail: "201"}
"""

ROSSI = (
    ACME.replace("tenant: acme", "tenant: rossi").replace("country: PL", "country: IT").replace("language: pl", "language: it")
    .replace("Europe/Warsaw", "Europe/Rome").replace("+48221234567", "+390612345678")
)


def acme(*changes: tuple[str, str]) -> Tenant:
    """Acme with parts of its file replaced."""
    return read_tenant(changed(*changes), "acme.yaml")


def changed(*changes: tuple[str, str], text: str = ACME) -> str:
    for old, new in changes:
        assert old in text, f"{old!r} is not in the file"
        text = text.replace(old, new)
    return text


def problems(text: str) -> list[str]:
    """What read_tenant says is wrong; empty when it is good."""
    try:
        read_tenant(text, "acme.yaml")
    except ConfigError as error:
        return [str(problem) for problem in error.problems]
    return []


def lines(texts: Iterable[object]) -> str:
    return "\n".join(map(str, texts))
