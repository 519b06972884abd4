"""`aioinstructure sync`: copy streams into a database, with the environment's accounts."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any

import click
import orjson
from attrs import asdict
from rich.console import Console

from aioinstructure.abconnect import ABConnect
from aioinstructure.canvas import Canvas
from aioinstructure.cli.gauges import published
from aioinstructure.cli.progress_display import (
    Show,
    plan_table,
    rejected_table,
    report_table,
    skipped_table,
)
from aioinstructure.errors import Error, SyncError
from aioinstructure.sync import (
    STREAMS,
    Plan,
    Report,
    Sync,
    plan_of,
    sink_of,
)

__all__ = ["report_json", "run_sync", "sync"]


@click.command()
@click.argument("streams", nargs=-1, required=True, type=click.Choice(list(STREAMS)))
@click.option("--to", "url", metavar="URL", help="sqlite:///lms.db, or postgresql://user@host/lms")
@click.option("--plan", "only_plan", is_flag=True, help="Show what a sync needs; write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON, nothing else.")
def sync(
    streams: tuple[str, ...], url: str | None, only_plan: bool, as_json: bool
) -> Callable[[], Coroutine[Any, Any, None]]:
    """Copy STREAMS into a database; resume an interrupted copy.

    The accounts are read from CANVAS_URL and CANVAS_TOKEN, and ABCONNECT_PARTNER_ID and
    ABCONNECT_PARTNER_KEY. A PostgreSQL password is read from PGPASSWORD or ~/.pgpass, where other
    users of the machine cannot see it.
    """
    if url is None and not only_plan:
        raise click.UsageError("missing destination: give --to sqlite:///lms.db, or --plan")

    async def main() -> None:
        services = {STREAMS[name].service for name in streams}
        async with contextlib.AsyncExitStack() as stack:
            canvas = ab = None
            if "canvas" in services:
                canvas = await stack.enter_async_context(Canvas.from_env())
            if "abconnect" in services:
                ab = await stack.enter_async_context(ABConnect.from_env())
            if only_plan or url is None:
                _print_plan(await plan_of(*streams, canvas=canvas, abconnect=ab), as_json)
            else:
                await run_sync(
                    streams, url, canvas, ab, quiet=as_json, on_report=_report_printer(as_json)
                )

    return main


def _report_printer(as_json: bool) -> Callable[[Report], None]:
    def show(report: Report) -> None:
        if as_json:
            click.echo(orjson.dumps(report_json(report), option=orjson.OPT_INDENT_2))
        else:
            console = Console()
            console.print(report_table(report))
            if (rejected := rejected_table(report)) is not None:
                console.print()
                console.print(rejected)
            if (skipped := skipped_table(report)) is not None:
                console.print()
                console.print(skipped)

    return show


def _print_plan(plan: Plan, as_json: bool) -> None:
    if as_json:
        facts = {**asdict(plan), "requests": plan.requests, "tokens": plan.tokens}
        click.echo(orjson.dumps(facts, option=orjson.OPT_INDENT_2))
    else:
        Console().print(plan_table(plan))


async def run_sync(
    streams: tuple[str, ...],
    url: str,
    canvas: Canvas | None,
    abconnect: ABConnect | None,
    *,
    quiet: bool,
    on_report: Callable[[Report], None] = lambda _: None,
) -> Report:
    """Sync and show progress; then call `on_report` with the report, even if a stream failed."""
    quotas = {}
    if canvas is not None:
        quotas["Canvas"] = canvas.quota
    if abconnect is not None:
        quotas["AB Connect"] = abconnect.quota
    show = Show(Console(), quotas, streams, quiet=quiet)
    job = Sync(sink_of(url), canvas=canvas, abconnect=abconnect, on_batch=show.on_batch)
    try:
        async with published(quotas), show.running():
            report = await job.run(*streams)
    except asyncio.CancelledError:
        click.echo("stopped; run the same command to resume", err=True)
        raise
    except SyncError:
        if job.report is not None:
            on_report(job.report)
        raise
    on_report(report)
    return report


def report_json(report: Report) -> dict[str, Any]:
    """Convert the report to JSON types."""
    streams = [asdict(each, value_serializer=_as_text) for each in report.streams]
    return {
        "rows": report.rows,
        "requests": report.requests,
        "refusals": report.refusals,
        "seconds": round(report.seconds, 3),
        "streams": [{**each, "seconds": round(each["seconds"], 3)} for each in streams],
    }


def _as_text(_instance: Any, _attribute: Any, value: Any) -> Any:
    return str(value) if isinstance(value, Error) else value
