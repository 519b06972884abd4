"""`aioinstructure sync`: streams of the accounts that the environment names, into a database."""

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
from aioinstructure.cli.quota import published
from aioinstructure.cli.show import Show, report_table
from aioinstructure.sync import STREAMS, Report, Sync, sql

__all__ = ["report_json", "run_sync", "sync"]


@click.command()
@click.argument("streams", nargs=-1, required=True, type=click.Choice(list(STREAMS)))
@click.option("--to", "url", required=True, metavar="URL", help="Such as sqlite:///lms.db")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON, nothing else.")
def sync(
    streams: tuple[str, ...], url: str, as_json: bool
) -> Callable[[], Coroutine[Any, Any, None]]:
    """Copy STREAMS into a database, and go on where it was stopped.

    The accounts are those of CANVAS_URL and CANVAS_TOKEN, ABCONNECT_PARTNER_ID and
    ABCONNECT_PARTNER_KEY.
    """

    async def main() -> None:
        services = {STREAMS[name].service for name in streams}
        async with contextlib.AsyncExitStack() as stack:
            canvas = ab = None
            if "canvas" in services:
                canvas = await stack.enter_async_context(Canvas.from_env())
            if "abconnect" in services:
                ab = await stack.enter_async_context(ABConnect.from_env())
            report = await run_sync(streams, url, canvas, ab, quiet=as_json)
        if as_json:
            click.echo(orjson.dumps(report_json(report), option=orjson.OPT_INDENT_2))
        else:
            Console().print(report_table(report))

    return main


async def run_sync(
    streams: tuple[str, ...],
    url: str,
    canvas: Canvas | None,
    abconnect: ABConnect | None,
    *,
    quiet: bool,
) -> Report:
    """Sync and show how it goes."""
    quotas = {}
    if canvas is not None:
        quotas["Canvas"] = canvas.quota
    if abconnect is not None:
        quotas["AB Connect"] = abconnect.quota
    show = Show(Console(), quotas, streams, quiet=quiet)
    job = Sync(sql(url), canvas=canvas, abconnect=abconnect, on_batch=show.on_batch)
    try:
        async with published(quotas), show.running():
            return await job.run(*streams)
    except asyncio.CancelledError:
        click.echo("stopped; the same command goes on from here", err=True)
        raise


def report_json(report: Report) -> dict[str, Any]:
    """The report as JSON types."""
    streams = [asdict(each, filter=lambda a, _: a.name != "error") for each in report.streams]
    return {
        "rows": report.rows,
        "requests": report.requests,
        "refusals": report.refusals,
        "seconds": round(report.seconds, 3),
        "streams": [{**each, "seconds": round(each["seconds"], 3)} for each in streams],
    }
