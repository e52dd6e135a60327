"""Every telephone of the tenants as last published, found by the secret in its address or by its MAC address."""

import asyncio
import hashlib
import hmac
import json
import os
from dataclasses import dataclass
from pathlib import Path

import structlog

from confgen.published_tenant import read_published
from confgen.render.phone_files import Credentials, Files, Server, files_of
from routing.check.equipment_check import macs_of
from routing.numbering.value_types import Name, Slug
from routing.tenant.equipment import Equipment
from routing.tenant.tenant import Tenant
from services import metrics

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Device:
    """One telephone. Its files are made when it asks for one."""

    tenant: Tenant
    label: Name
    each: Equipment
    credentials: Credentials

    @property
    def name(self) -> str:
        return f"{self.tenant.tenant}/{self.label}"

    def files(self, server: Server) -> Files:
        return files_of(self.tenant, self.label, self.each, self.credentials, server)


_Signature = tuple[int, ...]     # of a tenant's two files: what does not change is the same file in the next revision


@dataclass(frozen=True, slots=True)
class _Shelved:
    signature: _Signature
    devices: list[Device]


class Shelf:
    """The telephones of `<home>/published/decided`, read again after each apply: only changed tenants. A
    tenant whose files cannot be used keeps its previous telephones; all other tenants are updated."""

    def __init__(self, home: Path) -> None:
        self._link = home / "published" / "decided"
        self._revision = ""
        self._known: dict[Slug, _Shelved] = {}
        self._by_secret: dict[bytes, Device] = {}      # by the digest: the time of a look-up reveals nothing of the secret
        self._by_mac: dict[str, Device] = {}
        self._turn = asyncio.Lock()

    def find(self, secret: str) -> Device | None:
        """The device whose address has this secret."""
        device = self._by_secret.get(_digest(secret))
        kept = device.credentials.address[device.label] if device else ""
        return device if hmac.compare_digest(kept.encode(), secret.encode()) else None

    def by_mac(self, mac: str) -> Device | None:
        return self._by_mac.get(mac)

    async def refresh(self) -> None:
        """Brings the shelf up to date before a request is answered; files are read in a thread, once for all who wait."""
        async with self._turn:
            try:
                revision = os.readlink(self._link)
            except OSError:
                return                              # nothing is published yet: there is no device
            if revision != self._revision:
                self._known, self._by_secret, self._by_mac = await asyncio.to_thread(self._read, self._link.parent / revision)
                self._revision = revision

    def _read(self, folder: Path) -> tuple[dict[Slug, _Shelved], dict[bytes, Device], dict[str, Device]]:
        known: dict[Slug, _Shelved] = {}
        for file in (folder / "phones").glob("*.json"):
            before = self._known.get(file.stem)
            try:
                known[file.stem] = _shelved(file, folder / "tenants" / file.name, before)
            except Exception:  # whatever is wrong with one tenant's files, the others are updated
                log.exception("published_phones_not_understood", tenant=file.stem)
                metrics.PUBLISHED_FILES_REFUSED.inc()
                if before:
                    known[file.stem] = before
        devices = [device for found in known.values() for device in found.devices]
        by_secret = {_digest(device.credentials.address[device.label]): device for device in devices}
        return known, by_secret, {mac: device for device in devices for _, mac in macs_of(device.each)}


def _shelved(credentials_file: Path, tenant_file: Path, before: _Shelved | None) -> _Shelved:
    stats = credentials_file.stat(), tenant_file.stat()
    signature = tuple(value for each in stats for value in (each.st_ino, each.st_size, each.st_mtime_ns))
    if before and before.signature == signature:
        return before
    credentials = Credentials(**json.loads(credentials_file.read_bytes()))
    tenant = read_published(json.loads(tenant_file.read_bytes()))
    devices = [Device(tenant, label, each, credentials) for _, label, each in tenant.equipment()]
    if missing := sorted({device.label for device in devices} - credentials.address.keys()):
        raise ValueError(f"no address is published for {', '.join(missing)}")
    return _Shelved(signature, devices)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
