"""Configuration changes while calls are up."""

import asyncio
import json
import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ami.client import AmiClient
from centralka.asterisk import RunningAsterisk
from centralka.cli.configuration import apply, render
from centralka.settings import AMI_CLI_USER
from confgen.publish.asterisk_reload import DIALPLAN, MARKED, RELOADS, WATCH_ALL, WATCHED_AT_MOST, AsteriskRefused
from confgen.publish.old_sounds import UNUSED_KEPT, delete_old_sounds
from confgen.publish.publishing import Published, locked, publish, read_current
from confgen.publish.sip_database import FILE
from confgen.render.sip_objects import Endpoint, dump, load, objects_in
from confgen.secrets import save_secrets
from routing.call.facts import DeviceState
from runtime.failure import RuntimeFailure
from runtime.instance import centralka_command
from runtime.process import Process
from sipp import Account, Answer, Call, Callee, Caller, Load, Refused, Register, SendHangUp, Silence, keys, run
from tests.agents.audio import likeness, read_wav
from tests.agents.baresip import phone
from tests.live.calling import MAIN, dials
from tests.live.pbx import TENANTS, TRUNK, Pbx, until
from tests.live.test_lamps import bodies, watching
from tests.live.test_outside import header
from tests.live.test_transfers import TO_ANNA, firm

pytestmark = pytest.mark.live


@pytest.fixture
def tenants(pbx: Pbx, tmp_path: Path) -> Iterator[Path]:
    """A copy of the tenants' files to change; what was published before is published again at the end."""
    copy = tmp_path / "tenants"
    shutil.copytree(TENANTS, copy)
    yield copy
    pbx.runtime.apply(TENANTS)


ZOFIA = '  "203": {name: Zofia Lis, devices: [desk], ring_s: 3, voicemail: false}\n'


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


async def is_nothing(pbx: Pbx, number: str) -> None:
    """The number, dialled on a phone of Acme's, gets 404."""
    me = pbx.account("acme-202-desk")
    call = Call(number=number, caller=Caller(me.user), account=me, ending=Refused(404))
    await run(call, local="127.77.9.21", server=pbx.server)


@asynccontextmanager
async def twenty_calls(pbx: Pbx) -> AsyncIterator[None]:
    """Twenty conversations that are up inside the block, each of which must end by its own caller's hang-up."""
    async with pbx.cast(limit_s=60) as cast:
        await pbx.phone(cast, "acme-202-desk", Callee(then=Answer()), calls=20)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(cast.call(
                dials(MAIN["acme"], pbx.outside_caller(), Silence(400), *keys("#"), Silence(1000), ending=SendHangUp(9000)),
                at=TRUNK["acme"], load=Load(calls=20, per_s=10, at_once=20)))
            await until(lambda: "20 active calls" in pbx.runtime.asterisk_cli("core show channels count"), "20 calls are up")
            yield
            assert "20 active calls" in pbx.runtime.asterisk_cli("core show channels count")


@pytest.mark.docker
async def test_applied_change_touches_no_call_and_the_next_call_follows_it(pbx: Pbx, tenants: Path) -> None:
    change(tenants / "acme.yaml", 'users:\n', 'users:\n  "204": {name: Nowy, devices: [desk]}\n')
    change(tenants / "acme.yaml", '"3": "203"', '"3": "204"')
    async with twenty_calls(pbx):
        said = await asyncio.to_thread(pbx.runtime.apply, tenants)
        assert "Asterisk reloaded extensions, voicemail, pjsip and confirmed" in " ".join(said.split())
        caller = pbx.outside_caller()
        async with pbx.cast() as cast:
            await pbx.phone(cast, "acme-204-desk", Callee(then=Answer()))
            await cast.call(dials(MAIN["acme"], caller, Silence(400), *keys("3"), Silence(1500)), at=TRUNK["acme"])
    assert (await pbx.record(caller)).answered_by == "204"


async def test_broken_file_is_refused_with_its_line_and_touches_nothing(pbx: Pbx, tenants: Path) -> None:
    change(tenants / "acme.yaml", '"3": "203"', '"3": nobody')
    before = read_current(pbx.settings.home)
    async with twenty_calls(pbx):
        with pytest.raises(RuntimeFailure) as refused:
            await asyncio.to_thread(pbx.runtime.apply, tenants)
        line = (tenants / "acme.yaml").read_text().partition('"3": nobody')[0].count("\n") + 1
        assert f"acme.yaml:{line} menus.main.keys.3: no element named 'nobody'" in str(refused.value)
    assert read_current(pbx.settings.home) == before


