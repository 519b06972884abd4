"""`aioinstructure demo`: the simulator in a process of its own, a sync over real HTTP, a report."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import zlib
from collections.abc import AsyncGenerator, Callable, Coroutine
from pathlib import Path
from typing import Any

import click
import orjson
from rich.console import Console
from rich.table import Table

from aioinstructure.abconnect import ABConnect
from aioinstructure.canvas import Canvas
from aioinstructure.cli.progress_display import report_table
from aioinstructure.cli.sync import report_json, run_sync
from aioinstructure.errors import ConfigurationError
from aioinstructure.sync import Report

__all__ = ["demo"]

DATABASE = "aioinstructure-demo.db"
STREAMS = ("courses", "course_paces", "standards", "events")
# A checkpoint belongs to an origin: a second run goes on only if it finds the same one. Below what
# systems hand out for outgoing connections.
PORTS = range(20_000, 30_000)
KNOBS = {
    "courses": 41,  # one of them is deleted, and lists do not show it
    "standards": 5000,
    "events": 600,
    "canvas_latency_seconds": 0.08,
    "canvas_latency_jitter_seconds": 0.04,
    "abconnect_latency_seconds": 0.04,
    "abconnect_latency_jitter_seconds": 0.02,
}
_START_SECONDS = 20.0
_AB_BURST, _AB_RATE = 25, 5.0


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON, nothing else.")
@click.option("--database", default=DATABASE, show_default=True, type=click.Path(dir_okay=False))
def demo(as_json: bool, database: str) -> Callable[[], Coroutine[Any, Any, None]]:
    """Sync a made-up school into SQLite: no account needed, about ten seconds.

    40 courses with their paces, 5,000 standards and 600 events, at the real services' limits.
    """
    return lambda: _demo(Path(database), as_json)


async def _demo(database: Path, as_json: bool) -> None:
    if not as_json:
        click.echo(f"A simulated Canvas and AB Connect, synced into {database}")
    async with simulator(port_of(database)) as env:
        canvas = Canvas(env["CANVAS_URL"], token=env["CANVAS_TOKEN"])
        ab = ABConnect(
            base_url=env["ABCONNECT_URL"],
            partner_id=env["ABCONNECT_PARTNER_ID"],
            partner_key=env["ABCONNECT_PARTNER_KEY"],
        )
        async with canvas, ab:
            # Connects, and loads what is loaded on first use: the clock is to measure the sync.
            await canvas.request("GET", "/_control/stats")
            url = f"sqlite:///{database}"
            report = await run_sync(STREAMS, url, canvas, ab, quiet=as_json)
            stats = (await canvas.request("GET", "/_control/stats")).json()
    summary = _summary(report, stats, database)
    if as_json:
        click.echo(orjson.dumps(summary, option=orjson.OPT_INDENT_2))
    else:
        _print(report, summary)


def port_of(database: Path) -> int:
    """The same one for each run into this database; demos into two do not meet."""
    return PORTS[zlib.crc32(os.fsencode(database.resolve())) % len(PORTS)]


@contextlib.asynccontextmanager
async def simulator(port: int = 0) -> AsyncGenerator[dict[str, str]]:
    """A simulator in another process, and the variables that lead to it."""
    process, env = await _started(port)
    if not env and port:
        # Nearly always since something else has the port; another cause shows with the next one.
        click.echo(f"no simulator on port {port}: another will do, but begins anew", err=True)
        process, env = await _started(0)
    if not env:
        raise ConfigurationError("the simulator did not start")
    try:
        yield env
    finally:
        await _end(process)


async def _started(port: int) -> tuple[asyncio.subprocess.Process, dict[str, str]]:
    settings = (f"{name}={orjson.dumps(value).decode()}" for name, value in KNOBS.items())
    knobs = [word for setting in settings for word in ("--knob", setting)]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "aioinstructure", "simulate", "--env", "--port", str(port)),
        "--until-eof",
        *knobs,
        stdin=asyncio.subprocess.PIPE,  # never written to: closed by whatever ends this process
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        # Ctrl-C is for us: we end the simulator when the sync has been closed.
        start_new_session=os.name == "posix",
    )
    try:
        async with asyncio.timeout(_START_SECONDS):
            env = await _exports(process)
    except BaseException:
        await _end(process)
        raise
    if not env:
        await _end(process)
    return process, env


async def _exports(process: asyncio.subprocess.Process) -> dict[str, str]:
    """The variables that the simulator prints before it serves; none if it ends instead."""
    env: dict[str, str] = {}
    assert process.stdout is not None  # noqa: S101 - a pipe was asked for
    while line := (await process.stdout.readline()).decode().strip():
        if not line.startswith("export "):
            return env
        name, _, value = line.removeprefix("export ").partition("=")
        env[name] = value
    return {}


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
    await process.wait()


def _summary(report: Report, stats: dict[str, Any], database: Path) -> dict[str, Any]:
    """The report, what the simulator says of it, and how near it came to the limit.

    The floor of AB Connect is what no client can go below: (requests - 25) / 5 seconds.
    """
    served = stats["abconnect"]["served"]
    floor = max(0.0, (served - _AB_BURST) / _AB_RATE)
    took = max(s.seconds for s in report.streams if s.stream in ("standards", "events"))
    return {
        **report_json(report),
        "database": str(database),
        "refusals": sum(service["refused"] for service in stats.values()),
        "server": stats,
        "abconnect_floor_seconds": round(floor, 3),
        "abconnect_share_of_floor": round(floor / took, 3) if floor else None,
    }


def _print(report: Report, summary: dict[str, Any]) -> None:
    console = Console()
    console.print()
    console.print(report_table(report))
    console.print()
    facts = Table(box=None, pad_edge=False, show_header=False)
    facts.add_row("refused by the servers", f"{summary['refusals']}")
    share = summary["abconnect_share_of_floor"]
    facts.add_row(
        "share of AB Connect's limit",
        f"{share:.0%}: the least time at 5 calls a second was {summary['abconnect_floor_seconds']} s"
        if share
        else "the burst was enough",
    )
    console.print(facts)
    console.print("\nTry next, each in its own terminal:")
    console.print("  aioinstructure simulate --env", style="bold")
    console.print(
        "  aioinstructure call --max-items 3 canvas courses.list --include term", style="bold"
    )
    console.print(
        "  aioinstructure sync standards events --to sqlite:///standards.db", style="bold"
    )
    console.print("The last two read the variables that the first one prints.")
