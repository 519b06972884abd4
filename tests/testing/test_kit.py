"""The test kit in a fresh project: the guide's text works after the one pip line that it prints."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import venv
from pathlib import Path

import pytest

pytestmark = pytest.mark.real_loop

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "guides" / "testing.md").read_text(encoding="utf-8")


def block(language: str, containing: str) -> str:
    """A block of code of the guide."""
    found = re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)
    (text,) = [each for each in found if containing in each]
    return str(text)


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    inherited = ("PYTHONPATH", "PYTEST_ADDOPTS", "COVERAGE_PROCESS_START", "PYTEST_XDIST_WORKER")
    env = {name: value for name, value in os.environ.items() if name not in inherited}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)  # noqa: S603 - of this test


def made_environment(folder: Path) -> str:
    """The Python of a new environment, after the guide's pip line with the built wheel."""
    assert '```\npip install "aioinstructure[testing]"\n```' in GUIDE
    built = run(folder, sys.executable, "-m", "pip", "wheel", str(ROOT), "--no-deps", "-q")
    assert built.returncode == 0, built.stderr
    (wheel,) = folder.glob("aioinstructure-*.whl")
    venv.create(folder / "environment", with_pip=True)
    python = folder / "environment" / ("Scripts" if os.name == "nt" else "bin") / "python"
    pip(python, "install", f"{wheel}[testing]")
    return str(python)


def pip(python: Path | str, *command: str) -> None:
    ended = run(ROOT, str(python), "-m", "pip", *command, "-q")
    assert ended.returncode == 0, ended.stderr


MY_TESTS = """
import asyncio
import sys
import threading


async def test_a_process_has_its_time():
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "import time; time.sleep(.3)")
    assert await asyncio.wait_for(process.wait(), 20) == 0


async def test_a_thread_has_its_time():
    done = asyncio.Event()
    loop = asyncio.get_running_loop()
    threading.Timer(0.2, loop.call_soon_threadsafe, [done.set]).start()
    await asyncio.wait_for(done.wait(), 20)


async def test_virtual_time_on_request(clock):
    start = clock.monotonic()
    await asyncio.sleep(3600)
    assert clock.monotonic() - start >= 3600
"""


def test_the_kit_in_a_fresh_project(tmp_path: Path) -> None:
    """The guide's text passes as it is, beside a project's own tests that need real time.

    Where pytest-asyncio is too old or absent, one sentence says what to install.
    """
    python = made_environment(tmp_path)
    project = tmp_path / "project"
    project.mkdir()
    (project / "pyproject.toml").write_text(block("toml", "asyncio_mode"))
    (project / "conftest.py").write_text(block("python", "pytest_plugins"))
    (project / "test_fake.py").write_text(block("python", "FakeTransport"))
    (project / "test_simulator.py").write_text(block("python", "test_nothing_is_refused"))
    (project / "test_mine.py").write_text(MY_TESTS)
    ended = run(project, python, "-m", "pytest", "-q")
    assert "5 passed" in ended.stdout, ended.stdout + ended.stderr
    for change, says in (
        (
            ("install", "pytest-asyncio==1.3.0"),
            "pytest-asyncio 1.4 or newer, not 1.3.0: pip install",
        ),
        (("uninstall", "--yes", "pytest-asyncio"), "pytest-asyncio: pip install"),
    ):
        pip(python, *change)
        shown = run(project, python, "-m", "pytest", "-q").stderr
        assert f"ERROR: aioinstructure.testing.pytest_plugin needs {says}" in shown
        assert "Traceback" not in shown
