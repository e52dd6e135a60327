"""Reads what we render as the telephones do: one small parser for each maker's format, which takes nothing it does not know."""

import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Account:
    """What a telephone registers with."""

    user: str
    auth_user: str
    password: str
    host: str
    port: int
    label: str
    voicemail: str


@dataclass(frozen=True, slots=True)
class Lamp:
    """A programmable key: what it does, with what."""

    kind: str      # blf, speed_dial
    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Configured:
    """What a telephone is after it has read its file. `entries`: its directory."""

    accounts: tuple[Account, ...]
    keys: tuple[Lamp, ...] = ()
    language: str = ""
    server: str = ""      # where it asks again
    admin_password: str = ""


def yealink_values(text: str) -> dict[str, str]:
    """Raises AssertionError for what is no configuration file of theirs."""
    first, *lines = text.splitlines()
    assert first == "#!version:1.0.0.1"
    values: dict[str, str] = {}
    for line in lines:
        if line and not line.startswith("#"):
            name, separator, value = line.partition(" = ")
            assert separator, line
            assert name not in values, f"{name} stands twice"
            values[name] = value
    return values


def read_yealink(text: str) -> Configured:
    values = yealink_values(text)
    kinds = {"16": "blf", "13": "speed_dial"}
    accounts, keys = [], []
    for number in range(1, 17):
        if values.get(f"account.{number}.enable") == "1":
            own = {name.removeprefix(f"account.{number}."): value for name, value in values.items()}
            accounts.append(Account(
                own["user_name"], own["auth_name"], own["password"], own["sip_server.1.address"], int(own["sip_server.1.port"]),
                own["label"], values.get(f"voice_mail.number.{number}", "")))
    for number in range(1, 130):
        kind = kinds.get(values.get(f"linekey.{number}.type", ""))
        if kind:
            keys.append(Lamp(kind, values[f"linekey.{number}.value"], values[f"linekey.{number}.label"]))
    password = values["static.security.user_password"].removeprefix("admin:")
    return Configured(
        tuple(accounts), tuple(keys), values["lang.gui"], values["static.auto_provision.server.url"], password)


def parse_xml(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text)  # noqa: S314 - what we rendered ourselves


def read_snom(text: str) -> Configured:
    root = parse_xml(text)
    assert root.tag == "settings"
    settings = root.find("phone-settings")
    assert settings is not None

    def of(name: str, number: int = 0) -> str:
        path = f"{name}[@idx='{number}']" if number else name
        return settings.findtext(path) or ""

    accounts = []
    for number in range(1, 13):
        if of("user_active", number) == "on":
            host, _, port = of("user_host", number).partition(":")
            accounts.append(Account(
                of("user_name", number), of("user_pname", number), of("user_pass", number), host, int(port),
                of("user_idle_text", number), of("user_mailbox", number)))
    keys = []
    for key in root.iterfind("functionKeys/fkey"):
        kind, _, value = (key.text or "").partition(" ")
        if kind == "blf":
            keys.append(Lamp("blf", value.removeprefix("sip:").partition("@")[0], key.get("label", "")))
        elif kind == "speed":
            keys.append(Lamp("speed_dial", value, key.get("label", "")))
    return Configured(tuple(accounts), tuple(keys), of("language"), of("setting_server"), of("admin_mode_password"))


READERS = {"yealink": read_yealink, "snom": read_snom}
