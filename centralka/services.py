"""Starts the services that a running instance consists of."""

import uvloop

from agi import ami_service, decision_service
from agi.decision_service import DecisionService
from agi.published import Published
from centralka.settings import Settings
from confgen.secrets import load_secrets
from store.live import DeviceFollower


async def serve_agi(settings: Settings) -> None:
    """The FastAGI decision service, until it is told to stop."""
    async with DeviceFollower(settings.redis_url) as devices:
        service = DecisionService(Published(settings.home), devices.devices, settings.asterisk_home)
        await decision_service.serve(service, settings.agi_address, settings.agi_port)


async def serve_ami(settings: Settings) -> None:
    """The AMI service, until it is told to stop."""
    await ami_service.serve(
        ami_address=settings.ami_address, ami_port=settings.ami_port, ami_user=AMI_USER,
        ami_secret=load_secrets(settings.home / "secrets.json").ami, redis_url=settings.redis_url,
        database_url=settings.database_url, cel_file=settings.home / "log" / "cel-custom" / "cel.json")


AMI_USER = "centralka"      # in templates/manager.conf.j2
SERVICES = {"agi": serve_agi, "ami": serve_ami}


def run_service(name: str, settings: Settings) -> None:
    uvloop.run(SERVICES[name](settings))
