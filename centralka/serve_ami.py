"""Starts the AMI service."""

from agi import ami_service
from agi.web_service import reach_of
from centralka.settings import AMI_USER, Settings
from confgen.calendars import read_apart
from confgen.secrets import load_secrets


async def serve(settings: Settings) -> None:
    await ami_service.serve(
        ami_address=settings.ami_address, ami_port=settings.ami_port, ami_user=AMI_USER,
        ami_secret=load_secrets(settings.home / "secrets.json").ami, redis_url=settings.redis_url,
        database_url=settings.database_url, home=settings.home, asterisk_home=settings.asterisk_home,
        cel_file=settings.home / "log" / "cel-custom" / "cel.csv",
        reach=reach_of(settings.call_server_networks, settings.call_server_ca_file), read_calendar=read_apart)