async def test_user_who_is_removed_can_register_and_call_no_more_and_is_not_called(pbx: Pbx, tenants: Path) -> None:
    account = pbx.account("acme-203-desk")
    me = pbx.new_address().host
    await run(Register(account=account), local=me, server=pbx.server)
    calls = Call(number="202", caller=Caller(account.user), account=account, ending=Refused(401))
    change(tenants / "acme.yaml", ZOFIA, "")
    change(tenants / "acme.yaml", '"3": "203"', '"3": "202"')
    assert not {WATCH_ALL, DIALPLAN} & set((await publish_noted(pbx, tenants))[0])
    for asterisk in ("the same", "another"):
        if asterisk == "another":
            await asyncio.to_thread(pbx.runtime.stop_process, Process.ASTERISK)
            await asyncio.to_thread(pbx.runtime.start_process, Process.ASTERISK)
        await run(Register(account=account, expect=401), local=pbx.new_address().host, server=pbx.server)
        await run(calls, local=me, server=pbx.server)
        await is_nothing(pbx, "203")
        assert "Unable to find" in pbx.runtime.asterisk_cli("pjsip show aor acme-203-desk")
    await asyncio.to_thread(pbx.runtime.apply, TENANTS)
    async with pbx.cast() as cast:
        await pbx.phone(cast, "acme-203-desk", Callee(then=Answer()))
        await cast.call(dials(MAIN["acme"], pbx.outside_caller(), Silence(400), *keys("3"), Silence(1500)), at=TRUNK["acme"])


async def test_device_that_is_removed_is_let_in_no_more_and_the_users_other_one_rings(pbx: Pbx, tenants: Path) -> None:
    gone = pbx.account("acme-201-dect")
    await run(Register(account=gone), local=pbx.new_address().host, server=pbx.server)
    change(tenants / "acme.yaml", "devices: [desk, dect]", "devices: [desk]")
    assert not {WATCH_ALL, DIALPLAN} & set((await publish_noted(pbx, tenants))[0])
    await run(Register(account=gone, expect=401), local=pbx.new_address().host, server=pbx.server)
    async with pbx.cast() as cast:
        await pbx.phone(cast, "acme-201-desk", Callee(then=Answer()))
        await cast.call(dials(MAIN["acme"], pbx.outside_caller(), Silence(400), *keys("*"), Silence(1500)), at=TRUNK["acme"])


async def test_changed_phone_is_the_changed_one_for_its_next_call_and_its_next_registration(pbx: Pbx, tenants: Path) -> None:
    old, new = pbx.account("acme-202-desk"), Account("acme-202-desk", "another-password")
    file = pbx.settings.home / "secrets.json"
    try:
        for name, account, other in (("Jan Nowak", old, new), ("Jan Inny", new, old)):
            if account is new:
                change(tenants / "acme.yaml", "Jan Nowak", name)
                save_secrets(file, pbx.secrets.model_copy(update={"sip": {**pbx.secrets.sip, new.user: new.password}}))
                assert (await publish_noted(pbx, tenants))[0] == []
            me = pbx.new_address()
            await run(Register(account=account), local=me.host, server=pbx.server)
            await run(Register(account=other, expect=401), local=pbx.new_address().host, server=pbx.server)
            async with pbx.cast() as cast:
                phone = await pbx.phone(cast, "acme-203-desk", Callee(then=Answer()))
                await cast.call(Call(number="203", caller=Caller(account.user), account=account), at=me)
            assert name in header(cast.results[phone.local], "From")
    finally:
        save_secrets(file, pbx.secrets.model_copy(update={"sip": {**pbx.secrets.sip, old.user: old.password}}))


async def test_every_object_is_there_whether_asterisk_looks_for_one_or_for_all(pbx: Pbx) -> None:
    objects = objects_in(read_current(pbx.settings.home))
    for kind in ("endpoint", "auth", "aor"):
        listed = pbx.runtime.asterisk_cli(f"pjsip list {kind}s")
        assert f"Objects found: {sum(row.kind == kind for row in objects)}" in listed


async def test_what_asterisk_refuses_is_undone(pbx: Pbx) -> None:
    before = read_current(pbx.settings.home)
    wrong = Endpoint(name="acme-bad", context="acme-phone", identify_by="username", trust_id_inbound=False, dtmf_mode="none_such")
    bad = {**before, "pjsip/acme.json": dump([*load(before["pjsip/acme.json"]), wrong])}
    bad.pop("extensions/00-revision.conf")
    async with AmiClient(pbx.settings.ami_address, pbx.settings.ami_port, AMI_CLI_USER, pbx.secrets.ami_cli) as ami:
        with pytest.raises(AsteriskRefused, match="did not take the endpoints acme-bad"):
            await publish(pbx.settings.home, bad, RunningAsterisk(ami, ami))
    assert read_current(pbx.settings.home) == before
    await is_nothing(pbx, "777")


