"""A SQL sink by SQLAlchemy: one table per stream, and one for the checkpoints.

A stream's table has `source, id, data, synced_at`, with (source, id) as its key: writing a row
again replaces it, so that reading a page twice is harmless. `data` is JSON as text in both
databases: PostgreSQL's `json` stores the text unchanged, where `jsonb` rejects a NUL character.

Database errors become one-line errors of the library. They contain neither the URL, which may hold
a password, nor the rows.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import re
from collections.abc import Callable, Generator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from attrs import define, field

from aioinstructure._json import dumps, loads
from aioinstructure._text import one_line
from aioinstructure.errors import (
    ConfigurationError,
    Error,
    InputError,
    SyncError,
)
from aioinstructure.storage.sqlite_connections import Connections
from aioinstructure.sync.sinks.base import Checkpoint, Refusal, Row

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, MetaData, Table
    from sqlalchemy.ext.asyncio import AsyncEngine

__all__ = ["SqlSink", "sql"]

CHECKPOINTS = "aioinstructure_checkpoints"
_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+asyncpg",
    "postgres": "postgresql+asyncpg",
}
_EXTRAS = {"sqlite+aiosqlite": "sql", "postgresql+asyncpg": "postgres"}
_NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}

# Time out instead of waiting forever. SQLite has one writer: this is how long to wait for another
# process that writes to the same file.
_CONNECT: Final[dict[str, dict[str, Any]]] = {
    "sqlite+aiosqlite": {"timeout": 30.0},
    "postgresql+asyncpg": {"timeout": 20.0, "command_timeout": 120.0},
}

_CREATING: Final = 0x61696F5F73796E63
"""The key of the PostgreSQL advisory lock that is held while tables are created."""


def sql(url: str) -> SqlSink:
    """Create a sink for a URL such as "sqlite:///lms.db" or "postgresql://user@host/lms".

    PostgreSQL needs `aioinstructure[postgres]`; if the URL has no password, it is read from
    PGPASSWORD or ~/.pgpass.

    Raises:
        ConfigurationError: SQLAlchemy or the driver is not installed.
        InputError: The URL is invalid, or its database is not supported.
    """
    try:
        from sqlalchemy.engine import make_url  # noqa: PLC0415 - an extra
        from sqlalchemy.exc import ArgumentError  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise ConfigurationError(
            'SQLAlchemy is not installed: pip install "aioinstructure[sql]"'
        ) from error
    parsed = None
    with contextlib.suppress(ArgumentError, ValueError, TypeError):  # some contain the URL
        parsed = make_url(url)
    if parsed is None:
        raise InputError(
            "invalid database URL: expected one like sqlite:///lms.db or postgresql://user@host/lms"
        )
    password = parsed.password or str(parsed.query.get("password", ""))
    return SqlSink(_engine(_with_driver(parsed)), password)


def _with_driver(url: URL) -> URL:
    url = url.set(drivername=_DRIVERS.get(url.drivername, url.drivername))
    if url.drivername != "postgresql+asyncpg" or "sslmode" not in url.query:
        return url
    # `sslmode` is the name in libpq and in the URLs that hosting providers give; asyncpg has `ssl`.
    return url.difference_update_query(["sslmode"]).update_query_dict({"ssl": url.query["sslmode"]})


def _engine(url: URL) -> AsyncEngine:
    from sqlalchemy.exc import ArgumentError, InvalidRequestError  # noqa: PLC0415 - an extra
    from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415 - an extra

    driver = url.drivername
    try:
        engine = create_async_engine(
            url,
            connect_args=_CONNECT.get(driver, {}),
            hide_parameters=True,
            json_serializer=_dumps,
            json_deserializer=_loads,
            # Minutes may pass between batches, and the connection may be lost by then.
            pool_pre_ping=True,
        )
    except (ArgumentError, InvalidRequestError, TypeError, ValueError):
        # The error may contain the URL, and so a password: it must not be shown as the cause.
        if driver in _EXTRAS:
            raise InputError(
                f"invalid database URL: {driver} does not accept its parts; expected one like "
                "sqlite:///lms.db or postgresql://user@host/lms"
            ) from None
        # SQLAlchemy does not know the database, or the driver is not asynchronous.
        raise InputError(
            f"unsupported database {driver!r}: expected sqlite or postgresql"
        ) from None
    except ImportError as error:
        extra = _EXTRAS.get(driver)
        how = f': pip install "aioinstructure[{extra}]"' if extra else ""
        raise ConfigurationError(f"the driver for {driver} is not installed{how}") from error
    if engine.dialect.name not in _NAMES:
        name = engine.dialect.name
        raise InputError(f"unsupported database {name!r}: expected sqlite or postgresql")
    return engine


def _dumps(value: Any) -> str:
    return dumps(value).decode()


def _loads(text: str) -> Any:
    return loads(text.encode())


@define(eq=False)
class SqlSink:
    """See `sql`. Writes one batch at a time, since SQLite has one writer."""

    _engine: AsyncEngine = field(repr=lambda engine: engine.dialect.name)
    _password: str = field(default="", repr=False)
    _connections: Connections = field(factory=Connections, init=False, repr=False)
    _tables: dict[str, Table] = field(factory=dict, init=False, repr=False)
    _writing: asyncio.Lock = field(factory=asyncio.Lock, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        from sqlalchemy import event  # noqa: PLC0415 - an extra

        if self._engine.dialect.name == "sqlite":
            event.listen(self._engine.sync_engine, "do_connect", self._connect)

    def _connect(self, _dialect: Any, _record: Any, _args: Any, options: dict[str, Any]) -> None:
        options["async_creator_fn"] = self._connections.connect

    async def open(self, streams: Sequence[str]) -> None:
        """Create missing tables, and check that all tables can be written to.

        Raises:
            ConfigurationError: The database cannot be reached or written to, or has a table of
                the same name with other columns.
        """
        from sqlalchemy import MetaData  # noqa: PLC0415 - an extra

        metadata = MetaData()
        self._tables = {name: _rows_table(metadata, name) for name in streams}
        self._tables[CHECKPOINTS] = _checkpoint_table(metadata)
        with self._translated_errors(
            lambda reason: ConfigurationError(f"cannot open {self._name}: {reason}")
        ):
            async with self._engine.begin() as connection:
                await connection.run_sync(_prepare, metadata)

    async def checkpoint(self, source: str, stream: str) -> Checkpoint | None:
        """See Sink."""
        table = self._tables[CHECKPOINTS]
        query = table.select().where(table.c.source == source, table.c.stream == stream)
        with self._translated_errors(self._failed("read from", stream)):
            async with self._engine.connect() as connection:
                found = (await connection.execute(query)).mappings().first()
        return Checkpoint(found["cursor"], found["done"]) if found else None

    async def write(
        self, source: str, stream: str, rows: Sequence[Row], checkpoint: Checkpoint
    ) -> Sequence[Refusal]:
        """See Sink. Rows that the database cannot hold are returned, and the others written."""
        now = datetime.now(UTC)
        # A batch may contain an object twice: keep the last one. Sorted, because two processes
        # that lock the same rows in different orders would deadlock.
        unique = sorted({row.id: row for row in rows}.values(), key=lambda row: row.id)
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
        with self._translated_errors(self._failed("write to", stream)):
            async with self._writing:
                try:
                    async with self._engine.begin() as connection:
                        if values:
                            await connection.execute(self._upsert(stream), values)
                        await connection.execute(self._upsert(CHECKPOINTS), [mark])
                except Exception as error:
                    if not _is_about_a_row(error):
                        raise
                    # Some rows cannot be stored. Write the others first: a row that is read again
                    # replaces itself, but one before the checkpoint is never read again.
                    refused = await self._write_separately(stream, values)
                    async with self._engine.begin() as connection:
                        await connection.execute(self._upsert(CHECKPOINTS), [mark])
                    return refused
        return ()

    async def _write_separately(
        self, stream: str, values: Sequence[dict[str, Any]]
    ) -> list[Refusal]:
        """Write rows in halves, down to those that cannot be stored; return these."""
        try:
            async with self._engine.begin() as connection:
                await connection.execute(self._upsert(stream), values)
        except Exception as error:
            if not _is_about_a_row(error):
                raise
            if len(values) == 1:
                return [Refusal(values[0]["id"], one_line(self._scrubbed(_reason(error)), 200))]
            half = len(values) // 2
            return [
                *await self._write_separately(stream, values[:half]),
                *await self._write_separately(stream, values[half:]),
            ]
        return []

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
        await self._connections.join()

    @property
    def _name(self) -> str:
        name = _NAMES[self._engine.dialect.name]
        # No host: if the password has an unescaped @, part of it is parsed as the host.
        return f"{name} ({self._engine.url.database})" if name == "SQLite" else name

    def _failed(self, action: str, stream: str) -> Callable[[str], Error]:
        return lambda reason: SyncError(f"cannot {action} {self._name}: {reason}", stream=stream)

    @contextlib.contextmanager
    def _translated_errors(self, make_error: Callable[[str], Error]) -> Generator[None]:
        """Turn any database error into one of the library's, without the password.

        When they connect, drivers raise their own errors and OSError; later SQLAlchemy wraps them.
        """
        translated = None
        try:
            yield
        except Exception as error:  # noqa: BLE001 - the drivers have no common base class
            translated = make_error(self._scrubbed(_reason(error)))
        if translated is not None:
            # Not chained: an error of a driver may contain parts of the URL.
            raise translated from None

    def _scrubbed(self, text: str) -> str:
        if not self._password:
            return text
        return re.sub(rf"(?<!\w){re.escape(self._password)}(?!\w)", "...", text)


def _is_about_a_row(error: Exception) -> bool:
    """Whether a database refuses the values of a row, not the statement or the connection."""
    from sqlalchemy.exc import DataError, DBAPIError, StatementError  # noqa: PLC0415 - an extra

    if isinstance(error, DBAPIError):
        # Classes of SQLSTATE: data exception, and program limit exceeded.
        state = str(getattr(error.orig, "sqlstate", None) or "")[:2]
        return not error.connection_invalidated and (
            isinstance(error, DataError) or state in ("22", "54")
        )
    # A value that cannot be converted for the database, which some drivers do not wrap.
    return isinstance(error, StatementError | TypeError | ValueError | OverflowError)


def _reason(error: BaseException) -> str:
    """The first line of the root cause, without wrappers' messages and SQL statements."""
    while (below := getattr(error, "orig", None) or error.__cause__) is not None:
        error = below
    line = next(iter(str(error).splitlines()), "")
    return line or type(error).__name__


