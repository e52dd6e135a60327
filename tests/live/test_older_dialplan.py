"""An upgrade from a version whose tenants had the shared contexts written out in their own, with calls up, and the way back."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from confgen.publish.asterisk_reload import DIALPLAN
from confgen.publish.instance import STATIC
from confgen.publish.publishing import read_current
from confgen.render.tenant_files import without_rows
from tests.live.firm import TO_ANNA, firm
from tests.live.pbx import TENANTS, Pbx

pytestmark = pytest.mark.live

INCLUDE = re.compile(r"^\[([a-z0-9]+)-([a-z]+)\]\ninclude => (.+)\n", re.MULTILINE)


@pytest.fixture
def older(pbx: Pbx) -> Iterator[Pbx]:
    """The instance as such a version left it: no row beside a text, no shared context."""
    shared = (STATIC / "extensions.conf").read_text()
    before, _, rest = shared.partition("; What the contexts of every tenant include")
    common, _, after = rest.partition("; One call's flow.")
    steps = dict(re.findall(r"^\[(tenant_\w+)\]\n((?:exten| same).*?)(?=^\[|^;|\Z)", common, re.MULTILINE | re.DOTALL))

    def written_out(found: re.Match[str]) -> str:
        tenant, name, included = found.groups()
        own = steps[included].replace("${CUT(CONTEXT,-,1)}", tenant).replace("${CUT(CONTEXT,-,2)}", name)
        return f"[{tenant}-{name}]\n{own}"

    home = pbx.settings.home
    current = home / "published" / "current"
    for file in current.glob("extensions/*.conf"):
        replace(file, INCLUDE.sub(written_out, file.read_text()))
    for folder in ("extensions", "pjsip", "voicemail"):
        for file in current.glob(f"{folder}/*.json"):
            file.unlink()
    (home / "published" / "known.json").unlink()
    replace(home / "asterisk" / "extensions.conf", f"{before}; One call's flow.{after}")
    pbx.runtime.asterisk_cli(DIALPLAN)
    assert "tenant_" not in pbx.runtime.asterisk_cli("dialplan show swap-transfer")
    yield pbx
    upgrade(pbx)
    pbx.runtime.apply(TENANTS)


def replace(file: Path, text: str) -> None:
    """Another file under its name: revisions share files."""
    new = file.with_suffix(".new")
    new.write_text(text)
    new.chmod(0o640)
    new.replace(file)


def upgrade(pbx: Pbx) -> None:
    replace(pbx.settings.home / "asterisk" / "extensions.conf", (STATIC / "extensions.conf").read_text())


async def test_call_that_began_before_an_upgrade_is_transferred_after_it_and_after_a_rollback(older: Pbx) -> None:
    pbx = older
    async with firm(pbx, "201", "203") as it:
        await it.dials("outside", TO_ANNA, answers="201")
        await asyncio.to_thread(upgrade, pbx)
        said = " ".join((await asyncio.to_thread(pbx.runtime.apply, TENANTS)).split())
        assert "Asterisk reloaded extensions" in said
        assert "tenant_transfer" in pbx.runtime.asterisk_cli("dialplan show swap-transfer")
        assert without_rows(read_current(pbx.settings.home)) == set()
        await it.talk("outside", "201")
        await it["201"].press("##203#")
        assert it.number in await it.answers("203")
        await it.talk("outside", "203")
        await asyncio.to_thread(pbx.centralka, "rollback")
        assert "tenant_transfer" in pbx.runtime.asterisk_cli("dialplan show swap-transfer")
        assert without_rows(read_current(pbx.settings.home)) == set()
        await it["203"].transfer("201", pbx.server)
        assert it.number in await it.answers("201")
        await it.talk("outside", "201")
        await it["outside"].hang_up()
        await it.record()
