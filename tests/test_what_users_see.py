"""What users see: names in dir(), reprs, copies, hints in messages, and short tracebacks."""

from __future__ import annotations

import copy
import pickle
import re
import traceback
import typing
from collections.abc import AsyncIterable, Awaitable, Callable
from pathlib import Path
from typing import Any

import attrs
import cattrs
import pytest

import aioinstructure
from aioinstructure import ABConnect, Canvas, Error, NotFound, Response, RetryPolicy, Sis
from aioinstructure.abconnect.traversal.documents import DocumentTree
from aioinstructure.canvas.modules import Module
from aioinstructure.simulator import Simulator
from aioinstructure.testing import FakeTransport, abconnect_of, canvas_of, reply
from aioinstructure.wire.message import Request

TOKEN = "7~t0ken-that-must-stay-secret"
KEY = "partner-k3y-that-must-stay-secret"
GUID = "1F9D5A8A-7053-11DF-8EBF-BE719DFF4B22"


def canvas_with(*replies: Any) -> Canvas:
    return Canvas("https://canvas.test", TOKEN, transport=FakeTransport(list(replies)))


def ab_with(*replies: Any, **options: Any) -> ABConnect:
    transport = FakeTransport(list(replies))
    return ABConnect(partner_id="p", partner_key=KEY, transport=transport, **options)


# --- dir() ----------------------------------------------------------------------------------------


def test_dir_of_a_client_has_its_namespaces_and_methods() -> None:
    """Completion in a console shows both, before any of them was used."""
    shared = {
        "clock",
        "close",
        "deadline",
        "from_env",
        "origin",
        "paginate",
        "quota",
        "request",
        "resume",
        "structure",
        "with_options",
    }
    namespaces = {"accounts", "course_paces", "courses", "modules", "progress"}
    assert shared | namespaces | {"as_user"} <= set(dir(canvas_with()))
    found = dir(ab_with())
    assert shared | {"assets", "events", "standards", "topics"} <= set(found)
    assert "as_user" not in found
    assert found == sorted(set(found))


@pytest.mark.parametrize("client", [canvas_with, ab_with])
def test_every_name_in_dir_exists(client: Callable[[], Canvas | ABConnect]) -> None:
    """Also those that are loaded on first use, and in a view."""
    made = client()
    for each in (made, made.with_options(lane="bulk")):
        for name in dir(each):
            assert hasattr(each, name), name


def test_dir_of_a_namespace_has_its_operations() -> None:
    """Each with a docstring."""
    courses = canvas_with().courses
    assert {"get", "list"} <= set(dir(courses))
    assert "GET /api/v1/courses" in (courses.list.__doc__ or "")


# --- public classes -------------------------------------------------------------------------------

CLASSES = [
    found
    for name in vars(aioinstructure)["__all__"]
    if isinstance(found := getattr(aioinstructure, name), type)
]


@pytest.mark.parametrize("found", CLASSES, ids=lambda found: found.__name__)
def test_a_public_class_is_shown_where_it_is_imported_from(found: type) -> None:
    """As `aioinstructure.X`, which is also where pickle looks for it."""
    assert found.__module__ == "aioinstructure"
    assert found.__qualname__ == found.__name__
    assert pickle.loads(pickle.dumps(found)) is found  # noqa: S301 - pickled here
    assert getattr(aioinstructure, found.__name__) is found


def test_an_error_is_shown_with_its_public_name() -> None:
    """The last line of a traceback names what to catch."""
    lines = traceback.format_exception_only(NotFound(Response(404)))
    assert lines[0].startswith("aioinstructure.NotFound: 404")


REQUEST = Request("GET", "https://canvas.test/api/v1/x", {"authorization": f"Bearer {TOKEN}"})
RESPONSE = Response(404, {"x-request-id": "r-1"}, b"{}", REQUEST)
RESPONSE_ERRORS = [kind for kind in CLASSES if issubclass(kind, aioinstructure.ResponseError)]


@pytest.mark.parametrize("kind", RESPONSE_ERRORS, ids=lambda kind: kind.__name__)
def test_every_response_error_is_pickled_with_its_message(kind: type[Any]) -> None:
    """Status, request id and messages reach another process."""
    error = kind(RESPONSE, errors=["gone"])
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - pickled here
    assert (type(again), str(again), again.errors) == (kind, str(error), ["gone"])
    assert again.request_id == "r-1"
    assert again.response == RESPONSE


