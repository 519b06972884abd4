"""Sync over the simulator, in virtual time: everything arrives, and a stop loses nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from attrs import define, field

from aioinstructure.clock import Clock
from aioinstructure.errors import ConfigurationError, InputError, ServerError, SyncError
from aioinstructure.simulator import Fault, Knobs, Simulator
from aioinstructure.sync import STREAMS, Checkpoint, Row, StreamReport, Sync
from aioinstructure.testing import MemorySink, abconnect_of, canvas_of

ALL = tuple(STREAMS)


class Stop(Exception):
    """The process is gone."""


@define(eq=False)
class Fragile(MemorySink):
    """A sink under which the process dies at the n-th write, before or behind its commit."""

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
    sizes = {"courses": 25, "standards": 450, "events": 250} | knobs
    return Simulator(seed=3, knobs=Knobs(**sizes), wall=clock.wall)  # type: ignore[arg-type]  # numbers, all of them


async def run(
    simulator: Simulator, clock: Clock, sink: MemorySink, *streams: str
) -> list[StreamReport]:
    canvas, ab = canvas_of(simulator, clock=clock), abconnect_of(simulator, clock=clock)
    async with canvas, ab:
        report = await Sync(sink, canvas=canvas, abconnect=ab).run(*streams)
    return report.streams


async def test_everything_arrives_as_the_server_sent_it(clock: Clock) -> None:
    """Rows are the raw JSON of the pages; counts, requests and the absence of refusals add up."""
    simulator = world(clock)
    sink = MemorySink()
    reports = {each.stream: each for each in await run(simulator, clock, sink, *ALL)}
    assert len(sink.rows["standards"]) == reports["standards"].total == 450
    assert len(sink.rows["events"]) == reports["events"].total == 250
    assert sink.rows["courses"].keys() == sink.rows["course_paces"].keys()
    pace = sink.rows["course_paces"]["1"]
    assert pace["modules"][0]["items"][0]["course_pace_id"] == 1
    assert "progress" not in pace
    assert {each.state for each in reports.values()} == {"done"}
    stats = simulator.stats()
    assert stats["canvas"]["refused"] == stats["abconnect"]["refused"] == 0
    served = stats["canvas"]["served"] + stats["abconnect"]["served"]
    walked = 1  # course_paces walks the list of courses too, and counts what it asked for them
    assert served == sum(each.requests for each in reports.values()) + walked


@pytest.mark.parametrize("committed", [False, True], ids=["before the commit", "behind it"])
@pytest.mark.parametrize("stream", ALL)
async def test_a_killed_run_goes_on_and_ends_with_the_same_rows(
    clock: Clock, stream: str, committed: bool
) -> None:
    """Killed at any write, and run again, a stream has the rows of an uninterrupted run."""
    whole = MemorySink()
    await run(world(clock), clock, whole, stream)
    for place in range(1, len(whole.writes) + 1):
        simulator = world(clock)
        sink = Fragile(dies_at=place, committed=committed)
        with pytest.raises(ExceptionGroup) as caught:
            await run(simulator, clock, sink, stream)
        assert caught.group_contains(Stop)
        mark = next(iter(sink.checkpoints.values()), None)
        (report,) = await run(simulator, clock, sink, stream)
        assert sink.rows == whole.rows
        goes_on = mark is not None and (not mark.done or STREAMS[stream].continues)
        assert report.resumed == goes_on


async def test_a_second_run_reads_on_events_and_anew_the_rest(clock: Clock) -> None:
    """Events go on behind the last one; a finished list is read from its start."""
    simulator = world(clock)
    sink = MemorySink()
    await run(simulator, clock, sink, "standards", "events")
    guid = next(iter(sink.rows["standards"]))
    simulator.world.edit_standard(guid, {"statement.descr": "Count."}, change_type="updated")
    standards, events = await run(simulator, clock, sink, "standards", "events")
    assert (standards.resumed, standards.rows) == (False, 450)
    assert (events.resumed, events.rows) == (True, 1)
    assert sink.rows["standards"][guid]["attributes"]["statement"]["descr"] == "Count."


async def test_a_failing_stream_lets_the_others_end(clock: Clock) -> None:
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


async def test_two_failing_streams_are_both_told(clock: Clock) -> None:
    """The second failure is a note on the error of the first."""
    simulator = world(clock)
    simulator.faults.add([Fault(path="/events|/standards", kind="status", count=99, status=500)])
    with pytest.raises(SyncError, match="standards failed") as caught:
        await run(simulator, clock, MemorySink(), "standards", "events")
    assert any("events failed as well" in note for note in caught.value.__notes__)


async def test_courses_without_a_pace_are_skipped(clock: Clock) -> None:
    """A course whose pace is missing or not for the caller's eyes is counted, and no error."""
    simulator = world(clock)
    simulator.faults.add(
        [
            Fault(path=r"courses/1/course_pacing", kind="status", count=9, status=404),
            Fault(path=r"courses/2/course_pacing", kind="status", count=9, status=403),
            Fault(path=r"courses/3/course_pacing", kind="status", count=9, status=401),
        ]
    )
    sink = MemorySink()
    (report,) = await run(simulator, clock, sink, "course_paces")
    assert report.skipped == 3
    assert not {"1", "2", "3"} & sink.rows["course_paces"].keys()


async def test_a_refused_token_is_no_course_without_a_pace(clock: Clock) -> None:
    """A 401 that blames the credential ends the stream instead of skipping every course."""
    simulator = world(clock)
    canvas = canvas_of(simulator, clock=clock)
    simulator.canvas_tokens[simulator.canvas_token] = "revoked"
    async with canvas:
        with pytest.raises(SyncError, match="401"):
            await Sync(MemorySink(), canvas=canvas).run("course_paces")


async def test_cancelling_closes_the_sink_and_leaves_no_task(clock: Clock) -> None:
    """A cancelled run keeps what it wrote; nothing goes on in the background."""
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


async def test_batches_are_told(clock: Clock) -> None:
    """`on_batch` sees each stream grow to its end."""
    seen: list[int] = []
    ab = abconnect_of(world(clock), clock=clock)
    async with ab:
        job = Sync(MemorySink(), abconnect=ab, on_batch=lambda report: seen.append(report.rows))
        report = await job.run("events")
    assert seen == [100, 200, 250]
    assert (report.rows, report.requests, report.refusals) == (250, 3, 0)


async def test_bad_input_is_told_before_anything_is_sent(clock: Clock) -> None:
    """Unknown, missing and repeated streams, and a missing client."""
    simulator = world(clock)
    canvas = canvas_of(simulator, clock=clock)
    async with canvas:
        job = Sync(MemorySink(), canvas=canvas)
        with pytest.raises(InputError, match="no stream 'course'; did you mean 'courses'"):
            await job.run("course")
        with pytest.raises(InputError, match="name a stream"):
            await job.run()
        with pytest.raises(InputError, match="twice"):
            await job.run("courses", "courses")
        with pytest.raises(ConfigurationError, match="'events' needs abconnect="):
            await job.run("events")
    assert simulator.stats()["canvas"]["served"] == 0
