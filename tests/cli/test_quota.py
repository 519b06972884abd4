"""`aioinstructure quota`: the gauges of other processes, and a probe that costs one request."""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from aioinstructure.cli.app import app
from aioinstructure.cli.gauges import published
from aioinstructure.quota import Cost, Outcome, Scheduler, TokenBucket


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary folder for this test only."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def files(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*.json")]


async def test_a_running_sync_is_shown(folder: Path) -> None:
    """Level, rate, calls in flight and waiting calls by lane; removed when the sync ends."""
    quota = Scheduler(TokenBucket(), name="https://abconnect.test")
    leases = [await quota.acquire() for _ in range(24)]
    waiter = asyncio.create_task(quota.acquire(Cost(), lane="bulk"))
    async with published({"AB Connect": quota}):
        await asyncio.sleep(0.01)
        shown = await asyncio.to_thread(CliRunner().invoke, app, ["quota", "--once"])
    assert f"process {os.getpid()}" in shown.output
    assert "0/24 left, 5/s, 24 in flight, waiting: 1 bulk, 0 refused" in shown.output
    (await waiter).end(Outcome.ANSWERED)
    for lease in leases:
        lease.end(Outcome.ANSWERED)
    after = await asyncio.to_thread(CliRunner().invoke, app, ["quota", "--once"])
    assert after.output == "no sync is running on this machine\n"
    assert files(folder) == []


@pytest.fixture
def open_folder(folder: Path) -> Path:
    """A folder of the expected name that any user may write to."""
    shared = folder / f"aioinstructure-{os.getuid()}"
    shared.mkdir()
    shared.chmod(0o777)
    return folder


async def test_a_folder_open_to_other_users_is_not_used(open_folder: Path) -> None:
    """A folder that other users can access is neither written to nor read."""
    async with published({"AB Connect": Scheduler(TokenBucket())}):
        await asyncio.sleep(0.01)
        shown = await asyncio.to_thread(CliRunner().invoke, app, ["quota"])
    assert shown.output == "no sync is running on this machine\n"
    assert files(open_folder) == []


def test_invalid_files_in_the_folder_are_ignored(folder: Path) -> None:
    """A file that is not a gauge is not an error."""
    shared = folder / f"aioinstructure-{os.getuid()}"
    shared.mkdir(mode=0o700)
    (shared / "1.json").write_text("not json")
    (shared / "2.json").write_text('{"a": {"b": 1}}')
    (shared / "3.json").write_text("[]")
    assert CliRunner().invoke(app, ["quota"]).output == "no sync is running on this machine\n"


def test_a_probe_costs_one_request(runner: CliRunner) -> None:
    """Canvas reports its quota in headers; for AB Connect the client's own estimate is shown."""
    canvas = runner.invoke(app, ["quota", "--probe", "canvas"])
    assert "Canvas reports 599." in canvas.output
    assert "units left; the request cost 0." in canvas.output
    ab = runner.invoke(app, ["quota", "--probe", "abconnect"])
    assert re.search("2[34]/24 left", ab.output)  # a fifth of a second later it is 24 again