@pytest.mark.parametrize(
    "value",
    [Sis.course("CS/101"), RetryPolicy(attempts=2), aioinstructure.UNSET, REQUEST, RESPONSE],
)
def test_values_are_copied_and_pickled(value: Any) -> None:
    """Equal to the first one, and of the same type."""
    for again in (copy.copy(value), copy.deepcopy(value), pickle.loads(pickle.dumps(value))):  # noqa: S301 - pickled here
        assert again == value
        assert type(again) is type(value)


def test_unset_stays_one_object() -> None:
    """It is compared by identity."""
    unset = aioinstructure.UNSET
    assert pickle.loads(pickle.dumps(unset)) is copy.deepcopy(unset) is unset  # noqa: S301


def test_a_cursor_is_pickled_as_a_cursor() -> None:
    """And is plain text for everything else."""
    cursor = canvas_with().courses.list().cursor
    again = pickle.loads(pickle.dumps(cursor))  # noqa: S301 - pickled here
    assert again == cursor
    assert type(again) is aioinstructure.Cursor


@pytest.mark.parametrize("client", [canvas_with, ab_with])
def test_a_client_is_neither_copied_nor_pickled(client: Callable[[], Canvas | ABConnect]) -> None:
    """The message names the client and says what to do instead; the same for its views."""
    made = client()
    for each in (made, made.with_options(lane="bulk")):
        for way in (copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match=r"use with_options\(\) for a view") as caught:
                way(each)
            assert str(caught.value).startswith(repr(each))
        with pytest.raises(TypeError, match="make a client in each process") as caught:
            pickle.dumps(each)
        assert str(caught.value).startswith(repr(each))


def test_what_holds_a_client_is_not_pickled_either() -> None:
    """A namespace and a list: the message is the client's."""
    canvas = canvas_with()
    for each in (canvas.courses, canvas.courses.list()):
        with pytest.raises(TypeError, match="make a client in each process"):
            pickle.dumps(each)
        with pytest.raises(TypeError, match=r"use with_options\(\)"):
            copy.deepcopy(each)


# --- reprs ----------------------------------------------------------------------------------------


def test_the_repr_of_a_view_shows_what_is_different() -> None:
    """Lane, flow, weight, deadline and user, where they are not the usual ones."""
    canvas = canvas_with()
    assert repr(canvas) == "<Canvas https://canvas.test>"
    assert repr(canvas.with_options(lane="bulk")) == "<Canvas https://canvas.test lane='bulk'>"
    view = canvas.with_options(flow="tenant-7", weight=2, deadline=3.5).as_user(9)
    assert repr(view) == (
        "<Canvas https://canvas.test as_user_id='9' flow='tenant-7' weight=2 deadline=3.5>"
    )
    assert repr(view.courses) == f"<courses of {view!r}>"


async def test_the_repr_of_a_closed_client_says_so() -> None:
    """Its views share that."""
    canvas = canvas_with()
    view = canvas.with_options(lane="background")
    await canvas.close()
    assert repr(canvas) == "<Canvas https://canvas.test (closed)>"
    assert repr(view) == "<Canvas https://canvas.test lane='background' (closed)>"


async def test_the_repr_of_a_quota_says_what_is_left() -> None:
    """Origin, level, capacity, rate, and what is in flight and queued."""
    canvas = canvas_with(lambda _: reply({"id": 1}))
    text = "<Scheduler https://canvas.test: 600 of 600 left, 10/s, 0 in flight, 0 queued>"
    assert repr(canvas.quota) == text
    assert repr(canvas.with_options(lane="bulk").quota) == text
    ab = ab_with()
    ab.quota.set_rate(2.5, burst=7)
    assert "7 of 7 left, 2.5/s, 0 in flight, 0 queued" in repr(ab.quota)


