"""Call records in the database."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.exc import StatementError

from routing.call.reasons import Why
from store.calls import CallStore, metadata
from store.database import connect, upgrade
from store.records import CallRecord, CelPosition, Leg, Outcome, PathEntry

MOMENT = datetime(2026, 11, 23, 19, 22, 31, 186057, UTC)
CALL = CallRecord("acme", "1.1", MOMENT, None, MOMENT, "+48221234567", "Zażółć '; DROP TABLE calls; --", "201", None,
            Outcome.VOICEMAIL, (PathEntry(MOMENT, "menu", Why.KEY(1)), PathEntry(MOMENT, "office", Why.WORDS("opens at 9:00"))))
LEG = Leg("acme", "1.1", "1.1", "PJSIP/acme-201-desk-00000001", "acme-201-desk", MOMENT, None, MOMENT, None)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path}/calls.sqlite"


@pytest.fixture
async def store(url: str) -> AsyncIterator[CallStore]:
    await upgrade(url)
    engine = connect(url)
    yield CallStore(engine)
    await engine.dispose()


async def test_upgrade_twice_leaves_the_tables_that_the_code_expects(url: str) -> None:
    await upgrade(url)
    await upgrade(url)

    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    engine = connect(url)
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
        assert (await connection.execute(text("PRAGMA journal_mode"))).scalar() == "wal"
    await engine.dispose()


async def test_upgrade_that_dies_half_way_leaves_nothing_and_succeeds_the_next_time(
        url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    async def tables() -> list[str]:
        engine = connect(url)
        async with engine.connect() as connection:
            names = list((await connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'"))).scalars())
        await engine.dispose()
        return names

    with monkeypatch.context() as patch:
        patch.setattr("alembic.op.create_index", die)
        with pytest.raises(KeyboardInterrupt):
            await upgrade(url)
    assert await tables() == []
    await upgrade(url)
    assert "calls" in await tables()


async def test_call_comes_back_as_it_was_kept(store: CallStore) -> None:
    await store.save([(CALL, [LEG])], CelPosition("a", 7))
    assert await store.recent("acme") == [CALL]
    assert await store.call("acme", "1.1") == CALL
    assert await store.legs("acme", "1.1") == [LEG]
    assert await store.position() == CelPosition("a", 7)


async def test_call_kept_twice_has_the_first_record_and_the_last_position(store: CallStore) -> None:
    await store.save([(CALL, [LEG])], CelPosition("a", 7))
    await store.save([(replace(CALL, outcome=Outcome.UNANSWERED), [LEG])], CelPosition("b", 1 << 40))
    assert await store.recent("acme") == [CALL]
    assert await store.position() == CelPosition("b", 1 << 40)


async def test_tenants_never_see_each_other(store: CallStore) -> None:
    other = replace(CALL, tenant="forno", caller="+390612345678")
    await store.save([(CALL, [LEG]), (other, [replace(LEG, tenant="forno")])], None)
    assert await store.recent("acme") == [CALL]
    assert await store.recent("forno") == [other]
    assert await store.call("forno", "1.1") == other
    assert await store.recent("roma") == []
    assert await store.find("1.1") == [CALL, other]
    assert await store.find("1.2") == []


async def test_position_is_not_kept_when_a_record_is_refused(store: CallStore) -> None:
    naive = replace(CALL, started_at=MOMENT.replace(tzinfo=None))
    with pytest.raises(StatementError, match="has no time zone"):
        await store.save([(naive, [])], CelPosition("a", 7))
    assert await store.position() is None


async def test_moment_of_another_zone_is_the_same_moment_in_utc(store: CallStore) -> None:
    warsaw = MOMENT.astimezone(timezone(timedelta(hours=1)))
    await store.save([(replace(CALL, started_at=warsaw), [])], None)
    (call,) = await store.recent("acme")
    assert call.started_at == MOMENT
    assert call.started_at.utcoffset() == timedelta(0)
