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
    secure: bool = False      # TLS and SRTP


@dataclass(frozen=True, slots=True)
class Lamp:
    """A programmable key: what it does, with what."""

    kind: str      # blf, speed_dial; park, where the maker has a key of its own for a slot
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
                own["label"], values.get(f"voice_mail.number.{number}", ""),
                (own["sip_server.1.transport_type"], own["srtp_encryption"]) == ("2", "2")))
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
                of("user_idle_text", number), of("user_mailbox", number),
                of("user_outbound", number).endswith("transport=tls") and of("user_savp", number) == "mandatory"))
    keys = []
    for key in root.iterfind("functionKeys/fkey"):
        kind, _, value = (key.text or "").partition(" ")
        if kind in ("blf", "orbit"):
            known = {"blf": "blf", "orbit": "park"}[kind]
            keys.append(Lamp(known, value.removeprefix("sip:").partition("@")[0], key.get("label", "")))
        elif kind == "speed":
            keys.append(Lamp("speed_dial", value, key.get("label", "")))
    return Configured(tuple(accounts), tuple(keys), of("language"), of("setting_server"), of("admin_mode_password"))


def p_values(text: str) -> dict[str, str]:
    """Grandstream's numbered parameters."""
    root = parse_xml(text)
    assert root.tag == "gs_provision"
    config = root.find("config")
    assert config is not None
    values = {each.tag: each.text or "" for each in config}
    assert len(values) == len(config), "a parameter stands twice"
    return values


def read_grandstream(text: str) -> Configured:
    """Either kind of device: the second account of a gateway is numbered otherwise than that of a telephone."""
    values = p_values(text)
    accounts = []
    seconds = (735, 736, 734, 747, 703, 0) if "P747" in values else (404, 405, 406, 402, 417, 426)
    for active, numbers in (("P271", (35, 36, 34, 47, 270, 33)), ("P401", seconds), ("P501", (504, 505, 506, 502, 517, 526))):
        if values.get(active) == "1":
            user, auth, password, server, label, voicemail = (values.get(f"P{number}", "") for number in numbers)
            host, _, port = server.partition(":")
            ways = {"P271": ("P130", "P183"), "P401": ("P830" if "P747" in values else "P448", "P443"), "P501": ("P548", "P543")}
            secure = [values.get(way) for way in ways[active]] == ["2", "2"]
            accounts.append(Account(user, auth, password, host, int(port), label, voicemail, secure))
    keys = []
    for mode, first in ((323, 301), (324, 304), (325, 307), (326, 310), (327, 313), (328, 316), (329, 319), (353, 354)):
        if f"P{mode}" in values:
            kind = {"1": "blf", "0": "speed_dial", "16": "park"}[values[f"P{mode}"]]
            keys.append(Lamp(kind, values[f"P{first + 2}"], values[f"P{first + 1}"]))
    return Configured(tuple(accounts), tuple(keys), values.get("P1362", ""), values["P237"], values["P2"])


def read_cisco(text: str) -> Configured:
    root = parse_xml(text)
    assert root.tag == "device"
    profile = root.find("flat-profile")
    assert profile is not None
    values = {each.tag: each.text or "" for each in profile}
    assert len(values) == len(profile), "a parameter stands twice"
    accounts, keys = [], []
    for number in range(1, 17):
        if values.get(f"Line_Enable_{number}_") == "Yes":
            host, _, port = values[f"Proxy_{number}_"].partition(":")
            accounts.append(Account(
                values[f"User_ID_{number}_"], values[f"Auth_ID_{number}_"], values[f"Password_{number}_"], host, int(port),
                values[f"Short_Name_{number}_"], values.get("Voice_Mail_Number", "")))
        elif function := values.get(f"Extended_Function_{number}_"):
            parts = dict(part.partition("=")[::2] for part in function.split(";"))
            target = parts["sub"] if parts["fnc"] == "blf+sd" else parts["ext"]
            kind = "blf" if parts["fnc"] == "blf+sd" else "speed_dial"
            keys.append(Lamp(kind, target.partition("@")[0], parts["nme"]))
    return Configured(tuple(accounts), tuple(keys), values["Language_Selection"], values["Profile_Rule"], values["Admin_Password"])


def read_poly(text: str) -> Configured:
    """The account's file; its speed dials stand in the directory."""
    root = parse_xml(text)
    assert root.tag == "PHONE_CONFIG"
    (values,) = (dict(each.attrib) for each in root)
    accounts = []
    for number in range(1, 13):
        own = {name.removeprefix(f"reg.{number}."): value for name, value in values.items()}
        if "auth.userId" in own:
            accounts.append(Account(
                own["address"], own["auth.userId"], own["auth.password"], own["server.1.address"], int(own["server.1.port"]),
                own["label"], values.get(f"msg.mwi.{number}.callBack", ""),
                own["server.1.transport"] == "TLS" and values.get("sec.srtp.require") == "1"))
    keys = []
    while (name := f"attendant.resourceList.{len(keys) + 1}") + ".address" in values:
        kind = {"normal": "blf", "automata": "park"}[values[f"{name}.type"]]
        keys.append(Lamp(kind, values[f"{name}.address"].partition("@")[0], values[f"{name}.label"]))
    return Configured(
        tuple(accounts), tuple(keys), values["lcl.ml.lang"], values["device.prov.serverName"], values["device.auth.localAdminPassword"])


def read_gigaset(text: str) -> Configured:
    root = parse_xml(text)
    assert root.tag == "provisioning"
    assert root.get("productID") == "e2"
    values = {each.get("name", ""): each.get("value", "") for each in root.iterfind("nvm/param")}
    accounts = []
    for place in root.iterfind("nvm/oper[@name='add_hs']"):
        own = {name.removeprefix(f"SipAccount.{place.get('value')}."): value for name, value in values.items()}
        accounts.append(Account(
            own["UserName"], own["AuthName"], own["AuthPassword"], values["SipProvider.0.RegServerAddress"],
            int(values["SipProvider.0.RegServerPort"]), own["DisplayName"], own.get("VoiceMailMailbox", "")))
    return Configured(
        tuple(accounts), server=values["Provisioning.global.ProvisioningServer"], admin_password=values["WebUIAccounts.1.Password"])


def read_patton(text: str) -> Configured:
    """Each port: the interface's subscriber, and the password that the authentication service has for that name."""
    lines = [line.strip() for line in text.splitlines()]
    assert lines[0] == "cli version 3.20"
    passwords = dict(line.split()[1::2] for line in lines if line.startswith("username "))
    (remote,) = {tuple(line.split()[1:]) for line in lines if line.startswith("registrar ")}
    users = [line.split()[1] for line in lines if line.startswith("subscriber-number ")]
    (server,) = (line.split()[2] for line in lines if line.startswith("location 1 "))
    (admin,) = (line.split()[3] for line in lines if line.startswith("administrator "))
    return Configured(
        tuple(Account(user, user, passwords[user], remote[0], int(remote[1]), "", "") for user in users),
        server=server, admin_password=admin)


READERS = {
    "yealink": read_yealink, "snom": read_snom, "grandstream": read_grandstream, "cisco": read_cisco, "poly": read_poly,
    "gigaset": read_gigaset, "patton": read_patton}
