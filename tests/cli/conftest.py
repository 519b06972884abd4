"""A simulator in another process, for commands that start their own event loops."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from click.testing import CliRunner


@pytest.fixture(scope="session")
def served() -> Iterator[dict[str, str]]:
    """The variables that `aioinstructure simulate --env` prints."""
    args = ["simulate", "--env", "--port", "0", "--knob", "standards=300", "--knob", "events=40"]
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "aioinstructure", *args], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        env: dict[str, str] = {}
        while (line := process.stdout.readline()).startswith("export "):
            name, _, value = line.removeprefix("export ").strip().partition("=")
            env[name] = value
        yield env
        process.terminate()


@pytest.fixture
def runner(served: dict[str, str]) -> CliRunner:
    """Run commands in this process, with the simulator's credentials in the environment."""
    return CliRunner(env=served)
