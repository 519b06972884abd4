"""The progress display of a sync, drawn to a string."""

from __future__ import annotations

import asyncio
import io

from rich.console import Console

from aioinstructure.cli.progress_display import Show, plan_table, report_table, skipped_table
from aioinstructure.quota import Scheduler, TokenBucket
from aioinstructure.sync import (
    Plan,
    Report,
    SkippedParent,
    StreamPlan,
    StreamReport,
)


async def test_a_terminal_shows_bars_and_gauges() -> None:
    """One bar per stream with rows and rate, one gauge per quota; the last state stays visible."""
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=120, color_system=None)
    show = Show(console, {"AB Connect": Scheduler(TokenBucket())}, ("events", "standards"))
    report = StreamReport("events", "https://abconnect.test", "running", rows=30, total=60)
    async with show.running():
        report.seconds = 2.0
        show.on_batch(report)
        await asyncio.sleep(1)
        report.state, report.rows = "done", 60
    text = out.getvalue()
    assert "30/60" in text
    assert "60/60" in text
    assert "30 rows/s" in text
    assert "24/24 left, 5/s, 0 in flight, waiting: none, 0 refused" in text


async def test_a_narrow_terminal_keeps_the_numbers() -> None:
    """With 40 columns: no bars, one line each, and no count is cut, in the table either."""
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=40, color_system=None)
    show = Show(console, {"AB Connect": Scheduler(TokenBucket())}, ("course_paces",))
    report = StreamReport("course_paces", "a", "running", rows=30_000, total=60_000, seconds=2.0)
    async with show.running():
        show.on_batch(report)
        await asyncio.sleep(1)
    console.print(report_table(Report([report])))
    text = out.getvalue()
    assert "course_paces   30000/60000" in text
    assert "AB Connect     24/24 left, 0 refused" in text
    assert "…" not in text
    assert "━" not in text
    assert "course_paces  30,000" in text


def test_a_plan_has_dashes_for_unknown_numbers() -> None:
    """One row per stream and the total, which is a dash unless all are known."""
    plan = Plan(
        [
            StreamPlan("standards", "a", 1_234_567, 12_346, 12_346, 2464.4),
            StreamPlan("courses", "b", None, None, note="cost unknown"),
        ],
        seconds=None,
    )
    out = io.StringIO()
    Console(file=out, width=100).print(plan_table(plan))
    _, standards, courses, total = out.getvalue().splitlines()
    assert standards.split() == ["standards", "1,234,567", "12,346", "12,346", "41.1"]
    assert courses.split()[:6] == ["courses", "-", "-", "-", "-", "cost"]
    assert total.split() == ["total", "-", "12,346", "-"]


async def test_quiet_shows_nothing() -> None:
    """As with --json."""
    out = io.StringIO()
    show = Show(Console(file=out, force_terminal=True), {}, ("events",), quiet=True)
    async with show.running():
        show.on_batch(StreamReport("events", "https://abconnect.test"))
        await asyncio.sleep(1)
    assert out.getvalue() == ""


def test_the_table_adds_up() -> None:
    """One row per stream and the total."""
    report = Report(
        [
            StreamReport("events", "a", "done", rows=1200, requests=12, resumed=True),
            StreamReport("courses", "b", "failed", rows=34, requests=1),
        ],
        seconds=2.5,
        refusals=3,
    )
    out = io.StringIO()
    Console(file=out, width=100).print(report_table(report))
    lines = out.getvalue().splitlines()
    assert lines[1].split() == ["events", "1,200", "12", "0.0", "done,", "resumed"]
    assert lines[-1].split() == ["total", "1,234", "13", "2.5", "3", "refused"]


def test_the_table_counts_the_skipped_parents_and_names_them() -> None:
    """The number in a column, which no run without them has; below it the ids and the reasons."""
    quiet = StreamReport("courses", "a", "done", rows=60, requests=1)
    assert skipped_table(Report([quiet])) is None
    named = [SkippedParent("[red]11", "no pace is saved"), SkippedParent("12", "no pace is saved")]
    paces = StreamReport("course_paces", "a", "failed", rows=9, requests=1060, skipped=1051)
    paces.skipped_parents.extend(named)
    report = Report([quiet, paces])
    out = io.StringIO()
    console = Console(file=out, width=60)
    console.print(report_table(report))
    skipped = skipped_table(report)
    assert skipped is not None
    console.print(skipped)
    lines = [line.split() for line in out.getvalue().splitlines()]
    assert lines[0] == ["stream", "rows", "requests", "skipped", "seconds", "state"]
    assert lines[1] == ["courses", "60", "1", "0", "0.0", "done"]
    assert lines[2] == ["course_paces", "9", "1,060", "1,051", "0.0", "failed"]
    assert lines[3] == ["total", "69", "1,061", "1,051", "0.0"]
    assert lines[4] == ["stream", "skipped", "reason"]
    assert lines[5] == ["course_paces", "[red]11", "no", "pace", "is", "saved"]
    assert lines[6] == ["course_paces", "12", "no", "pace", "is", "saved"]
    assert lines[7] == ["course_paces", "1,049", "more"]
