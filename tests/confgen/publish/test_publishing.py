"""Publishing to a directory: atomic, undone when Asterisk refuses. The live tests ask a real Asterisk."""

import sqlite3
import threading
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest

from confgen.publish.asterisk_reload import marker_of
from confgen.publish.instance import write_instance
from confgen.publish.publishing import earlier_revisions, publish, read_current, rendered_part
from confgen.publish.revision import KEPT_REVISIONS, current, history
from confgen.publish.sip_database import FILE
from confgen.render.sip_objects import Aor, Identify, dump, files_by_kind

INSTANCE = {
    "home": "/srv/x", "sip_address": "127.0.0.1", "sip_port": 5060, "sip_tcp": True, "sip_tls_port": 0, "outside_address": "", "inside_networks": (), "rtp_start": 10000, "rtp_end": 10100,
    "agi_address": "127.0.0.1", "agi_port": 4573, "ami_address": "127.0.0.1", "ami_port": 5038, "ami_secret": "s", "ami_cli_secret": "t",
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    write_instance(tmp_path, INSTANCE)
    return tmp_path


def sections(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("[")]


def trunk(name: str) -> Identify:
    return Identify(name=name, endpoint=name, match=("192.0.2.7",))


def aors(home: Path) -> set[str]:
    with closing(sqlite3.connect(home / FILE)) as database:
        return {name for (name,) in database.execute("SELECT id FROM ps_aors")}


async def test_published_files_are_current_whole_and_private(home: Path) -> None:
    await publish(home, {"pjsip/acme.conf": "a\n", "tenants/acme.json": "{}"}, None)
    current = home / "published" / "current"
    assert (current / "pjsip" / "acme.conf").read_text() == "a\n"
    assert (current / "pjsip" / "acme.conf").stat().st_mode & 0o007 == 0


async def test_publishing_the_same_again_makes_no_revision(home: Path) -> None:
    first = await publish(home, {"pjsip/acme.conf": "a\n"}, None)
    assert await publish(home, {"pjsip/acme.conf": "a\n"}, None) == type(first)(first.revision, (), None)


async def test_revision_that_cannot_be_written_leaves_nothing(home: Path) -> None:
    await publish(home, {"tenants/acme.json": "{}"}, None)
    before = sorted((home / "published").rglob("*"))
    with pytest.raises(OSError, match="File name too long"):
        await publish(home, {"tenants/acme.json": "[]", f"tenants/{'x' * 300}.json": "{}"}, None)
    assert sorted((home / "published").rglob("*")) == before


async def test_what_did_not_change_is_written_once(home: Path) -> None:
    await publish(home, {"tenants/acme.json": "{}", "tenants/rossi.json": "{}"}, None)
    before = (home / "published" / "current").resolve()
    await publish(home, {"tenants/acme.json": "{}", "tenants/rossi.json": "[]"}, None)
    after = (home / "published" / "current").resolve()
    assert (after / "tenants" / "acme.json").samefile(before / "tenants" / "acme.json")
    assert (before / "tenants" / "rossi.json").read_text() == "{}"


async def test_sip_objects_of_all_tenants_are_in_a_database_or_in_one_file_for_each_type(home: Path) -> None:
    files = {f"pjsip/{slug}.json": dump([Aor(name=f"{slug}-201-desk"), trunk(f"{slug}-trunk-one")])
             for slug in ("acme", "rossi")}
    await publish(home, files, None)
    assert sections(read_current(home)["sip/identify.conf"]) == ["[acme-trunk-one]", "[rossi-trunk-one]"]
    assert aors(home) == {"acme-201-desk", "rossi-201-desk"}
    await publish(home, {"pjsip/acme.json": files["pjsip/acme.json"]}, None)
    assert sections(read_current(home)["sip/identify.conf"]) == ["[acme-trunk-one]"]
    assert aors(home) == {"acme-201-desk"}
    assert rendered_part(read_current(home)) == {"pjsip/acme.json": files["pjsip/acme.json"]}


async def test_change_of_one_tenants_sip_objects_leaves_those_of_all_others(home: Path) -> None:
    files = {f"pjsip/{slug}.json": dump([Aor(name=f"{slug}-trunk-one"), trunk(f"{slug}-trunk-one")])
             for slug in ("acme", "rossi", "told")}
    await publish(home, files, None)
    changed = {"pjsip/rossi.json": files["pjsip/rossi.json"].replace("one", "two")}
    await publish(home, changed, None, kept=("acme", "told"))
    identify = read_current(home)["sip/identify.conf"]
    assert sections(identify) == ["[acme-trunk-one]", "[rossi-trunk-two]", "[told-trunk-one]"]
    assert identify == files_by_kind({**files, **changed})["sip/identify.conf"]
    assert aors(home) == {"acme-trunk-one", "rossi-trunk-two", "told-trunk-one"}


async def test_instance_that_was_made_before_there_was_a_database_gets_what_it_has_published(home: Path) -> None:
    await publish(home, {"pjsip/acme.json": dump([Aor(name="acme-201-desk")])}, None)
    (home / FILE).unlink()
    write_instance(home, INSTANCE)
    assert aors(home) == {"acme-201-desk"}


async def test_tenant_that_is_kept_stays_as_it_is_and_any_other_goes(home: Path) -> None:
    await publish(home, {"tenants/acme.json": "a", "tenants/rossi.json": "b", "tenants/told.json": "c"}, None)
    await publish(home, {"tenants/rossi.json": "d"}, None, kept=("acme",))
    assert rendered_part(read_current(home)) == {"tenants/acme.json": "a", "tenants/rossi.json": "d"}


async def test_change_of_a_call_flow_alone_is_nothing_new_for_asterisk_and_one_of_its_own_files_is(home: Path) -> None:
    texts = {"extensions/acme.conf": "[acme]\n", "tenants/acme.json": "a"}
    markers = []
    for step in ("first", "call flow", "users", "own file"):
        match step:
            case "call flow":
                texts["tenants/acme.json"] = "b"
            case "users":
                texts["extensions/acme.conf"] = "[other]\n"
            case "own file":
                (home / "asterisk" / "extensions.conf").write_text("[step]\n")
        await publish(home, texts, None)
        markers.append(marker_of(current(home)))
    assert [before == after for before, after in pairwise(markers)] == [True, False, False]


async def test_folder_without_a_change_is_that_of_the_revision_before_as_long_as_any_needs_it(home: Path) -> None:
    for i in range(KEPT_REVISIONS + 3):
        await publish(home, {"pjsip/acme.conf": "", "voicemail/acme.conf": str(i)}, None)
    assert read_current(home)["pjsip/acme.conf"] == ""
    made = sorted(f"{path.parent.name[:6]} {path.name}" for path in (home / "published" / "folders").glob("*/*"))
    assert [each for each in made if each.endswith("pjsip")] == ["000001 pjsip"]
    assert len([each for each in made if each.endswith("voicemail")]) == KEPT_REVISIONS


async def test_what_can_be_gone_back_to_is_what_was_published_to_its_end(home: Path) -> None:
    names = [(await publish(home, {"tenants/acme.json": text}, None)).revision for text in ("a", "b", "c")]
    assert earlier_revisions(home) == names[:2]
    (home / "published" / "history").write_text("\n".join(names[:2]))        # as if killed before the last thing it does
    assert earlier_revisions(home) == names[:2]
    last = await publish(home, {"tenants/acme.json": "d"}, None, earlier=names[:1])
    assert history(home) == [names[0], last.revision]
    assert rendered_part(read_current(home)) == {"tenants/acme.json": "d"}


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
