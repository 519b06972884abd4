"""`aioinstructure quota`: the gauges of a sync that runs elsewhere, or a probe of an account.

A running `sync` or `demo` writes its gauges once a second into a file below the temporary folder,
which only its user can read: numbers and origins, no credential. This command reads them.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

import click
import orjson
from attrs import asdict
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from aioinstructure.abconnect import ABConnect
from aioinstructure.canvas import Canvas
from aioinstructure.quota import Scheduler, Snapshot

__all__ = ["gauge", "published", "quota"]

_EVERY = 1.0
_STALE = 5.0
_CELLS = 24


def _folder() -> Path:
    owner = os.getuid() if hasattr(os, "getuid") else 0
    return Path(tempfile.gettempdir()) / f"aioinstructure-{owner}"


@contextlib.asynccontextmanager
async def published(quotas: Mapping[str, Scheduler]) -> AsyncGenerator[None]:
    """Let `aioinstructure quota` see these while the block runs; silent where it cannot write."""
    folder = _folder()
    path = folder / f"{os.getpid()}.json"
    with contextlib.suppress(OSError):
        folder.mkdir(mode=0o700, exist_ok=True)
    if not _is_ours(folder):
        yield
        return

    async def publish() -> None:
        while True:
            _write(path, {name: asdict(each.snapshot()) for name, each in quotas.items()})
            await asyncio.sleep(_EVERY)

    task = asyncio.create_task(publish())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def _is_ours(folder: Path) -> bool:
    """Whether nobody else could have made the folder, or reads what is in it."""
    try:
        found = folder.stat(follow_symlinks=False)
    except OSError:
        return False
    return not hasattr(os, "getuid") or (found.st_uid == os.getuid() and not found.st_mode & 0o077)


def _write(path: Path, gauges: Mapping[str, Any]) -> None:
    """Replace the file in one step, so that a reader never sees half of it."""
    half = path.with_suffix(".half")
    with contextlib.suppress(OSError):
        half.write_bytes(orjson.dumps(gauges))
        half.replace(path)


def _running() -> dict[str, dict[str, Snapshot]]:
    """The gauges of programs that run, by process id."""
    found: dict[str, dict[str, Snapshot]] = {}
    folder = _folder()
    if not _is_ours(folder):
        return found
    for path in sorted(folder.glob("*.json")):
        try:
            fresh = time.time() - path.stat().st_mtime < _STALE
            gauges = orjson.loads(path.read_bytes()) if fresh else {}
            found[path.stem] = {name: Snapshot(**each) for name, each in gauges.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            continue  # it has ended meanwhile, or is none of ours
    return {process: gauges for process, gauges in found.items() if gauges}


def gauge(name: str, now: Snapshot, short: bool = False) -> Text:
    """How full a bucket is, as its client sees it; the short one is for a narrow terminal."""
    left = f"{now.level:.0f}/{now.capacity:.0f} left"
    if short:
        return Text(f"{name:<14} {left}, {now.throttles} refused")
    share = min(1.0, max(0.0, now.level / now.capacity)) if now.capacity else 0.0
    full = round(share * _CELLS)
    color = "green" if share > 0.5 else "yellow" if share > 0.15 else "red"
    waiting = ", ".join(f"{count} {lane}" for lane, count in now.queued.items() if count)
    return Text.assemble(
        f"{name:<14} ",
        ("━" * full, color),
        ("━" * (_CELLS - full), "grey37"),
        f" {left}, {now.rate:g}/s, {now.in_flight} in flight,"
        f" waiting: {waiting or 'none'}, {now.throttles} refused",
    )


@click.command()
@click.option("--probe", type=click.Choice(["canvas", "abconnect"]), help="Ask a real account.")
@click.option("--once", is_flag=True, help="Show the state of now and end.")
def quota(probe: str | None, once: bool) -> Callable[[], Coroutine[Any, Any, None]]:
    """Show the quota of the syncs that run on this machine, live.

    With --probe it sends one request by the account of the environment, and tells what the answer
    says of the quota.
    """
    return (lambda: _probe(probe)) if probe else (lambda: _watch(once))


async def _watch(once: bool) -> None:
    console = Console()
    if once or not console.is_terminal:
        console.print(_picture(), soft_wrap=True)
        return
    with Live(console=console, auto_refresh=False) as live:
        while True:
            live.update(_picture(), refresh=True)
            await asyncio.sleep(_EVERY)


def _picture() -> Group:
    lines: list[Text] = []
    for process, gauges in _running().items():
        lines.append(Text(f"process {process}", style="bold"))
        lines += [gauge(name, snapshot) for name, snapshot in gauges.items()]
    return Group(*(lines or [Text("no sync runs on this machine")]))


async def _probe(service: str) -> None:
    console = Console()
    if service == "abconnect":
        async with ABConnect.from_env() as ab:
            await ab.request("GET", "/rest/v4.1/standards", params={"limit": 0})
            console.print(gauge("AB Connect", ab.quota.snapshot()), soft_wrap=True)
            console.print("AB Connect tells nothing of its bucket: this is ours, less one token.")
            return
    async with Canvas.from_env() as canvas:
        answer = await canvas.request("GET", "/api/v1/courses", params={"per_page": 1})
        console.print(gauge("Canvas", canvas.quota.snapshot()), soft_wrap=True)
        left, cost = answer.rate_limit_remaining, answer.request_cost
        if left is None:
            console.print("Canvas told nothing of its quota.")
        else:
            console.print(f"Canvas says: {left:g} units left; the request cost {cost or 0:g}.")
