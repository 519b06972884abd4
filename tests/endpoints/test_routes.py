"""Every operation has a route or a body, binds, sends, decodes, and is the documented one."""

from __future__ import annotations

import asyncio
import functools
import inspect
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin
from urllib.parse import parse_qsl, unquote

import pytest

from aioinstructure._types import UNSET
from aioinstructure.abconnect import ABConnect
from aioinstructure.canvas import Canvas
from aioinstructure.client import Client
from aioinstructure.conversion.annotations import hints_of
from aioinstructure.conversion.model import Model
from aioinstructure.endpoints.declare import Namespace
from aioinstructure.endpoints.lookup import namespace_type, namespaces_of, routes_of
from aioinstructure.endpoints.route import Parameter, Route
from aioinstructure.testing import FakeTransport, reply
from tests.bodies import body_of

CLIENTS: list[type[Client]] = [Canvas, ABConnect]
ROUTES = [(client, route) for client in CLIENTS for route in routes_of(client)]
OPERATIONS = Path(__file__).parents[1] / "data" / "operations.json"


def by_name(found: tuple[type[Client], Route]) -> str:
    return f"{found[0].__name__}.{found[1].name}"


def methods() -> Iterator[tuple[type[Namespace[Any]], str]]:
    for client in CLIENTS:
        for _, namespace in [(n, namespace_type(client, n)) for n in namespaces_of(client)]:
            for name in dir(namespace):
                if not name.startswith("_"):
                    yield namespace, name


@pytest.mark.parametrize(("namespace", "name"), list(methods()))
def test_every_method_has_a_route_or_a_body(namespace: type[Namespace[Any]], name: str) -> None:
    """A stub without its decorator would return None; mypy does not check (empty-body is off)."""
    method = getattr(namespace, name)
    if hasattr(method, "route_for"):
        return
    lines = inspect.getsource(method).rstrip().splitlines()
    assert lines[-1].strip() not in ("...", "pass"), f"{namespace.__name__}.{name} does nothing"
    assert not lines[-1].strip().endswith('"""')


@pytest.mark.parametrize(("namespace", "name"), list(methods()))
def test_every_method_is_described(namespace: type[Namespace[Any]], name: str) -> None:
    """The docs and the command line show the description."""
    doc = inspect.getdoc(getattr(namespace, name)) or ""
    assert doc.partition("\n")[0].endswith("."), doc


@pytest.mark.parametrize("client", CLIENTS)
def test_names_of_routes_are_unique(client: type[Client]) -> None:
    """Cursors and the command line use them."""
    names = [route.name for route in routes_of(client)]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z0-9_]+\.[a-z0-9_]+", name) for name in names)


@pytest.mark.parametrize("found", ROUTES, ids=by_name)
def test_the_path_names_required_parameters(found: tuple[type[Client], Route]) -> None:
    """Each name in braces is a required parameter, and nothing else is in the path."""
    _, route = found
    in_path = [p.name for p in route.parameters if p.where == "path"]
    assert sorted(re.findall(r"{(\w+)}", route.path)) == sorted(in_path)
    assert all(p.required for p in route.parameters if p.where == "path")
    assert [p.where for p in route.parameters].count("page_size") <= route.paginated


# --- binds, sends, decodes ----------------------------------------------------------------------


