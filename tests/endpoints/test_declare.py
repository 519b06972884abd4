"""Endpoints: what a signature declares, how arguments are bound, and what is refused."""

from __future__ import annotations

import enum
import inspect
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, unquote

import pytest
from attrs import define
from hypothesis import given
from hypothesis import strategies as st

from aioinstructure._types import UNSET, Id, Opt
from aioinstructure.abconnect import ABConnect, F
from aioinstructure.abconnect.standards import StandardsAPI
from aioinstructure.canvas import Canvas
from aioinstructure.canvas.course_paces import CoursePace, CoursePacesAPI
from aioinstructure.canvas.courses import Course
from aioinstructure.client import Client
from aioinstructure.conversion.model import Model
from aioinstructure.endpoints.declare import (
    DELETE,
    GET,
    PATCH,
    POST,
    PUT,
    Namespace,
    Param,
)
from aioinstructure.endpoints.lookup import namespace_type, namespaces_of, routes_of
from aioinstructure.endpoints.route import Call, Parameter, Route
from aioinstructure.errors import InputError
from aioinstructure.paging.paginator import Paginator

Color = Literal["red", "green"]


class Order(str, enum.Enum):  # noqa: UP042 - its str() is not its value
    """A caller's enum."""

    UP = "asc"


@define
class Thing(Model):
    """The model of the endpoints below."""

    id: Id | None = None


class Base(Namespace[Any]):
    """Operations that several namespaces share."""

    @GET("/shared/{id}")
    async def shared(self, id: Id) -> Thing:  # noqa: A002
        """A shared operation."""
        raise NotImplementedError


class Things(Base):
    """All kinds of declarations."""

    @GET("/things", items="wrapper.things")
    def list(
        self,
        *,
        include: Sequence[Color] = (),
        color: Color | None = None,
        ids: Sequence[Id] = (),
        since: datetime | None = None,
        order: Literal["asc", "desc"] | None = None,
        class_: str | None = None,
        page_size: int | None = None,
    ) -> Paginator[Thing]:
        """Things that match."""
        raise NotImplementedError

    @GET("/things/{id}/parts/{name}")
    async def part(self, id: Id, name: str, *, page_size: int | None = None) -> Thing:  # noqa: A002
        """A part; here `page_size` is an ordinary parameter."""
        raise NotImplementedError

    @POST("/things", body="thing")
    async def create(
        self,
        name: str,
        *,
        color: Opt[Color] = UNSET,
        from_: Opt[datetime | None] = UNSET,
        parts: Annotated[Opt[Sequence[dict[str, Any]]], Param("parts_attributes")] = UNSET,
        owners: Opt[Sequence[str] | None] = UNSET,
        notify: Annotated[bool | None, Param(where="query")] = None,
    ) -> Thing:
        """Create one."""
        raise NotImplementedError

    @PUT("/things/{id}")
    async def update(self, id: Id, *, name: Opt[str | None] = UNSET) -> Thing:  # noqa: A002
        """Change it."""
        raise NotImplementedError

    @PATCH("/things/{id}", idempotent=False)
    async def patch(self, id: Id, *, name: Opt[str] = UNSET) -> Thing:  # noqa: A002
        """Change it in another way."""
        raise NotImplementedError

    @DELETE("/things/{id}")
    async def delete(self, id: Id, *, event: Literal["delete", "conclude"]) -> None:  # noqa: A002
        """Remove it."""
        raise NotImplementedError

    @GET("/things/{id}/{kind}")
    def related(
        self,
        id: Id,  # noqa: A002
        *,
        filter: Annotated[str | None, Param("filter[{kind}]")] = None,  # noqa: A002
        sort: Annotated[Sequence[str], Param("sort[{kind}][{id}]")] = (),
        kind: Literal["reds", "greens"],
        page_size: int | None = None,
    ) -> Paginator[Thing]:
        """Related things of one kind; the kind is part of the wire names."""
        raise NotImplementedError

    @POST("/things/{id}/{kind}", body="thing")
    async def relate(
        self,
        id: Id,  # noqa: A002
        kind: str,
        *,
        names: Annotated[Opt[Sequence[str]], Param("{kind}_names")] = UNSET,
        tags: Sequence[str] = (),
        note: str | None = None,
    ) -> Thing:
        """A body with a key that depends on the path."""
        raise NotImplementedError

    async def twice(self, id: Id) -> Sequence[Thing]:  # noqa: A002
        """A method with its own body."""
        return [await self.shared(id), await self.shared(id)]


