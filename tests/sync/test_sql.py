"""The SQL sink over SQLite: rows and checkpoint in one transaction, replaced when read again."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import orjson
import pytest

from aioinstructure.clock import Clock
from aioinstructure.errors import ConfigurationError, InputError
from aioinstructure.simulator import Knobs, Simulator
from aioinstructure.sync import Checkpoint, Row, Sync, sql
from aioinstructure.testing import abconnect_of

SOURCE = "https://abconnect.test"


def fetch(path: Path, query: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(path) as connection:
        rows = connection.execute(query).fetchall()
    connection.close()
    return rows


@pytest.mark.real_loop
async def test_rows_are_replaced_and_the_checkpoint_is_kept(tmp_path: Path) -> None:
    """(source, id) is the key; a second write of a row wins, in one batch as across them."""
    sink = sql(f"sqlite:///{tmp_path / 'a.db'}")
    await sink.open(["events"])
    assert await sink.checkpoint(SOURCE, "events") is None
    first = [Row("1", {"seq": 1}), Row("2", {"seq": 2}), Row("1", {"seq": 3})]
    await sink.write(SOURCE, "events", first, Checkpoint("a", False))
    await sink.write(SOURCE, "events", [Row("2", {"seq": 4})], Checkpoint("b", True))
    await sink.write("https://other.test", "events", [Row("1", {})], Checkpoint(None, False))
    assert await sink.checkpoint(SOURCE, "events") == Checkpoint("b", True)
    assert await sink.checkpoint("https://other.test", "events") == Checkpoint(None, False)
    await sink.close()
    rows = fetch(tmp_path / "a.db", "select source, id, data from events order by source, id")
    assert [(s, i, orjson.loads(str(d))) for s, i, d in rows] == [
        (SOURCE, "1", {"seq": 3}),
        (SOURCE, "2", {"seq": 4}),
        ("https://other.test", "1", {}),
    ]


@pytest.mark.real_loop
async def test_a_failed_write_changes_neither_rows_nor_checkpoint(tmp_path: Path) -> None:
    """Both are written, or none: a row that is no JSON fails the whole batch."""
    sink = sql(f"sqlite:///{tmp_path / 'a.db'}")
    await sink.open(["events"])
    await sink.write(SOURCE, "events", [Row("1", {})], Checkpoint("a", False))
    with pytest.raises(Exception, match="not JSON serializable"):
        await sink.write(
            SOURCE, "events", [Row("2", {}), Row("3", object())], Checkpoint("b", True)
        )
    assert await sink.checkpoint(SOURCE, "events") == Checkpoint("a", False)
    await sink.close()
    assert fetch(tmp_path / "a.db", "select id from events") == [("1",)]


@pytest.mark.real_loop
async def test_streams_write_side_by_side(tmp_path: Path) -> None:
    """SQLite has one writer: parallel writes wait for each other instead of failing."""
    sink = sql(f"sqlite:///{tmp_path / 'a.db'}")
    await sink.open(["events", "courses"])
    await asyncio.gather(
        *(
            sink.write(SOURCE, name, [Row(str(n), {"n": n})], Checkpoint(str(n), False))
            for n in range(50)
            for name in ("events", "courses")
        )
    )
    await sink.close()
    for name in ("events", "courses"):
        assert fetch(tmp_path / "a.db", f"select count(*) from {name}") == [(50,)]  # noqa: S608


async def test_a_thread_does_not_let_virtual_time_jump(tmp_path: Path, clock: Clock) -> None:
    """With `clock.hold` around the sink, a sync into a file keeps its virtual timing."""
    knobs = Knobs(standards=3000, abconnect_latency_seconds=0.1)
    simulator = Simulator(seed=1, knobs=knobs, wall=clock.wall)
    ab = abconnect_of(simulator, clock=clock, deadline=60.0)
    async with ab:
        report = await Sync(sql(f"sqlite:///{tmp_path / 'a.db'}"), abconnect=ab).run("standards")
    assert report.rows == 3000
    assert report.seconds < 30
    assert fetch(tmp_path / "a.db", "select count(distinct id) from standards") == [(3000,)]


@pytest.mark.parametrize(
    ("url", "error", "says"),
    [
        ("no url", InputError, "no URL of a database"),
        ("nosuch://x", InputError, "no URL of a database"),
        ("postgresql+nodriver://x", InputError, "no URL of a database"),
        ("oracle://x", ConfigurationError, "driver of oracle is not installed"),
    ],
)
def test_bad_urls_are_told(url: str, error: type[Exception], says: str) -> None:
    """What is no database, or has no driver here, is told before anything is read."""
    with pytest.raises(error, match=says):
        sql(url)
