"""`aioinstructure quota`: gauges of other processes, and a probe that costs one request."""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from aioinstructure.cli.app import app
from aioinstructure.cli.gauges import published
from aioinstructure.quota import Cost, Scheduler, TokenBucket


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary folder of the test's own."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def files(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*.json")]


async def test_a_running_sync_is_shown(folder: Path) -> None:
    """Level, rate, calls in flight and waiting by lane; gone when the sync has ended."""
    quota = Scheduler(TokenBucket(), name="https://abconnect.test")
    leases = [await quota.acquire() for _ in range(24)]
    waiter = asyncio.create_task(quota.acquire(Cost(), lane="bulk"))
    async with published({"AB Connect": quota}):
        await asyncio.sleep(0.01)
        shown = await asyncio.to_thread(CliRunner().invoke, app, ["quota", "--once"])
    assert f"process {os.getpid()}" in shown.output
    assert "0/24 left, 5/s, 24 in flight, waiting: 1 bulk, 0 refused" in shown.output
    (await waiter).settle()
    for lease in leases:
        lease.settle()
    after = await asyncio.to_thread(CliRunner().invoke, app, ["quota", "--once"])
    assert after.output == "no sync runs on this machine\n"
    assert files(folder) == []


@pytest.fixture
def open_folder(folder: Path) -> Path:
    """One that anybody may write to stands where ours would."""
    ours = folder / f"aioinstructure-{os.getuid()}"
    ours.mkdir()
    ours.chmod(0o777)
    return folder


async def test_what_others_could_read_or_write_is_left_alone(open_folder: Path) -> None:
    """A folder that is not only ours is neither written to nor read."""
    async with published({"AB Connect": Scheduler(TokenBucket())}):
        await asyncio.sleep(0.01)
        shown = await asyncio.to_thread(CliRunner().invoke, app, ["quota"])
    assert shown.output == "no sync runs on this machine\n"
    assert files(open_folder) == []


def test_rubbish_in_the_folder_is_passed_over(folder: Path) -> None:
    """A file that is no gauge is no error."""
    ours = folder / f"aioinstructure-{os.getuid()}"
    ours.mkdir(mode=0o700)
    (ours / "1.json").write_text("not json")
    (ours / "2.json").write_text('{"a": {"b": 1}}')
    (ours / "3.json").write_text("[]")
    assert CliRunner().invoke(app, ["quota"]).output == "no sync runs on this machine\n"


def test_a_probe_costs_one_request(runner: CliRunner) -> None:
    """What Canvas says in its headers; AB Connect says nothing, so ours is shown."""
    canvas = runner.invoke(app, ["quota", "--probe", "canvas"])
    assert "Canvas says: 599." in canvas.output
    assert "units left; the request cost 0." in canvas.output
    ab = runner.invoke(app, ["quota", "--probe", "abconnect"])
    assert "23/24 left" in ab.output
