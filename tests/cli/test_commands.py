"""`call`, `sync` and `simulate`: their output, what they write, and their errors."""

from __future__ import annotations

import contextlib
import json
import socket
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from aioinstructure import (
    BadRequest,
    ConnectError,
    Error,
    Forbidden,
    InputError,
    NotFound,
    Response,
    ResponseError,
    SyncError,
    Throttled,
    Unauthorized,
    UnknownOutcome,
    __version__,
)
from aioinstructure.canvas import Canvas
from aioinstructure.cli.app import app, exit_status
from aioinstructure.cli.call import parse
from aioinstructure.endpoints.lookup import routes_of

ROUTES = {route.name: route for route in routes_of(Canvas)}


def test_call_prints_a_list_as_json_lines(runner: CliRunner) -> None:
    """One object per line, as the server sent it, up to the limit."""
    result = runner.invoke(
        app, ["call", "--max-items", "3", "canvas", "courses.list", "--include", "term"]
    )
    assert result.exit_code == 0, result.output
    courses = [json.loads(line) for line in result.output.splitlines()]
    assert [course["id"] for course in courses] == [1, 2, 3]
    assert courses[0]["term"]["name"]


def test_call_takes_ids_in_order(runner: CliRunner) -> None:
    """Path parameters need no name; SIS ids are passed unchanged."""
    result = runner.invoke(app, ["call", "canvas", "courses.get", "sis_course_id:CS/101.11é"])
    assert json.loads(result.output)["id"] == 2


def test_call_reaches_ab_connect(runner: CliRunner) -> None:
    """The client joins lists with commas and signs the request."""
    args = ["standards.list", "--fields", "guid", "--fields", "level", "--sort=guid"]
    result = runner.invoke(app, ["call", "--max-items", "1", "abconnect", *args])
    assert json.loads(result.output)["level"] >= 1


def test_call_without_an_operation_lists_them(runner: CliRunner) -> None:
    """Lists every route with the first line of its documentation."""
    result = runner.invoke(app, ["call", "canvas"])
    assert {line.split()[0] for line in result.output.splitlines()} == set(ROUTES)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["canvas", "courses.lists"], "no operation 'courses.lists', did you mean 'courses.list'?"),
        (["canvas", "courses.get"], "missing arguments for courses.get: id"),
        (["canvas", "courses.get", "1", "2"], "unexpected argument '2'"),
        (["canvas", "courses.get", "1", "--includes", "x"], "expected one of --id, --include"),
        (["canvas", "courses.get", "1", "--include"], "--include needs a value"),
        (["canvas", "courses.get", "1", "--include", "terms"], "did you mean 'term'?"),
        (["canvas", "courses.get", "424242"], "404 Not Found"),
        (["canvas", "accounts.courses", "1", "--starts-before", "soon"], "Invalid isoformat"),
    ],
)
def test_call_reports_errors(runner: CliRunner, args: list[str], message: str) -> None:
    """An error message and an exit status, no traceback."""
    result = runner.invoke(app, ["call", *args])
    assert result.exit_code != 0
    assert message in result.output
    assert "Traceback" not in result.output


def test_arguments_are_converted_to_the_parameter_type() -> None:
    """Numbers, flags, dates, null, JSON and repeated options."""
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


def test_sync_copies_from_the_accounts_of_the_environment(
    runner: CliRunner, tmp_path: Path
) -> None:
    """Plain lines without a terminal, then a table; a second run resumes events."""
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


def test_a_plan_needs_no_database(runner: CliRunner) -> None:
    """Printed as a table or as JSON."""
    result = runner.invoke(app, ["sync", "standards", "courses", "--plan"])
    assert result.exit_code == 0, result.output
    assert ["standards", "300", "3", "3", "0.0"] in [
        line.split() for line in result.output.splitlines()
    ]
    plan = json.loads(runner.invoke(app, ["sync", "standards", "--plan", "--json"]).output)
    assert (plan["requests"], plan["tokens"], plan["seconds"]) == (3, 3, 0.0)
    assert (plan["streams"][0]["rows"], plan["streams"][0]["note"]) == (300, "")


def test_skipped_courses_are_named_with_reasons(
    runner: CliRunner, served: dict[str, str], tmp_path: Path
) -> None:
    """In the JSON, and below the table: here course pacing is switched off."""
    args = ["sync", "course_paces", "--to", f"sqlite:///{tmp_path / 'a.db'}"]
    with switched_off(served["CANVAS_URL"]):
        result = runner.invoke(app, [*args, "--json"])
        table = runner.invoke(app, args)
    assert result.exit_code == 0, result.output
    (paces,) = json.loads(result.stdout)["streams"]
    assert (paces["state"], paces["rows"]) == ("done", 0)
    assert paces["skipped"] == paces["requests"] > 20
    assert len(paces["skipped_parents"]) == 20
    reason = "the resource does not exist"
    assert paces["skipped_parents"][0] == {"id": "1", "reason": reason}
    assert table.exit_code == 0, table.output
    assert ["course_paces", "1", *reason.split()] in [
        line.split() for line in table.stdout.splitlines()
    ]
    assert f"{paces['skipped'] - 20:,} more" in table.stdout


@contextlib.contextmanager
def switched_off(url: str) -> Iterator[None]:
    """Course pacing is off in the simulator during the block."""

    def switch(*, on: bool) -> None:
        body = json.dumps({"course_pacing": on}).encode()
        with urllib.request.urlopen(f"{url}/_control/knobs", body, timeout=30):  # noqa: S310
            pass

    switch(on=False)
    try:
        yield
    finally:
        switch(on=True)


