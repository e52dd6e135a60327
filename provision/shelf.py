"""Every telephone of the tenants as last published, found by the secret in its address or by its MAC address."""

import hashlib
import hmac
import json
import os
from dataclasses import dataclass
from pathlib import Path

from confgen.render.phone_files import Credentials, Files, Server, files_of
from routing.check.equipment_check import macs_of
from routing.numbering.value_types import Name, Slug
from routing.tenant.equipment import Equipment
from routing.tenant.tenant import Tenant


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


class Shelf:
    """Reads `<home>/published/decided` again after each apply: of a tenant that has not changed, nothing."""

    def __init__(self, home: Path) -> None:
        self._link = home / "published" / "decided"
        self._revision = ""
        self._known: dict[Slug, tuple[tuple[bytes, bytes], list[Device]]] = {}
        self._by_secret: dict[bytes, Device] = {}      # by the digest: the time of a look-up reveals nothing of the secret
        self._by_mac: dict[str, Device] = {}

    def find(self, secret: str) -> Device | None:
        """The device whose address has this secret."""
        self._refresh()
        device = self._by_secret.get(_digest(secret))
        kept = device.credentials.address[device.label] if device else ""
        return device if hmac.compare_digest(kept.encode(), secret.encode()) else None

    def by_mac(self, mac: str) -> Device | None:
        self._refresh()
        return self._by_mac.get(mac)

    def _refresh(self) -> None:
        try:
            revision = os.readlink(self._link)
        except OSError:
            return                              # nothing is published yet: there is no device
        if revision == self._revision:
            return
        folder = self._link.parent / revision
        known = {file.stem: self._read(file, folder / "tenants" / file.name) for file in (folder / "phones").glob("*.json")}
        devices = [device for _, found in known.values() for device in found]
        self._by_secret = {_digest(device.credentials.address[device.label]): device for device in devices}
        self._by_mac = {mac: device for device in devices for _, mac in macs_of(device.each)}
        self._known, self._revision = known, revision

    def _read(self, credentials_file: Path, tenant_file: Path) -> tuple[tuple[bytes, bytes], list[Device]]:
        texts = credentials_file.read_bytes(), tenant_file.read_bytes()
        known = self._known.get(credentials_file.stem)
        if known and known[0] == texts:
            return known
        credentials = Credentials(**json.loads(texts[0]))
        tenant = Tenant.model_validate(json.loads(texts[1])["tenant"])
        return texts, [Device(tenant, label, each, credentials) for _, label, each in tenant.equipment()]


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
