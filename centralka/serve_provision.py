"""Starts the provisioning service."""

from centralka.settings import Settings
from confgen.render.phone_files import Server
from provision import service


async def serve(settings: Settings) -> None:
    await service.serve(
        home=settings.home, address=settings.provision_address, port=settings.provision_port, certificate=settings.certificate,
        key=settings.certificate_key, redis_url=settings.redis_url,
        mutual_port=settings.provision_mutual_port, authorities=settings.device_authorities,
        server=Server(settings.public_host, settings.sip_port, settings.provision_url, settings.sip_tls_port))
