"""Which tenants are to be looked at again, by what is published and what is set live."""

import asyncio
import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from routing.tenant.tenant import Tenant
from services.published_tenants import PublishedTenants
from store.follower import LiveFollower


class ChangedTenants:
    """`tenants` are those that `is_wanted` by their published values; no other is parsed. `changed` are those whose file or
    live settings may be others than when somebody took them out of it."""

    def __init__(
        self, published: PublishedTenants, follower: LiveFollower, is_wanted: Callable[[Mapping[str, Any]], bool],
    ) -> None:
        self.tenants: dict[str, Tenant] = {}
        self.changed: set[str] = set()
        self._published, self._follower, self._is_wanted = published, follower, is_wanted
        self._revision: str | None = None
        self._digests: dict[str, bytes] = {}                   # of all tenants' files

    async def look(self) -> None:
        """Brings both up to date. Raises AgiError before the first publish."""
        revision = self._published.revision()
        if revision != self._revision:
            self.changed |= await asyncio.to_thread(self._read, revision)
            self._revision = revision
        self.changed |= self._follower.take_touched()
        self.changed &= self.tenants.keys()

    def _read(self, revision: str) -> set[str]:
        """The tenants whose files are others than before."""
        digests: dict[str, bytes] = {}
        changed: set[str] = set()
        for slug, text in self._published.texts(revision):
            digests[slug] = hashlib.sha256(text).digest()
            if digests[slug] != self._digests.get(slug):
                changed.add(slug)
                self.tenants.pop(slug, None)
                values = json.loads(text)["tenant"]
                if self._is_wanted(values):
                    self.tenants[slug] = Tenant.model_validate(values)
        for slug in self.tenants.keys() - digests.keys():
            del self.tenants[slug]
        self._digests = digests
        return changed
