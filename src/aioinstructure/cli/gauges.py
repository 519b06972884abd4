"""Gauge files: written by a running sync, read by `aioinstructure quota`."""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
import time
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Any

import orjson
from attrs import asdict
from rich.text import Text

from aioinstructure.quota import Scheduler, Snapshot

__all__ = ["EVERY_SECONDS", "gauge", "published", "running_gauges"]

EVERY_SECONDS = 1.0
_STALE = 5.0
_CELLS = 24


def _folder() -> Path:
    owner = os.getuid() if hasattr(os, "getuid") else 0
    return Path(tempfile.gettempdir()) / f"aioinstructure-{owner}"


@contextlib.asynccontextmanager
async def published(quotas: Mapping[str, Scheduler]) -> AsyncGenerator[None]:
    """Publish the gauges for `aioinstructure quota` during the block; ignores write errors."""
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
            await asyncio.sleep(EVERY_SECONDS)

    task = asyncio.create_task(publish())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def _is_ours(folder: Path) -> bool:
    """Whether the folder belongs to this user and no other user has access to it."""
    try:
        found = folder.stat(follow_symlinks=False)
    except OSError:
        return False
    return not hasattr(os, "getuid") or (found.st_uid == os.getuid() and not found.st_mode & 0o077)


def _write(path: Path, gauges: Mapping[str, Any]) -> None:
    """Replace the file atomically, so that a reader never sees a partial one."""
    half = path.with_suffix(".half")
    with contextlib.suppress(OSError):
        half.write_bytes(orjson.dumps(gauges))
        half.replace(path)


def running_gauges() -> dict[str, dict[str, Snapshot]]:
    """The gauges of running programs, by process id."""
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
            continue  # the process has ended, or the file is not a gauge file
    return {process: gauges for process, gauges in found.items() if gauges}


def gauge(name: str, now: Snapshot, short: bool = False) -> Text:
    """One line on a bucket's state, as its client sees it; `short` is for narrow terminals."""
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
