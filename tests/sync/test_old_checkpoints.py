"""Checkpoints of an earlier version of the library: their streams are read from the start."""

from __future__ import annotations

import base64
import logging
import sqlite3
from pathlib import Path

import orjson
import pytest

from aioinstructure.clock import Clock
from aioinstructure.simulator import Knobs, Simulator
from aioinstructure.sync import STREAMS, Checkpoint, Report, Row, Sync, sql
from aioinstructure.sync.sinks.base import Sink
from aioinstructure.testing import MemorySink, abconnect_of, canvas_of

ORIGINS = {"canvas": "https://canvas.test", "abconnect": "https://abconnect.test"}
ROUTES = {
    "courses": ("courses.list", "/api/v1/courses?per_page=100&page=2"),
    "course_paces": ("courses.list", "/api/v1/courses?per_page=100&page=2"),
}


def source_of(stream: str) -> str:
    return ORIGINS[STREAMS[stream].service]


def version_1(stream: str) -> str:
    """The cursor that the first version has stored after five items of the second page."""
    route, page = ROUTES.get(
        stream, (f"{stream}.list", f"/rest/v4.1/{stream}?limit=100&offset=100")
    )
    return orjson.dumps([1, source_of(stream), route, None, page, 1, 5]).decode()


def in_base64(stream: str) -> str:
    """Another text that was once a cursor."""
    return base64.urlsafe_b64encode(version_1(stream).encode()).decode()


def world(clock: Clock) -> Simulator:
    knobs = Knobs(courses=130, standards=250, events=250, assets=180)
    return Simulator(seed=3, knobs=knobs, wall=clock.wall)


async def run(simulator: Simulator, clock: Clock, sink: Sink, *streams: str) -> Report:
    canvas, ab = canvas_of(simulator, clock=clock), abconnect_of(simulator, clock=clock)
    async with canvas, ab:
        return await Sync(sink, canvas=canvas, abconnect=ab).run(*streams)


def warnings_in(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The warnings of the library."""
    return [
        record.getMessage()
        for record in caplog.records
        if record.name.startswith("aioinstructure") and record.levelno >= logging.WARNING
    ]


async def stored(sink: MemorySink, stream: str, cursor: str, *, done: bool = False) -> None:
    """Put the checkpoint of an earlier run into a sink."""
    await sink.open([stream])
    await sink.write(source_of(stream), stream, [], Checkpoint(cursor, done))


@pytest.mark.parametrize("cursor_of", [version_1, in_base64, lambda _: "", lambda _: "any text"])
@pytest.mark.parametrize("stream", [*STREAMS])
async def test_a_stream_with_an_old_checkpoint_is_read_from_its_start(
    clock: Clock, caplog: pytest.LogCaptureFixture, stream: str, cursor_of: object
) -> None:
    """All rows arrive, one warning is logged, and the new checkpoint can be resumed."""
    assert callable(cursor_of)
    complete = MemorySink()
    await run(world(clock), clock, complete, stream)
    sink = MemorySink()
    await stored(sink, stream, cursor_of(stream))
    caplog.clear()
    report = await run(world(clock), clock, sink, stream)
    assert sink.rows == complete.rows
    assert sink.checkpoints == complete.checkpoints
    (logged,) = warnings_in(caplog)
    assert "cannot resume from a checkpoint, the stream restarts" in logged
    assert [each.state for each in report.streams] == ["done"]


async def test_the_warning_says_which_version_it_was(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """So that nobody looks for a damaged database."""
    sink = MemorySink()
    await stored(sink, "courses", version_1("courses"))
    await run(world(clock), clock, sink, "courses")
    (logged,) = warnings_in(caplog)
    assert "a cursor of version 1 cannot be resumed, only of 2" in logged


async def test_each_stream_is_warned_about_once(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """In one run of all streams."""
    sink = MemorySink()
    for stream in STREAMS:
        await stored(sink, stream, version_1(stream))
    await run(world(clock), clock, sink, *STREAMS)
    assert len(warnings_in(caplog)) == len(STREAMS)
    caplog.clear()
    await run(world(clock), clock, sink, *STREAMS)
    assert warnings_in(caplog) == []


async def test_an_old_checkpoint_of_a_complete_stream_is_not_used(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """Such a stream is read again anyway: there is nothing to warn about. Events continue."""
    sink = MemorySink()
    await stored(sink, "standards", version_1("standards"), done=True)
    await run(world(clock), clock, sink, "standards")
    assert warnings_in(caplog) == []
    await stored(sink, "events", version_1("events"), done=True)
    await run(world(clock), clock, sink, "events")
    assert len(warnings_in(caplog)) == 1
    assert len(sink.rows["events"]) == 250


@pytest.mark.real_loop
async def test_a_database_of_the_first_version_is_completed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Rows that it has stay or are replaced; those that were missing are added."""
    url = f"sqlite:///{tmp_path / 'lms.db'}"
    clock = Clock()
    complete = MemorySink()
    await run(world(clock), clock, complete, "courses")
    ids = list(complete.rows["courses"])
    old = sql(url)
    await old.open(["courses"])
    rows = [Row(key, {"id": int(key), "name": "old"}) for key in ids[:5]]
    checkpoint = Checkpoint(version_1("courses"), False)
    await old.write(source_of("courses"), "courses", rows, checkpoint)
    await old.close()
    caplog.clear()
    report = await run(world(clock), clock, sql(url), "courses")
    assert report.streams[0].rows == len(ids)
    assert len(warnings_in(caplog)) == 1
    again = sql(url)
    await again.open(["courses"])
    last = await again.checkpoint(source_of("courses"), "courses")
    await again.close()
    connection = sqlite3.connect(tmp_path / "lms.db")
    with connection:
        found = connection.execute("select id, data from courses").fetchall()
    connection.close()
    assert {key: orjson.loads(data) for key, data in found} == complete.rows["courses"]
    assert last is not None
    assert last.done
    assert (last.cursor or "").startswith('[2,"list"')
