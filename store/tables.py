"""The tables of the database, as `store/migrations` leaves them."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, DateTime, Dialect, Index, Integer, MetaData, String, Table, Text
from sqlalchemy.types import TypeDecorator


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
    Column("path", JSON, nullable=False),            # [{"at": ISO 8601, "node": ..., "why": routing/call/reason_text.py}]
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
