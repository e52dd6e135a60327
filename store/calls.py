"""Call records in the database: their tables, as `store/migrations` leaves them; written once, read by tenant."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, DateTime, Dialect, Index, Integer, MetaData, String, Table, Text, select
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.types import TypeDecorator

from routing.call.reasons import read_reasons, reason_text
from store.records import CallRecord, CelPosition, Leg, Outcome, PathEntry


class Moment(TypeDecorator[datetime]):
    """An aware moment, kept in UTC. SQLite has no time zones, so it gets and gives naive UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone; a stored moment is aware")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


metadata = MetaData()

calls = Table(
    "calls", metadata,
    Column("tenant", Text, primary_key=True),
    Column("linkedid", Text, primary_key=True),
    Column("started_at", Moment, nullable=False),
    Column("answered_at", Moment),
    Column("ended_at", Moment, nullable=False),
    Column("caller", Text, nullable=False),
    Column("caller_name", Text, nullable=False),
    Column("dialled", Text, nullable=False),
    Column("answered_by", Text),
    Column("outcome", String(16), nullable=False),
    Column("path", JSON, nullable=False),            # [{"at": ISO 8601, "node": ..., "why": routing/call/reasons.py}]
    Index("calls_by_tenant_and_start", "tenant", "started_at"),
)

legs = Table(
    "legs", metadata,
    Column("tenant", Text, primary_key=True),
    Column("linkedid", Text, primary_key=True),
    Column("uniqueid", Text, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("endpoint", Text, nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("answered_at", Moment),
    Column("ended_at", Moment, nullable=False),
    Column("hangup_cause", Integer),
)

cel_position = Table(
    "cel_position", metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # always 1
    Column("file", Text, nullable=False),
    Column("offset", BigInteger, nullable=False),
)


class CallStore:
    """Reads and writes call records. Every method may raise SQLAlchemyError or OSError when the database is unavailable."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def save(self, ended: Sequence[tuple[CallRecord, Sequence[Leg]]], position: CelPosition | None) -> None:
        """Keep the calls that aren't kept yet, and the position if there is one, in one transaction."""
        async with self._engine.begin() as connection:
            if ended:
                await connection.execute(self._insert(calls).on_conflict_do_nothing(),
                                         [_call_row(call) for call, _ in ended])
            if rows := [asdict(leg) for _, legs_of_call in ended for leg in legs_of_call]:
                await connection.execute(self._insert(legs).on_conflict_do_nothing(), rows)
            if position is not None:
                place = asdict(position)
                await connection.execute(self._insert(cel_position).values(id=1, **place)
                                         .on_conflict_do_update(index_elements=["id"], set_=place))

    async def kept(self, linkedids: Sequence[str]) -> frozenset[str]:
        """Which of these calls are kept, whatever their tenant."""
        query = select(calls.c.linkedid).where(calls.c.linkedid.in_(linkedids))
        async with self._engine.connect() as connection:
            return frozenset((await connection.execute(query)).scalars())

    async def position(self) -> CelPosition | None:
        """Where reading the CEL file resumes; None before the first call."""
        async with self._engine.connect() as connection:
            row = (await connection.execute(select(cel_position.c.file, cel_position.c.offset))).one_or_none()
        return None if row is None else CelPosition(row.file, row.offset)

    async def recent(self, tenant: str, limit: int = 50) -> list[CallRecord]:
        """A tenant's calls, the newest first."""
        query = select(calls).where(calls.c.tenant == tenant).order_by(calls.c.started_at.desc()).limit(limit)
        async with self._engine.connect() as connection:
            return [_call(row._mapping) for row in await connection.execute(query)]

    async def since(self, tenant: str, moment: datetime) -> list[CallRecord]:
        """A tenant's calls that began then or later, the newest first."""
        query = select(calls).where(calls.c.tenant == tenant, calls.c.started_at >= moment).order_by(calls.c.started_at.desc())
        async with self._engine.connect() as connection:
            return [_call(row._mapping) for row in await connection.execute(query)]

    async def call(self, tenant: str, linkedid: str) -> CallRecord | None:
        query = select(calls).where(calls.c.tenant == tenant, calls.c.linkedid == linkedid)
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else _call(row._mapping)

    async def find(self, linkedid: str) -> list[CallRecord]:
        """The calls of that id, whatever their tenant: none or one, unless several Asterisks share the database."""
        query = select(calls).where(calls.c.linkedid == linkedid).order_by(calls.c.tenant)
        async with self._engine.connect() as connection:
            return [_call(row._mapping) for row in await connection.execute(query)]

    async def legs_since(self, tenant: str, moment: datetime) -> dict[str, list[Leg]]:
        """The channels that began then or later, by the call's linkedid, the caller's first."""
        query = (select(legs).where(legs.c.tenant == tenant, legs.c.started_at >= moment)
                 .order_by(legs.c.started_at, legs.c.uniqueid))
        found: dict[str, list[Leg]] = {}
        async with self._engine.connect() as connection:
            for row in await connection.execute(query):
                found.setdefault(row.linkedid, []).append(Leg(**row._mapping))
        return found

    async def legs(self, tenant: str, linkedid: str) -> list[Leg]:
        """The channels of a call, the caller's first."""
        query = (select(legs).where(legs.c.tenant == tenant, legs.c.linkedid == linkedid)
                 .order_by(legs.c.started_at, legs.c.uniqueid))
        async with self._engine.connect() as connection:
            return [Leg(**row._mapping) for row in await connection.execute(query)]

    def _insert(self, table: Table) -> Any:
        """The dialect's INSERT, which knows ON CONFLICT."""
        match self._engine.dialect.name:
            case "sqlite":
                from sqlalchemy.dialects import sqlite

                return sqlite.insert(table)
            case "postgresql":
                from sqlalchemy.dialects import postgresql

                return postgresql.insert(table)
            case other:
                raise ValueError(f"the database is {other!r}; expected sqlite or postgresql")


def _call_row(call: CallRecord) -> dict[str, Any]:
    path = [{"at": entry.at.isoformat(), "node": entry.node, "why": reason_text(entry.why)} for entry in call.path]
    return asdict(call) | {"outcome": call.outcome.value, "path": path}


def _call(row: Any) -> CallRecord:
    path = tuple(
        PathEntry(datetime.fromisoformat(entry["at"]), entry["node"], read_reasons(entry["why"])) for entry in row["path"])
    return CallRecord(**dict(row) | {"outcome": Outcome(row["outcome"]), "path": path})