class Others(Base):
    """Another namespace with the same base."""


class Recorder:
    """A client that returns the calls instead of sending them."""

    things: Things
    others: Others

    def list_pages(self, call: Call[Any]) -> Any:
        return call

    async def fetch(self, call: Call[Any]) -> Any:
        return call


@pytest.fixture
def things() -> Any:
    return Things(Recorder(), "things")


def route(name: str) -> Route:
    return next(r for r in routes_of(Recorder) if r.name == name)


# --- declarations --------------------------------------------------------------------


def test_a_stub_keeps_its_signature_and_its_docstring() -> None:
    """For editors, type checkers and `help()`."""
    assert inspect.signature(Things.update).parameters.keys() == {"self", "id", "name"}
    assert (Things.list.__doc__ or "").startswith("Things that match.\n")
    assert inspect.iscoroutinefunction(Things.part)
    assert not inspect.iscoroutinefunction(Things.list)


def test_the_docstring_says_what_the_route_says() -> None:
    """`help()` shows the request, each parameter's place and values, the errors and the source."""
    listed = (Things.list.__doc__ or "").split("\n\n")
    assert listed[1] == "Request: GET /things"
    assert "    order: in the query, as order. One of asc, desc." in listed[2].splitlines()
    assert "    class_: in the query, as class." in listed[2].splitlines()
    assert "    ids: in the query, as ids[]." in listed[2].splitlines()
    assert "fields: in the query, as fields[standards]." in (StandardsAPI.list.__doc__ or "")
    assert "IncompleteError" in listed[3]
    assert "UnknownOutcome" not in listed[3]
    created = CoursePacesAPI.create.__doc__ or ""
    assert "Request: POST /api/v1/courses/{course_id}/course_pacing" in created
    assert "UnknownOutcome" in created
    assert "IncompleteError" not in created
    assert created.endswith(
        "Source: https://developerdocs.instructure.com/services/canvas/resources/course_pace"
    )


@pytest.mark.parametrize("client", [Canvas, ABConnect])
def test_each_operation_names_its_source(client: type[Client]) -> None:
    """The vendor's page is one click from `help()`; the clarifier has no page that is known."""
    for name in namespaces_of(client):
        namespace = namespace_type(client, name)
        has_source = namespace.__source__.startswith("https://developerdocs.instructure.com/")
        assert has_source == (name != "clarifier"), name


def test_a_route_describes_an_operation() -> None:
    """The command line, the docs and the tests use it."""
    listed = route("things.list")
    assert (listed.method, listed.path, listed.returns, listed.paginated) == (
        "GET",
        "/things",
        Thing,
        True,
    )
    assert (listed.items, listed.idempotent, listed.derived) == (("wrapper", "things"), True, False)
    assert listed.doc == "Things that match."
    found = {p.name: (p.wire_name, p.where, p.required, p.many) for p in listed.parameters}
    assert found == {
        "include": ("include", "query", False, True),
        "color": ("color", "query", False, False),
        "ids": ("ids", "query", False, True),
        "since": ("since", "query", False, False),
        "order": ("order", "query", False, False),
        "class_": ("class", "query", False, False),
        "page_size": ("page_size", "page_size", False, False),
    }
    allowed = {p.name: p.allowed for p in listed.parameters if p.allowed}
    assert allowed == {
        "include": {"red", "green"},
        "color": {"red", "green"},
        "order": {"asc", "desc"},
    }