class Noted(RunningAsterisk):
    """Asterisk's command line, with the reloads that it was told noted. The answer to `late` comes too late."""

    def __init__(self, *connections: AmiClient, late: str = "") -> None:
        super().__init__(*connections)
        self.reloads: list[str] = []
        self.late = late

    async def reload(self, text: str) -> None:
        self.reloads.append(text)
        await super().reload(text)
        if text == self.late:
            raise AsteriskRefused(f"{text} got no answer")


async def publish_noted(pbx: Pbx, tenants: Path, late: str = "") -> tuple[list[str], Published]:
    """Publishes the tenants' files; which reloads it took."""
    login = pbx.settings.ami_address, pbx.settings.ami_port, AMI_CLI_USER, pbx.secrets.ami_cli
    rendered = render([tenants], pbx.settings)
    async with AmiClient(*login) as ami, AmiClient(*login) as reloading:
        asterisk = Noted(ami, reloading, late=late)
        published = await apply(rendered, pbx.settings, asterisk, ())
    return asterisk.reloads, published


async def test_phone_that_is_added_costs_no_reload_of_all_others_and_is_watched(pbx: Pbx, tenants: Path) -> None:
    change(tenants / "acme.yaml", 'users:\n', 'users:\n  "204": {name: Nowy, devices: [desk]}\n')
    reloads, _ = await publish_noted(pbx, tenants)
    assert not {WATCH_ALL, DIALPLAN} & set(reloads)
    async with pbx.cast() as cast:
        await pbx.phone(cast, "acme-204-desk", Callee(then=Answer()), calls=0)        # until it is known as idle
    change(tenants / "acme.yaml", '  "204": {name: Nowy, devices: [desk]}\n', "")
    reloads, _ = await publish_noted(pbx, tenants)
    assert not {WATCH_ALL, DIALPLAN} & set(reloads)
    await run(Register(account=pbx.account("acme-204-desk"), expect=401), local="127.77.9.25", server=pbx.server)


async def test_users_who_come_and_go_leave_the_dialplan_as_asterisk_would_have_read_it(pbx: Pbx, tenants: Path) -> None:
    def shown() -> list[str]:
        contexts = (MARKED, "acme-elsewhere", "acme-failover", "acme-lamps", "acme-site")
        texts = [pbx.runtime.asterisk_cli(f"dialplan show {context}") for context in contexts]
        return [re.sub(r" *\[[\w.-]+(:\d+)?\]$", "", text, flags=re.MULTILINE) for text in texts]      # who added it, or which line

    before = shown()
    new = '  "204": {name: Nowy, devices: [desk, soft]}\n  "209": {name: Nowa, devices: [desk]}\n'
    change(tenants / "acme.yaml", "users:\n", f"users:\n{new}")
    assert DIALPLAN not in (await publish_noted(pbx, tenants))[0]
    added_to = shown()
    pbx.runtime.asterisk_cli(DIALPLAN)
    assert added_to == shown() != before
    change(tenants / "acme.yaml", new, "")
    change(tenants / "acme.yaml", "devices: [desk, dect]", "devices: [desk]")
    change(tenants / "acme.yaml", ZOFIA, ZOFIA.replace("ring_s: 3", "ring_s: 4"))
    assert DIALPLAN not in (await publish_noted(pbx, tenants))[0]
    left = shown()
    pbx.runtime.asterisk_cli(DIALPLAN)
    assert left == shown() != added_to


async def test_lamp_that_is_watched_outlives_a_user_who_is_added_and_the_dialplans_reading(pbx: Pbx, tenants: Path) -> None:
    async with firm(pbx, "201") as it, watching(pbx, "201", told=3) as watch:
        change(tenants / "swap.yaml", 'users:\n', 'users:\n  "209": {name: Nowy, devices: [desk]}\n')
        assert DIALPLAN not in (await publish_noted(pbx, tenants))[0]
        pbx.runtime.asterisk_cli(DIALPLAN)
        await it["outside"].dial(TO_ANNA, pbx.server)
        await pbx.until_state("swap-201-desk", DeviceState.RINGING)
        await it.answers("201")
        await pbx.until_state("swap-201-desk", DeviceState.IN_USE)
        told = await bodies(watch)
        await it["outside"].hang_up()
        async with watching(pbx, "209", told=1) as new:
            assert "terminated" in (await bodies(new))[0]
    assert ["<state>early</state>" in body for body in told] == [False, True, False]


