"""A provisioning service on a real socket with a real Redis, for two tenants whose telephones have the same labels."""

import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import httpx
import pytest

from confgen.publish.certificate import make_certificate
from confgen.publish.publishing import publish
from confgen.render.phone_files import Server, address_of
from confgen.render.tenant_files import credentials_of, render_tenant
from confgen.secrets import Secrets, with_missing
from provision.https import HttpsServer, mutual_context, server_context
from provision.service import ProvisioningService
from provision.shelf import Shelf
from routing.check.check import read_tenants
from store.equipment import EquipmentStore
from tests.store.redis_server import RedisServer
from tests.tenants_for_tests import ACME, ROSSI, changed

ADDRESS = "127.74.0.1"
YEALINK = "Yealink SIP-T46U 108.86.0.20 80:5e:c0:00:00:01"
PHONES = """phones:
  anna: {{model: yealink_t46u, mac: "{0}01", lines: [201-desk], keys: [{{kind: blf, extension: "202"}}]}}
  jan: {{model: snom_d785, mac: "{0}02", lines: [202-desk]}}
menus:"""


@dataclass(frozen=True, slots=True)
class Provisioning:
    """The running service. `addresses`: what an engineer enters, by 'tenant/label'."""

    port: int
    home: Path
    addresses: dict[str, str]
    secrets: Secrets
    store: EquipmentStore
    redis: RedisServer
    certificate: Path
    mutual_port: int             # where devices show a certificate
    authority: Path              # whose, with its key beside it

    @property
    def base(self) -> str:
        return f"https://{ADDRESS}:{self.port}"

    @property
    def trust(self) -> ssl.SSLContext:
        """That of who trusts our certificate and no other."""
        return ssl.create_default_context(cafile=str(self.certificate))

    def client(self, *, peer: str = "127.74.1.1", agent: str = YEALINK) -> httpx.AsyncClient:
        """Somebody at another address."""
        transport = httpx.AsyncHTTPTransport(local_address=peer, verify=self.trust)
        return httpx.AsyncClient(transport=transport, headers={"User-Agent": agent}, timeout=100)


def make_authority(certificate: Path) -> None:
    """As a maker has one for its devices."""
    openssl("req", "-x509", "-days", "2", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=Maker",
            "-keyout", f"{certificate}.key", "-out", str(certificate))


def openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=60)


@asynccontextmanager
async def provisioning(home: Path, redis: RedisServer, store: EquipmentStore) -> AsyncIterator[Provisioning]:
    tenants = read_tenants({
        "acme.yaml": changed(("menus:", PHONES.format("805ec00000")), text=ACME),
        "rossi.yaml": changed(("menus:", PHONES.format("805ec00001")), text=ROSSI)})
    secrets = with_missing(Secrets(), tenants)
    files: dict[str, str] = {}
    for tenant in tenants:
        sounds = {name: f"{name}-0" for name in tenant.all_prompts()}
        files |= render_tenant(tenant, secrets, sounds, PurePosixPath("/srv/x"))
    for folder in ("published/revisions", "db", "asterisk", "tls"):
        (home / folder).mkdir(parents=True)
    await publish(home, files, None)
    certificate, key = home / "tls" / "certificate.pem", home / "tls" / "key.pem"
    make_certificate(certificate, key, ADDRESS)
    server = Server("pbx.example.com", 5060, "https://pbx.example.com:8443")
    authority = home / "tls" / "maker.pem"
    make_authority(authority)
    https = HttpsServer(ProvisioningService(Shelf(home), store, server).answer)
    listening = await https.listen(ADDRESS, 0, server_context(str(certificate), str(key)))
    mutual = await https.listen(ADDRESS, 0, mutual_context(str(certificate), str(key), str(authority)))
    port, mutual_port = (each.sockets[0].getsockname()[1] for each in (listening, mutual))
    local = Server("pbx.example.com", 5060, f"https://{ADDRESS}:{port}")
    addresses = {}
    for tenant in tenants:
        credentials = credentials_of(tenant, secrets)
        assert credentials
        for _, label, each in tenant.equipment():
            addresses[f"{tenant.tenant}/{label}"] = address_of(label, each, credentials, local)
    async with listening, mutual:
        yield Provisioning(port, home, addresses, secrets, store, redis, certificate, mutual_port, authority)


@pytest.fixture
async def service(tmp_path: Path, redis_server: RedisServer) -> AsyncIterator[Provisioning]:
    async with redis_server.client() as redis, provisioning(tmp_path / "home", redis_server, EquipmentStore(redis)) as running:
        yield running
