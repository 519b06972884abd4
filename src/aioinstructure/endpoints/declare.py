"""Endpoints as decorated stubs: the signature is the declaration.

    class Courses(Namespace):
        @GET("/api/v1/courses")
        def list(self, *, include: Sequence[CourseInclude] = ()) -> Pages[Course]: ...

The decorators are typed as identity, so that checkers and editors see the exact signature. What
stands in it is read once, on the first call: names in the path's braces become its segments, the
others the query (GET, DELETE) or the JSON body (POST, PUT, PATCH). `-> Pages[T]` is a list,
`async def -> T` one object, `-> None` no body. Knows no service and sends nothing itself.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import (
    Annotated,
    Any,
    ClassVar,
    Literal,
    Protocol,
    TypeVar,
    cast,
    get_args,
    get_origin,
)

from attrs import frozen

from aioinstructure._types import UNSET
from aioinstructure.conversion.annotations import hints_of, is_union
from aioinstructure.conversion.model import wire_name
from aioinstructure.endpoints.route import (
    Body,
    Call,
    Parameter,
    Refine,
    Route,
    Verb,
    Where,
    names_in,
)
from aioinstructure.wire.params import PairEncoder, rails_pairs

__all__ = [
    "DELETE",
    "GET",
    "PATCH",
    "POST",
    "PUT",
    "Call",
    "Namespace",
    "Param",
    "Parameter",
    "Refine",
    "Route",
]

F = TypeVar("F", bound=Callable[..., Any])


@frozen
class Param:
    """Marks one parameter in `Annotated`: another name on the wire, or another place.

    Args:
        name: The name on the wire, such as "filter[standards]"; names of the path in braces stand
            for their values.
        where: "query" or "body"; by default what the verb says.
    """

    name: str = ""
    where: Where | None = None


class Caller(Protocol):
    """What a namespace needs of its client."""

    def list_pages(self, call: Call[Any]) -> Any:
        """The lazy list that a paginated call stands for."""
        ...

    async def fetch(self, call: Call[Any]) -> Any:
        """The object that the call gives."""
        ...


class Namespace:
    """The operations of one resource, as attributes of a client."""

    _encoding: ClassVar[PairEncoder] = staticmethod(rails_pairs)
    _page_size_name: ClassVar[str] = "per_page"

    @classmethod
    def _refiner(cls) -> Refine | None:
        """What checks what is given for the path or query, by its wire name, and may replace it."""
        return None

    def __init__(self, client: Caller, name: str) -> None:
        self._client = client
        self._name = name

    def __repr__(self) -> str:
        return f"<{self._name} of {self._client!r}>"


@frozen
class _Declared:
    """What the decorator was told; the rest stands in the signature."""

    verb: Verb
    path: str
    body: Body
    idempotent: bool | None
    items: str
    derived: bool


def _decorator(
    verb: Verb,
    path: str,
    body: Body = None,
    idempotent: bool | None = None,
    items: str = "",
    derived: bool = False,
) -> Callable[[F], F]:
    declared = _Declared(verb, path, body, idempotent, items, derived)

    def decorate(stub: F) -> F:
        return cast("F", _endpoint(stub, declared))

    return decorate


def GET(path: str, *, items: str = "", derived: bool = False) -> Callable[[F], F]:  # noqa: N802 - a name `get` would be shadowed by methods of that name
    """Declare a read.

    Args:
        path: The template, with the names of parameters in braces.
        items: Where a wrapped list has its items, as a dotted path; lists on the way are joined.
        derived: This is another view of an operation that has a route of its own.
    """
    return _decorator("GET", path, items=items, derived=derived)


def POST(path: str, *, body: Body = None, idempotent: bool = False) -> Callable[[F], F]:  # noqa: N802
    """Declare a POST.

    Args:
        path: The template.
        body: The key that the fields are nested under, or a function of all parameters by name
            that makes the whole body.
        idempotent: Whether it may be repeated when nobody knows whether it happened.
    """
    return _decorator("POST", path, body, idempotent)


def PUT(path: str, *, body: Body = None, idempotent: bool = True) -> Callable[[F], F]:  # noqa: N802
    """Declare a PUT; `body` as for POST."""
    return _decorator("PUT", path, body, idempotent)


def PATCH(path: str, *, body: Body = None, idempotent: bool = True) -> Callable[[F], F]:  # noqa: N802
    """Declare a PATCH; `body` as for POST."""
    return _decorator("PATCH", path, body, idempotent)


def DELETE(path: str, *, body: Body = None, idempotent: bool = True) -> Callable[[F], F]:  # noqa: N802
    """Declare a DELETE; its parameters go into the query, with a `body` into that."""
    return _decorator("DELETE", path, body, idempotent)


def _endpoint(stub: Callable[..., Any], declared: _Declared) -> Callable[..., Any]:
    """The method that stands in the class: binds its arguments and hands the call to the client."""
    routes: dict[tuple[type[Namespace], str], Route] = {}  # a base may serve two namespaces
    is_coroutine = inspect.iscoroutinefunction(stub)

    def route_for(owner: type[Namespace], name: str) -> Route:
        if (owner, name) not in routes:
            routes[owner, name] = _compile(stub, declared, owner, name)
        return routes[owner, name]

    def bind(self: Namespace, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call[Any]:
        known = route_for(type(self), self._name)
        arguments = known.named(args, kwargs)
        if arguments is None:  # Python knows the words for what is wrong with them
            arguments = inspect.signature(stub).bind(self, *args, **kwargs).arguments
        return known.bind(arguments)

    if is_coroutine:

        @functools.wraps(stub)
        async def fetch(self: Namespace, *args: Any, **kwargs: Any) -> Any:
            return await self._client.fetch(bind(self, args, kwargs))

        method: Callable[..., Any] = fetch
    else:

        @functools.wraps(stub)
        def pages(self: Namespace, *args: Any, **kwargs: Any) -> Any:
            return self._client.list_pages(bind(self, args, kwargs))

        method = pages
    method.route_for = route_for  # type: ignore[attr-defined]  # how routes_of finds it
    return method


_PAGING: dict[str, Where] = {"page_size": "page_size", "on_change": "on_change"}


def _compile(
    stub: Callable[..., Any], declared: _Declared, owner: type[Namespace], namespace: str
) -> Route:
    hints = hints_of(stub, stub.__module__)
    returns, paginated = _result(hints.pop("return"))
    in_path = set(names_in(declared.path))
    in_body = declared.verb in ("POST", "PUT", "PATCH") or declared.body is not None
    parameters: list[Parameter] = []
    positional: list[str] = []
    for name, declaration in list(inspect.signature(stub).parameters.items())[1:]:
        annotation, wire = _unwrap(hints[name])
        place: Where = "path" if name in in_path else "body" if in_body else "query"
        place = _PAGING[name] if paginated and name in _PAGING else wire.where or place
        required = declaration.default is inspect.Parameter.empty
        parameters.append(
            Parameter(
                name=name,
                wire_name=wire.name or wire_name(name),
                where=place,
                annotation=annotation,
                required=required,
                default=None if required else declaration.default,
                many=_is_many(annotation),
                allowed=_allowed(annotation),
            )
        )
        if declaration.kind is not inspect.Parameter.KEYWORD_ONLY:
            positional.append(name)
    return Route(
        method=declared.verb,
        path=declared.path,
        name=f"{namespace}.{stub.__name__.rstrip('_')}",
        parameters=tuple(parameters),
        returns=returns,
        paginated=paginated,
        idempotent=declared.verb == "GET" if declared.idempotent is None else declared.idempotent,
        items=tuple(declared.items.split(".")) if declared.items else (),
        derived=declared.derived,
        doc=inspect.getdoc(stub) or "",
        body=declared.body,
        refine=owner._refiner(),
        pairs=owner._encoding,
        page_size_name=owner._page_size_name,
        positional=tuple(positional),
    )


def _result(annotation: Any) -> tuple[Any, bool]:
    """The type of one item and whether there are pages of them."""
    if getattr(get_origin(annotation), "__name__", "") == "Paginator":
        return get_args(annotation)[0], True
    return (None if annotation is type(None) else annotation), False


def _unwrap(annotation: Any) -> tuple[Any, Param]:
    if get_origin(annotation) is Annotated:
        inner, *marks = get_args(annotation)
        return inner, next((mark for mark in marks if isinstance(mark, Param)), Param())
    return annotation, Param()


def _is_many(annotation: Any) -> bool:
    """Whether nothing but a list may be given, or None and UNSET."""
    if is_union(annotation):
        given = [m for m in get_args(annotation) if m not in (type(None), type(UNSET))]
        return all(_is_many(member) for member in given)
    return get_origin(annotation) in (Sequence, list, tuple)


def _allowed(annotation: Any) -> frozenset[Any] | None:
    """The words of a Literal, or of a sequence of it; None if other values may be given too."""
    if get_origin(annotation) is Literal:
        return frozenset(get_args(annotation))
    if get_origin(annotation) in (Sequence, list, tuple):
        return _allowed(get_args(annotation)[0])
    words: set[Any] = set()
    members = get_args(annotation)
    for member in members:
        if member in (type(None), type(UNSET)):
            continue
        allowed = _allowed(member)
        if allowed is None:
            return None
        words |= allowed
    return frozenset(words) or None
