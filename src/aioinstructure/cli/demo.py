"""`aioinstructure demo`: sync from a simulator in another process over HTTP, then report."""

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
# A checkpoint belongs to an origin: a second run resumes only if the port is the same. This range
# is below the ephemeral ports of common systems.
PORTS = range(20_000, 30_000)
KNOBS = {
    "courses": 41,  # one is deleted, and lists omit it
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
    """Sync a simulated school into SQLite: no account needed, about ten seconds.

    Copies 40 courses with their paces, 5,000 standards and 600 events, at the real services'
    limits.
    """
    return lambda: _demo(Path(database), as_json)


async def _demo(database: Path, as_json: bool) -> None:
    if not as_json:
        click.echo(f"Syncing a simulated Canvas and AB Connect into {database}")
    async with simulator(port_of(database)) as env:
        canvas = Canvas(env["CANVAS_URL"], token=env["CANVAS_TOKEN"])
        ab = ABConnect(
            base_url=env["ABCONNECT_URL"],
            partner_id=env["ABCONNECT_PARTNER_ID"],
            partner_key=env["ABCONNECT_PARTNER_KEY"],
        )
        async with canvas, ab:
            # Connect and load lazy imports first, so that the time measured is that of the sync.
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
    """A port that depends on the database's path: the same in each run with this database."""
    return PORTS[zlib.crc32(os.fsencode(database.resolve())) % len(PORTS)]


@contextlib.asynccontextmanager
async def simulator(port: int = 0) -> AsyncGenerator[dict[str, str]]:
    """Start a simulator in another process; yields the environment variables to reach it."""
    process, env = await _started(port)
    if not env and port:
        # The port is probably in use. Any other cause also fails the second attempt.
        click.echo(
            f"cannot start the simulator on port {port}: using another port, so this run starts"
            " from the beginning",
            err=True,
        )
        process, env = await _started(0)
    if not env:
        raise ConfigurationError("the simulator did not start")
    try:
        yield env
    finally:
        await _end(process)


async def _started(port: int) -> tuple[asyncio.subprocess.Process, dict[str, str]]:
    settings = (f"{name}={orjson.dumps(value).decode()}" for name, value in KNOBS.items())
    knobs = [argument for setting in settings for argument in ("--knob", setting)]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "aioinstructure", "simulate", "--env", "--port", str(port)),
        "--until-eof",
        *knobs,
        stdin=asyncio.subprocess.PIPE,  # never written to; closes when this process ends
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        # Keep Ctrl-C from the simulator: this process ends it after the sync has closed.
        start_new_session=os.name == "posix",
    )
    try:
        async with asyncio.timeout(_START_SECONDS):
            env = await _exports(process)
    except BaseException:  # a cancellation too
        await _end(process)
        raise
    if not env:
        await _end(process)
    return process, env


async def _exports(process: asyncio.subprocess.Process) -> dict[str, str]:
    """The variables that the simulator prints at startup; empty if it exits instead."""
    env: dict[str, str] = {}
    assert process.stdout is not None  # noqa: S101 - a pipe was requested
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
    """The report, the simulator's own counts, and how close the sync came to the limit.

    The AB Connect floor is the shortest possible time for any client: (requests - 25) / 5 seconds.
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
    facts.add_row("requests refused by the servers", f"{summary['refusals']}")
    share = summary["abconnect_share_of_floor"]
    facts.add_row(
        "share of AB Connect's limit",
        f"{share:.0%}: the minimum at 5 calls a second is {summary['abconnect_floor_seconds']} s"
        if share
        else "all calls fit in the burst",
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
    console.print("Set the variables that the first command prints before you run the other two.")
