"""Publishing to a directory: atomic, undone when Asterisk refuses. The live tests ask a real Asterisk."""

import threading
from pathlib import Path

import pytest

from confgen.instance import write_instance
from confgen.publish import publish, read_current, rollback

INSTANCE = {
    "home": "/srv/x", "sip_address": "127.0.0.1", "sip_port": 5060, "rtp_start": 10000, "rtp_end": 10100,
    "agi_address": "127.0.0.1", "agi_port": 4573, "ami_address": "127.0.0.1", "ami_port": 5038, "ami_secret": "s", "ami_cli_secret": "t",
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    write_instance(tmp_path, INSTANCE)
    return tmp_path


async def test_published_files_are_current_whole_and_private(home: Path) -> None:
    await publish(home, {"pjsip/acme.conf": "a\n", "tenants/acme.json": "{}"}, None)
    current = home / "published" / "current"
    assert (current / "pjsip" / "acme.conf").read_text() == "a\n"
    assert (current / "pjsip" / "acme.conf").stat().st_mode & 0o007 == 0


async def test_publishing_the_same_again_makes_no_revision(home: Path) -> None:
    first = await publish(home, {"pjsip/acme.conf": "a\n"}, None)
    assert await publish(home, {"pjsip/acme.conf": "a\n"}, None) == type(first)(first.revision, (), None)


async def test_rollback_brings_back_what_was_before(home: Path) -> None:
    await publish(home, {"pjsip/acme.conf": "a\n"}, None)
    await publish(home, {"pjsip/acme.conf": "b\n", "pjsip/rossi.conf": "c\n"}, None)
    undone = await rollback(home, None)
    assert read_current(home)["pjsip/acme.conf"] == "a\n"
    assert "pjsip/rossi.conf" in undone.changed
    with pytest.raises(LookupError):
        await rollback(home, None)


async def test_reader_sees_one_revision_or_the_other_and_never_a_mixture(home: Path) -> None:
    texts = ["a" * 5000, "b" * 5000]
    await publish(home, {"x/1": texts[0], "x/2": texts[0]}, None)
    mixed: list[str] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            revision = (home / "published" / "current").resolve()
            try:
                pair = [(revision / "x" / name).read_text() for name in "12"]
            except FileNotFoundError:       # dropped as too old between two reads
                continue
            if pair[0] != pair[1]:
                mixed.append("".join(text[:1] for text in pair))

    reader = threading.Thread(target=read)
    reader.start()
    for i in range(60):
        await publish(home, {"x/1": texts[i % 2], "x/2": texts[i % 2]}, None)
    done.set()
    reader.join()
    assert not mixed
