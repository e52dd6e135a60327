"""Tenants to examine again, because their published file or their live settings changed."""

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from typing import Any

import structlog

from routing.tenant.tenant import Tenant
from services.published_tenants import PublishedTenants, read_file, values_of
from store.follower import LiveFollower

log = structlog.get_logger()


class ChangedTenants:
    """`tenants`: the tenants whose published values pass `is_wanted`; no others are parsed. `changed`: those whose file or live
    settings may have changed since the reader removed them from the set."""

    def __init__(
        self, published: PublishedTenants, follower: LiveFollower, is_wanted: Callable[[Mapping[str, Any]], bool],
    ) -> None:
        self.tenants: dict[str, Tenant] = {}
        self.changed: set[str] = set()
        self._published, self._follower, self._is_wanted = published, follower, is_wanted
        self._revision: str | None = None
        self._digests: dict[str, bytes] = {}                   # of all tenants' files

    async def look(self) -> None:
        """Updates `tenants` and `changed`. Raises AgiError before the first publish."""
        revision = self._published.revision()
        if revision != self._revision:
            self.changed |= await asyncio.to_thread(self._read, revision)
            self._revision = revision
        self.changed |= self._follower.take_touched()
        self.changed &= self.tenants.keys()

    def _read(self, revision: str) -> set[str]:
        """The tenants whose files changed."""
        digests: dict[str, bytes] = {}
        changed: set[str] = set()
        for slug, text in self._published.texts(revision):
            digests[slug] = hashlib.sha256(text).digest()
            if digests[slug] != self._digests.get(slug):
                changed.add(slug)
                try:
                    wanted = self._wanted(slug, text)
                except Exception:                # this tenant's lamps and agents stay as they are; all others are updated
                    log.exception("published_tenant_skipped", tenant=slug)
                    continue
                self.tenants.pop(slug, None)
                if wanted:
                    self.tenants[slug] = wanted
        for slug in self.tenants.keys() - digests.keys():
            del self.tenants[slug]
        self._digests = digests
        return changed

    def _wanted(self, slug: str, text: bytes) -> Tenant | None:
        return read_file(slug, text).tenant if self._is_wanted(values_of(slug, text)) else None
