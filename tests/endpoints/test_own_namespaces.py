"""Namespaces that users declare: subclasses, overrides, decorators, and mistakes in declarations."""

from __future__ import annotations

import functools
import importlib.util
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import pytest

from aioinstructure import Canvas, Id, Paginator
from aioinstructure.canvas.courses import Course, CoursesAPI
from aioinstructure.endpoints.declare import GET, Namespace
from aioinstructure.endpoints.lookup import namespaces_of, route_of
from aioinstructure.testing import FakeTransport, reply


class CountedCourses(CoursesAPI):
    """Overrides an operation, and calls the original one."""

    calls = 0

    def list(self, **options: Any) -> Paginator[Course]:
        """Count, then list."""
        CountedCourses.calls += 1
        return super().list(**options)


def noted(method: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator of a user's own."""

    @functools.wraps(method)
    def wrapper(self: Any, *args: Any, **kwargs: Any) -> Any:
        self.notes.append(method.__name__)
        return method(self, *args, **kwargs)

    return wrapper


class SectionsAPI(Namespace["Canvas"]):
    """A page that the library does not have yet."""

    notes: ClassVar[list[str]] = []

    @GET("/api/v1/courses/{course_id}/sections")
    def list(self, course_id: Id) -> Paginator[dict[str, Any]]:  # no docstring
        raise NotImplementedError

    @noted
    @GET("/api/v1/sections/{id}")
    async def get(self, id: Id) -> dict[str, Any]:  # noqa: A002 - the vendor's name
        """Read one section."""
        raise NotImplementedError


class OwnCanvas(Canvas):
    """A client with namespaces of a user's own."""

    counted: CountedCourses
    sections: SectionsAPI
    purpose: str


def canvas_of_own() -> tuple[OwnCanvas, FakeTransport]:
    transport = FakeTransport([lambda _: reply([{"id": 1}])])
    return OwnCanvas("https://canvas.test", "t", transport=transport), transport


async def test_an_override_stays_when_it_calls_the_original() -> None:
    """`super().list()` does not replace the method of the subclass."""
    canvas, transport = canvas_of_own()
    for _ in range(3):
        assert [each.id for each in await canvas.counted.list().collect()] == [1]
    assert CountedCourses.calls == 3
    assert len(transport.requests) == 3


async def test_an_endpoint_needs_no_docstring() -> None:
    """Its docstring then begins with the request."""
    canvas, transport = canvas_of_own()
    await canvas.sections.list(5).collect()
    assert transport.paths == ["/api/v1/courses/5/sections"]
    assert (SectionsAPI.list.__doc__ or "").startswith("Request: GET /api/v1/courses/{course_id}")


async def test_a_decorator_above_an_endpoint_calls_it() -> None:
    """The operation is still found by its name."""
    transport = FakeTransport([reply({"id": 7})])
    canvas = OwnCanvas("https://canvas.test", "t", transport=transport)
    assert await canvas.sections.get(7) == {"id": 7}
    assert SectionsAPI.notes == ["get"]
    assert route_of(OwnCanvas, "sections.get").path == "/api/v1/sections/{id}"


def test_other_annotations_are_no_namespaces() -> None:
    """Only classes of namespaces become attributes; those of the library come first."""
    assert list(namespaces_of(OwnCanvas))[-2:] == ["counted", "sections"]
    canvas, _ = canvas_of_own()
    with pytest.raises(AttributeError, match="'purpose'; there are: accounts"):
        _ = canvas.purpose


OWN = """
from aioinstructure import Canvas, Id, Paginator
from aioinstructure.canvas._namespace import CanvasNamespace
from aioinstructure.endpoints.declare import GET

class TabsAPI(CanvasNamespace):
    @GET("/api/v1/courses/{course_id}/tabs")
    def list(self, course_id: Id) -> Paginator[dict]:
        "The tabs."

class Own(Canvas):
    tabs: TabsAPI
"""


def module_of(path: Path, text: str) -> ModuleType:
    path.write_text(text)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def test_annotations_may_be_classes(tmp_path: Path) -> None:
    """A module without `from __future__ import annotations` works too."""
    module = module_of(tmp_path / "own_canvas_classes.py", OWN)
    assert repr(module.Own("https://canvas.test", "t").tabs.list(5)).startswith(
        "<Paginator of tabs"
    )


def test_a_module_that_is_not_registered_has_no_namespaces(tmp_path: Path) -> None:
    """Text in its annotations cannot be resolved; the client works otherwise."""
    future = f"from __future__ import annotations\n{OWN}"
    module = module_of(tmp_path / "own_canvas_gone.py", future)
    del sys.modules["own_canvas_gone"]
    canvas = module.Own("https://canvas.test", "t")
    assert "courses" in dir(canvas)
    assert not hasattr(canvas, "tabs")


def test_operations_work_without_docstrings() -> None:
    """Under `python -OO` no function has one."""
    program = """
        from aioinstructure import Canvas
        from aioinstructure.endpoints.lookup import routes_of
        print(Canvas("https://canvas.test", "t").courses.list(), len(list(routes_of(Canvas))) > 10)
    """
    done = subprocess.run(  # noqa: S603 - this interpreter, and our own program
        [sys.executable, "-OO", "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "<Paginator of courses.list" in done.stdout
    assert done.stdout.rstrip().endswith("True")


@pytest.mark.parametrize("path", ["api/v1/x", "//other.test/x", ""])
def test_a_path_begins_with_one_slash(path: str) -> None:
    """Anything else would become part of the host's name, to which the token would be sent."""
    with pytest.raises(TypeError, match="must begin with one slash"):
        GET(path)


async def no_parameter(self: Any) -> dict[str, Any]:
    raise NotImplementedError


async def no_annotation(self: Any, id) -> dict[str, Any]:  # type: ignore[no-untyped-def]  # noqa: A002 - the mistake
    raise NotImplementedError


async def no_result(self: Any, id: Id):  # type: ignore[no-untyped-def]  # noqa: A002 - the mistake
    raise NotImplementedError


def not_async(self: Any, id: Id) -> dict[str, Any]:  # noqa: A002 - the vendor's name
    raise NotImplementedError


async def async_list(self: Any, id: Id) -> Paginator[Course]:  # noqa: A002 - the vendor's name
    raise NotImplementedError


async def starred(self: Any, id: Id, **more: Id) -> dict[str, Any]:  # noqa: A002 - the vendor's name
    raise NotImplementedError


@pytest.mark.parametrize(
    ("stub", "message"),
    [
        (no_parameter, "no_parameter is not valid: 'id' of the path is no parameter"),
        (no_annotation, "'id' has no annotation"),
        (no_result, "'return' has no annotation"),
        (not_async, "either `async def`"),
        (async_list, "either `async def`"),
        (starred, r"\*more is not possible"),
    ],
)
def test_a_declaration_that_does_not_fit_is_a_type_error(stub: Any, message: str) -> None:
    """On first use, with the name of the endpoint."""
    api: Any = type("API", (Namespace,), {stub.__name__: GET("/api/v1/x/{id}")(stub)})
    with pytest.raises(TypeError, match=message):
        getattr(api, stub.__name__)
