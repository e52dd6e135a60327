import pytest

from runtime.choose import Choice, Kind, choose
from runtime.engine import Engine, NoEngine
from runtime.failure import RuntimeFailure

ENGINE = Engine("20.10", ("docker-compose",))
NONE = NoEngine("no Docker engine answers")


def test_an_engine_that_answers_is_used_unless_the_operator_says_otherwise() -> None:
    assert choose("", ENGINE).kind is Kind.DOCKER
    assert choose("local", ENGINE).kind is Kind.LOCAL


def test_without_an_engine_the_local_root_is_used_and_the_reason_said() -> None:
    assert choose("", NONE) == Choice(Kind.LOCAL, "no Docker engine answers")


def test_containers_that_were_asked_for_are_not_silently_replaced() -> None:
    with pytest.raises(RuntimeFailure, match="RUNTIME=docker, but no Docker engine answers"):
        choose("docker", NONE)


def test_an_unknown_runtime_is_refused() -> None:
    with pytest.raises(RuntimeFailure, match="found RUNTIME=podman"):
        choose("podman", ENGINE)