async def test_the_repr_of_a_list_and_of_its_pages() -> None:
    """The operation and its target; the number of items, the total, and whether more follow."""
    canvas = canvas_with(
        reply([{"id": 1}, {"id": 2}], next="https://canvas.test/api/v1/courses?page=2"),
        reply([{"id": 3}]),
    )
    pages = canvas.courses.list(state=["available"], page_size=2)
    assert repr(pages) == (
        "<Paginator of courses.list at /api/v1/courses?state%5B%5D=available&per_page=2>"
    )
    shown = [repr(page) async for page in pages.pages()]
    assert shown == [
        "<ResultPage 2 items, more follow>",
        "<ResultPage 1 items, the last page>",
    ]
    body = {"data": [{"id": GUID, "type": "standards"}], "meta": {"count": 7}, "links": {}}
    assert repr(await ab_with(reply(body)).standards.list()) == (
        "<ResultPage 1 items of 7, the last page>"
    )


async def test_no_repr_shows_a_credential() -> None:
    """Of nothing that a user holds, before and after a call."""
    canvas = canvas_with(lambda _: reply([{"id": 1}]))
    ab = ab_with(lambda _: reply({"data": []}))
    for _ in range(2):
        page = await canvas.courses.list()
        things: list[Any] = [canvas, canvas.courses, canvas.courses.list(), canvas.quota, page]
        things += [page.response, page.response.request, page.cursor, canvas.as_user(1)]
        things += [ab, ab.standards, ab.standards.list(), ab.quota, ab.events.follow(after=0)]
        things += [await ab.standards.list(), DocumentTree(ab, GUID), canvas.quota.snapshot()]
        for each in things:
            assert TOKEN not in repr(each) + str(each)
            assert KEY not in repr(each) + str(each)
            assert "signature" not in repr(each)


# --- pages ----------------------------------------------------------------------------------------


async def test_a_page_has_a_length_and_is_iterated() -> None:
    """The number of its items, and the items as models; an empty page is false."""
    canvas = canvas_with(reply([{"id": 1}, {"id": 2}]), reply([]))
    page = await canvas.courses.list()
    assert len(page) == 2
    assert [course.id for course in page] == [1, 2]
    assert list(page) == page.items
    empty = await canvas.courses.list()
    assert len(empty) == 0
    assert list(empty) == []


def test_a_plain_loop_over_a_list_says_async_for() -> None:
    """And names the list; the same for other things that are read in a loop."""
    ab = ab_with()
    for each in (canvas_with().courses.list(), ab.events.follow(after=0), DocumentTree(ab, GUID)):
        plain: Any = each
        with pytest.raises(TypeError, match="use `async for` to read <") as caught:
            list(plain)
        assert repr(each) in str(caught.value)


# --- hints ----------------------------------------------------------------------------------------


def test_a_wrong_argument_names_the_operation_and_the_nearest_one() -> None:
    """Where the call is written."""
    courses: Any = canvas_with().courses
    with pytest.raises(TypeError) as caught:
        courses.list(includes=["term"])
    assert str(caught.value) == "courses.list() takes no 'includes', did you mean 'include'?"


async def test_a_wrong_argument_of_a_read_names_the_operation() -> None:
    """With all names where none is near."""
    courses: Any = canvas_with().courses
    with pytest.raises(TypeError, match=r"^courses\.get\(\) takes no 'xyz'; there are: .*include"):
        await courses.get(1, xyz=2)


def test_a_namespace_that_does_not_exist_lists_what_exists() -> None:
    """Or the nearest name."""
    canvas: Any = canvas_with()
    with pytest.raises(AttributeError) as caught:
        _ = canvas.users
    assert str(caught.value) == (
        "Canvas has no attribute 'users';"
        " there are: accounts, course_paces, courses, modules, progress"
    )
    with pytest.raises(AttributeError) as caught:
        _ = canvas.coursess
    assert str(caught.value) == "Canvas has no attribute 'coursess', did you mean 'courses'?"


def test_a_private_name_gets_no_hint() -> None:
    """Tools look for such names: consoles, copy, doctest."""
    canvas: Any = canvas_with()
    for name in ("_repr_html_", "__wrapped__", "_ipython_display_"):
        with pytest.raises(AttributeError, match=f"^Canvas has no attribute '{name}'$"):
            getattr(canvas, name)
        assert not hasattr(canvas, name)


# --- tracebacks -----------------------------------------------------------------------------------

