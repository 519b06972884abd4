"""The SQL sink with a database server that refuses logins, crashes and restarts."""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
import traceback

import pytest

from aioinstructure.errors import ConfigurationError, SyncError
from aioinstructure.simulator import Knobs, Simulator
from aioinstructure.sync import (
    Checkpoint,
    Row,
    StreamReport,
    Sync,
    sql,
)
from aioinstructure.testing import abconnect_of

from .conftest import PostgresStore
from .server import PASSWORD

pytestmark = pytest.mark.real_loop

SOURCE = "https://abconnect.test"


async def open_error(url: str, caplog: pytest.LogCaptureFixture) -> str:
    """The error message of a sink that cannot be opened. Asserts that no password is shown."""
    caplog.set_level(logging.DEBUG)
    sink = sql(url)
    with pytest.raises(ConfigurationError) as caught:
        await sink.open(["events"])
    await sink.close()
    shown = "".join(traceback.format_exception(caught.value)) + caplog.text + repr(sink)
    assert "s3cret" not in shown
    return str(caught.value)


async def test_a_wrong_password_is_reported_and_not_shown(
    postgres: PostgresStore, caplog: pytest.LogCaptureFixture
) -> None:
    """With the server's message; the same for an unknown user or database."""
    server = postgres.server
    wrong = server.url(postgres.database, password="s3cret-and-wrong")
    assert await open_error(wrong, caplog) == (
        'cannot open PostgreSQL: password authentication failed for user "postgres"'
    )
    assert await open_error(server.url("nosuch"), caplog) == (
        'cannot open PostgreSQL: database "nosuch" does not exist'
    )
    in_query = f"postgresql://127.0.0.1:{server.port}/x?user=nobody&password=s3cret-and-wrong"
    assert 'failed for user "nobody"' in await open_error(in_query, caplog)


async def test_an_unreachable_host_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    """With the address that did not respond, or the reason, as the event loop says it."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # and does not listen
        port = silent.getsockname()[1]
        message = await open_error(f"postgresql://u:s3cret@127.0.0.1:{port}/lms", caplog)
    assert message.startswith("cannot open PostgreSQL: ")
    assert str(port) in message or "refused" in message


async def test_urls_of_hosting_providers_are_accepted(
    postgres: PostgresStore, caplog: pytest.LogCaptureFixture
) -> None:
    """`postgres://` and `sslmode=` have their usual meaning; the driver may be named."""
    base = postgres.server.url(postgres.database, scheme="postgres")
    for url in (f"{base}?sslmode=disable", base.replace("postgres:", "postgresql+asyncpg:", 1)):
        sink = sql(url)
        await sink.open(["events"])
        await sink.close()
    assert "SSL" in await open_error(f"{base}?sslmode=require", caplog)
    assert "nosuch" in await open_error(f"{base}?nosuch=1", caplog)


async def test_the_password_may_come_from_the_environment(
    postgres: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From PGPASSWORD, which other users of the machine cannot see."""
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    sink = sql(postgres.url.replace(f":{PASSWORD}", ""))
    await sink.open(["events"])
    await sink.close()


def test_a_missing_driver_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """`aioinstructure[sql]` does not include the PostgreSQL driver."""
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    with pytest.raises(ConfigurationError, match=r'pip install "aioinstructure\[postgres\]"'):
        sql("postgresql://u@localhost/lms")


async def test_a_lost_connection_is_replaced(postgres: PostgresStore) -> None:
    """A connection lost between two batches is no error: the next batch opens a new one."""
    sink = sql(postgres.url)
    await sink.open(["events"])
    await sink.write(SOURCE, "events", [Row("1", {})], Checkpoint("a", False))
    cut = (
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()"
    )
    await postgres.fetch(f"{cut} and pid <> pg_backend_pid()")
    await sink.write(SOURCE, "events", [Row("2", {})], Checkpoint("b", False))
    assert await sink.checkpoint(SOURCE, "events") == Checkpoint("b", False)
    await sink.close()


async def test_a_server_crash_loses_no_written_rows(postgres: PostgresStore) -> None:
    """The error has the stream and its checkpoint; after a restart the sync resumes from there."""
    server = postgres.server
    simulator = Simulator(seed=3, knobs=Knobs(standards=320))

    def die(report: StreamReport) -> None:
        if report.rows == 200:
            server.crash()

    async with abconnect_of(simulator) as ab:
        try:
            with pytest.raises(SyncError) as caught:
                await Sync(sql(postgres.url), abconnect=ab, on_batch=die).run("standards")
        finally:
            server.start()
        assert caught.value.stream == "standards"
        assert str(caught.value).startswith("standards failed after 200 rows: cannot write to")
        assert PASSWORD not in "".join(traceback.format_exception(caught.value))
        had = await postgres.fetch("select cursor, done from aioinstructure_checkpoints")
        assert had == [(caught.value.checkpoint, False)]
        assert await postgres.fetch("select count(*) from standards") == [(200,)]
        (again,) = (await Sync(sql(postgres.url), abconnect=ab).run("standards")).streams
    assert (again.resumed, again.rows) == (True, 120)
    assert await postgres.fetch("select count(*) from standards") == [(320,)]


async def test_an_interrupted_write_is_atomic(postgres: PostgresStore) -> None:
    """If the server crashes while a batch waits for a lock, neither rows nor checkpoint change."""
    sink = sql(postgres.url)
    await sink.open(["events"])
    await sink.write(SOURCE, "events", [Row("1", {})], Checkpoint("a", False))
    other = await postgres.server.connect(postgres.database)
    await other.execute("begin; lock table aioinstructure_checkpoints in exclusive mode")
    batch = [Row("1", {"new": True}), Row("2", {})]
    writing = asyncio.create_task(sink.write(SOURCE, "events", batch, Checkpoint("b", True)))
    try:
        while not await blocked(postgres):
            pass
        postgres.server.crash()
        with pytest.raises(SyncError, match="cannot write to PostgreSQL"):
            await writing
    finally:
        postgres.server.start()
        other.terminate()
    assert await sink.checkpoint(SOURCE, "events") == Checkpoint("a", False)
    await sink.close()
    assert await postgres.fetch("select id, cast(data as text) from events") == [("1", "{}")]


async def blocked(postgres: PostgresStore) -> bool:
    waits = "select 1 from pg_locks where not granted"
    return bool(await postgres.server.query("postgres", waits))


async def test_a_missing_privilege_is_reported_at_open(
    postgres: PostgresStore, caplog: pytest.LogCaptureFixture
) -> None:
    """A user that may read but not write is refused before any request to a service."""
    sink = sql(postgres.url)
    await sink.open(["events"])
    await sink.close()
    await postgres.fetch("create role reader login password 's3cret-reader'")
    await postgres.fetch("grant select on all tables in schema public to reader")
    url = postgres.url.replace(f"postgres:{PASSWORD}", "reader:s3cret-reader")
    assert "permission denied for table" in await open_error(url, caplog)
