"""`call`, `sync` and `simulate`: what they print, what they write, how they say no."""

from __future__ import annotations

import json
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from aioinstructure.canvas import Canvas
from aioinstructure.cli.app import app
from aioinstructure.cli.call import parse
from aioinstructure.endpoints.lookup import routes_of

ROUTES = {route.name: route for route in routes_of(Canvas)}


def test_call_prints_a_list_as_json_lines(runner: CliRunner) -> None:
    """One object a line, as the server sent it, no more than the limit."""
    result = runner.invoke(
        app, ["call", "--max-items", "3", "canvas", "courses.list", "--include", "term"]
    )
    assert result.exit_code == 0, result.output
    courses = [json.loads(line) for line in result.output.splitlines()]
    assert [course["id"] for course in courses] == [1, 2, 3]
    assert courses[0]["term"]["name"]


def test_call_takes_ids_in_order(runner: CliRunner) -> None:
    """What stands in the path needs no name; SIS ids go as they are."""
    result = runner.invoke(app, ["call", "canvas", "courses.get", "sis_course_id:CS/101.11é"])
    assert json.loads(result.output)["id"] == 2


def test_call_reaches_ab_connect(runner: CliRunner) -> None:
    """Commas and signatures are the client's business."""
    words = ["standards.list", "--fields", "guid", "--fields", "level", "--sort=guid"]
    result = runner.invoke(app, ["call", "--max-items", "1", "abconnect", *words])
    assert json.loads(result.output)["level"] >= 1


def test_call_without_an_operation_lists_them(runner: CliRunner) -> None:
    """Every route with its first line of documentation."""
    result = runner.invoke(app, ["call", "canvas"])
    assert {line.split()[0] for line in result.output.splitlines()} == set(ROUTES)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["canvas", "courses.lists"], "no operation 'courses.lists'"),
        (["canvas", "courses.get"], "courses.get needs id"),
        (["canvas", "courses.get", "1", "2"], "takes no further '2'"),
        (["canvas", "courses.get", "1", "--includes", "x"], "it has: --id, --include"),
        (["canvas", "courses.get", "1", "--include"], "--include needs a value"),
        (["canvas", "courses.get", "1", "--include", "terms"], "did you mean 'term'?"),
        (["canvas", "courses.get", "424242"], "404 Not Found"),
        (["canvas", "accounts.courses", "1", "--starts-before", "soon"], "Invalid isoformat"),
    ],
)
def test_call_says_what_is_wrong(runner: CliRunner, words: list[str], says: str) -> None:
    """A line and a status, no traceback."""
    result = runner.invoke(app, ["call", *words])
    assert result.exit_code != 0
    assert says in result.output
    assert "Traceback" not in result.output


def test_words_become_what_the_parameter_takes() -> None:
    """Numbers, flags, dates, null, JSON and repeated words."""
    update = parse(
        ROUTES["course_paces.update"],
        [
            "5",
            "7",
            "--end-date=null",
            "--exclude-weekends",
            "true",
            "--selected-days-to-skip",
            "sat",
            "--selected-days-to-skip=sun",
            "--module-items",
            '{"id": 1, "duration": 2}',
        ],
    )
    assert update == {
        "course_id": 5,
        "id": 7,
        "end_date": None,
        "exclude_weekends": True,
        "selected_days_to_skip": ["sat", "sun"],
        "module_items": [{"id": 1, "duration": 2}],
    }
    dated = parse(ROUTES["course_paces.update"], ["5", "7", "--end-date", "2026-05-01"])
    assert str(dated["end_date"]) == "2026-05-01"
    timed = parse(ROUTES["course_paces.update"], ["5", "7", "--end-date", "2026-05-01T00:00:00Z"])
    assert timed["end_date"].tzinfo is not None


def test_sync_copies_what_the_environment_names(runner: CliRunner, tmp_path: Path) -> None:
    """Plain lines without a terminal, then a table; a second run goes on with events."""
    url = f"sqlite:///{tmp_path / 'a.db'}"
    result = runner.invoke(app, ["sync", "standards", "events", "courses", "--to", url])
    assert result.exit_code == 0, result.output
    assert "standards: 300 of 300 rows" in result.output
    with sqlite3.connect(tmp_path / "a.db") as connection:
        assert connection.execute("select count(*) from events").fetchone() == (40,)
    connection.close()
    again = runner.invoke(app, ["sync", "events", "--to", url, "--json"])
    (events,) = json.loads(again.output)["streams"]
    assert (events["rows"], events["resumed"], events["state"]) == (0, True, "done")