Use = Callable[[Canvas, ABConnect], Awaitable[Any]]


async def each_of(items: AsyncIterable[Any]) -> None:
    async for _ in items:
        pass


async def result_of(thing: Awaitable[Any]) -> Any:
    return await thing


USES: dict[str, Use] = {
    "get": lambda canvas, _: canvas.courses.get(1),
    "update": lambda canvas, _: canvas.course_paces.update(1, 2, end_date=None),
    "list": lambda canvas, _: each_of(canvas.courses.list()),
    "pages": lambda canvas, _: each_of(canvas.courses.list().pages()),
    "first page": lambda canvas, _: result_of(canvas.courses.list()),
    "collect": lambda canvas, _: canvas.courses.list().collect(),
    "take": lambda canvas, _: canvas.courses.list().take(3),
    "first": lambda canvas, _: canvas.courses.list().first(),
    "resume": lambda canvas, _: each_of(canvas.resume(canvas.courses.list().cursor)),
    "request": lambda canvas, _: canvas.request("GET", "/api/v1/x"),
    "paginate": lambda canvas, _: each_of(canvas.paginate("/api/v1/x")),
    "first page of a path": lambda canvas, _: result_of(canvas.paginate("/api/v1/x")),
    "wait": lambda canvas, _: canvas.progress.wait(1),
    "ab get": lambda _, ab: ab.standards.get(GUID),
    "ab list": lambda _, ab: each_of(ab.standards.list()),
    "ab get_many": lambda _, ab: ab.standards.get_many([GUID]),
    "ab document": lambda _, ab: each_of(DocumentTree(ab, GUID)),
    "ab follow": lambda _, ab: each_of(ab.events.follow(after=0)),
}

_FOLDER = re.escape(str(Path(aioinstructure.__file__).parent))
_FRAME = re.compile(rf'File "{_FOLDER}[/\\]([^"]*)", line \d+, in (.*)')


@pytest.mark.parametrize("name", USES)
async def test_a_traceback_of_an_http_error_is_short(name: str) -> None:
    """At most three frames of the library, in all that Python prints, causes included."""
    refusal = reply({"errors": [{"message": "no such thing"}]}, status=404)
    canvas, ab = canvas_with(lambda _: refusal), ab_with(lambda _: refusal)
    with pytest.raises(NotFound, match="no such thing") as caught:
        await USES[name](canvas, ab)
    shown = "".join(traceback.format_exception(caught.value))
    frames = _FRAME.findall(shown)
    assert 1 <= len(frames) <= 3, frames
    assert "aioinstructure.NotFound: 404" in shown.splitlines()[-1]
    assert TOKEN not in shown


async def test_an_error_raised_again_has_a_short_traceback() -> None:
    """The second call of the same client prints no frames of the first one."""
    canvas = canvas_with(lambda _: reply(status=404))
    lengths = []
    for _ in range(3):
        with pytest.raises(Error) as caught:
            await canvas.courses.get(1)
        lengths.append(len(traceback.extract_tb(caught.value.__traceback__)))
    assert len(set(lengths)) == 1


async def test_the_clients_of_the_simulator_show_themselves_alike() -> None:
    """A test that prints its client sees what a program sees."""
    simulator = Simulator()
    async with canvas_of(simulator) as canvas, abconnect_of(simulator) as ab:
        assert repr(canvas) == "<Canvas https://canvas.test>"
        assert repr(ab) == "<ABConnect https://abconnect.test>"
        assert simulator.canvas_token not in repr(canvas)


@pytest.mark.parametrize(
    "name", ["Model", "ResultPage", "Request", "Response", "Clock", "RetryPolicy"]
)
def test_annotations_of_public_classes_can_be_evaluated(name: str) -> None:
    """Although they show themselves as members of another module than theirs."""
    hints = typing.get_type_hints(getattr(aioinstructure, name))
    assert hints
    assert not any(isinstance(hint, str) for hint in hints.values())


def test_models_work_with_other_libraries() -> None:
    """Attrs and plain cattrs read their annotations."""
    attrs.resolve_types(Module)
    assert typing.get_type_hints(Module)["name"] == str | None
    assert cattrs.unstructure(Module(id=1))["id"] == 1
