"""One bad row does not stop a sync: it is reported, and the others are written."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from aioinstructure import Canvas, ConfigurationError, InputError, Request, SyncError
from aioinstructure._json import loads
from aioinstructure.sync import Checkpoint, Refusal, Row, Sync, sql
from aioinstructure.testing import FakeTransport, MemorySink, reply
from tests.sync.conftest import Store

ORIGIN = "https://canvas.test"


def canvas_with(*pages: list[Any], pace: Any = None) -> Canvas:
    """Serves pages of courses, and a pace for each course."""

    def serve(request: Request) -> Any:
        if "course_pacing" in request.url:
            course = int(request.url.partition("courses/")[2].partition("/")[0])
            return reply(
                {
                    "course_pace": {"id": course, "course_id": course}
                    if pace is None
                    else pace(course)
                }
            )
        at = int(request.url.partition("?page=")[2] or 1)
        link = f'<{ORIGIN}/api/v1/courses?page={at + 1}>; rel="next", ' if at < len(pages) else ""
        body = json.dumps(pages[at - 1]).encode()
        return reply(body=body, headers={"link": f'{link}<{ORIGIN}/api/v1/courses>; rel="first"'})

    return Canvas(ORIGIN, token="t", transport=FakeTransport([serve] * 200))


NO_ID: list[Any] = [
    {"id": None},
    {},
    {"name": "x"},
    {"id": 1.0},
    {"id": True},
    {"id": [3]},
    None,
    "text",
    5,
    [],
]


@pytest.mark.parametrize("bad", NO_ID, ids=repr)
async def test_an_object_without_an_id_is_reported(
    caplog: pytest.LogCaptureFixture, bad: Any
) -> None:
    """With its stream, page and reason; the rows of its page and of the next are written."""
    caplog.set_level(logging.WARNING)
    sink = MemorySink()
    canvas = canvas_with([{"id": 1}, bad, {"id": 3}], [{"id": 4}])
    (report,) = (await Sync(sink, canvas=canvas).run("courses")).streams
    assert (report.state, report.rows, report.rejected) == ("done", 3, 1)
    assert sink.rows["courses"].keys() == {"1", "3", "4"}
    (rejected,) = report.rejected_rows
    assert (rejected.id, rejected.page.partition("?")[0]) == ("", "/api/v1/courses")
    assert rejected.reason.startswith("no id, expected a number or text: ")
    (record,) = caplog.records
    assert record.message.startswith("courses: an object was not written: no id")
    assert record.message.isprintable()


@pytest.mark.parametrize("bad", NO_ID, ids=repr)
async def test_a_course_without_an_id_has_no_pace(bad: Any) -> None:
    """The paces of the others are written, in order, and the checkpoint is after all."""
    sink = MemorySink()
    canvas = canvas_with([{"id": 1}, bad, {"id": 3}], [{"id": 4}])
    (report,) = (await Sync(sink, canvas=canvas).run("course_paces")).streams
    assert (report.state, report.rows, report.rejected) == ("done", 3, 1)
    assert list(sink.rows["course_paces"]) == ["1", "3", "4"]


async def test_a_pace_with_an_odd_id_is_reported() -> None:
    """It is no reason to stop."""
    canvas = canvas_with(
        [{"id": 1}, {"id": 2}, {"id": 3}],
        pace=lambda course: {"id": [2] if course == 2 else course},
    )
    sink = MemorySink()
    (report,) = (await Sync(sink, canvas=canvas).run("course_paces")).streams
    assert (report.state, report.rows, report.rejected) == ("done", 2, 1)
    assert report.rejected_rows[0].page.startswith("/api/v1/courses/2/course_pacing/new")


@pytest.mark.parametrize("most", [0, 1, 5])
async def test_too_many_rejected_objects_fail_the_stream(most: int) -> None:
    """The checkpoint is not after the page that has one too many."""
    sink = MemorySink()
    canvas = canvas_with([{"id": 1}], [{"id": 2}, *[{}] * (most + 1)], [{"id": 3}])
    job = Sync(sink, canvas=canvas, max_rejected=most)
    with pytest.raises(SyncError, match=f"more than {most} objects could not be written"):
        await job.run("courses")
    assert sink.rows["courses"].keys() == {"1"}
    assert not sink.checkpoints[ORIGIN, "courses"].done
    good = canvas_with([{"id": 1}], [{"id": 2}], [{"id": 3}])
    (report,) = (await Sync(sink, canvas=good).run("courses")).streams
    assert report.resumed
    assert sink.rows["courses"].keys() == {"1", "2", "3"}


@pytest.mark.parametrize("value", [-1, 1.5, True, None, "9"])
def test_a_limit_that_is_none(value: Any) -> None:
    """An integer of 0 or more."""
    with pytest.raises(InputError, match="max_rejected"):
        Sync(MemorySink(), max_rejected=value)


async def test_the_report_names_twenty_of_them() -> None:
    """And counts all."""
    canvas = canvas_with([{"id": 1}, *[{}] * 30])
    (report,) = (await Sync(MemorySink(), canvas=canvas).run("courses")).streams
    assert (report.rejected, len(report.rejected_rows)) == (30, 20)


async def test_an_id_as_number_and_as_text_is_one_row() -> None:
    """It is counted once."""
    sink = MemorySink()
    (report,) = (
        await Sync(sink, canvas=canvas_with([{"id": 1}, {"id": "1", "name": "x"}])).run("courses")
    ).streams
    assert (report.rows, sink.rows["courses"]) == (1, {"1": {"id": "1", "name": "x"}})


# --- what a database cannot hold ---------------------------------------------------------------


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


VALUES: list[Any] = [2**70, -(2**70), 2**63, 1.5, 1e308, "\ud83d", "a\u0000b", nested(300), "é"]


@pytest.mark.real_loop
async def test_values_are_stored_exactly(store: Store) -> None:
    """Integers of any size, doubles, lone surrogates, NUL characters, deep values."""
    sink = sql(store.url)
    await sink.open(["courses"])
    rows = [Row(str(at), {"id": at, "value": value}) for at, value in enumerate(VALUES)]
    assert not await sink.write(ORIGIN, "courses", rows, Checkpoint("c", False))
    await sink.close()
    found = await store.fetch("select id, cast(data as text) from courses")
    stored = {key: loads(data.encode())["value"] for key, data in found}
    assert stored == {row.id: row.data["value"] for row in rows}


BAD_IDS = ["\ud83d", "a\ud83db"]
BAD_FOR_POSTGRES = ["a\u0000b", "x" * 300_000]


@pytest.mark.real_loop
@pytest.mark.parametrize("place", [0, 2, 4])
async def test_rows_that_a_database_refuses_are_returned(store: Store, place: int) -> None:
    """With the reason; the others are written, and the checkpoint after them."""
    bad = [*BAD_IDS, *(BAD_FOR_POSTGRES if "postgres" in store.url else [])]
    if "postgres" in store.url:
        bad[-1] = "".join(chr(33 + (at * 7919) % 90) for at in range(300_000))  # does not compress
    rows = [Row(str(at), {"id": at}) for at in range(5)]
    rows[place:place] = [Row(found, {"id": found}) for found in bad]
    sink = sql(store.url)
    await sink.open(["courses"])
    refused = await sink.write(ORIGIN, "courses", rows, Checkpoint("after", False))
    assert sorted(each.id for each in refused) == sorted(bad)
    assert all(each.reason and each.reason.isprintable() for each in refused)
    assert all(len(each.reason) <= 200 for each in refused)
    assert await sink.checkpoint(ORIGIN, "courses") == Checkpoint("after", False)
    await sink.close()
    found = await store.fetch("select id from courses order by 1")
    assert [key for (key,) in found] == ["0", "1", "2", "3", "4"]


@pytest.mark.real_loop
async def test_a_page_of_refused_rows_only(store: Store) -> None:
    """Its checkpoint is written."""
    sink = sql(store.url)
    await sink.open(["courses"])
    (refused,) = await sink.write(ORIGIN, "courses", [Row("\ud83d", {})], Checkpoint("x", False))
    assert refused.id == "\ud83d"
    assert await sink.checkpoint(ORIGIN, "courses") == Checkpoint("x", False)
    await sink.close()


async def test_a_sync_reports_what_the_store_refuses() -> None:
    """`rows` counts what was stored."""

    class Picky(MemorySink):
        async def write(self, source: str, stream: str, rows: Any, checkpoint: Checkpoint) -> Any:
            good = [row for row in rows if row.id != "2"]
            await super().write(source, stream, good, checkpoint)
            return [Refusal(row.id, "too even") for row in rows if row.id == "2"]

    sink = Picky()
    canvas = canvas_with([{"id": 1}, {"id": 2}, {"id": 3}])
    (report,) = (await Sync(sink, canvas=canvas).run("courses")).streams
    assert (report.rows, report.rejected, report.rejected_rows[0].id) == (2, 1, "2")
    assert report.rejected_rows[0].reason == "too even"


@pytest.mark.real_loop
async def test_an_error_of_the_database_is_no_refusal(store: Store) -> None:
    """A table that is gone fails the write, and the checkpoint stays."""
    sink = sql(store.url)
    await sink.open(["courses"])
    await store.fetch("drop table courses")
    with pytest.raises(SyncError, match="cannot write to"):
        await sink.write(ORIGIN, "courses", [Row("1", {})], Checkpoint("x", False))
    assert await sink.checkpoint(ORIGIN, "courses") is None
    await sink.close()


@pytest.mark.real_loop
async def test_a_column_that_only_others_can_fill_is_found_when_the_sink_opens(
    store: Store,
) -> None:
    """Before anything is requested."""
    sink = sql(store.url)
    await sink.open(["courses"])
    await sink.close()
    await store.fetch("drop table courses")
    columns = "source text, id text, data text not null, synced_at timestamp not null"
    await store.fetch(
        f"create table courses ({columns}, owner text not null, primary key (source, id))"
    )
    again = sql(store.url)
    with pytest.raises(ConfigurationError, match="column owner that must not be null"):
        await again.open(["courses"])
    await again.close()