async def test_lamp_of_a_user_shows_the_device_that_is_left_and_goes_out_with_the_user(pbx: Pbx, tenants: Path) -> None:
    change(tenants / "swap.yaml", 'users:\n', 'users:\n  "209": {name: Nowy, devices: [soft, desk]}\n')
    await publish_noted(pbx, tenants)
    async with watching(pbx, "209", told=3) as watch:
        async with pbx.cast() as cast:
            await pbx.phone(cast, "swap-209-desk", Callee(then=Answer()), calls=0)
            change(tenants / "swap.yaml", "devices: [soft, desk]", "devices: [desk]")
            assert DIALPLAN not in (await publish_noted(pbx, tenants))[0]
            hint = "209@swap-lamps +: PJSIP/swap-209-desk +State:Idle"
            await until(lambda: re.search(hint, pbx.runtime.asterisk_cli("core show hint 209")), "it shows the device left")
        change(tenants / "swap.yaml", '  "209": {name: Nowy, devices: [desk]}\n', "")
        assert DIALPLAN not in (await publish_noted(pbx, tenants))[0]
        await bodies(watch)
    assert "209@swap-lamps" not in pbx.runtime.asterisk_cli("core show hint 209")


async def test_phone_that_was_added_outlives_the_next_changes_and_a_restart(pbx: Pbx, tenants: Path) -> None:
    change(tenants / "acme.yaml", 'users:\n', 'users:\n  "204": {name: Nowy, devices: [desk]}\n')
    await publish_noted(pbx, tenants)
    change(tenants / "acme.yaml", "name: Nowy", "name: Nowa")
    await publish_noted(pbx, tenants)
    await run(Register(account=pbx.account("acme-204-desk")), local="127.77.9.26", server=pbx.server)
    change(tenants / "acme.yaml", 'users:\n', 'users:\n  "209": {name: Nowy, devices: [desk]}\n')
    await publish_noted(pbx, tenants)
    await asyncio.to_thread(pbx.runtime.stop_process, Process.ASTERISK)
    await asyncio.to_thread(pbx.runtime.start_process, Process.ASTERISK)
    for endpoint, address in (("acme-204-desk", "127.77.9.27"), ("acme-209-desk", "127.77.9.28")):
        await run(Register(account=pbx.account(endpoint)), local=address, server=pbx.server)


async def test_change_of_a_call_flow_reloads_nothing(pbx: Pbx, tenants: Path) -> None:
    change(tenants / "acme.yaml", '"3": "203"', '"3": "202"')
    assert (await publish_noted(pbx, tenants))[0] == []
    caller = pbx.outside_caller()
    async with pbx.cast() as cast:
        await pbx.phone(cast, "acme-202-desk", Callee(then=Answer()))
        await cast.call(dials(MAIN["acme"], caller, Silence(400), *keys("3"), Silence(1500)), at=TRUNK["acme"])
    assert (await pbx.record(caller)).answered_by == "202"


async def test_reload_whose_answer_comes_too_late_undoes_no_change_that_asterisk_took(pbx: Pbx, tenants: Path) -> None:
    new = "".join(f'  "21{i}": {{name: Nowy, devices: [desk]}}\n' for i in range(WATCHED_AT_MOST + 1))
    change(tenants / "acme.yaml", "users:\n", f"users:\n{new}")
    _, published = await publish_noted(pbx, tenants, late=WATCH_ALL)
    assert published.complaint == f"{WATCH_ALL} got no answer"
    assert "[acme-210-desk]" in read_current(pbx.settings.home)["pjsip/acme.conf"]
    await run(Register(account=pbx.account("acme-210-desk")), local="127.77.9.29", server=pbx.server)


async def test_change_that_asterisk_never_got_is_caught_up(pbx: Pbx, tenants: Path) -> None:
    gone = pbx.account("acme-203-desk")
    await run(Register(account=gone), local=pbx.new_address().host, server=pbx.server)
    change(tenants / "acme.yaml", ZOFIA, "")
    change(tenants / "acme.yaml", '"3": "203"', '"3": "202"')
    change(tenants / "acme.yaml", 'users:\n', 'users:\n  "204": {name: Nowy, devices: [desk]}\n')
    elsewhere = os.environ | {"CENTRALKA_AMI_ADDRESS": "127.77.255.254"}       # as if it had been killed before the reload
    said = subprocess.run(  # noqa: ASYNC221
        [*centralka_command(pbx.runtime.home), "apply", str(tenants)], env=elsewhere, capture_output=True, text=True, check=True)
    assert "no Asterisk runs here" in " ".join(said.stdout.split())
    said_again = await asyncio.to_thread(pbx.runtime.apply, tenants)
    assert f"Asterisk reloaded {', '.join(RELOADS)} and confirmed" in " ".join(said_again.split())
    await run(Register(account=pbx.account("acme-204-desk")), local="127.77.9.23", server=pbx.server)
    await run(Register(account=gone, expect=401), local=pbx.new_address().host, server=pbx.server)