def test_a_plan_is_told_before_anything_is_written(runner: CliRunner) -> None:
    """As a table and as JSON, without a database."""
    result = runner.invoke(app, ["sync", "standards", "courses", "--plan"])
    assert result.exit_code == 0, result.output
    assert ["standards", "300", "3", "3", "0.0"] in [
        line.split() for line in result.output.splitlines()
    ]
    plan = json.loads(runner.invoke(app, ["sync", "standards", "--plan", "--json"]).output)
    assert (plan["requests"], plan["tokens"], plan["seconds"]) == (3, 3, 0.0)
    assert (plan["streams"][0]["rows"], plan["streams"][0]["note"]) == (300, "")


def test_a_failed_stream_hides_no_other(runner: CliRunner, tmp_path: Path) -> None:
    """The report comes all the same: the state and the rows of each, then the error in one line."""
    words = ["sync", "events", "courses", "--to", f"sqlite:///{tmp_path / 'a.db'}"]
    result = runner.invoke(app, [*words, "--json"], env={"CANVAS_TOKEN": "wrong"})
    assert result.exit_code == 1
    events, courses = json.loads(result.stdout)["streams"]
    assert (events["state"], events["rows"], events["error"]) == ("done", 40, None)
    assert courses["state"] == "failed"
    assert courses["error"].startswith("401 Unauthorized")
    assert result.stderr.startswith("Error: courses failed after 0 rows: 401 Unauthorized")
    table = runner.invoke(app, words, env={"CANVAS_TOKEN": "wrong"})
    assert "done, resumed" in table.stdout
    assert "failed" in table.stdout


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["events"], "say where: --to sqlite:///lms.db"),
        (["event", "--to", "sqlite:///a.db"], "'event' is not one of"),
        (["events", "events", "--to", "sqlite:///a.db"], "named twice"),
        (["events", "--to", "lms.db"], "no URL of a database"),
        (["events", "--to", "sqlite:///nosuch/a.db"], "SQLite (nosuch/a.db) cannot be opened"),
        (["events", "--to", "postgresql://u:s3cret@127.0.0.1:1/x"], "PostgreSQL cannot be opened"),
    ],
)
def test_sync_says_what_is_wrong(runner: CliRunner, words: list[str], says: str) -> None:
    """A line and a status, no traceback, no password."""
    result = runner.invoke(app, ["sync", *words])
    assert result.exit_code != 0
    assert says in result.output
    assert "Traceback" not in result.output
    assert "s3cret" not in result.output


def test_sync_without_credentials_names_the_variable(tmp_path: Path) -> None:
    """The first variable that is missing."""
    bare = CliRunner(env={"CANVAS_URL": None, "CANVAS_TOKEN": None})
    result = bare.invoke(app, ["sync", "courses", "--to", f"sqlite:///{tmp_path / 'a.db'}"])
    assert result.exit_code == 1
    assert "CANVAS_URL is not set" in result.output


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--knob", "hwm"], "a knob is NAME=VALUE"),
        (["--knob", "nosuch=1"], "unknown knobs: nosuch"),
        (["--host", "0.0.0.0", "--port", "0"], "loopback only"),  # noqa: S104 - refused
    ],
)
def test_simulate_says_what_is_wrong(words: list[str], says: str) -> None:
    """Unknown knobs and open addresses are refused before anything listens."""
    result = CliRunner().invoke(app, ["simulate", *words])
    assert result.exit_code != 0
    assert says in result.output


def test_simulate_says_that_a_port_is_taken() -> None:
    """The system's own words, no traceback."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        result = CliRunner().invoke(app, ["simulate", "--port", port])
    assert result.exit_code == 1
    assert "in use" in result.output


def test_simulate_lists_its_knobs() -> None:
    """Names and values, as --knob takes them."""
    result = CliRunner().invoke(app, ["simulate", "--knob", "hwm=300", "--knobs"])
    assert "hwm=300" in result.output.splitlines()[0]
    assert 'link_header_name="Link"' in result.output


def test_the_version_is_told() -> None:
    """`--version` prints name and version."""
    assert CliRunner().invoke(app, ["--version"]).output.startswith("aioinstructure, version 0.")


def test_a_missing_extra_is_named() -> None:
    """Without click the program says what to install, in one line."""
    program = "import sys; sys.modules['click'] = None; import aioinstructure.cli as c; c.main()"
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr == 'click is missing: pip install "aioinstructure[cli]"\n'


def test_what_libraries_log_is_not_on_the_screen() -> None:
    """Refusals stand in the report, and a connection that was cut is no news."""
    program = (
        "import logging, sys, aioinstructure.cli as c\n"
        "sys.argv = ['aioinstructure', '--version']\n"
        "try: c.main()\n"
        "finally: [logging.getLogger(n).error('x') for n in ('aioinstructure', 'sqlalchemy.pool')]"
    )
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
