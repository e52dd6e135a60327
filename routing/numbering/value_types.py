"""The kinds of names and numbers a tenant's file may hold. Each pattern is an allowlist."""

import re
import unicodedata
from ipaddress import ip_network
from typing import Annotated

from phonenumbers import SUPPORTED_REGIONS
from pydantic import AfterValidator, BeforeValidator

from yaml_models.patterns import matching

# Each of these may stand in generated files, so none admits white space, quotes, '$', '/', or a dot.
Slug = Annotated[str, matching(                                     # a tenant; no '-', which separates
    r"^[a-z][a-z0-9]{1,30}$", "a tenant's short name: a lower-case letter, then lower-case letters and digits")]
Name = Annotated[str, matching(                                     # an element, prompt, device, trunk
    r"^[a-z][a-z0-9_]{0,30}$", "a name of lower-case letters, digits and '_', beginning with a letter")]
Extension = Annotated[str, matching(r"^[0-9]{2,6}$", "an extension of 2 to 6 digits")]
Did = Annotated[str, matching(r"^\+[1-9][0-9]{6,14}$", "a public number as +48221234567")]       # E.164
Target = Annotated[str, matching(r"^([a-z][a-z0-9_]{0,30}|[0-9]{2,6})$", "the name of an element or an extension")]
Destination = Annotated[str, matching(
    r"^([a-z][a-z0-9_]{0,30}|[0-9]{2,6}|\+[1-9][0-9]{6,14})$",
    "the name of an element, an extension, or a number outside as +48600100200")]
Member = Annotated[Destination, "of a group"]                       # an extension, a group or a number outside
Code = Annotated[str, matching(                                     # dialled: no number begins so
    r"^\*[0-9*]{1,4}$", "a code such as *97: '*', then 1 to 4 digits or '*'")]
InCallCode = Annotated[str, matching(                               # keyed during a conversation
    r"^[*#][0-9*#]{1,3}$", "a code such as *2 or ##: '*' or '#', then 1 to 3 digits, '*' or '#'")]
Key = Annotated[str, matching(r"^[0-9*#]$", "one key of the telephone: 0-9, * or #")]
Country = Annotated[str, matching(r"^[A-Z]{2}$", "a country's two letters, such as PL")]          # ISO 3166


def all_differ(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names as they are. Raises ValueError when one stands twice."""
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"found {', '.join(twice)} twice, expected each once")
    return names


def one_spelling(text: str) -> str:
    """The text in Unicode's composed form. Raises ValueError for a name that cannot stand in every generated file."""
    composed = unicodedata.normalize("NFC", text)
    if not re.fullmatch(r"[\w .'’()&+/-]{1,60}", composed):
        raise ValueError(f"expected {LABEL}")
    return composed


def plain_mac(text: object) -> object:
    """'80:5E:C0:11:22:33' as '805ec0112233'; what is no such address as it is."""
    plain = re.sub("[:.-]", "", text).lower() if isinstance(text, str) else ""
    return plain if re.fullmatch("[0-9a-f]{12}", plain) else text


def mac_shown(mac: str) -> str:
    """'80:5e:c0:11:22:33', as on the label of a telephone."""
    return ":".join(mac[i:i + 2] for i in range(0, len(mac), 2))


def in_small_letters(text: object) -> object:
    return text.lower() if isinstance(text, str) else text


def has_numbers(country: str) -> str:
    """The country as it is. Raises ValueError for one of whose numbers nothing is known."""
    if country not in SUPPORTED_REGIONS:
        raise ValueError("expected a country's two letters, such as PL")
    return country


def one_network(text: str) -> str:
    """The address or network in its usual form. Raises ValueError for anything else."""
    try:
        return str(ip_network(text))
    except ValueError:
        raise ValueError("expected an address or a network such as 192.0.2.0/28") from None


Network = Annotated[str, AfterValidator(one_network)]               # IPv4 or IPv6
Mac = Annotated[str, matching(r"^[0-9a-f]{12}$", "a MAC address such as 80:5e:c0:11:22:33"), BeforeValidator(plain_mac)]
DeviceName = Annotated[str, matching(r"^[0-9]{2,6}-[a-z][a-z0-9_]{0,30}$", "a user's device such as 201-desk")]
Ipui = Annotated[str, matching(                                     # of a DECT handset
    r"^[0-9a-f]{10}$", "a handset's IPUI of 10 digits and a-f, such as 029e74a599"), BeforeValidator(in_small_letters)]
DialledByKey = Annotated[str, matching(                             # what a telephone's key dials
    r"^[+*]?[0-9*#]{1,24}$", "digits, * and #, with + in front of a number outside")]
AreaCode = Annotated[str, matching(r"^[0-9]{0,5}$", "an area code of at most 5 digits")]
HomeCountry = Annotated[Country, AfterValidator(has_numbers)]       # one with a dialling plan
Extensions = Annotated[tuple[Extension, ...], AfterValidator(all_differ)]
# A person's or firm's name, shown on phones and pages: letters of any alphabet, digits and a little punctuation.
LABEL = "letters, digits, spaces and . ' ( ) & + / -, at most 60"
Label = Annotated[str, AfterValidator(one_spelling)]
# What is spoken to a caller.
SpokenText = Annotated[str, matching(
    r"^[^\x00-\x09\x0b-\x1f\x7f<>{}$\\]{1,2000}$", "text of at most 2,000 characters without < > { } $ \\")]
# A sound file beside the tenant's file.
SoundFile = Annotated[str, matching(r"^[A-Za-z0-9_-]{1,60}\.wav$", "a file name such as welcome.wav, without a folder")]
Host = Annotated[str, matching(r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$", "a host name or an IP address")]
# HTTPS, or plain HTTP to this machine itself. No user name, fragment or white space.
Url = Annotated[str, matching(
    r"^(https://([A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])"
    r"|http://(localhost|127\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}|\[::1\]))"
    r"(:[0-9]{1,4}|:[1-5][0-9]{4}|:6[0-4][0-9]{3}|:65[0-4][0-9]{2}|:655[0-2][0-9]|:6553[0-5])?(/[A-Za-z0-9._~!$&'()*+,;=:@%/?-]{0,500})?$",
    "an address such as https://example.com/calls, or http:// on this machine itself")]
MailAddress = Annotated[str, matching(
    r"^[A-Za-z0-9_%+-]+(\.[A-Za-z0-9_%+-]+)*@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*$",
    "a mail address such as anna@example.com", max_length=254)]
SipUser = Annotated[str, matching(r"^[A-Za-z0-9_.+-]{1,64}$", "letters, digits and . _ + -")]
Pin = Annotated[str, matching(r"^[0-9]{4,10}$", "a PIN of 4 to 10 digits")]
# What stands before a caller's name: letters of any alphabet, nothing that means something to Asterisk.
NamePrefix = Annotated[str, matching(
    r"^[^\W_]([\w .:+/-]{0,18}[\w .:+/-])?$",
    "letters, digits, spaces and . : + / -, at most 20, beginning with a letter or digit")]
