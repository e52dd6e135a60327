"""Readiness of an instance's processes: each process is asked itself, always with a time limit."""

import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import redis

from centralka.settings import Settings
from runtime.failure import RuntimeFailure
from runtime.process import Process
from store.live import READY

LIMIT_S = {Process.REDIS: 60.0, Process.ASTERISK: 180.0, Process.AGI: 180.0, Process.AMI: 180.0, Process.PROVISION: 180.0}
PAUSE_S = 0.05


class Running(Protocol):
    """The data of an instance that are needed to query its processes."""

    @property
    def home(self) -> Path: ...
    def asterisk_cli(self, command: str) -> str: ...
    def log_of(self, name: Process) -> str: ...


def wait_ready(asked: Running, name: Process) -> None:
    """Returns when the process does its work. Raises RuntimeFailure with the end of its log."""
    question = question_for(asked, name)
    deadline = time.monotonic() + LIMIT_S[name]
    while not question():
        if time.monotonic() > deadline:
            raise RuntimeFailure(
                f"{name} of {asked.home} is not ready after {LIMIT_S[name]:.0f} s; its log ends:\n{asked.log_of(name)[-3000:]}"
            )
        time.sleep(PAUSE_S)


def question_for(asked: Running, name: Process) -> Callable[[], bool]:
    """The question whose answer shows that `name` is ready now."""
    settings = Settings.load(asked.home)
    match name:
        case Process.REDIS:
            return lambda: redis_answers(settings.redis_url)
        case Process.ASTERISK:
            return lambda: asterisk_has_booted(asked)
        case Process.AGI:
            return lambda: accepts(settings.agi_address, settings.agi_port)
        case Process.AMI:
            return lambda: ami_is_ready(settings.redis_url)
        case Process.PROVISION:
            return lambda: accepts(settings.provision_address, settings.provision_port)


def redis_answers(url: str) -> bool:
    try:
        with redis.Redis.from_url(url, socket_timeout=2) as client:
            return bool(client.ping())
    except (redis.RedisError, OSError):
        return False


def ami_is_ready(url: str) -> bool:
    try:
        with redis.Redis.from_url(url, socket_timeout=2) as client:
            return bool(client.exists(READY))
    except (redis.RedisError, OSError):
        return False


def forget_ami(home: Path) -> None:
    """Drops what an AMI service that has ended said of itself."""
    try:
        with redis.Redis.from_url(Settings.load(home).redis_url, socket_timeout=2) as client:
            client.delete(READY)
    except (redis.RedisError, OSError):
        return                          # the mark expires by itself


def asterisk_has_booted(asked: Running) -> bool:
    try:
        return "fully booted" in asked.asterisk_cli("core waitfullybooted")
    except (RuntimeFailure, subprocess.TimeoutExpired):
        return False


def accepts(address: str, port: int) -> bool:
    try:
        with socket.create_connection((address, port), timeout=2):
            return True
    except OSError:
        return False
