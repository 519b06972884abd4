"""The SQL sink over SQLite and PostgreSQL: rows and checkpoint in one transaction."""

from __future__ import annotations

import asyncio
import re
import traceback
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from aioinstructure.clock import Clock
from aioinstructure.errors import ConfigurationError, InputError
from aioinstructure.simulator import Knobs, Simulator
from aioinstructure.sync import (
    Checkpoint,
    Report,
    Row,
    StreamReport,
    Sync,
    sql,
)
from aioinstructure.testing import abconnect_of

from .conftest import Store

SOURCE = "https://abconnect.test"


async def written(store: Store, stream: str = "events") -> dict[tuple[str, str], Any]:
    rows = await store.fetch(f"select source, id, cast(data as text) from {stream}")  # noqa: S608
    return {(source, key): orjson.loads(data) for source, key, data in rows}


@pytest.mark.real_loop
async def test_rows_are_replaced_and_the_checkpoint_is_kept(store: Store) -> None:
    """(source, id) is the key; the last write of a row wins, within a batch and across batches."""
    sink = sql(store.url)
    await sink.open(["events"])
    assert await sink.checkpoint(SOURCE, "events") is None
    first = [Row("1", {"seq": 1}), Row("2", {"seq": 2}), Row("1", {"seq": 3})]
    await sink.write(SOURCE, "events", first, Checkpoint("a", False))
    await sink.write(SOURCE, "events", [Row("2", {"seq": 4})], Checkpoint("b", True))
    await sink.write("https://other.test", "events", [Row("1", {})], Checkpoint(None, False))
    assert await sink.checkpoint(SOURCE, "events") == Checkpoint("b", True)
    assert await sink.checkpoint("https://other.test", "events") == Checkpoint(None, False)
    assert await sink.checkpoint(SOURCE, "courses") is None
    await sink.close()
    assert await written(store) == {
        (SOURCE, "1"): {"seq": 3},
        (SOURCE, "2"): {"seq": 4},
        ("https://other.test", "1"): {},
    }


@pytest.mark.real_loop
async def test_a_sink_can_be_opened_again(store: Store) -> None:
    """Earlier rows are still there, and a new stream gets its table."""
    sink = sql(store.url)
    await sink.open(["events"])
    await sink.write(SOURCE, "events", [Row("1", {})], Checkpoint("a", False))
    await sink.close()
    await sink.open(["events", "course_paces"])
    assert await sink.checkpoint(SOURCE, "events") == Checkpoint("a", False)
    await sink.write(SOURCE, "course_paces", [Row("7", {"id": 7})], Checkpoint("c", False))
    await sink.close()
    assert await written(store, "course_paces") == {(SOURCE, "7"): {"id": 7}}
    assert await store.fetch("select stream, done from aioinstructure_checkpoints order by 1") == [
        ("course_paces", False),
        ("events", False),
    ]


ODD = {
    "z first": "the order of the keys is the server's",
    "a": None,
    "greek and more": "αβγ 日本語 \u202e \ufeff e\u0301",
    "emoji": "👩\u200d🏫 🇫🇷",
    "nul": "a\u0000b",
    "quotes": "'; drop table events; -- \" \\ %s :name $1",
    "lines": "one\r\ntwo\ttab",
    "big": [2**63 - 1, -(2**63), 2**64 - 1, 10_000_000_000_000_001],
    "small": [0.1, 1e-300, -0.0, True, False, [], {}],
    "long": "x" * 300_000,
}


@pytest.mark.real_loop
async def test_json_is_stored_unchanged(store: Store) -> None:
    """Any text with NUL, 64-bit integers, the order of keys; ids are any text without NUL."""
    sink = sql(store.url)
    await sink.open(["events"])
    await sink.write(SOURCE, "events", [Row("ï'👍;--", ODD)], Checkpoint("ü\n'", False))
    assert await sink.checkpoint(SOURCE, "events") == Checkpoint("ü\n'", False)
    await sink.close()
    ((key, text),) = await store.fetch("select id, cast(data as text) from events")
    assert key == "ï'👍;--"
    assert text == orjson.dumps(ODD).decode()
    assert list(orjson.loads(text)) == list(ODD)


@pytest.mark.real_loop
async def test_a_value_that_is_no_json_is_refused(store: Store) -> None:
    """As a row that a custom stream may make; the others are written."""
    sink = sql(store.url)
    await sink.open(["events"])
    rows = [Row("2", {}), Row("9", object())]
    (refused,) = await sink.write(SOURCE, "events", rows, Checkpoint("b", True))
    assert refused.id == "9"
    assert refused.reason == "Object of type object is not JSON serializable"
    assert await sink.checkpoint(SOURCE, "events") == Checkpoint("b", True)
    await sink.close()
    assert await written(store) == {(SOURCE, "2"): {}}


@pytest.mark.real_loop
async def test_a_batch_may_be_of_any_size(store: Store) -> None:
    """More parameters than one statement may have: 32,766 in SQLite, 65,535 in PostgreSQL."""
    sink = sql(store.url)
    await sink.open(["events"])
    rows = [Row(str(n), n) for n in range(16_500)]
    await sink.write(SOURCE, "events", rows, Checkpoint("a", False))
    await sink.close()
    assert await store.fetch("select count(*), count(distinct id) from events") == [
        (16_500, 16_500)
    ]


@pytest.mark.real_loop
async def test_times_are_in_utc(store: Store) -> None:
    """`synced_at` of a row and `updated_at` of its checkpoint are the time of the last write."""
    sink = sql(store.url)
    await sink.open(["events"])
    await sink.write(SOURCE, "events", [Row("1", {})], Checkpoint("a", False))
    await sink.close()
    ((synced,),) = await store.fetch("select synced_at from events")
    ((updated,),) = await store.fetch("select updated_at from aioinstructure_checkpoints")
    assert synced == updated
    moment = datetime.fromisoformat(f"{synced}+00:00") if isinstance(synced, str) else synced
    assert abs(datetime.now(UTC) - moment) < timedelta(minutes=1)


