"""`aioinstructure demo`, as a newcomer runs it: in a process of its own, over real HTTP."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest
from click.testing import CliRunner

from aioinstructure.cli import demo
from aioinstructure.cli.app import app

DEMO = [sys.executable, "-m", "aioinstructure", "demo"]


def count(database: Path, table: str) -> int:
    with sqlite3.connect(database) as connection:
        (number,) = connection.execute(f"select count(*) from {table}").fetchone()  # noqa: S608
    connection.close()
    return int(number)


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C of another process is a POSIX signal")
def test_it_can_be_stopped_and_goes_on(tmp_path: Path) -> None:
    """Ctrl-C ends it in order, the simulator too; a second run copies only what is missing."""
    database = tmp_path / f"{uuid4().hex}.db"  # no other demo has its port
    command = [*DEMO, "--database", str(database)]
    with subprocess.Popen(  # noqa: S603
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as first:
        assert first.stdout is not None
        while "standards: " not in (line := first.stdout.readline()):
            assert line, first.communicate()
        first.send_signal(signal.SIGINT)
        _, errors = first.communicate(timeout=20)
    assert first.returncode == 130
    assert errors == "stopped; the same command goes on from here\n"
    had = count(database, "standards")
    assert 0 < had < 5000
    done = subprocess.run(  # noqa: S603
        [*command, "--json"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    summary = json.loads(done.stdout)
    streams = {each["stream"]: each for each in summary["streams"]}
    assert streams["standards"]["resumed"]
    assert streams["standards"]["rows"] == 5000 - had
    assert count(database, "standards") == 5000
    assert count(database, "course_paces") == count(database, "courses") == 40
    assert count(database, "events") == 600
    assert summary["refusals"] == 0


def test_the_whole_of_it(tmp_path: Path) -> None:
    """40 courses, their paces, 5,000 standards, 600 events; nothing refused, under 15 seconds."""
    done = subprocess.run(  # noqa: S603
        [*DEMO, "--json"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    summary = json.loads(done.stdout)
    assert {each["stream"]: each["rows"] for each in summary["streams"]} == {
        "courses": 40,
        "course_paces": 40,
        "standards": 5000,
        "events": 600,
    }
    assert summary["refusals"] == 0
    assert summary["server"]["abconnect"] == {"served": 56, "refused": 0}
    assert summary["seconds"] < 15


def test_a_taken_port_is_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its port in use it says so and takes another; table, share and what to try are told."""
    monkeypatch.setitem(demo.KNOBS, "standards", 250)
    monkeypatch.setitem(demo.KNOBS, "events", 30)
    database = tmp_path / f"{uuid4().hex}.db"
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", demo.port_of(database)))
        taken.listen()
        result = CliRunner().invoke(app, ["demo", "--database", str(database)])
    assert result.exit_code == 0, result.output
    assert f"no simulator on port {demo.port_of(database)}: " in result.stderr
    assert "together" in result.output
    assert "the burst was enough" in result.output
    assert result.output.count("  aioinstructure ") == 3


def test_a_simulator_that_does_not_start_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error in one line, and no process left behind."""
    monkeypatch.setitem(demo.KNOBS, "nosuch", 1)
    result = CliRunner().invoke(app, ["demo", "--database", str(tmp_path / "a.db")])
    assert result.exit_code == 1
    assert "the simulator did not start" in result.output


def test_its_simulator_ends_with_it() -> None:
    """A simulator that is told so ends with its standard input: however its parent has ended."""
    words = [sys.executable, "-m", "aioinstructure", "simulate", "--port", "0", "--until-eof"]
    with subprocess.Popen(  # noqa: S603
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert "listens on" in process.stdout.readline()
        process.stdin.close()
        assert process.wait(timeout=20) == 0
