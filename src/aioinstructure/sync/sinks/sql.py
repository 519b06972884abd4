"""Rows in a database, by SQLAlchemy: one table a stream, and one for the checkpoints.

A stream's table has `source, id, data, synced_at`, with (source, id) as its key: writing a row
again replaces it, so that reading a page twice does no harm.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson
from attrs import define, field

from aioinstructure.errors import ConfigurationError, InputError
from aioinstructure.sync.sinks.base import Checkpoint, Row

if TYPE_CHECKING:
    from sqlalchemy import MetaData, Table
    from sqlalchemy.ext.asyncio import AsyncEngine

__all__ = ["SqlSink", "sql"]

CHECKPOINTS = "aioinstructure_checkpoints"
_DRIVERS = {"sqlite": "sqlite+aiosqlite"}
_DIALECTS = frozenset({"sqlite", "postgresql"})


def sql(url: str) -> SqlSink:
    """A sink by a database URL, such as "sqlite:///lms.db" or "sqlite+aiosqlite:///lms.db".

    Raises:
        ConfigurationError: SQLAlchemy or the driver is not installed (`aioinstructure[sql]`).
        InputError: It is no database URL, or one of a database that has no upsert here.
    """
    try:
        from sqlalchemy.engine import make_url  # noqa: PLC0415 - an extra
        from sqlalchemy.exc import ArgumentError, NoSuchModuleError  # noqa: PLC0415
        from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415
    except ImportError as error:
        raise ConfigurationError('a SQL sink needs: pip install "aioinstructure[sql]"') from error
    driver = url.partition(":")[0]
    try:
        parsed = make_url(url)
        driver = _DRIVERS.get(parsed.drivername, parsed.drivername)
        parsed = parsed.set(drivername=driver)
        engine = create_async_engine(parsed, json_serializer=_dumps, json_deserializer=orjson.loads)
    except (ArgumentError, NoSuchModuleError) as error:
        raise InputError("no URL of a database that SQLAlchemy knows") from error
    except ImportError as error:
        raise ConfigurationError(f"the driver of {driver} is not installed") from error
    if engine.dialect.name not in _DIALECTS:
        raise InputError(f"no sink for {engine.dialect.name}: sqlite and postgresql have one")
    return SqlSink(engine)


def _dumps(value: Any) -> str:
    return orjson.dumps(value).decode()


@define(eq=False)
class SqlSink:
    """See `sql`. Writes one batch at a time: SQLite has one writer."""

    _engine: AsyncEngine
    _tables: dict[str, Table] = field(factory=dict, init=False, repr=False)
    _writing: asyncio.Lock = field(factory=asyncio.Lock, init=False, repr=False)

    async def open(self, streams: Sequence[str]) -> None:
        """Create the tables that are missing."""
        from sqlalchemy import MetaData  # noqa: PLC0415

        metadata = MetaData()
        self._tables = {name: _rows_table(metadata, name) for name in streams}
        self._tables[CHECKPOINTS] = _checkpoint_table(metadata)
        async with self._engine.begin() as connection:
            await connection.run_sync(metadata.create_all)

    async def checkpoint(self, source: str, stream: str) -> Checkpoint | None:
        """See Sink."""
        table = self._tables[CHECKPOINTS]
        query = table.select().where(table.c.source == source, table.c.stream == stream)
        async with self._engine.connect() as connection:
            found = (await connection.execute(query)).mappings().first()
        return Checkpoint(found["cursor"], found["done"]) if found else None

    async def write(
        self, source: str, stream: str, rows: Sequence[Row], checkpoint: Checkpoint
    ) -> None:
        """See Sink."""
        now = datetime.now(UTC)
        # The last one wins: a page that was read twice may hold an object twice.
        unique = {row.id: row for row in rows}.values()
        values = [
            {"source": source, "id": row.id, "data": row.data, "synced_at": now} for row in unique
        ]
        mark = {
            "source": source,
            "stream": stream,
            "cursor": checkpoint.cursor,
            "done": checkpoint.done,
            "updated_at": now,
        }
        async with self._writing, self._engine.begin() as connection:
            if values:
                await connection.execute(self._upsert(stream), values)
            await connection.execute(self._upsert(CHECKPOINTS), [mark])

    def _upsert(self, name: str) -> Any:
        dialect = importlib.import_module(f"sqlalchemy.dialects.{self._engine.dialect.name}")
        table = self._tables[name]
        statement = dialect.insert(table)
        keys = [column.name for column in table.primary_key]
        changed = {c.name: statement.excluded[c.name] for c in table.columns if c.name not in keys}
        return statement.on_conflict_do_update(index_elements=keys, set_=changed)

    async def close(self) -> None:
        """See Sink."""
        await self._engine.dispose()


def _rows_table(metadata: MetaData, name: str) -> Table:
    from sqlalchemy import JSON, Column, DateTime, String, Table  # noqa: PLC0415

    return Table(
        name,
        metadata,
        Column("source", String, primary_key=True),
        Column("id", String, primary_key=True),
        Column("data", JSON, nullable=False),
        Column("synced_at", DateTime(timezone=True), nullable=False),
    )


def _checkpoint_table(metadata: MetaData) -> Table:
    from sqlalchemy import Boolean, Column, DateTime, String, Table, Text  # noqa: PLC0415

    return Table(
        CHECKPOINTS,
        metadata,
        Column("source", String, primary_key=True),
        Column("stream", String, primary_key=True),
        Column("cursor", Text),
        Column("done", Boolean, nullable=False),
        Column("updated_at", DateTime(timezone=True), nullable=False),
    )
