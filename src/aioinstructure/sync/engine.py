"""Run streams concurrently: read a batch, write it with its checkpoint, repeat.

Each stream is one task that writes a batch before it reads the next one, so that a slow sink slows
the reading, and memory holds a page or two. All calls use the bulk lane: interactive calls of the
same client go first.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Generator, Sequence
from typing import Any, Final

from attrs import define, field

from aioinstructure.abconnect import ABConnect
from aioinstructure.canvas import Canvas
from aioinstructure.clock import Clock
from aioinstructure.errors import ConfigurationError, Error, InputError, SyncError
from aioinstructure.quota import Scheduler
from aioinstructure.sync.report import RejectedRow, Report, SkippedParent, StreamReport
from aioinstructure.sync.sinks.base import Checkpoint, Refusal, Row, Sink
from aioinstructure.sync.streams.base import Stream
from aioinstructure.sync.streams.registry import checked, client_of
from aioinstructure.wire.redact import shown

__all__ = ["Sync"]

_NAMED: Final = 20
"""How many skipped parents and rejected rows a report names. It counts all of them."""

logger = logging.getLogger("aioinstructure.sync")


@define(eq=False)
class Sync:
    """Copies streams into a sink, and resumes where an earlier run stopped.

    Args:
        sink: Where to write, such as `sql("sqlite:///lms.db")`. Closed at the end of each run.
        canvas: Needed for the streams of Canvas.
        abconnect: Needed for the streams of AB Connect.
        on_batch: Called after each written batch with the stream's report so far.
        max_rejected: The most objects of a stream that may be left out, since they have no id or
            the store refuses them; more fail the stream.

    Attributes:
        report: The report of the current or the last run, even if it failed.

    Example:
        report = await Sync(sql("sqlite:///lms.db"), abconnect=ab).run("standards", "events")
    """

    _sink: Sink
    _canvas: Canvas | None = field(default=None, kw_only=True, alias="canvas")
    _abconnect: ABConnect | None = field(default=None, kw_only=True, alias="abconnect")
    _on_batch: Callable[[StreamReport], None] | None = field(
        default=None, kw_only=True, alias="on_batch"
    )
    max_rejected: int = field(default=100, kw_only=True)
    report: Report | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        if isinstance(self._sink, str):
            raise InputError("the sink is an object, such as sql(url) or sink_of(url), not its URL")
        if type(self.max_rejected) is not int or self.max_rejected < 0:
            raise InputError(f"max_rejected must be 0 or more, not {self.max_rejected!r:.100}")

    async def run(self, *streams: str) -> Report:
        """Sync the streams concurrently.

        Written batches stay written if the run fails, and the next run resumes after them. Objects
        are delivered at least once: writing a row again replaces it. A stream that was complete is
        read again from the start, except `events`, which resumes after the last event. A stream is
        also read from the start if its list has changed at the checkpoint. Rows that the server
        no longer has are not deleted.

        Raises:
            InputError: A stream is unknown, or named twice.
            ConfigurationError: The client of a stream is missing, or the sink cannot be opened;
                nothing was sent.
            SyncError: A stream failed, because of the server or the sink. The other streams ran
                to their end; a note names each of them that also failed.
        """
        jobs = [self._job(stream) for stream in checked(streams)]
        clock = self._clock()
        report = self.report = Report([job.report for job in jobs])
        start = clock.monotonic()
        refused = self._refusals()
        try:
            with clock.hold():
                await self._open([job.stream.name for job in jobs])
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

    async def _open(self, streams: Sequence[str]) -> None:
        try:
            await self._sink.open(streams)
        except Error:
            raise
        except Exception as error:  # a custom sink may raise any exception
            raise ConfigurationError(f"cannot open the sink: {error!r}") from error

    def _job(self, stream: Stream) -> _Job:
        client = client_of(stream, self._canvas, self._abconnect)
        view = client.with_options(lane="bulk", flow=f"sync:{stream.name}")
        report = StreamReport(stream.name, client.origin)
        return _Job(stream, view, self._sink, report, self._on_batch, self.max_rejected)

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
            error.add_note(f"{job.stream.name} also failed: {job.report.error}")
        raise error from first.report.error


@define(eq=False)
class _Job:
    """One stream in one run."""

    stream: Stream
    client: Any
    sink: Sink
    report: StreamReport
    on_batch: Callable[[StreamReport], None] | None
    max_rejected: int
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
        with self._storing():
            last = await self.sink.checkpoint(report.source, self.stream.name)
        if last is not None and (not last.done or self.stream.continues):
            self.cursor = last.cursor
        report.resumed = self.cursor is not None
        start = clock.monotonic()
        async with contextlib.aclosing(self.stream.read(self.client, self.cursor)) as batches:  # type: ignore[type-var]  # readers are async generators
            async for batch in batches:
                self._reject(batch.rejected)  # before the checkpoint is behind them
                refused = await self._write(batch.rows, Checkpoint(batch.cursor, False))
                report.rows += len({row.id for row in batch.rows}) - len(refused)
                self._reject([RejectedRow(each.id, batch.page, each.reason) for each in refused])
                report.requests += batch.requests
                report.skipped += batch.skipped
                self._name(batch.skipped_parents)
                report.total = batch.total if batch.total is not None else report.total
                report.seconds = clock.monotonic() - start
                if self.on_batch is not None:
                    self.on_batch(report)
        await self._write([], Checkpoint(self.cursor, True))

    def _name(self, skipped: Sequence[SkippedParent]) -> None:
        """Add the parents to the report, up to its limit."""
        named = self.report.skipped_parents
        for parent in skipped:
            # A list that is read again skips the same parents again.
            if len(named) < _NAMED and parent not in named:
                named.append(parent)

    def _reject(self, rows: Sequence[RejectedRow]) -> None:
        """Report the objects that are not written.

        Raises:
            SyncError: They are more than `max_rejected`.
        """
        report = self.report
        for row in rows:
            report.rejected += 1
            if len(report.rejected_rows) < _NAMED:
                report.rejected_rows.append(row)
            logger.warning(
                "%s: an object was not written: %s (id %s, in %s)",
                self.stream.name,
                shown(row.reason, 300),
                shown(row.id, 100) or "none",
                row.page or "an unknown response",
            )
            if report.rejected > self.max_rejected:
                raise SyncError(
                    f"more than {self.max_rejected} objects could not be written, the last one"
                    f" because: {row.reason}",
                    stream=self.stream.name,
                )

    async def _write(self, rows: Sequence[Row], checkpoint: Checkpoint) -> Sequence[Refusal]:
        with self._storing():
            refused = await self.sink.write(self.report.source, self.stream.name, rows, checkpoint)
        self.cursor = checkpoint.cursor
        return refused or ()

    @contextlib.contextmanager
    def _storing(self) -> Generator[None]:
        """Turn an exception of the sink into a SyncError, which fails this stream only."""
        clock: Clock = self.client.clock
        with clock.hold():
            try:
                yield
            except Error:
                raise
            except Exception as error:  # a custom sink may raise any exception
                raise SyncError(f"the sink failed: {error!r}", stream=self.stream.name) from error