def test_the_method_and_markers_decide_where_a_parameter_is_sent() -> None:
    """Reads and deletes have a query, writes a body; a marker moves or renames a parameter."""
    found = {p.name: (p.wire_name, p.where, p.required) for p in route("things.create").parameters}
    assert found == {
        "name": ("name", "body", True),
        "color": ("color", "body", False),
        "from_": ("from", "body", False),
        "parts": ("parts_attributes", "body", False),
        "owners": ("owners", "body", False),
        "notify": ("notify", "query", False),
    }
    assert [p.where for p in route("things.delete").parameters] == ["path", "query"]
    assert [p.where for p in route("things.part").parameters] == ["path", "path", "query"]
    assert route("things.delete").returns is None


@pytest.mark.parametrize(
    ("name", "idempotent"),
    [("list", True), ("create", False), ("update", True), ("patch", False), ("delete", True)],
)
def test_idempotence(name: str, idempotent: bool) -> None:
    """By method, unless the declaration says otherwise."""
    assert route(f"things.{name}").idempotent is idempotent


def test_routes_are_in_the_order_of_namespaces_and_methods() -> None:
    """Those of a base are listed for each namespace; methods with their own body are not."""
    assert [r.name for r in routes_of(Recorder)] == [
        "things.list",
        "things.part",
        "things.create",
        "things.update",
        "things.patch",
        "things.delete",
        "things.related",
        "things.relate",
        "things.shared",
        "others.shared",
    ]


async def test_a_shared_base_binds_under_either_name() -> None:
    """Cursors, logs and costs use the name of the route."""
    one, two = Things(Recorder(), "things"), Others(Recorder(), "others")
    names = [(await namespace.shared(1)).route.name for namespace in (one, two, one)]  # type: ignore[attr-defined]
    assert names == ["things.shared", "others.shared", "things.shared"]
    assert [call.route.name for call in await one.twice(1)] == ["things.shared"] * 2  # type: ignore[attr-defined]


def test_routes_of_the_real_clients_are_the_same_each_time() -> None:
    """They are compiled once, on first use."""
    for client in (Canvas, ABConnect):
        assert [id(r) for r in routes_of(client)] == [id(r) for r in routes_of(client)]
    assert route("things.list") is route("things.list")


# --- binding ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        ({}, "/things?per_page=100"),
        ({"page_size": 5}, "/things?per_page=5"),
        ({"page_size": None, "color": None}, "/things?per_page=100"),
        (
            {"include": ["red", "green"]},
            "/things?include%5B%5D=red&include%5B%5D=green&per_page=100",
        ),
        ({"include": {"red"}}, "/things?include%5B%5D=red&per_page=100"),
        (
            {"ids": (1, "sis_course_id:A/1")},
            "/things?ids%5B%5D=1&ids%5B%5D=sis_course_id%3AA%2F1&per_page=100",
        ),
        (
            {"since": datetime(2026, 1, 1, tzinfo=UTC)},
            "/things?since=2026-01-01T00%3A00%3A00Z&per_page=100",
        ),
        ({"order": Order.UP}, "/things?order=asc&per_page=100"),
        ({"class_": "a&b"}, "/things?class=a%26b&per_page=100"),
    ],
)
def test_a_query_is_bound(things: Any, arguments: dict[str, Any], path: str) -> None:
    """Omitted and None are not sent; pages have the maximum size."""
    call = things.list(**arguments)
    assert call.target == path
    assert call.body is None


async def test_ids_are_bound_by_position_and_by_name(things: Any) -> None:
    """They become path segments."""
    for call in (
        await things.part(5, "a/b.c"),
        await things.part(5, name="a/b.c"),
        await things.part(name="a/b.c", id=5),
    ):
        assert call.target == "/things/5/parts/a%2Fb%2Ec"
    assert (await things.part(5, "x", page_size=3)).target == "/things/5/parts/x?page_size=3"


