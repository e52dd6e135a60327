"""Devices that show their maker's certificate, in place of a secret in the address."""

import ssl
from pathlib import Path

import httpx
import pytest

from confgen.publish.certificate import make_certificate
from provision.https import mutual_context, server_context
from tests.phones.files import read_yealink
from tests.provision.conftest import ADDRESS, YEALINK, Provisioning, make_authority, openssl
from tests.provision.test_service import nothing

ANNA, JAN = "805ec0000001", "805ec0000002"        # acme's; rossi's are ...0101 and ...0102


def device(service: Provisioning, subject: str, *, authority: Path | None = None) -> httpx.AsyncClient:
    """Who has a certificate of the maker's for this subject."""
    maker, own = authority or service.authority, service.home / "tls" / "device.pem"
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", subject,
            "-keyout", f"{own}.key", "-out", f"{own}.csr")
    openssl("x509", "-req", "-days", "2", "-in", f"{own}.csr", "-CA", str(maker), "-CAkey", f"{maker}.key", "-CAcreateserial", "-out", str(own))
    shown = service.trust
    shown.load_cert_chain(own, f"{own}.key")
    return client(shown)


def client(trust: ssl.SSLContext) -> httpx.AsyncClient:
    transport = httpx.AsyncHTTPTransport(local_address="127.74.3.1", verify=trust)
    return httpx.AsyncClient(transport=transport, headers={"User-Agent": YEALINK}, timeout=100)


def address(service: Provisioning, file: str) -> str:
    return f"https://{ADDRESS}:{service.mutual_port}/{file}"


@pytest.mark.parametrize("subject", [
    f"/CN={ANNA}", "/CN=80:5E:C0:00:00:01", f"/O=Maker/OU=CP-8851-3PCC/L=88012BA01234/ST={ANNA}"])
async def test_device_with_its_makers_certificate_gets_its_own_files_as_often_as_it_asks(service: Provisioning, subject: str) -> None:
    async with device(service, subject) as anna:
        for _ in range(2):
            response = await anna.get(address(service, f"{ANNA}.cfg"))
            assert read_yealink(response.text).accounts[0].user == "acme-201-desk"
        assert "<Name>Jan</Name>" in (await anna.get(address(service, "directory.xml"))).text
    assert (await service.store.fetched())["acme/anna"].file == "directory.xml"


@pytest.mark.parametrize(("subject", "file"), [
    (f"/CN={ANNA}", f"{JAN}.xml"), (f"/CN={ANNA}", "805ec0000101.cfg"), (f"/CN={ANNA}", "../secrets.json"), (f"/CN={ANNA}", ""),
    ("/CN=805ec0ffffff", f"{ANNA}.cfg"), ("/CN=Yealink", f"{ANNA}.cfg"), (f"/CN={ANNA}/ST={JAN}", f"{ANNA}.cfg")])
async def test_certificate_opens_no_other_devices_files(service: Provisioning, subject: str, file: str) -> None:
    async with device(service, subject) as anna:
        response = await anna.get(address(service, file))
    assert (response.status_code, response.headers.multi_items(), response.content) == await nothing(service)


async def test_certificate_of_an_authority_that_the_operator_does_not_trust_is_refused(service: Provisioning) -> None:
    other = service.home / "tls" / "other.pem"
    make_authority(other)
    with pytest.raises((httpx.ReadError, httpx.ConnectError, httpx.RemoteProtocolError)):
        async with device(service, f"/CN={ANNA}", authority=other) as stranger:
            await stranger.get(address(service, f"{ANNA}.cfg"))
    with pytest.raises((httpx.ReadError, httpx.ConnectError, httpx.RemoteProtocolError)):
        async with client(service.trust) as nobody:
            await nobody.get(address(service, f"{ANNA}.cfg"))


def test_operator_is_told_which_file_cannot_be_used(tmp_path: Path) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    with pytest.raises(OSError, match=r"certificate.pem with the key .*key.pem: found .*No such file"):
        server_context(str(certificate), str(key))
    make_certificate(certificate, key, ADDRESS)
    with pytest.raises(OSError, match=r"device authorities .*key.pem: found .*, expected a PEM file of certificates"):
        mutual_context(str(certificate), str(key), str(key))


async def test_certificate_is_not_asked_for_where_secrets_are(service: Provisioning) -> None:
    async with device(service, f"/CN={ANNA}") as anna:
        assert (await anna.get(f"{service.base}/{ANNA}.cfg")).status_code == 404
        assert (await anna.get(f"{service.addresses['acme/anna']}{ANNA}.cfg")).status_code == 200
