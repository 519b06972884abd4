"""`aioinstructure demo` as a user runs it: in its own process, over real HTTP."""

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
def test_it_can_be_stopped_and_resumed(tmp_path: Path) -> None:
    """Ctrl-C closes it and its simulator cleanly; a second run copies only what is missing."""
    database = tmp_path / f"{uuid4().hex}.db"  # the port depends on the path
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
    assert errors == "stopped; run the same command to resume\n"
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


def test_a_complete_run(tmp_path: Path) -> None:
    """40 courses, their paces, 5,000 standards, 600 events; no refusal."""
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
    assert summary["server"]["abconnect"] == {"served": 56, "refused": 0, "unsimulated": 0}


def test_a_port_in_use_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It prints that it uses another port; then the table, the share and commands to try."""
    monkeypatch.setitem(demo.KNOBS, "standards", 250)
    monkeypatch.setitem(demo.KNOBS, "events", 30)
    database = tmp_path / f"{uuid4().hex}.db"
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", demo.port_of(database)))
        taken.listen()
        result = CliRunner().invoke(app, ["demo", "--database", str(database)])
    assert result.exit_code == 0, result.output
    assert f"cannot start the simulator on port {demo.port_of(database)}: " in result.stderr
    assert "total" in result.output
    assert "all calls fit in the burst" in result.output
    assert result.output.count("  aioinstructure ") == 3


def test_a_simulator_that_does_not_start_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A one-line error, and no process is left running."""
    monkeypatch.setitem(demo.KNOBS, "nosuch", 1)
    result = CliRunner().invoke(app, ["demo", "--database", str(tmp_path / "a.db")])
    assert result.exit_code == 1
    assert "the simulator did not start" in result.output


def test_its_simulator_ends_with_it() -> None:
    """With --until-eof the simulator ends when standard input closes, however its parent ended."""
    command = [sys.executable, "-m", "aioinstructure", "simulate", "--port", "0", "--until-eof"]
    with subprocess.Popen(  # noqa: S603
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert "simulator listening on" in process.stdout.readline()
        process.stdin.close()
        assert process.wait(timeout=20) == 0
