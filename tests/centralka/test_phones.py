"""What a person is told who asks wrongly about telephones, PINs and passwords."""

from pathlib import Path

import pytest

from tests.centralka.test_cli import centralka, home

__all__ = ["home"]
ANNA = 'phones: {anna: {model: yealink_t46u, mac: "805ec0000001", lines: [201-desk]}}\n'


@pytest.mark.parametrize(("asked", "code", "told"), [
    (("phones", "nosuch"), 1, "no tenant 'nosuch' is published"),
    (("phones", "acme"), 0, "acme has no telephones: its file names none in phones, dect or gateways"),
    (("phones", "acme", "--open", "anna"), 1, "acme has no telephone 'anna', expected one of none"),
    (("rotate", "nosuch", "201-desk"), 1, "no tenant 'nosuch' is published"),
    (("rotate", "acme", "201"), 1, "acme has no device '201', expected one such as 201-desk"),
    (("rotate", "acme", "201-desk"), 2, "no Asterisk runs here"),
    (("pin", "acme", "201"), 1, "found nothing, expected a PIN of 4 to 10 digits"),
])
def test_wrong_question_is_answered_in_words(home: Path, asked: tuple[str, ...], code: int, told: str) -> None:
    assert centralka(home, "apply").returncode == 0
    done = centralka(home, *asked)
    assert (done.returncode, told in " ".join((done.stdout + done.stderr).split())) == (code, True), done
    assert "Traceback" not in done.stderr


def test_telephones_are_not_listed_while_redis_is_away(home: Path) -> None:
    tenant = home.parent / "tenants" / "acme.yaml"
    tenant.write_text(tenant.read_text() + ANNA)
    assert centralka(home, "apply").returncode == 0
    for more in ((), ("--open", "anna")):
        done = centralka(home, "phones", "acme", *more)
        assert (done.returncode, "gives no answer" in done.stderr, "Traceback" in done.stderr) == (2, True, False), done
