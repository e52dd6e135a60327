"""Starts the FastAGI decision service. Imports no database, so that a restarted service answers within a second."""

import asyncio
from pathlib import Path

import holidays  # noqa: F401 - rules import it lazily; the import would delay a waiting call

from agi import decision_service
from agi.call_servers import CallServers
from agi.decision_service import DecisionService
from agi.slow_answers import SlowAnswers
from agi.speech import Speech
from agi.understanding import Understanding
from centralka.settings import Settings
from confgen.publish.sounds import Sound, make_sounds
from routing.speech.phrases import Language
from services import metrics
from services.metrics_server import metrics_served
from services.published_tenants import PublishedTenants
from services.resolver import Resolver
from store import live
from store.answers import RedisAnswers
from store.follower import LiveFollower


async def serve(settings: Settings) -> None:
    async with (
        metrics_served(metrics.AGI, settings.metrics_address, settings.metrics_agi_port),
        LiveFollower(settings.redis_url) as follower,
    ):
        answers = RedisAnswers(live.connect(settings.redis_url))
        resolver = Resolver()
        call_servers = CallServers(settings.call_server_networks, settings.call_server_ca_file, resolver)
        understanding = Understanding(settings.home / "heard")
        slow = SlowAnswers(call_servers, Speech(make_speech, settings.home / "said"), understanding)
        service = DecisionService(PublishedTenants(settings.home), follower.live, answers, slow, settings.asterisk_home)
        async with asyncio.TaskGroup() as tasks:
            forgetting = tasks.create_task(understanding.forget())
            await decision_service.serve(service, settings.agi_address, settings.agi_port)
            forgetting.cancel()
        await resolver.close()


async def make_speech(name: str, text: str, language: Language, folder: Path) -> None:
    await make_sounds([Sound(name, text, language)], folder)