def test_the_report_is_printed_when_a_stream_fails(runner: CliRunner, tmp_path: Path) -> None:
    """The state and the rows of each stream, then the error in one line."""
    args = ["sync", "events", "courses", "--to", f"sqlite:///{tmp_path / 'a.db'}"]
    result = runner.invoke(app, [*args, "--json"], env={"CANVAS_TOKEN": "wrong"})
    assert result.exit_code == 3
    events, courses = json.loads(result.stdout)["streams"]
    assert (events["state"], events["rows"], events["error"]) == ("done", 40, None)
    assert courses["state"] == "failed"
    assert courses["error"].startswith("401 Unauthorized")
    assert result.stderr.startswith("Error: courses failed after 0 rows: 401 Unauthorized")
    table = runner.invoke(app, args, env={"CANVAS_TOKEN": "wrong"})
    assert "done, resumed" in table.stdout
    assert "failed" in table.stdout


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["events"], "missing destination: give --to sqlite:///lms.db"),
        (["event", "--to", "sqlite:///a.db"], "'event' is not one of"),
        (["events", "events", "--to", "sqlite:///a.db"], "twice"),
        (["events", "--to", "lms.db"], "invalid destination"),
        (["events", "--to", "sqlite:///nosuch/a.db"], "cannot open SQLite (nosuch/a.db)"),
        (["events", "--to", "postgresql://u:s3cret@127.0.0.1:1/x"], "cannot open PostgreSQL"),
    ],
)
def test_sync_reports_errors(runner: CliRunner, args: list[str], message: str) -> None:
    """An error message and an exit status, no traceback, no password."""
    result = runner.invoke(app, ["sync", *args])
    assert result.exit_code != 0
    assert message in result.output
    assert "Traceback" not in result.output
    assert "s3cret" not in result.output


def test_sync_without_credentials_names_the_variable(tmp_path: Path) -> None:
    """One line names all missing variables."""
    bare = CliRunner(env={"CANVAS_URL": None, "CANVAS_TOKEN": None})
    result = bare.invoke(app, ["sync", "courses", "--to", f"sqlite:///{tmp_path / 'a.db'}"])
    assert result.exit_code == 1
    assert "CANVAS_URL and CANVAS_TOKEN are not set" in result.output


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--port", "99999"], "not in the range"),
        (["--knob", "hwm"], "invalid knob 'hwm': expected NAME=VALUE"),
        (["--knob", "nosuch=1"], "nosuch"),
        (["--host", "0.0.0.0", "--port", "0"], "loopback"),  # noqa: S104 - refused
    ],
)
def test_simulate_reports_errors(args: list[str], message: str) -> None:
    """Unknown knobs and public addresses are refused before the server starts."""
    result = CliRunner().invoke(app, ["simulate", *args])
    assert result.exit_code != 0
    assert message in result.output


def test_simulate_reports_a_port_in_use() -> None:
    """With the system's message, without a traceback."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        result = CliRunner().invoke(app, ["simulate", "--port", port])
    assert result.exit_code == 1
    assert "in use" in result.output


def test_simulate_lists_its_knobs() -> None:
    """Names and values, in the form that --knob accepts."""
    result = CliRunner().invoke(app, ["simulate", "--knob", "hwm=300", "--knobs"])
    assert "hwm=300" in result.output.splitlines()[0]
    assert 'link_header_name="Link"' in result.output


def test_the_version_is_printed() -> None:
    """`--version` prints name and version."""
    assert CliRunner().invoke(app, ["--version"]).output.startswith("aioinstructure, version 0.")


def test_a_missing_extra_is_named() -> None:
    """Without click, the program prints what to install, in one line."""
    program = "import sys; sys.modules['click'] = None; import aioinstructure.cli as c; c.main()"
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr == 'click is missing: pip install "aioinstructure[cli]"\n'


def test_log_records_of_libraries_are_not_printed() -> None:
    """The report lists the refusals; errors of cut connections are not shown."""
    program = (
        "import logging, sys, aioinstructure.cli as c\n"
        "sys.argv = ['aioinstructure', '--help']\n"
        "try: c.main()\n"
        "finally: [logging.getLogger(n).error('x') for n in ('aioinstructure', 'sqlalchemy.pool')]"
    )
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Unauthorized, 3),
        (Forbidden, 3),
        (NotFound, 4),
        (Throttled, 5),
        (ConnectError, 6),
        (UnknownOutcome, 6),
        (InputError, 1),
        (BadRequest, 1),
    ],
)
def test_the_exit_status_says_the_cause(error: type[Error], status: int) -> None:
    """Scripts can decide; a failed sync has the status of what failed."""
    response = Response(400)
    cause = error(response) if issubclass(error, ResponseError) else error("failed")
    failed = SyncError("courses failed", stream="courses")
    failed.__cause__ = cause
    assert exit_status(cause) == exit_status(failed) == status


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_line() -> None:
    """No traceback, and a status other than 0."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "aioinstructure", "call", "canvas"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")
    assert done.stderr.count("\n") == 1


def test_a_reader_that_goes_away_ends_the_command_in_silence() -> None:
    """As in `aioinstructure call canvas | head -1`."""
    done = subprocess.run(  # noqa: S603 - our own program
        ["/bin/sh", "-c", f"{sys.executable} -m aioinstructure call canvas | head -1"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith("accounts.courses")
    assert done.stderr == ""


def test_commands_are_imported_when_they_are_used() -> None:
    """`--version` loads neither click nor the client."""
    program = (
        "import sys; from aioinstructure.cli import main; sys.argv[1:] = ['--version']; main(); "
    )
    program += (
        "print(sorted(m for m in sys.modules if m in ('click', 'rich', 'aioinstructure.client')))"
    )
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == [f"aioinstructure, version {__version__}", "[]"]