def _prepare(connection: Connection, metadata: MetaData) -> None:
    from sqlalchemy import func, inspect, select, update  # noqa: PLC0415 - an extra

    # Another program may create the tables at the same time.
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_CREATING)))
    else:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    metadata.create_all(connection)
    for table in metadata.sorted_tables:
        # Changes nothing, but fails where a write would fail: a missing column or privilege, a
        # read-only disk. The error then comes before any request is sent to a service.
        same = {column.name: column for column in table.columns}
        for column in inspect(connection).get_columns(table.name):
            is_free = column["nullable"] or column["default"] is not None
            if column["name"] not in same and not is_free:
                raise ValueError(
                    f"the table {table.name} has a column {column['name']} that must not be null"
                    " and has no default"
                )
        connection.execute(update(table).values(same).where(table.c.source.is_(None)))


def _rows_table(metadata: MetaData, name: str) -> Table:
    from sqlalchemy import JSON, Column, DateTime, String, Table  # noqa: PLC0415 - an extra

    return Table(
        name,
        metadata,
        Column("source", String, primary_key=True),
        Column("id", String, primary_key=True),
        Column("data", JSON, nullable=False),
        Column("synced_at", DateTime(timezone=True), nullable=False),
    )


def _checkpoint_table(metadata: MetaData) -> Table:
    from sqlalchemy import Boolean, Column, DateTime, String, Table, Text  # noqa: PLC0415 - an extra

    return Table(
        CHECKPOINTS,
        metadata,
        Column("source", String, primary_key=True),
        Column("stream", String, primary_key=True),
        Column("cursor", Text),
        Column("done", Boolean, nullable=False),
        Column("updated_at", DateTime(timezone=True), nullable=False),
    )