@pytest.mark.parametrize(
    ("arguments", "path", "body"),
    [
        ({}, "/things", {"thing": {"name": "n"}}),
        (
            {"color": "red", "from_": None},
            "/things",
            {"thing": {"name": "n", "color": "red", "from": None}},
        ),
        ({"from_": UNSET, "notify": True}, "/things?notify=true", {"thing": {"name": "n"}}),
        (
            {"parts": [{"id": 1, "days": UNSET}]},
            "/things",
            {"thing": {"name": "n", "parts_attributes": [{"id": 1}]}},
        ),
    ],
)
async def test_a_body_is_bound(
    things: Any, arguments: dict[str, Any], path: str, body: dict[str, Any]
) -> None:
    """Under its key; None is null, UNSET is not sent."""
    call = await things.create("n", **arguments)
    assert call.target == path
    assert json.loads(call.body) == body


async def test_a_default_of_a_body_is_sent_unless_it_is_unset(things: Any) -> None:
    """An empty list clears a list, and None is null; only UNSET changes nothing."""
    assert json.loads((await things.relate(5, "red")).body) == {"thing": {"tags": [], "note": None}}


async def test_a_write_without_fields_has_no_body(things: Any) -> None:
    """Unless a field is given."""
    assert (await things.update(1)).body is None
    assert json.loads((await things.update(1, name=None)).body) == {"name": None}


@pytest.mark.parametrize(
    ("name", "args", "kwargs"),
    [
        ("part", (), {}),
        ("part", (1,), {}),
        ("part", (1, "a", "b"), {}),
        ("part", (1,), {"id": 2, "name": "x"}),
        ("part", (1, "a"), {"nmae": "x"}),
        ("delete", (1,), {}),
        ("create", (), {"name": "n", "colour": "red"}),
        ("update", (1, "name"), {}),
    ],
)
async def test_wrong_arguments_are_a_type_error(
    things: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    """The error that Python raises for the signature."""
    with pytest.raises(TypeError, match=rf"things.{name}\(\)"):
        await getattr(things, name)(*args, **kwargs)


def test_a_list_checks_its_arguments_at_once(things: Any) -> None:
    """Where the call is written, not where the list is read."""
    with pytest.raises(TypeError, match="too many positional"):
        things.list("red")
    with pytest.raises(TypeError, match=r"things.list\(\) takes no 'limit'"):
        things.list(limit=5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"color": "gren"},
            "color does not take 'gren', did you mean 'green'? It takes: green, red",
        ),
        ({"color": "xyz"}, "color does not take 'xyz'. It takes: green, red"),
        (
            {"include": ["red", "gren"]},
            "include does not take 'gren', did you mean 'green'? It takes: green, red",
        ),
        (
            {"include": [["red"]]},
            "include does not take ['red'], did you mean 'red'? It takes: green, red",
        ),
        ({"include": "red"}, "include takes a list, such as ['red'], not 'red'"),
        ({"ids": 5}, "ids takes a list, such as [5], not 5"),
    ],
)
def test_unknown_values_are_refused(things: Any, arguments: dict[str, Any], message: str) -> None:
    """With a hint. Text instead of a list is refused: the server would misread it."""
    with pytest.raises(InputError) as caught:
        things.list(**arguments)
    assert str(caught.value) == message


@pytest.mark.parametrize("include", [iter(["red"]), b"red", 5, {"red": 1}])
def test_a_value_that_is_not_a_list_is_refused(things: Any, include: Any) -> None:
    """Including iterators and dicts, which must not be sent as Python prints them."""
    with pytest.raises(InputError, match=r"include takes"):
        things.list(include=include)


async def test_values_of_a_body_are_checked(things: Any) -> None:
    """UNSET is always accepted."""
    with pytest.raises(InputError, match="color does not take 'blue'"):
        await things.create("n", color="blue")
    assert (await things.create("n", color=UNSET)).body


async def test_none_is_not_a_list_in_a_body(things: Any) -> None:
    """It would be sent as null, or break a body function; in a query it is not sent."""
    with pytest.raises(InputError, match=r"tags takes a list, such as \[\.\.\.\], not None"):
        await things.relate(5, "red", tags=None)
    assert json.loads((await things.create("n", owners=None)).body)["thing"]["owners"] is None
    assert things.list(include=None).target == things.list().target


