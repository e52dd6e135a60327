"""Starts the FastAGI decision service. Imports no database, so that a restarted service answers within a second."""

from agi import decision_service
from agi.decision_service import DecisionService
from agi.published import Published
from centralka.settings import Settings
from store import live
from store.answers import LiveAnswers
from store.follower import LiveFollower


async def serve(settings: Settings) -> None:
    async with LiveFollower(settings.redis_url) as follower:
        answers = LiveAnswers(live.connect(settings.redis_url))
        service = DecisionService(Published(settings.home), follower.live, answers, settings.asterisk_home)
        await decision_service.serve(service, settings.agi_address, settings.agi_port)
