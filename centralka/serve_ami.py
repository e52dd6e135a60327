"""Starts the AMI service."""

from ami import service as ami_service
from centralka.settings import AMI_CEL_USER, AMI_LOGIN, AMI_USER, Settings
from confgen.publish.calendars import read_apart
from services import metrics
from services.metrics_server import metrics_served
from services.web_request import reach_of


async def serve(settings: Settings) -> None:
    async with metrics_served(metrics.AMI, settings.metrics_address, settings.metrics_ami_port):
        await ami_service.serve(
            ami_address=settings.ami_address, ami_port=settings.ami_port, ami_user=AMI_USER, ami_cel_user=AMI_CEL_USER,
            ami_secret=(settings.home / AMI_LOGIN).read_text(), redis_url=settings.redis_url,
            database_url=settings.database_url, home=settings.home, asterisk_home=settings.asterisk_home,
            cel_file=settings.home / "log" / "cel-custom" / "cel.csv",
            reach=reach_of(settings.call_server_networks, settings.call_server_ca_file), read_calendar=read_apart)