async def test_what_an_undo_did_not_bring_to_its_end_is_caught_up(pbx: Pbx, tenants: Path) -> None:
    await asyncio.to_thread(pbx.runtime.apply, tenants)
    with closing(sqlite3.connect(pbx.settings.home / FILE)) as database, database:
        database.execute("DELETE FROM ps_endpoints WHERE id = 'acme-203-desk'")
    (pbx.settings.home / "published" / ".unread").touch()          # as if it had been killed
    said = await asyncio.to_thread(pbx.runtime.apply, tenants)
    assert f"Asterisk reloaded {', '.join(RELOADS)} and confirmed" in " ".join(said.split())
    await run(Register(account=pbx.account("acme-203-desk")), local=pbx.new_address().host, server=pbx.server)
    assert not (pbx.settings.home / "published" / ".unread").exists()


async def test_dialplan_that_all_tenants_share_is_read_when_it_has_changed(pbx: Pbx, tenants: Path) -> None:
    file = pbx.settings.home / "asterisk" / "extensions.conf"
    before = file.read_text()
    try:
        file.write_text(f"{before}\n[new_in_this_version]\nexten => s,1,NoOp()\n")
        reloads, _ = await publish_noted(pbx, tenants)
        assert DIALPLAN in reloads
        assert "NoOp" in pbx.runtime.asterisk_cli("dialplan show new_in_this_version")
    finally:
        file.write_text(before)
        await publish_noted(pbx, tenants)


async def test_apply_that_would_remove_a_tenant_is_refused_until_it_is_meant(pbx: Pbx, tenants: Path) -> None:
    (tenants / "rossi.yaml").unlink()
    with pytest.raises(RuntimeFailure, match="published tenants without a file: rossi"):
        await asyncio.to_thread(pbx.runtime.apply, tenants)
    await run(Register(account=pbx.account("rossi-201-desk")), local="127.77.9.24", server=pbx.server)


async def test_rollback_brings_the_behaviour_back(pbx: Pbx, tenants: Path) -> None:
    change(tenants / "acme.yaml", 'extension: "300"', 'extension: "400"')
    await asyncio.to_thread(pbx.runtime.apply, tenants)
    await is_nothing(pbx, "300")
    await asyncio.to_thread(pbx.centralka, "rollback")
    await is_nothing(pbx, "400")


async def test_rollback_plays_the_old_prompt_though_old_sounds_were_deleted(pbx: Pbx, tenants: Path) -> None:
    sounds, long_after = pbx.settings.home / "sounds" / "acme", datetime.now(UTC) + 3 * UNUSED_KEPT
    for text in ("Dzień dobry tu firma Acme", "Witamy w nowej siedzibie"):
        before = {*sounds.glob("welcome-*")}
        file = tenants / "acme.yaml"
        file.write_text(re.sub("welcome: {text: .*}", f"welcome: {{text: {text}}}", file.read_text()))
        await asyncio.to_thread(pbx.runtime.apply, tenants)
    (new,) = {*sounds.glob("welcome-*")} - before
    async with phone(TRUNK["acme"]) as caller:
        await caller.use(pbx.outside_caller().number, pbx.server)
        await caller.dial(MAIN["acme"], pbx.server)
        await caller.until("CALL_ESTABLISHED")
        await asyncio.to_thread(pbx.centralka, "rollback")
        with locked(pbx.settings.home):
            delete_old_sounds(pbx.settings.home, long_after)
        assert not new.exists()
        await caller.hang_up()
        await pbx.nothing_is_left()
        (old,) = {json.loads((pbx.settings.home / "published" / "current" / "tenants" / "acme.json").read_text())["sounds"]["welcome"]}
        begins = len(caller.heard())
        await caller.dial(MAIN["acme"], pbx.server)
        await until(lambda: likeness(caller.heard()[begins:], read_wav(sounds / f"{old}.wav")[:-800]) > 0.9, "the old prompt is heard")
        await caller.hang_up()
    await pbx.nothing_is_left()
