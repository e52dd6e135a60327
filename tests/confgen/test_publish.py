"""Publishing to a directory: atomic, undone when Asterisk refuses. The live tests ask a real Asterisk."""

import threading
from pathlib import Path

import pytest

from confgen.instance import write_instance
from confgen.publish import publish, read_current, rendered_part, rollback

INSTANCE = {
    "home": "/srv/x", "sip_address": "127.0.0.1", "sip_port": 5060, "sip_tls_port": 0, "rtp_start": 10000, "rtp_end": 10100,
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


async def test_what_did_not_change_is_written_once(home: Path) -> None:
    await publish(home, {"tenants/acme.json": "{}", "tenants/rossi.json": "{}"}, None)
    before = (home / "published" / "current").resolve()
    await publish(home, {"tenants/acme.json": "{}", "tenants/rossi.json": "[]"}, None)
    after = (home / "published" / "current").resolve()
    assert (after / "tenants" / "acme.json").samefile(before / "tenants" / "acme.json")
    assert (before / "tenants" / "rossi.json").read_text() == "{}"


async def test_sip_objects_of_all_tenants_are_in_one_file_for_each_type(home: Path) -> None:
    files = {f"pjsip/{slug}.conf": f"; {slug}\n[{slug}-201-desk]\ntype = endpoint\n\n[{slug}-201-desk]\ntype = aor\n"
             for slug in ("acme", "rossi")}
    await publish(home, files, None)
    published = read_current(home)
    assert published["sip/endpoint.conf"].endswith("[acme-201-desk]\ntype = endpoint\n[rossi-201-desk]\ntype = endpoint\n")
    assert published["sip/aor.conf"].count("type = aor") == 2
    await publish(home, {"pjsip/acme.conf": files["pjsip/acme.conf"]}, None)
    assert "rossi" not in read_current(home)["sip/endpoint.conf"]
    assert rendered_part(read_current(home)) == {"pjsip/acme.conf": files["pjsip/acme.conf"]}


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
