"""What only a server of databases can do to the SQL sink: refuse, end, come back."""

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


async def told(url: str, caplog: pytest.LogCaptureFixture) -> str:
    """The error of a sink that cannot be opened; shows no password, whatever it is printed by."""
    caplog.set_level(logging.DEBUG)
    sink = sql(url)
    with pytest.raises(ConfigurationError) as caught:
        await sink.open(["events"])
    await sink.close()
    shown = "".join(traceback.format_exception(caught.value)) + caplog.text + repr(sink)
    assert "s3cret" not in shown
    return str(caught.value)


async def test_a_wrong_password_is_told_and_not_shown(
    postgres: PostgresStore, caplog: pytest.LogCaptureFixture
) -> None:
    """In the server's words; so are a user and a database that it does not know."""
    server = postgres.server
    wrong = server.url(postgres.database, password="s3cret-and-wrong")
    says = 'PostgreSQL cannot be opened: password authentication failed for user "postgres"'
    assert await told(wrong, caplog) == says
    assert await told(server.url("nosuch"), caplog) == (
        'PostgreSQL cannot be opened: database "nosuch" does not exist'
    )
    asked = f"postgresql://127.0.0.1:{server.port}/x?user=nobody&password=s3cret-and-wrong"
    assert 'failed for user "nobody"' in await told(asked, caplog)


async def test_an_unreachable_host_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """With the address that did not answer."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and does not listen
        port = nobody.getsockname()[1]
        says = await told(f"postgresql://u:s3cret@127.0.0.1:{port}/lms", caplog)
    assert says.startswith("PostgreSQL cannot be opened: ")
    assert str(port) in says


async def test_urls_are_taken_as_hosts_give_them_out(
    postgres: PostgresStore, caplog: pytest.LogCaptureFixture
) -> None:
    """`postgres://` and `sslmode=` mean what they mean elsewhere; another driver may be named."""
    base = postgres.server.url(postgres.database, scheme="postgres")
    for url in (f"{base}?sslmode=disable", base.replace("postgres:", "postgresql+asyncpg:", 1)):
        sink = sql(url)
        await sink.open(["events"])
        await sink.close()
    assert "SSL" in await told(f"{base}?sslmode=require", caplog)
    assert "nosuch" in await told(f"{base}?nosuch=1", caplog)


async def test_a_password_may_stand_elsewhere(
    postgres: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In PGPASSWORD, which other users of the machine do not see."""
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    sink = sql(postgres.url.replace(f":{PASSWORD}", ""))
    await sink.open(["events"])
    await sink.close()


def test_a_missing_driver_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """`aioinstructure[sql]` alone has no driver of PostgreSQL."""
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    with pytest.raises(ConfigurationError, match=r'pip install "aioinstructure\[postgres\]"'):
        sql("postgresql://u@localhost/lms")


async def test_a_connection_that_was_cut_is_made_anew(postgres: PostgresStore) -> None:
    """What is cut between two batches costs nothing: the next one has a new connection."""
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


async def test_a_server_that_dies_loses_nothing_that_was_written(postgres: PostgresStore) -> None:
    """Our error names the stream and its checkpoint; back again, the sync goes on from there."""
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
        assert str(caught.value).startswith("standards failed after 200 rows: PostgreSQL does not")
        assert PASSWORD not in "".join(traceback.format_exception(caught.value))
        had = await postgres.fetch("select cursor, done from aioinstructure_checkpoints")
        assert had == [(caught.value.checkpoint, False)]
        assert await postgres.fetch("select count(*) from standards") == [(200,)]
        (again,) = (await Sync(sql(postgres.url), abconnect=ab).run("standards")).streams
    assert (again.resumed, again.rows) == (True, 120)
    assert await postgres.fetch("select count(*) from standards") == [(320,)]


async def test_a_write_that_is_cut_off_is_written_whole_or_not_at_all(
    postgres: PostgresStore,
) -> None:
    """A server that ends while it holds back a batch has neither its rows nor its checkpoint."""
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
        with pytest.raises(SyncError, match="PostgreSQL does not write"):
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


async def test_what_it_lacks_a_right_for_is_told_first(
    postgres: PostgresStore, caplog: pytest.LogCaptureFixture
) -> None:
    """A user that may read but not write is told before anything is asked of a service."""
    sink = sql(postgres.url)
    await sink.open(["events"])
    await sink.close()
    await postgres.fetch("create role reader login password 's3cret-reader'")
    await postgres.fetch("grant select on all tables in schema public to reader")
    url = postgres.url.replace(f"postgres:{PASSWORD}", "reader:s3cret-reader")
    assert "permission denied for table" in await told(url, caplog)