@pytest.mark.real_loop
async def test_streams_write_concurrently(store: Store) -> None:
    """SQLite has one writer: concurrent writes wait for each other instead of failing."""
    sink = sql(store.url)
    await sink.open(["events", "courses"])
    await asyncio.gather(
        *(
            sink.write(SOURCE, name, [Row(str(n), {"n": n})], Checkpoint(str(n), False))
            for n in range(20)
            for name in ("events", "courses")
        )
    )
    await sink.close()
    for name in ("events", "courses"):
        assert len(await written(store, name)) == 20


@pytest.mark.real_loop
async def test_several_programs_may_start_at_once(store: Store) -> None:
    """All find the tables missing and one creates them; all write the same rows."""
    sinks = [sql(store.url) for _ in range(4)]
    rows = [Row(str(n), {"n": n}) for n in range(50)]
    try:
        await asyncio.gather(*(sink.open(["events"]) for sink in sinks))
        await asyncio.gather(
            *(
                sink.write(SOURCE, "events", rows[::order], Checkpoint("a", False))
                for sink, order in zip(sinks, (1, -1, 1, -1), strict=True)
            )
        )
    finally:
        for sink in sinks:
            await sink.close()
    assert len(await written(store)) == 50


async def copy(store: Store, simulator: Simulator, *, stop_after: int = -1) -> StreamReport:
    """Sync the standards; cancel after `stop_after` rows, as Ctrl-C does."""

    def on_batch(report: StreamReport) -> None:
        if report.rows == stop_after:
            task.cancel()

    async def run() -> Report:
        async with abconnect_of(simulator) as ab:
            return await Sync(sql(store.url), abconnect=ab, on_batch=on_batch).run("standards")

    task = asyncio.create_task(run())
    (report,) = (await task).streams
    return report


@pytest.mark.real_loop
async def test_a_stopped_sync_resumes(store: Store) -> None:
    """The second run writes the remaining rows; a third one reads all again."""
    simulator = Simulator(seed=3, knobs=Knobs(standards=320))
    with pytest.raises(asyncio.CancelledError):
        await copy(store, simulator, stop_after=200)
    assert len(await written(store, "standards")) == 200
    second = await copy(store, simulator)
    assert (second.resumed, second.rows, second.total) == (True, 120, 320)
    assert len(await written(store, "standards")) == 320
    third = await copy(store, simulator)
    assert (third.resumed, third.rows) == (False, 320)


@pytest.mark.real_loop
async def test_a_foreign_table_is_not_changed(store: Store) -> None:
    """A table of the same name with other columns is an error before any request to a service."""
    await store.fetch("create table standards (id text primary key, title text)")
    simulator = Simulator(seed=3)
    with pytest.raises(
        ConfigurationError, match=rf"cannot open {re.escape(store.shown)}: .*column"
    ):
        await copy(store, simulator)
    assert simulator.stats()["abconnect"]["served"] == 0
    assert await store.fetch("select * from standards") == []


@pytest.mark.real_loop
async def test_a_read_only_database_is_an_error_at_open(store: Store) -> None:
    """A database that cannot be written to is refused before any request to a service."""
    sink = sql(store.url)
    await sink.open(["events"])
    await sink.close()
    sink = sql(await store.read_only())
    with pytest.raises(ConfigurationError, match=r"cannot open .*: .*read-?only"):
        await sink.open(["events"])
    await sink.close()


async def test_virtual_time_does_not_jump_while_the_sink_works(
    tmp_path: Path, clock: Clock
) -> None:
    """With `clock.hold` around the sink, a sync into a file keeps its virtual timing."""
    knobs = Knobs(standards=3000, abconnect_latency_seconds=0.1)
    simulator = Simulator(seed=1, knobs=knobs, wall=clock.wall)
    ab = abconnect_of(simulator, clock=clock, deadline=60.0)
    async with ab:
        report = await Sync(sql(f"sqlite:///{tmp_path / 'a.db'}"), abconnect=ab).run("standards")
    assert report.rows == 3000
    assert report.seconds < 30


@pytest.mark.parametrize(
    ("url", "error", "message"),
    [
        ("no url", InputError, "invalid database URL"),
        (None, InputError, "invalid database URL"),
        ("postgresql://u:s3cret@host:po/rt@db", InputError, "invalid database URL"),
        ("sqlite://u:s3cret@host/lms", InputError, "invalid database URL: sqlite.aiosqlite"),
        ("nosuch://x", InputError, "unsupported database 'nosuch'"),
        ("postgresql+nodriver://x", InputError, "unsupported database 'postgresql.nodriver'"),
        ("sqlite+pysqlite:///a.db", InputError, "unsupported database 'sqlite.pysqlite'"),
        ("oracle://x", ConfigurationError, "driver for oracle is not installed"),
    ],
)
def test_bad_urls_are_refused(url: Any, error: type[Exception], message: str) -> None:
    """An invalid URL, an unsupported database, or a driver that is not installed."""
    with pytest.raises(error, match=message) as caught:
        sql(url)
    assert "s3cret" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.real_loop
@pytest.mark.parametrize("path", [".", "nosuch/a.db"])
async def test_a_file_that_cannot_be_opened_is_an_error(tmp_path: Path, path: str) -> None:
    """A folder, and a file in a folder that does not exist."""
    sink = sql(f"sqlite:///{tmp_path / path}")
    with pytest.raises(ConfigurationError, match=rf"cannot open .*{path}\): unable to open"):
        await sink.open(["events"])
    await sink.close()
