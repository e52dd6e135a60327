"""The database by its URL: connecting, and bringing its schema up to date."""

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

MIGRATIONS = Path(__file__).parent / "migrations"
# https://www.postgresql.org/docs/current/errcodes-appendix.html: data exception, integrity constraint, program limit exceeded.
_OF_VALUES = ("22", "23", "54")


def connect(url: str) -> AsyncEngine:
    """An engine for `sqlite+aiosqlite:///...` or `postgresql+asyncpg://...`; nothing is opened before its first use."""
    engine = create_async_engine(url, pool_pre_ping=not url.startswith("sqlite"))
    if engine.dialect.name == "sqlite":
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    # WAL: readers never wait for the writer. FULL: a commit survives a power cut, and the CEL file may then be deleted.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def is_away(error: Exception) -> bool:
    """True if a statement failed because the database cannot work now: unreachable, read-only, full, locked or damaged. If
    False, the database refuses these values, now and later."""
    match error:
        case DataError() | IntegrityError():
            return False
        case DBAPIError(orig=orig):
            state = getattr(orig, "sqlstate", None)
            by_driver = isinstance(orig.__cause__ if orig else None, ValueError)      # asyncpg checks values itself
            return not by_driver and (state is None or state[:2] not in _OF_VALUES)
        case _:
            return isinstance(error, PoolTimeoutError | OSError | TimeoutError)


async def upgrade(url: str) -> None:
    """Bring the schema to the newest version, wholly or not at all. Does nothing when it is up to date."""
    engine = connect(url)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_upgrade)
    finally:
        await engine.dispose()


def _upgrade(connection: Connection) -> None:
    from alembic import command  # 0.3 s of CPU to import, and only a service that starts needs it
    from alembic.config import Config

    if connection.dialect.name == "sqlite":
        # Python's sqlite3 begins no transaction of itself for CREATE TABLE: a kill would leave half a schema behind.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
