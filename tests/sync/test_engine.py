"""Sync from the simulator in virtual time: every row arrives, and a stop loses nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from attrs import define, field

from aioinstructure.abconnect import ABConnect
from aioinstructure.clock import Clock
from aioinstructure.errors import (
    ConfigurationError,
    DecodeError,
    InputError,
    ServerError,
    SyncError,
)
from aioinstructure.simulator import Fault, Knobs, Simulator
from aioinstructure.sync import (
    STREAMS,
    Checkpoint,
    Row,
    StreamReport,
    Sync,
)
from aioinstructure.testing import (
    MemorySink,
    abconnect_of,
    canvas_of,
)

ALL = tuple(STREAMS)


class Stop(BaseException):
    """Simulates the death of the process."""


@define(eq=False)
class Fragile(MemorySink):
    """A sink with which the process dies at the n-th write, before or after its commit."""

    dies_at: int = -1
    committed: bool = True
    _count: int = field(default=0, init=False)

    async def write(
        self, source: str, stream: str, rows: Sequence[Row], checkpoint: Checkpoint
    ) -> None:
        self._count += 1
        dies = self._count == self.dies_at
        if not dies or self.committed:
            await super().write(source, stream, rows, checkpoint)
        if dies:
            raise Stop


def world(clock: Clock, **knobs: int) -> Simulator:
    sizes = {"courses": 25, "standards": 450, "events": 250, "assets": 180} | knobs
    return Simulator(seed=3, knobs=Knobs(**sizes), wall=clock.wall)  # type: ignore[arg-type]  # all are numbers


async def run(
    simulator: Simulator, clock: Clock, sink: MemorySink, *streams: str
) -> list[StreamReport]:
    canvas, ab = canvas_of(simulator, clock=clock), abconnect_of(simulator, clock=clock)
    async with canvas, ab:
        report = await Sync(sink, canvas=canvas, abconnect=ab).run(*streams)
    return report.streams


async def test_everything_arrives_as_the_server_sent_it(clock: Clock) -> None:
    """Rows are the raw JSON of the pages; counts and requests match, and no call is refused."""
    simulator = world(clock)
    sink = MemorySink()
    reports = {each.stream: each for each in await run(simulator, clock, sink, *ALL)}
    assert len(sink.rows["standards"]) == reports["standards"].total == 450
    assert len(sink.rows["events"]) == reports["events"].total == 250
    assert len(sink.rows["assets"]) == reports["assets"].total  # some belong to other accounts
    assert 100 < len(sink.rows["assets"]) < 180
    lesson = next(iter(sink.rows["assets"].values()))["attributes"]
    assert lesson["client_id"]
    assert lesson["date_alignments_modified_utc"]
    assert sink.rows["courses"].keys() == sink.rows["course_paces"].keys()
    pace = sink.rows["course_paces"]["1"]
    assert pace["modules"][0]["items"][0]["course_pace_id"] == 1
    assert "progress" not in pace
    assert {each.state for each in reports.values()} == {"done"}
    stats = simulator.stats()
    assert stats["canvas"]["refused"] == stats["abconnect"]["refused"] == 0
    served = stats["canvas"]["served"] + stats["abconnect"]["served"]
    courses_list = 1  # course_paces also reads the list of courses, and does not count that
    assert served == sum(each.requests for each in reports.values()) + courses_list


@pytest.mark.parametrize("committed", [False, True], ids=["before the commit", "after it"])
@pytest.mark.parametrize("stream", ALL)
async def test_a_killed_run_resumes_and_ends_with_the_same_rows(
    clock: Clock, stream: str, committed: bool
) -> None:
    """Killed at any write and run again, a stream has the rows of an uninterrupted run."""
    complete = MemorySink()
    await run(world(clock), clock, complete, stream)
    for place in range(1, len(complete.writes) + 1):
        simulator = world(clock)
        sink = Fragile(dies_at=place, committed=committed)
        with pytest.raises(BaseExceptionGroup) as caught:
            await run(simulator, clock, sink, stream)
        assert caught.group_contains(Stop)
        mark = next(iter(sink.checkpoints.values()), None)
        (report,) = await run(simulator, clock, sink, stream)
        assert sink.rows == complete.rows
        resumes = mark is not None and (not mark.done or STREAMS[stream].continues)
        assert report.resumed == resumes


async def test_a_second_run_resumes_events_and_rereads_the_rest(clock: Clock) -> None:
    """Events resume after the last one; a complete list is read from its start."""
    simulator = world(clock)
    sink = MemorySink()
    await run(simulator, clock, sink, "standards", "events")
    guid = next(iter(sink.rows["standards"]))
    simulator.world.edit_standard(guid, {"statement.descr": "Count."}, change_type="updated")
    standards, events = await run(simulator, clock, sink, "standards", "events")
    assert (standards.resumed, standards.rows) == (False, 450)
    assert (events.resumed, events.rows) == (True, 1)
    assert sink.rows["standards"][guid]["attributes"]["statement"]["descr"] == "Count."


async def test_a_failing_stream_does_not_stop_the_others(clock: Clock) -> None:
    """The error names the stream and its checkpoint; the other streams are complete."""
    simulator = world(clock)
    simulator.faults.add(
        [Fault(path=r"/events\?.*seq%20gt%20[1-9]", kind="status", count=99, status=500)]
    )
    sink = MemorySink()
    with pytest.raises(SyncError, match="events failed after 100 rows: 500") as caught:
        await run(simulator, clock, sink, "standards", "events")
    assert caught.value.stream == "events"
    assert caught.value.checkpoint is not None
    assert isinstance(caught.value.__cause__, ServerError)
    assert len(sink.rows["standards"]) == 450
    simulator.faults.clear()
    await run(simulator, clock, sink, "events")
    assert len(sink.rows["events"]) == 250


@define(eq=False)
class HalfBroken(MemorySink):
    """A sink that fails for one stream after 100 rows."""

    stream: str = "events"

    async def write(
        self, source: str, stream: str, rows: Sequence[Row], checkpoint: Checkpoint
    ) -> None:
        if stream == self.stream and len(self.rows[stream]) >= 100:
            raise OSError(28, "No space left on device")
        await super().write(source, stream, rows, checkpoint)


async def test_a_sink_that_fails_for_one_stream_serves_the_others(clock: Clock) -> None:
    """A SyncError with the last written checkpoint; the other streams are complete."""
    sink = HalfBroken()
    with pytest.raises(SyncError, match=r"events failed after 100 rows: .*No space left") as caught:
        await run(world(clock), clock, sink, "standards", "events")
    assert caught.value.stream == "events"
    ((_, mark),) = [each for each in sink.checkpoints.items() if each[0][1] == "events"]
    assert mark == Checkpoint(caught.value.checkpoint, False)
    assert len(sink.rows["standards"]) == 450


@define(eq=False)
class Shut(MemorySink):
    async def open(self, streams: Sequence[str]) -> None:
        raise OSError(13, "Permission denied")


async def test_a_sink_that_cannot_be_opened_costs_no_request(clock: Clock) -> None:
    """The error comes before any request to a service, and the sink is closed."""
    simulator, sink = world(clock), Shut()
    with pytest.raises(ConfigurationError, match=r"cannot open the sink: .*Permission denied"):
        await run(simulator, clock, sink, "events")
    assert simulator.stats()["abconnect"]["served"] == 0
    assert sink.closed == 1


async def test_two_failing_streams_are_both_reported(clock: Clock) -> None:
    """The second failure is a note on the error of the first."""
    simulator = world(clock)
    simulator.faults.add([Fault(path="/events|/standards", kind="status", count=99, status=500)])
    with pytest.raises(SyncError, match="standards failed") as caught:
        await run(simulator, clock, MemorySink(), "standards", "events")
    assert any("events also failed" in note for note in caught.value.__notes__)


async def test_a_list_that_changed_since_is_read_from_its_start(clock: Clock) -> None:
    """A deletion on the server shifts the objects after it: resuming there would miss one."""
    simulator = world(clock)
    sink = Fragile(dies_at=2, committed=False)
    with pytest.raises(BaseExceptionGroup):
        await run(simulator, clock, sink, "assets")
    had = list(sink.rows["assets"])
    ab = abconnect_of(simulator, clock=clock)
    async with ab:
        await ab.assets.delete(had[0])
        there = {asset.id for asset in await ab.assets.list().collect()}
    (report,) = await run(simulator, clock, sink, "assets")
    assert report.resumed
    assert report.rows == len(there)
    assert sink.rows["assets"].keys() == there | {had[0]}  # deleted on the server, kept in the sink


@define(eq=False)
class Meanwhile(MemorySink):
    """A sink that deletes an asset on the server after certain writes."""

    client: ABConnect | None = None
    writes_before: tuple[int, ...] = ()

    async def write(
        self, source: str, stream: str, rows: Sequence[Row], checkpoint: Checkpoint
    ) -> None:
        await super().write(source, stream, rows, checkpoint)
        assert self.client is not None
        if len(self.writes) in self.writes_before:
            there = await self.client.assets.list().first()
            assert there is not None
            await self.client.assets.delete(there.id or "")


@pytest.mark.parametrize("changes", [(1,), (1, 3, 5)], ids=["once", "again and again"])
async def test_a_list_that_changes_while_it_is_read_is_restarted(
    clock: Clock, changes: tuple[int, ...]
) -> None:
    """It is read three times at most; after that error, the next run starts from the beginning."""
    simulator = world(clock, assets=700)
    ab = abconnect_of(simulator, clock=clock)
    sink = Meanwhile(client=ab, writes_before=changes)
    async with ab:
        if len(changes) == 1:
            await Sync(sink, abconnect=ab).run("assets")
        else:
            with pytest.raises(SyncError, match="the list changed while it was read") as caught:
                await Sync(sink, abconnect=ab).run("assets")
            assert caught.value.checkpoint is None
            assert list(sink.checkpoints.values()) == [Checkpoint(None, False)]
            (report,) = (await Sync(sink, abconnect=ab).run("assets")).streams
            assert (report.resumed, report.rows) == (False, report.total)
        there = {asset.id for asset in await ab.assets.list().collect()}
    assert there <= sink.rows["assets"].keys()
    assert next(iter(sink.checkpoints.values())).done


@pytest.mark.parametrize("stream", ["courses", "course_paces", "assets", "events"])
async def test_with_an_invalid_cursor_the_list_is_read_from_its_start(
    clock: Clock, stream: str
) -> None:
    """A cursor of another version of the library, or one that the server refuses."""
    complete = MemorySink()
    await run(world(clock), clock, complete, stream)
    ((source, _),) = complete.checkpoints
    old = MemorySink()
    await old.open([stream])
    await old.write(source, stream, [], Checkpoint("[0, 1, 2]", False))
    await run(world(clock), clock, old, stream)
    assert old.rows == complete.rows
    simulator, stopped = world(clock), Fragile(dies_at=2, committed=False)
    with pytest.raises(BaseExceptionGroup):
        await run(simulator, clock, stopped, stream)
    simulator.faults.add([Fault(path=r"/courses\?|/assets|/events", kind="status", status=400)])
    await run(simulator, clock, stopped, stream)
    assert stopped.rows == complete.rows


async def test_a_pace_that_is_not_json_is_an_error(clock: Clock) -> None:
    """A SyncError caused by a DecodeError, not an error of the parser."""
    simulator = world(clock)
    simulator.faults.add([Fault(path="course_pacing", kind="invalid_json", count=999)])
    with pytest.raises(SyncError, match="course_paces failed") as caught:
        await run(simulator, clock, MemorySink(), "course_paces")
    assert isinstance(caught.value.__cause__, DecodeError)


async def test_courses_without_a_pace_are_skipped(clock: Clock) -> None:
    """A course whose pace does not exist is counted and named, without an error."""
    simulator = world(clock)
    simulator.faults.add(
        [
            Fault(path=rf"courses/{course}/course_pacing", kind="status", count=9, status=404)
            for course in (1, 2, 3)
        ]
    )
    sink = MemorySink()
    (report,) = await run(simulator, clock, sink, "course_paces")
    assert report.skipped == 3
    assert [each.id for each in report.skipped_parents] == ["1", "2", "3"]
    assert not {"1", "2", "3"} & sink.rows["course_paces"].keys()


async def test_a_refused_token_ends_the_stream(clock: Clock) -> None:
    """A 401 caused by the credential fails the stream instead of skipping every course."""
    simulator = world(clock)
    canvas = canvas_of(simulator, clock=clock)
    simulator.canvas.tokens[simulator.canvas_token] = "revoked"
    async with canvas:
        with pytest.raises(SyncError, match="401"):
            await Sync(MemorySink(), canvas=canvas).run("course_paces")


async def test_cancelling_closes_the_sink_and_leaves_no_task(clock: Clock) -> None:
    """A cancelled run keeps what it wrote; nothing continues in the background."""
    simulator = world(clock, standards=5000)
    sink = MemorySink()
    task = asyncio.create_task(run(simulator, clock, sink, *ALL))
    await asyncio.sleep(3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert sink.closed == 1
    assert 0 < len(sink.rows["standards"]) < 5000
    await run(simulator, clock, sink, *ALL)
    assert len(sink.rows["standards"]) == 5000


async def test_on_batch_is_called_after_each_batch(clock: Clock) -> None:
    """It gets the stream's report with the rows so far."""
    seen: list[int] = []
    ab = abconnect_of(world(clock), clock=clock)
    async with ab:
        job = Sync(MemorySink(), abconnect=ab, on_batch=lambda report: seen.append(report.rows))
        report = await job.run("events")
    assert seen == [100, 200, 250]
    assert (report.rows, report.requests, report.refusals) == (250, 3, 0)


async def test_bad_input_is_reported_before_anything_is_sent(clock: Clock) -> None:
    """Unknown, missing and repeated streams, and a missing client."""
    simulator = world(clock)
    canvas = canvas_of(simulator, clock=clock)
    async with canvas:
        job = Sync(MemorySink(), canvas=canvas)
        with pytest.raises(InputError, match="unknown stream 'course', did you mean 'courses'"):
            await job.run("course")
        with pytest.raises(InputError, match="no stream given"):
            await job.run()
        with pytest.raises(InputError, match="twice"):
            await job.run("courses", "courses")
        with pytest.raises(ConfigurationError, match="'events' needs a client: pass abconnect="):
            await job.run("events")
    assert simulator.stats()["canvas"]["served"] == 0