async def test_a_required_value_must_not_be_none(things: Any) -> None:
    """None is for optional parameters."""
    with pytest.raises(InputError, match="event does not take None"):
        await things.delete(1, event=None)
    with pytest.raises(InputError, match="event does not take None"):
        route("things.delete").bind({"id": 1})


@pytest.mark.parametrize("size", [0, 101, -1, True, "50", 5.0, UNSET], ids=repr)
def test_a_page_has_1_to_100_items(things: Any, size: Any) -> None:
    """Canvas silently clamps larger sizes, AB Connect documents nothing."""
    with pytest.raises(InputError, match=r"page_size must be a number from 1 to 100"):
        things.list(page_size=size)


@pytest.mark.parametrize("value", [True, None, "", -1, "..", "a/../b"], ids=repr)
async def test_a_bad_id_is_refused(things: Any, value: Any) -> None:
    """The message names the parameter."""
    with pytest.raises(InputError, match=r"^id must"):
        await things.update(value)


def test_ab_connect_joins_lists_and_has_another_name_for_the_size() -> None:
    """Filters, paths and text."""
    listed = next(r for r in routes_of(ABConnect) if r.name == "standards.list")
    call = listed.bind(
        {"filter": F.level == 1, "fields": [F.number.raw, "statement"], "page_size": 25}
    )
    assert call.target == (
        "/rest/v4.1/standards?filter%5Bstandards%5D=level%20eq%201"
        "&fields%5Bstandards%5D=number.raw%2Cstatement&limit=25&sort%5Bstandards%5D=guid"
    )


def test_a_parameter_without_literal_values_takes_anything() -> None:
    """The server checks it."""
    Parameter("x", "x", "query", str, required=True).check(object())


# --- names on the wire that depend on the path ------------------------------------------------


def test_braces_in_a_wire_name_are_replaced_by_values_of_the_path(things: Any) -> None:
    """By those of this call, in any position of the signature."""
    call = things.related(5, kind="reds", filter="x", sort=["a"])
    assert unquote(call.target) == "/things/5/reds?filter[reds]=x&sort[reds][5][]=a&per_page=100"
    call = things.related(6, filter="x", kind="greens")
    assert unquote(call.target) == "/things/6/greens?filter[greens]=x&per_page=100"
    assert things.related(5, kind="reds").target == "/things/5/reds?per_page=100"


def test_a_value_in_a_wire_name_is_escaped_once(things: Any) -> None:
    """As part of a query, not of a path, where dots are also escaped."""
    call = things.related("a/b.c {kind}", kind="reds", sort=["x"])
    path, _, query = call.target.partition("?")
    assert path == "/things/a%2Fb%2Ec%20%7Bkind%7D/reds"
    assert parse_qsl(query) == [("sort[reds][a/b.c {kind}][]", "x"), ("per_page", "100")]


async def test_braces_in_a_key_of_a_body_are_replaced(things: Any) -> None:
    """The key depends on the path."""
    call = await things.relate(5, "red", names=["a"])
    assert json.loads(call.body)["thing"]["red_names"] == ["a"]


def test_the_route_keeps_the_template_of_a_wire_name() -> None:
    """It is the same for all calls: the command line and the docs show it."""
    found = {p.name: p.wire_name for p in route("things.related").parameters}
    assert found["filter"] == "filter[{kind}]"
    things = Things(Recorder(), "things")
    _ = things.related(5, kind="reds", filter="x")
    assert {p.name: p.wire_name for p in route("things.related").parameters} == found


