"""Run streams side by side: read a batch, write it with its checkpoint, go on.

Each stream is one task that writes what it has read before it asks for more, so that a slow store
slows the reading, and memory holds a page or two. The quota is spent in the bulk lane: a web
request of the same client goes first.
"""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Callable, Sequence
from contextlib import aclosing
from typing import Any, Literal, TypeAlias

from attrs import Factory, define, field

from aioinstructure.abconnect import ABConnect
from aioinstructure.canvas import Canvas
from aioinstructure.clock import Clock
from aioinstructure.errors import ConfigurationError, Error, InputError, SyncError
from aioinstructure.quota import Scheduler
from aioinstructure.sync.sinks.base import Checkpoint, Sink
from aioinstructure.sync.streams import STREAMS, Stream

__all__ = ["Report", "StreamReport", "Sync"]

State: TypeAlias = Literal["waiting", "running", "done", "failed", "stopped"]


@define
class StreamReport:
    """How a stream fares; changes while it runs.

    Attributes:
        stream: Its name.
        source: The origin that it is read from.
        state: "waiting", "running", "done", "failed" or "stopped".
        rows: How many were written in this run.
        total: How many there will be, where the server says so.
        requests: How many answers they came in.
        skipped: How many parents had nothing, or nothing that the caller may see.
        resumed: Whether it went on where an earlier run had stopped.
        seconds: How long it ran.
        error: What ended it, if it failed.
    """

    stream: str
    source: str
    state: State = "waiting"
    rows: int = 0
    total: int | None = None
    requests: int = 0
    skipped: int = 0
    resumed: bool = False
    seconds: float = 0.0
    error: Error | None = None


@define
class Report:
    """What a run did.

    Attributes:
        streams: One a stream, in the order asked.
        seconds: How long the whole took.
        refusals: How often a server said that the quota was spent.
    """

    streams: list[StreamReport] = Factory(list)
    seconds: float = 0.0
    refusals: int = 0

    @property
    def rows(self) -> int:
        """How many rows were written in all."""
        return sum(stream.rows for stream in self.streams)

    @property
    def requests(self) -> int:
        """How many answers they came in."""
        return sum(stream.requests for stream in self.streams)


@define(eq=False)
class Sync:
    """Copies streams into a sink, and goes on where it was stopped.

    Args:
        sink: The store, such as `sql("sqlite:///lms.db")`. Closed at the end of each run.
        canvas: Needed for the streams of Canvas.
        abconnect: Needed for the streams of AB Connect.
        on_batch: Called after each batch that was written, with what the stream has done so far.

    Example:
        report = await Sync(sql("sqlite:///lms.db"), abconnect=ab).run("standards", "events")
    """

    _sink: Sink
    _canvas: Canvas | None = field(default=None, kw_only=True, alias="canvas")
    _abconnect: ABConnect | None = field(default=None, kw_only=True, alias="abconnect")
    _on_batch: Callable[[StreamReport], None] | None = field(
        default=None, kw_only=True, alias="on_batch"
    )

    async def run(self, *streams: str) -> Report:
        """Sync the streams side by side.

        What was read stays written whatever happens, and the next run goes on behind it: at least
        once, by replacing rows. A stream that had come to its end is read anew, but for events,
        which go on behind the last one.

        Raises:
            InputError: A stream is unknown, or named twice.
            ConfigurationError: The client of a stream is missing.
            SyncError: A stream failed; the others were run to their end.
        """
        jobs = [self._job(name) for name in _checked(streams)]
        clock = self._clock()
        report = Report([job.report for job in jobs])
        start = clock.monotonic()
        refused = self._refusals()
        try:
            with clock.hold():
                await self._sink.open([job.stream.name for job in jobs])
            async with asyncio.TaskGroup() as group:
                for job in jobs:
                    group.create_task(job.run())
        finally:
            report.seconds = clock.monotonic() - start
            report.refusals = self._refusals() - refused
            with clock.hold():
                await self._sink.close()
        self._raise_first(jobs)
        return report

    def _job(self, name: str) -> _Job:
        stream = STREAMS[name]
        client = self._canvas if stream.service == "canvas" else self._abconnect
        if client is None:
            raise ConfigurationError(f"the stream {name!r} needs {stream.service}=")
        view = client.with_options(lane="bulk", flow=f"sync:{name}")
        report = StreamReport(name, client.origin)
        return _Job(stream, view, self._sink, report, self._on_batch)

    def _clock(self) -> Clock:
        client = self._canvas or self._abconnect
        return client.clock if client else Clock()

    def _refusals(self) -> int:
        quotas: set[Scheduler] = {c.quota for c in (self._canvas, self._abconnect) if c}
        return sum(quota.snapshot().throttles for quota in quotas)

    def _raise_first(self, jobs: Sequence[_Job]) -> None:
        failed = [job for job in jobs if job.report.error is not None]
        if not failed:
            return
        first = failed[0]
        error = SyncError(
            f"{first.stream.name} failed after {first.report.rows} rows: {first.report.error}",
            stream=first.stream.name,
            checkpoint=first.cursor,
        )
        for job in failed[1:]:
            error.add_note(f"{job.stream.name} failed as well: {job.report.error}")
        raise error from first.report.error


def _checked(streams: Sequence[str]) -> Sequence[str]:
    if not streams:
        raise InputError(f"name a stream: {', '.join(STREAMS)}")
    for name in streams:
        if name not in STREAMS:
            near = difflib.get_close_matches(name, STREAMS, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise InputError(f"no stream {name!r}{hint} There are: {', '.join(STREAMS)}")
    if len(set(streams)) != len(streams):
        raise InputError(f"a stream is named twice: {', '.join(streams)}")
    return streams


@define(eq=False)
class _Job:
    """One stream of one run."""

    stream: Stream
    client: Any
    sink: Sink
    report: StreamReport
    on_batch: Callable[[StreamReport], None] | None
    cursor: str | None = None

    async def run(self) -> None:
        report = self.report
        clock: Clock = self.client.clock
        start = clock.monotonic()
        report.state = "running"
        try:
            await self._copy(clock)
            report.state = "done"
        except Error as error:
            report.state = "failed"
            report.error = error
        finally:
            report.seconds = clock.monotonic() - start
            if report.state == "running":
                report.state = "stopped"

    async def _copy(self, clock: Clock) -> None:
        report = self.report
        with clock.hold():
            last = await self.sink.checkpoint(report.source, self.stream.name)
        if last is not None and (not last.done or self.stream.continues):
            self.cursor = last.cursor
        report.resumed = self.cursor is not None
        start = clock.monotonic()
        async with aclosing(self.stream.read(self.client, self.cursor)) as batches:  # type: ignore[type-var]  # readers are async generators
            async for batch in batches:
                with clock.hold():
                    await self.sink.write(
                        report.source, self.stream.name, batch.rows, Checkpoint(batch.cursor, False)
                    )
                self.cursor = batch.cursor
                report.rows += len(batch.rows)
                report.requests += batch.requests
                report.skipped += batch.skipped
                report.total = batch.total if batch.total is not None else report.total
                report.seconds = clock.monotonic() - start
                if self.on_batch is not None:
                    self.on_batch(report)
        with clock.hold():
            await self.sink.write(
                report.source, self.stream.name, [], Checkpoint(self.cursor, True)
            )
