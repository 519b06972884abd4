"""The display of a running sync: bars and gauges on a terminal, plain lines elsewhere."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Mapping, Sequence

import click
from attrs import define, field
from rich.console import Console, Group
from rich.live import Live
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from aioinstructure.cli.gauges import gauge
from aioinstructure.quota import Scheduler
from aioinstructure.sync import Plan, Report, StreamReport
from aioinstructure.wire.redact import shown

__all__ = ["Show", "plan_table", "rejected_table", "report_table", "skipped_table"]

_REFRESH = 0.125
_EVERY = 2.0
_CELLS = 24
_WIDE = 100


@define(eq=False)
class Show:
    """Shows the progress of a sync.

    Args:
        console: Where to draw.
        quotas: Schedulers by name; each gets a gauge.
        streams: The names of the streams, in order.
        quiet: Show nothing.
    """

    console: Console
    quotas: Mapping[str, Scheduler]
    streams: Sequence[str]
    quiet: bool = False
    _reports: dict[str, StreamReport] = field(factory=dict, init=False)
    _told: set[str] = field(factory=set, init=False)

    def on_batch(self, report: StreamReport) -> None:
        """Record a stream's progress; pass it to `Sync(on_batch=...)`."""
        self._reports[report.stream] = report

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Draw during the block."""
        if self.quiet:
            yield
            return
        drawing = self._bars() if self.console.is_terminal else self._lines()
        task = asyncio.create_task(drawing)
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    # --- plain lines ----------------------------------------------------------------------------

    async def _lines(self) -> None:
        try:
            while True:
                await asyncio.sleep(_EVERY)
                self._tell()
        finally:
            self._tell()

    def _tell(self) -> None:
        for name in self.streams:
            report = self._reports.get(name)
            if report is None or name in self._told:
                continue
            if report.state != "running":
                self._told.add(name)
            of = f" of {report.total}" if report.total is not None else ""
            click.echo(f"{name}: {report.rows}{of} rows, {_rate(report):.0f}/s, {report.state}")

    # --- a terminal -----------------------------------------------------------------------------

    async def _bars(self) -> None:
        # A narrow terminal has no bars and no rates, so that the counts fit.
        wide = self.console.width >= _WIDE
        columns: list[ProgressColumn] = [TextColumn("{task.description:<14}")]
        if wide:
            columns.append(BarColumn(_CELLS))
        columns.append(MofNCompleteColumn())
        if wide:
            columns.append(TextColumn("{task.fields[rate]:>7.0f} rows/s"))
        columns.append(TimeRemainingColumn(compact=True, elapsed_when_finished=True))
        bars = Progress(*columns, console=self.console, auto_refresh=False)
        tasks = {name: bars.add_task(name, total=None, rate=0.0) for name in self.streams}
        with Live(console=self.console, auto_refresh=False) as live:
            try:
                while True:
                    self._draw(live, bars, tasks)
                    await asyncio.sleep(_REFRESH)
            finally:
                self._draw(live, bars, tasks)

    def _draw(self, live: Live, bars: Progress, tasks: Mapping[str, TaskID]) -> None:
        for name, report in self._reports.items():
            ended = report.state == "done"
            total = report.rows if ended else report.total
            bars.update(tasks[name], completed=report.rows, total=total, rate=_rate(report))
        short = self.console.width < _WIDE
        gauges = [gauge(name, quota.snapshot(), short) for name, quota in self.quotas.items()]
        live.update(Group(bars, *gauges), refresh=True)


def _rate(report: StreamReport) -> float:
    return report.rows / report.seconds if report.seconds else 0.0


def report_table(report: Report) -> Table:
    """A table of what a run did, one row per stream."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    skips = any(each.skipped for each in report.streams)
    for name in ("stream", "rows", "requests", *(["skipped"] if skips else []), "seconds", "state"):
        left = name in ("stream", "state")
        table.add_column(
            name,
            justify="left" if left else "right",
            no_wrap=name in ("stream", "rows"),
            overflow="fold",
        )
    for each in report.streams:
        resumed = ", resumed" if each.resumed else ""
        table.add_row(
            each.stream,
            f"{each.rows:,}",
            f"{each.requests:,}",
            *([f"{each.skipped:,}"] if skips else []),
            f"{each.seconds:.1f}",
            f"{each.state}{resumed}",
        )
    refused = f"{report.refusals} refused" if report.refusals else ""
    table.add_row(
        "total",
        f"{report.rows:,}",
        f"{report.requests:,}",
        *([f"{sum(each.skipped for each in report.streams):,}"] if skips else []),
        f"{report.seconds:.1f}",
        refused,
    )
    return table


def skipped_table(report: Report) -> Table | None:
    """A table of the skipped parents that the report names; None if there are none."""
    return _named_table(
        "skipped",
        [
            (each.stream, each.skipped, [(one.id, one.reason) for one in each.skipped_parents])
            for each in report.streams
        ],
    )


def rejected_table(report: Report) -> Table | None:
    """A table of the rejected rows that the report names; None if there are none."""
    return _named_table(
        "not written",
        [
            (each.stream, each.rejected, [(one.id, one.reason) for one in each.rejected_rows])
            for each in report.streams
        ],
    )


def _named_table(title: str, streams: list[tuple[str, int, list[tuple[str, str]]]]) -> Table | None:
    if not any(named for _, _, named in streams):
        return None
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("stream", title, "reason"):
        table.add_column(name, no_wrap=name == "stream", overflow="fold")
    for stream, count, named in streams:
        for found, reason in named:
            # They come from the server: they are text, not markup of rich.
            table.add_row(stream, Text(shown(found, 100)), Text(shown(reason, 300)))
        if (more := count - len(named)) > 0:
            table.add_row(stream, f"{more:,} more", "")
    return table


def plan_table(plan: Plan) -> Table:
    """A table of what a run needs, one row per stream; a dash means that it is not known."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("stream", "rows", "requests", "tokens", "minutes", ""):
        left = name in ("stream", "")
        table.add_column(name, justify="left" if left else "right", no_wrap=name != "")
    for each in plan.streams:
        numbers = (each.rows, each.requests, each.tokens)
        table.add_row(each.stream, *map(_number, numbers), _minutes(each.seconds), each.note)
    if len(plan.streams) > 1:
        sums = (plan.requests, plan.tokens)
        table.add_row("total", "", *map(_number, sums), _minutes(plan.seconds), "")
    return table


def _number(number: int | None) -> str:
    return "-" if number is None else f"{number:,}"


def _minutes(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds / 60:,.1f}"
