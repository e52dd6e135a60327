"""Starts the provisioning service."""

from centralka.settings import WEB_CERTIFICATE, WEB_KEY, Settings
from confgen.render.phone_files import Server
from provision import service
from services import metrics
from services.metrics_server import metrics_served


async def serve(settings: Settings) -> None:
    async with metrics_served(metrics.PROVISION, settings.metrics_address, settings.metrics_provision_port):
        await service.serve(
            home=settings.home, address=settings.provision_address, port=settings.provision_port,
            certificate=settings.home / WEB_CERTIFICATE, key=settings.home / WEB_KEY, redis_url=settings.redis_url,
            mutual_port=settings.provision_mutual_port, authorities=settings.device_authorities,
            server=Server(settings.public_host, settings.sip_port, settings.provision_url, settings.sip_tls_port))
