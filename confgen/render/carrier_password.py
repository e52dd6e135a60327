"""Passwords chosen by carriers, checked for use in pjsip.conf."""

import re
from typing import Self

# No ';', which begins a comment, and no backslash before one.
PASSWORD = re.compile(r"[!-:<-\[\]-~]([ -:<-\[\]-~]{0,98}[!-:<-\[\]-~])?")


class UnsafeValue(ValueError):
    """A value that could become something else in a configuration file. The models should have refused it earlier."""


class CarrierPassword(str):
    """A password that somebody else chose. Raises UnsafeValue, which does not show it, for one that no file can hold."""

    def __new__(cls, text: str) -> Self:
        if not PASSWORD.fullmatch(text):
            raise UnsafeValue("found a password that is empty or holds ';', a backslash or what is not printable ASCII")
        return super().__new__(cls, text)
