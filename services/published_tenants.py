"""Published tenants: the configuration by which live calls are decided."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from confgen.published_tenant import published_format, read_published
from routing.call.questions import PinOf
from routing.tenant.tenant import Tenant
from services import metrics
from services.asterisk_text import AgiError, checked

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class PublishedTenant:
    """One tenant of one revision. `sounds` maps the names of prompts to their files' names,
    `call_server_secrets` the names of call servers to the secrets that sign their requests, `permission_pins` users, or '' for
    all others, to the PIN that overrides their permissions."""

    tenant: Tenant
    sounds: Mapping[str, str]
    call_server_secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    mobile_pins: Mapping[str, str] = field(default_factory=dict, repr=False)      # by extension
    permission_pins: Mapping[str, str] = field(default_factory=dict, repr=False)

    def pin(self, extension: str, of: PinOf) -> str:
        """'' where there is none."""
        if of is PinOf.MOBILE:
            return self.mobile_pins.get(extension, "")
        return self.permission_pins.get(extension) or self.permission_pins.get("", "")


class PublishedTenants:
    """Reads `<home>/published/decided/tenants/<slug>.json` when a call first needs it, and again after each apply.

    A file that cannot be read affects no other tenant; its own tenant keeps the last version read, if any.
    A publish ends with a change of the link `decided`: reading it is one system call, so every decision looks.
    """

    def __init__(self, home: Path) -> None:
        self._link = home / "published" / "decided"
        self._revision = ""
        self._fresh: dict[str, PublishedTenant] = {}              # read in this revision
        self._known: dict[str, tuple[bytes, PublishedTenant]] = {}   # by the file's bytes, over revisions

    def tenant(self, slug: str) -> PublishedTenant:
        """Raises AgiError for a tenant that is not published, or whose file could never be read."""
        checked(slug, r"[a-z][a-z0-9]{1,30}", "tenant")
        revision = self.revision()
        if revision != self._revision:
            self._revision, self._fresh = revision, {}
        if slug not in self._fresh:
            self._fresh[slug] = self._read(slug)
        return self._fresh[slug]

    def revision(self) -> str:
        """Raises AgiError before the first publish."""
        try:
            return os.readlink(self._link)
        except OSError as error:
            raise AgiError(f"nothing is published yet ({self._link}: {error.strerror})") from None

    def slugs(self, revision: str) -> list[str]:
        return sorted(file.stem for file in (self._link.parent / revision / "tenants").glob("*.json"))

    def texts(self, revision: str) -> Iterator[tuple[str, bytes]]:
        """All its tenants' files, by their short names."""
        for file in sorted((self._link.parent / revision / "tenants").glob("*.json")):
            try:
                yield file.stem, file.read_bytes()
            except OSError as error:
                log.error("published_tenant_unreadable", tenant=file.stem, problem=str(error))

    def zone_of(self, slug: str) -> tzinfo:
        """A tenant's time zone; UTC for one that is not published."""
        try:
            return ZoneInfo(self.tenant(slug).tenant.timezone)
        except AgiError:
            return UTC

    def _read(self, slug: str) -> PublishedTenant:
        file = self._link.parent / self._revision / "tenants" / f"{slug}.json"
        known = self._known.get(slug)
        try:
            text = file.read_bytes()
        except FileNotFoundError as error:
            those = ", ".join(self.slugs(self._revision))
            raise AgiError(f"tenant {slug!r} is not published, expected one of {those} ({file}: {error.strerror})") from None
        except OSError as error:
            log.error("published_tenant_unreadable", tenant=slug, problem=str(error))
            text = b""
        if known is None or known[0] != text:
            try:
                known = self._known[slug] = (text, read_file(slug, text))
            except AgiError:
                if known is None:
                    raise
                log.error("published_tenant_kept", tenant=slug, revision=self._revision)
        return known[1]


def values_of(slug: str, text: bytes) -> Mapping[str, Any]:
    """The tenant's values by its published file, as this version publishes them; for thousands of files, since it is faster
    than `read_file`. Raises AgiError, and logs why, for a file that cannot be read."""
    with suppress(ValueError, LookupError, TypeError, AttributeError, RecursionError):
        values = json.loads(text)
        if values.get("format", published_format()) == published_format() and isinstance(values["tenant"], dict):
            return dict[str, Any](values["tenant"])
    return read_file(slug, text).tenant.model_dump(mode="json")


def read_file(slug: str, text: bytes) -> PublishedTenant:
    """A tenant by its published file. Raises AgiError, and logs why, for a file that cannot be read."""
    try:
        values = json.loads(text)
        return PublishedTenant(
            read_published(values), values["sounds"], values.get("call_server_secrets", {}), values.get("mobile_pins", {}),
            values.get("permission_pins", {}))
    except Exception as error:      # whatever is wrong with it: the smallest unit is one tenant
        metrics.PUBLISHED_FILES_REFUSED.inc()
        log.exception("published_tenant_unreadable", tenant=slug)
        raise AgiError(f"tenant {slug!r}: its published file cannot be read: {type(error).__name__}") from None
