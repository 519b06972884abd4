"""Log records: silent by default, all of them with AIOINSTRUCTURE_LOG=debug, never a credential."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
import asyncio, logging
from aioinstructure import NotFound
from aioinstructure.simulator import Simulator
from aioinstructure.testing import canvas_of

async def main():
    simulator = Simulator()
    async with canvas_of(simulator) as canvas:
        try:
            await canvas.courses.get(99999)
        except NotFound:
            print(simulator.canvas_token)
    logging.getLogger("aioinstructure.quota").warning("a warning")

asyncio.run(main())
"""


def run(level: str | None) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if name != "AIOINSTRUCTURE_LOG"}
    if level is not None:
        env["AIOINSTRUCTURE_LOG"] = level
    return subprocess.run(  # noqa: S603 - this interpreter, and our own program
        [sys.executable, "-c", PROGRAM], env=env, capture_output=True, text=True, check=True
    )


def test_nothing_is_printed_by_default() -> None:
    """Without a handler Python would print warnings to standard error."""
    assert run(None).stderr == ""


def test_the_variable_writes_each_attempt_without_the_token() -> None:
    """One line for the attempt: method, path, status and operation."""
    done = run("debug")
    token = done.stdout.strip()
    assert "DEBUG aioinstructure.http: GET /api/v1/courses/99999 -> 404 in" in done.stderr
    assert "courses.get" in done.stderr
    assert len(token) > 60
    assert token not in done.stderr


def test_a_level_hides_what_is_below() -> None:
    """The level "warning" shows the warning and not the attempt."""
    assert run(" Warning ").stderr.count("\n") == 1


@pytest.mark.parametrize("level", ["loud", "10"])
def test_an_unknown_level_is_reported(level: str) -> None:
    """The program runs; the message names the value and those that are accepted."""
    expected = f"AIOINSTRUCTURE_LOG must be one of debug, info, warning, error, not '{level}'"
    assert expected in run(level).stderr
