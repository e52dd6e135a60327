"""Templates for Asterisk's files. Every value that a template writes passes one encoder, which refuses and never escapes."""

import re
from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from confgen.render.carrier_password import CarrierPassword, UnsafeValue

# Letters and digits of any alphabet, and punctuation that means nothing in a configuration file or the dialplan's arguments.
SAFE = re.compile(r"[\w .'’()&+/@:<>*#-]*")
TEMPLATES = Path(__file__).resolve().parents[2] / "templates"


def encode(value: object) -> object:
    """The value itself if it is safe in an Asterisk configuration file. Raises UnsafeValue."""
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