def test_a_refiner_gets_the_name_that_is_sent() -> None:
    """Not the template, which it could not look up; it is not called for omitted values."""
    seen: list[tuple[str, Any]] = []

    class Refined(Things):
        """Records and changes the values."""

        @classmethod
        def _refiner(cls) -> Any:
            def refine(name: str, value: Any) -> Any:
                seen.append((name, value))
                return value.upper() if name.startswith("filter") else value

            return refine

    call: Any = Refined(Recorder(), "things").related(5, kind="reds", filter="x")
    assert unquote(call.target) == "/things/5/reds?filter[reds]=X&per_page=100"
    assert seen == [("id", 5), ("kind", "reds"), ("filter[reds]", "x")]


def test_a_path_value_is_checked_before_it_is_used_in_a_name(things: Any) -> None:
    """The message names the parameter, not the query."""
    with pytest.raises(InputError, match="kind does not take 'blues'"):
        things.related(5, kind="blues", filter="x")


# --- matching -----------------------------------------------------------------------------------

PART = "/api/v1/courses/{course_id}/course_pacing/{id}"


@pytest.mark.parametrize(
    ("path", "matches"),
    [
        ("/api/v1/courses/5/course_pacing/7", True),
        ("/api/v1/courses/5/course_pacing/7?page=2&x=/../", True),
        ("/api/v1/courses/sis_course_id:CS%2F101%2E11%C3%A9/course_pacing/2107~565", True),
        ("/api/v1/courses/5/course_pacing/...", True),
        ("/api/v1/courses/5/course_pacing/7/", False),
        ("/api/v1/courses/5/course_pacing/", False),
        ("/api/v1/courses//course_pacing/7", False),
        ("/api/v1/courses/5/course_pacing/7/publish", False),
        ("/api/v1/courses/5/6/course_pacing/7", False),
        ("/api/v1/courses/../course_pacing/7", False),
        ("/api/v1/courses/./course_pacing/7", False),
        ("/api/v1/courses/5/course_pacing/..", False),
        ("/api/v1/courses/5/course_pacing/%2E%2E", False),
        ("/api/v1/courses/5/course_pacing/%2e.", False),
        ("/api/v1/courses/x%2F..%2F..%2Faccounts/course_pacing/7", False),
        ("/api/v1/courses/..%5C..%5Caccounts/course_pacing/7", False),
        ("/api/v1/courses/5/course_pacing/7#x", False),
        ("/api/v1/courses/5/course_pacing/7\n", False),
        ("/api/v1/courses/5/course_pacing/7 8", False),
        ("/api/v1/courses/5/course_pacing/é", False),
        ("https://evil.test/api/v1/courses/5/course_pacing/7", False),
        ("//evil.test/api/v1/courses/5/course_pacing/7", False),
        ("/API/v1/courses/5/course_pacing/7", False),
        ("", False),
    ],
)
def test_a_path_of_a_cursor_must_match_its_route(path: str, matches: bool) -> None:
    """No dot segments, encoded or not, and no path that is too short or too long."""
    found = next(r for r in routes_of(Canvas) if r.name == "course_paces.get")
    assert found.path == PART
    assert found.matches(path) is matches


@given(st.one_of(st.integers(0, 2**63 - 1), st.text()), st.one_of(st.text()))
def test_a_bound_path_matches_its_route(one: int | str, two: str) -> None:
    """A cursor of a list can always be resumed."""
    found = next(r for r in routes_of(Canvas) if r.name == "course_paces.modules")
    try:
        call = found.bind({"course_id": one, "id": two})
    except InputError:
        return
    assert found.matches(call.target)


# --- types and reprs ----------------------------------------------------------------------------------


def test_return_types_are_resolved_from_annotations() -> None:
    """Including models that are imported for type checkers only."""
    found = {r.name: r.returns for r in routes_of(Canvas)}
    assert found["accounts.courses"] is Course
    assert found["course_paces.update"] is CoursePace


def test_the_repr_of_a_namespace_and_of_a_call(things: Any) -> None:
    """Without the body, which contains personal data."""
    assert repr(things).startswith("<things of ")
    call = route("things.update").bind({"id": 1, "name": "Kim"})
    assert "Kim" not in repr(call)
    assert "/things/1" in repr(call)
