"""Lookup of operations: what is loaded for it, and what is said about unknown names."""

from __future__ import annotations

import subprocess
import sys
from textwrap import dedent

import pytest

from aioinstructure import ABConnect, Canvas, InputError
from aioinstructure.endpoints import route_of, routes_of
from aioinstructure.endpoints.lookup import namespaces_of
from tests.paging.cursors import cursor_text

CANVAS = {"accounts", "course_paces", "courses", "modules", "progress"}


def loaded_by(program: str) -> set[str]:
    """The namespace modules that a program loads, in a process of its own."""
    code = dedent(program) + dedent("""
        import sys
        from aioinstructure.endpoints.lookup import namespaces_of
        from aioinstructure.abconnect.client import ABConnect
        from aioinstructure.canvas.client import Canvas
        known = {m for c in (Canvas, ABConnect) for m, _ in namespaces_of(c).values()}
        print(*sorted(known & sys.modules.keys()))
    """)
    done = subprocess.run(  # noqa: S603 - this Python, and a program of the tests
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=50
    )
    assert done.returncode == 0, done.stderr
    return {name.removeprefix("aioinstructure.") for name in done.stdout.split()}


CLIENT = """
from aioinstructure.canvas import Canvas
from aioinstructure.testing.transports import FakeTransport
canvas = Canvas("https://canvas.test", "t", transport=FakeTransport([]))
"""


@pytest.mark.parametrize(
    "program",
    [
        "import aioinstructure",
        "import aioinstructure.canvas",
        "import aioinstructure.abconnect",
        "from aioinstructure import ABConnect, Canvas, Paginator",
        "from aioinstructure import Canvas; Canvas('https://canvas.test', 't')",
        "from aioinstructure import ABConnect; ABConnect(partner_id='p', partner_key='k')",
        "from aioinstructure import Canvas; dir(Canvas('https://canvas.test', 't'))",
        "from aioinstructure import Canvas; Canvas('https://canvas.test', 't').as_user(1)",
    ],
)
def test_a_client_loads_no_namespace(program: str) -> None:
    """Neither importing a service nor making a client and a view loads one."""
    assert loaded_by(program) == set()


@pytest.mark.parametrize(
    ("program", "loaded"),
    [
        ("canvas.courses", {"canvas.courses"}),
        ("canvas.with_options(lane='bulk').progress", {"canvas.progress"}),
        ("canvas.paginate('/api/v1/courses')", set()),
    ],
)
def test_a_namespace_is_loaded_on_first_use(program: str, loaded: set[str]) -> None:
    """One, and no other."""
    assert loaded_by(CLIENT + program) == loaded


def test_route_of_loads_the_module_of_its_namespace_only() -> None:
    """No other namespace of Canvas, and none of AB Connect."""
    program = """
        from aioinstructure import Canvas
        from aioinstructure.endpoints import route_of
        assert route_of(Canvas, "courses.list").path == "/api/v1/courses"
    """
    assert loaded_by(program) == {"canvas.courses"}


def test_resuming_a_cursor_loads_the_module_of_its_namespace_only() -> None:
    """A process that only continues a list loads no more than that list needs."""
    program = f"{CLIENT}\nassert canvas.resume({cursor_text()!r}).route.name == 'courses.list'"
    assert loaded_by(program) == {"canvas.courses"}


def test_an_unknown_operation_loads_no_other_namespace() -> None:
    """A wrong namespace loads none, a wrong method its namespace."""
    program = """
        from aioinstructure import Canvas, InputError
        from aioinstructure.endpoints import route_of
        try:
            route_of(Canvas, "{}")
        except InputError:
            pass
        else:
            raise AssertionError
    """
    assert loaded_by(program.format("coarses.list")) == set()
    assert loaded_by(program.format("courses.lsit")) == {"canvas.courses"}


def test_the_namespaces_of_a_client_are_its_annotations() -> None:
    """Each with its module and its class."""
    found = namespaces_of(Canvas)
    assert found.keys() == CANVAS
    assert found["courses"] == ("aioinstructure.canvas.courses", "CoursesAPI")


@pytest.mark.parametrize("client", [Canvas, ABConnect])
def test_every_operation_is_found_by_its_name(client: type) -> None:
    """The same route as in the list of all operations."""
    for route in routes_of(client):
        assert route_of(client, route.name) is route


@pytest.mark.parametrize(
    ("client", "name", "message"),
    [
        (Canvas, "course.list", "Canvas has no operation 'course.list', did you mean 'courses'?"),
        (
            Canvas,
            "courses.lst",
            "Canvas has no operation 'courses.lst', did you mean 'courses.list'?",
        ),
        (
            ABConnect,
            "standards.gte",
            "ABConnect has no operation 'standards.gte', did you mean 'standards.get'?",
        ),
    ],
)
def test_an_unknown_operation_is_an_error_with_the_nearest_name(
    client: type, name: str, message: str
) -> None:
    """The message names the client, too."""
    with pytest.raises(InputError) as caught:
        route_of(client, name)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "name",
    ["", ".", "courses", "courses.", ".list", "xyz.list", "courses.list.x", "courses.__init__"],
)
def test_no_other_text_is_an_operation(name: str) -> None:
    """Names come from cursors and command lines, which are untrusted."""
    with pytest.raises(InputError, match="Canvas has no operation"):
        route_of(Canvas, name)


def test_a_namespace_without_a_near_name_lists_what_there_is() -> None:
    """All names, in order."""
    with pytest.raises(InputError, match=r"there are: accounts, course_paces, courses, modules, p"):
        route_of(Canvas, "xyzzy.list")


def test_a_long_name_is_cut_off_in_the_message() -> None:
    """A cursor may hold any text."""
    with pytest.raises(InputError) as caught:
        route_of(Canvas, "x" * 100_000)
    assert len(str(caught.value)) < 500