def sample(annotation: Any) -> Any:
    """An argument that the annotation allows."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return inner[0]
    if origin in (Union, UnionType):
        left = [m for m in inner if m not in (type(None), type(UNSET))]
        return sample(left[0])
    if origin in (Sequence, list, tuple):
        return [sample(inner[0])]
    if origin is Mapping:
        return {sample(inner[0]): sample(inner[1])}
    if inspect.isclass(annotation) and issubclass(annotation, dict):  # a TypedDict
        hints = hints_of(annotation, annotation.__module__)
        return {name: sample(hint) for name, hint in hints.items()}
    known: dict[Any, Any] = {
        int: 5,
        str: "x",
        bool: True,
        float: 0.5,
        datetime: datetime(2026, 1, 2, tzinfo=UTC),
        date: date(2026, 1, 2),
        Any: "x",
    }
    return known[annotation]


GUID = "1F9D5A8A-7053-11DF-8EBF-BE719DFF4B22"


def argument(parameter: Parameter) -> Any:
    if parameter.where == "page_size":
        return 7
    kind = parameter.wire_name.partition("[")[0]
    if parameter.name in ("id", "parent_id") and parameter.annotation is str:
        return GUID
    if parameter.where == "body" and parameter.annotation == Sequence[str]:
        return [GUID]  # members of a relationship
    # Property names are checked; each resource of AB Connect has these.
    known = {"fields": ["id"], "sort": ["guid"], "filter": "guid eq 'x'"}
    return known[kind] if "[" in parameter.wire_name else sample(parameter.annotation)


def wrapped(route: Route, client: type[Client], item: Any) -> Any:
    """The body of a list with one item, in the place that the route declares."""
    path = route.items or (("data",) if client is ABConnect else ())
    body: Any = [item]
    for name in reversed(path):
        body = {name: body if isinstance(body, list) or route.view_of is None else [body]}
    return body


def client_of(kind: type[Client], transport: FakeTransport) -> Client:
    if kind is Canvas:
        return Canvas("https://canvas.test", token="t", transport=transport)
    return ABConnect(
        partner_id="p", partner_key="k", base_url="https://ab.test", transport=transport
    )


def assert_set(found: Any, sent: Any, where: str) -> None:
    """Each field of the model has what was sent, and nothing is left in `extra`."""
    assert isinstance(found, Model)
    assert found.extra == {}, where
    assert found.to_dict() == sent, where


@pytest.mark.parametrize("all_given", [False, True], ids=["required", "all"])
@pytest.mark.parametrize("found", ROUTES, ids=by_name)
async def test_every_operation_binds_sends_and_decodes(
    found: tuple[type[Client], Route], all_given: bool
) -> None:
    """With the required arguments only, and with all arguments."""
    kind, route = found
    item = None if route.returns is None else body_of(route.returns)
    transport = FakeTransport([reply(wrapped(route, kind, item) if route.paginated else item)])
    client = client_of(kind, transport)
    namespace, _, name = route.name.partition(".")
    given = {p.name: argument(p) for p in route.parameters if all_given or p.required}
    method = getattr(getattr(client, namespace), name, None) or getattr(
        getattr(client, namespace), f"{name}_"
    )
    result = method(**given)
    if route.paginated:
        (result,) = await result.collect()
    else:
        result = await result
    if route.returns is None:
        assert result is None
    else:
        assert isinstance(result, route.returns)
        assert_set(result, item, route.name)

    (request,) = transport.requests
    assert request.method == route.method
    path, _, query = request.path.partition("?")
    shape = re.sub(r"{\w+}", "[^/]+", route.path)
    assert re.fullmatch(shape, path)
    names = {unquote(name).partition("[]")[0] for name, _ in parse_qsl(query)}
    expected = {
        p.wire_name.format(**given)
        for p in route.parameters
        if p.where == "query" and p.name in given
    }
    assert expected <= names
    if all_given and any(p.where == "body" for p in route.parameters):
        body = json.loads(request.body or b"null")
        if callable(route.body):  # its shape has tests of its own
            assert body.keys() == {"data"}
            return
        fields = (
            next(iter(body.values()))
            if len(body) == 1 and isinstance(next(iter(body.values())), dict)
            else body
        )
        assert set(fields) == {p.wire_name for p in route.parameters if p.where == "body"}
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize("found", ROUTES, ids=by_name)
async def test_every_operation_refuses_unknown_arguments(
    found: tuple[type[Client], Route],
) -> None:
    """A misspelt argument is a TypeError, as in any function."""
    kind, route = found
    client = client_of(kind, FakeTransport([]))
    namespace, _, name = route.name.partition(".")
    given = {p.name: argument(p) for p in route.parameters if p.required}
    with pytest.raises(TypeError, match="no_such_thing"):  # noqa: PT012 - lists raise at once
        result = getattr(getattr(client, namespace), name)(**given, no_such_thing=1)
        await result


# --- the documentation --------------------------------------------------------------------------

# Operations that no page has, and why.
UNPUBLISHED = {
    "Canvas.course_paces.contexts": "annotated in Canvas's source, not published (spec 5.1)",
    "Canvas.course_paces.new": "in Canvas's routes, not published (spec 5.1)",
}
# Parameters by operation that differ from the published page, and why.
DIFFERENT: dict[str, set[str]] = {
    # The page names a parameter that the path already has.
    "Canvas.course_paces.get": {"course_pace_id"},
    "Canvas.course_paces.delete": {"course_pace_id"},
    # Flat names and a singular that the server does not read; only compress_dates reads start
    # dates (spec 5.6). The real root key is course_pace.
    "Canvas.course_paces.create": {
        "course_pace_module_item_attributes",
        "course_pace_module_items_attributes",
        "start_date",
        "start_date_context",
        "end_date_context",
    },
    "Canvas.course_paces.update": {
        "course_pace_id",
        "course_pace_module_item_attributes",
        "course_pace_module_items_attributes",
    },
    # Documented only in the text on cancelling; the server reads it.
    "Canvas.progress.cancel": {"message"},
    # A separate method returns its standards.
    "ABConnect.topics.related": {"fields[standards]"},
    # A separate method returns facets.
    **{
        f"ABConnect.{resource}.list": {"facet", "facet_summary"}
        for resource in ("standards", "topics", "concepts", "events", "assets")
    },
}
PAGING = {"page", "per_page", "limit", "offset"}


def shape_of(path: str) -> str:
    return re.sub(r"{\w+}", "{}", path)


@functools.cache
def documented() -> dict[tuple[str, str, str], list[set[str]]]:
    """Parameters of each published operation, by service, method and shape of the path.

    The table has the operations that are implemented, as the vendors' pages describe them.
    """
    found: dict[tuple[str, str, str], list[set[str]]] = {}
    for operation in json.loads(OPERATIONS.read_text(encoding="utf-8")):
        key = (operation["service"], operation["method"], shape_of(operation["path"]))
        found.setdefault(key, []).append(set(operation["parameters"]) - PAGING)
    return found


def wire_names(route: Route) -> set[str]:
    """Names as on the published pages: fields of a body follow its key, in brackets."""
    body = route.bind({p.name: argument(p) for p in route.parameters}).body
    key = next(iter(json.loads(body)), None) if body else None
    nested = body is not None and isinstance(json.loads(body)[key], dict)
    names = set()
    for parameter in route.parameters:
        if parameter.where == "query":
            names.add(parameter.wire_name)
        elif parameter.where == "body" and not callable(route.body):
            names.add(f"{key}[{parameter.wire_name}]" if nested else parameter.wire_name)
    return names


def flat(name: str) -> str:
    """The pages on course paces omit the root key, and so does the comparison."""
    return name.removeprefix("course_pace[").removesuffix("]") if "course_pace[" in name else name


@pytest.mark.parametrize("found", [f for f in ROUTES if not f[1].derived], ids=by_name)
def test_an_operation_is_the_documented_one(found: tuple[type[Client], Route]) -> None:
    """Method, shape of the path and parameter names agree, except for the differences above."""
    kind, route = found
    name = by_name(found)
    pages = documented().get((kind.__name__, route.method, shape_of(route.path)))
    if pages is None:
        assert name in UNPUBLISHED, f"no page has {route.method} {route.path}"
        return
    assert name not in UNPUBLISHED
    implemented = {flat(n) for n in wire_names(route)} - PAGING
    difference = min((implemented ^ published for published in pages), key=len)
    assert difference == DIFFERENT.get(name, set())


def test_the_table_has_implemented_operations_only() -> None:
    """Each operation of the table has a method."""
    routes = {(kind.__name__, each.method, shape_of(each.path)) for kind, each in ROUTES}
    assert documented().keys() <= routes
