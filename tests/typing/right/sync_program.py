"""The programs of the other guides: each result has its exact type. Never run."""

# mypy: disallow-any-expr

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import assert_type

from aioinstructure import (
    ABConnect,
    Canvas,
    Clock,
    ConfigurationError,
    DecodeError,
    Error,
    IncompleteError,
    InputError,
    Lane,
    QueueFull,
    QuotaError,
    Request,
    Response,
    ResponseError,
    ServerError,
    SyncError,
    Throttled,
    TransportError,
    UnknownOutcome,
)
from aioinstructure.quota import (
    CostBucket,
    LimitLearned,
    QuotaEvent,
    Refused,
    Scheduler,
    Sent,
    Snapshot,
    TokenBucket,
)
from aioinstructure.simulator import Simulator
from aioinstructure.sync import (
    Checkpoint,
    Plan,
    Report,
    Row,
    Sink,
    SkippedParent,
    StreamPlan,
    StreamReport,
    Sync,
    plan_of,
    sql,
)
from aioinstructure.testing import (
    FakeTransport,
    MemorySink,
    SimulatorTransport,
    VirtualLoop,
    abconnect_of,
    canvas_of,
    reply,
    virtual_clock,
)


def listener(event: QuotaEvent) -> None:
    match event:
        case Refused():
            assert_type(event.lane, Lane)
        case LimitLearned():
            assert_type(event.value, float)
        case Sent(key=key):
            assert_type(key, str)
        case _:
            pass


def quota(canvas: Canvas) -> None:
    now = canvas.quota.snapshot()
    assert_type(now, Snapshot)
    assert_type(now.level, float)
    assert_type(now.queued, Mapping[Lane, int])
    assert_type(now.throttles, int)
    assert_type(now.learned, Mapping[str, float])
    shared = Scheduler(TokenBucket(probe=True, start_level=5.0), listener=listener)
    assert_type(ABConnect(partner_id="", partner_key="", quota=shared).quota, Scheduler)
    assert_type(Scheduler(CostBucket()).wait_estimate(lane="bulk"), float)


async def errors(canvas: Canvas) -> None:
    try:
        await canvas.courses.get(1)
    except QueueFull as error:
        assert_type(error.wait, float)
    except QuotaError as error:
        assert_type(error.wait, float)
    except Throttled as error:
        assert_type(error.wait, float | None)
        assert_type(error.retry_after, float | None)
    except ServerError as error:
        assert_type(error.may_have_happened, bool)
    except ResponseError as error:
        assert_type(error.may_have_happened, bool)
        assert_type(error.status, int)
        assert_type(error.request_id, str | None)
        assert_type(error.response, Response)
        assert_type(error.errors, list[str])


async def errors_without_an_answer(canvas: Canvas) -> None:
    try:
        await canvas.courses.get(1)
    except UnknownOutcome as error:
        assert_type(error.request, Request | None)
    except TransportError as error:
        assert_type(error.wait, float | None)
        assert_type(error.may_have_happened, bool)
    except DecodeError as error:
        assert_type(error.paths, list[str])
        assert_type(error.response, Response | None)
    except SyncError as error:
        assert_type(error.stream, str)
        assert_type(error.checkpoint, str | None)
    except (ConfigurationError, IncompleteError, InputError) as error:
        common: Error = error
        assert_type(str(common), str)


async def sync(canvas: Canvas, ab: ABConnect) -> None:
    plan = await plan_of("standards", "events", abconnect=ab)
    assert_type(plan, Plan)
    assert_type(plan.requests, int | None)
    assert_type(plan.streams, list[StreamPlan])
    job = Sync(sql("sqlite:///lms.db"), canvas=canvas, abconnect=ab, on_batch=on_batch)
    report = await job.run("course_paces", "standards")
    assert_type(report, Report)
    assert_type(report.rows, int)
    assert_type(report.seconds, float)
    assert_type(report.streams, list[StreamReport])
    assert_type(report.streams[0].skipped_parents, list[SkippedParent])
    assert_type(job.report, Report | None)
    await Sync(MemorySink(), canvas=canvas).run("courses")
    await Sync(OwnSink(), canvas=canvas).run("courses")


def on_batch(report: StreamReport) -> None:
    assert_type(report.total, int | None)
    assert_type(report.error, Error | None)


class OwnSink:
    """A store of the user's own."""

    async def open(self, streams: Sequence[str]) -> None: ...

    async def checkpoint(self, source: str, stream: str) -> Checkpoint | None:
        return None

    async def write(
        self, source: str, stream: str, rows: Sequence[Row], checkpoint: Checkpoint
    ) -> None:
        assert_type([row.id for row in rows], list[str])
        assert_type(checkpoint.cursor, str | None)

    async def close(self) -> None: ...


def sinks(own: OwnSink, memory: MemorySink) -> list[Sink]:
    return [own, memory, sql("sqlite:///lms.db")]


def answer(request: Request) -> Response:
    assert_type(request.path, str)
    return reply(body=b"[]", next="https://canvas.test/api/v1/courses?page=2")


async def a_fake_transport() -> None:
    transport = FakeTransport([reply(status=204), InputError("no"), answer])
    async with Canvas("https://canvas.test", token="t", transport=transport) as canvas:
        assert_type([course.name async for course in canvas.courses.list()], list[str | None])
    assert_type(transport.paths, list[str])
    assert_type(transport.requests, list[Request])


async def the_simulator(loop: VirtualLoop) -> None:
    clock = virtual_clock(loop)
    assert_type(clock, Clock)
    simulator = Simulator(seed=1, wall=clock.wall)
    assert_type(canvas_of(simulator, clock=clock, deadline=5.0), Canvas)
    assert_type(abconnect_of(simulator, clock=clock, quota=None), ABConnect)
    simulator.knobs.canvas_latency_seconds = 0.3
    Canvas("https://canvas.test", "t", transport=SimulatorTransport(simulator))
    with loop.hold():
        await asyncio.sleep(1)
