"""Templates for Asterisk's files. Every value that a template writes passes one encoder, which refuses and never escapes."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from jinja2 import Environment, FileSystemLoader, StrictUndefined

# Letters and digits of any alphabet, and punctuation that means nothing in a configuration file or the dialplan's arguments.
SAFE = re.compile(r"[\w .'’()&+/@:<>*#-]*")
# What a carrier's password may hold to stand in pjsip.conf: no ';', which begins a comment, and no backslash before one.
PASSWORD = re.compile(r"[!-:<-\[\]-~]([ -:<-\[\]-~]{0,98}[!-:<-\[\]-~])?")
TEMPLATES = Path(__file__).resolve().parents[2] / "templates"


class UnsafeValue(ValueError):
    """A value that could become something else in a configuration file. The models should have refused it earlier."""


class CarrierPassword(str):
    """A password that somebody else chose. Raises UnsafeValue, which does not show it, for one that no file can hold."""

    def __new__(cls, text: str) -> Self:
        if not PASSWORD.fullmatch(text):
            raise UnsafeValue("found a password that is empty or holds ';', a backslash or what is not printable ASCII")
        return super().__new__(cls, text)


def encode(value: object) -> object:
    """The value itself if it is safe to stand in a file of Asterisk's. Raises UnsafeValue."""
    if isinstance(value, CarrierPassword):
        return value
    if value is None or not SAFE.fullmatch(str(value)):
        raise UnsafeValue(f"found {str(value)[:80]!r}, expected text that matches {SAFE.pattern}")
    return value


_environment = Environment(
    loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, finalize=encode,
    trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    autoescape=False,  # noqa: S701 - these are not HTML; `finalize` refuses what is unsafe here
)


def fill(template: str, values: Mapping[str, object]) -> str:
    """The text of templates/<template>.j2."""
    return _environment.get_template(f"{template}.j2").render(values)
