"""Endpoints as decorated stubs: the signature is the declaration.

    class CoursesAPI(Namespace["Canvas"]):
        @GET("/api/v1/courses")
        def list(self, *, include: Sequence[CourseInclude] = ()) -> Paginator[Course]: ...

The decorators are typed as identity, so that checkers and editors see the exact signature. It is
read once, on the first call: names in the path's braces become its segments, the others the query
(GET, DELETE) or the JSON body (POST, PUT, PATCH). `-> Paginator[T]` is a list, `async def -> T` one
object, `-> None` no body. Knows no service and sends nothing itself.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import (
    Annotated,
    Any,
    ClassVar,
    Generic,
    Literal,
    Protocol,
    TypeVar,
    cast,
    get_args,
    get_origin,
)

from attrs import frozen

from aioinstructure._suggest import suggestion
from aioinstructure._types import UNSET
from aioinstructure.conversion.annotations import hints_of, is_union
from aioinstructure.conversion.fields import wire_name
from aioinstructure.conversion.model import Model
from aioinstructure.endpoints.documentation import documentation
from aioinstructure.endpoints.route import (
    Body,
    Call,
    Complete,
    Parameter,
    Refine,
    Route,
    Verb,
    Where,
    names_in,
)
from aioinstructure.errors import ResponseError
from aioinstructure.wire.params import PairEncoder, rails_pairs

__all__ = ["DELETE", "GET", "PATCH", "POST", "PUT", "Caller", "Namespace", "Param"]

F = TypeVar("F", bound=Callable[..., Any])
C = TypeVar("C", bound="Caller")


@frozen
class Param:
    """Marks one parameter in `Annotated`: another name in the request, or another place.

    Args:
        name: The name in the request, such as "filter[standards]"; names of the path in braces
            stand for their values.
        where: "query" or "body"; by default as the HTTP method says.
    """

    name: str = ""
    where: Where | None = None


class Caller(Protocol):
    """What a namespace needs of its client."""

    def list_pages(self, call: Call[Any]) -> Any:
        """The lazy list that a paginated call returns."""
        ...

    async def fetch(self, call: Call[Any]) -> Any:
        """The object that the call returns."""
        ...


@frozen
class _Declared:
    """What the decorator was given; the signature says the rest."""

    verb: Verb
    path: str
    body: Body
    idempotent: bool | None
    items: str
    derived: bool
    view_of: type[Model] | None


class Namespace(Generic[C]):
    """The operations of one resource, as attributes of a client.

    `Namespace["Canvas"]` types `self._client` for methods that are written by hand. The class
    variables say how all operations of the resource are sent; a service sets them once, in a base
    class of its namespaces.
    """

    _base: ClassVar[str] = ""
    """What the paths are below, such as "/rest/v4.1"."""

    __source__: ClassVar[str] = ""
    """The vendor's page about the operations."""

    _pairs: ClassVar[PairEncoder] = staticmethod(rails_pairs)
    _page_size_name: ClassVar[str] = "per_page"
    _pager: ClassVar[Any] = None
    """How lists are paged, a `paging.pagers.Pager`; None for the client's usual way."""

    @classmethod
    def _refiner(cls) -> Refine | None:
        """What checks the values for path and query."""
        return None

    @classmethod
    def _completer(cls) -> Complete | None:
        """What completes a bound call."""
        return None

    def __init__(self, client: C, name: str) -> None:
        self._client = client
        self._name = name

    def __repr__(self) -> str:
        return f"<{self._name} of {self._client!r}>"

    @staticmethod
    def __endpoint__(stub: Callable[..., Any], declared: _Declared) -> Callable[..., Any]:
        """The method that a decorator makes of a stub: binds its arguments, and has them sent."""
        routes: dict[tuple[type[Namespace[Any]], str], Route] = {}  # a base may serve two

        def route_for(owner: type[Namespace[Any]], name: str) -> Route:
            if (owner, name) not in routes:
                routes[owner, name] = owner.__route__(stub, declared, name)
            return routes[owner, name]

        def bind(self: Namespace[Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call[Any]:
            route = route_for(type(self), self._name)
            arguments = route.named(args, kwargs)
            if arguments is None:
                arguments = _bind_slowly(stub, route, self, args, kwargs)
            return route.bind(arguments)

        if inspect.iscoroutinefunction(stub):

            @functools.wraps(stub)
            async def fetch(self: Namespace[Any], *args: Any, **kwargs: Any) -> Any:
                call = bind(self, args, kwargs)
                try:
                    return await self._client.fetch(call)
                except ResponseError as error:
                    # What is between does not help to understand what the server refused.
                    raise error.with_traceback(None)  # noqa: B904 - it is the same error

            method: Callable[..., Any] = fetch
        else:

            @functools.wraps(stub)
            def pages(self: Namespace[Any], *args: Any, **kwargs: Any) -> Any:
                return self._client.list_pages(bind(self, args, kwargs))

            method = pages
        method.route_for = route_for  # type: ignore[attr-defined]  # how lookup finds it
        return method

    @classmethod
    def __route__(cls, stub: Callable[..., Any], declared: _Declared, namespace: str) -> Route:
        """The route of a stub, under the name of the namespace in its client."""
        hints = hints_of(stub, stub.__module__)
        _check_declaration(stub, declared.path, hints)
        returns, paginated = _result(hints.pop("return"))
        parameters, positional = _parameters(stub, declared, hints, paginated=paginated)
        is_read = declared.verb == "GET"
        return Route(
            method=declared.verb,
            path=cls._base + declared.path,
            name=f"{namespace}.{stub.__name__.rstrip('_')}",
            parameters=parameters,
            returns=returns,
            paginated=paginated,
            idempotent=is_read if declared.idempotent is None else declared.idempotent,
            items=tuple(declared.items.split(".")) if declared.items else (),
            derived=declared.derived or declared.view_of is not None,
            view_of=declared.view_of,
            doc=inspect.cleandoc(stub.__doc__ or ""),
            body=declared.body,
            pager=cls._pager,
            refine=cls._refiner(),
            complete=cls._completer(),
            pairs=cls._pairs,
            page_size_name=cls._page_size_name,
            positional=positional,
        )


class _Endpoint:
    """A declared stub in the class of a namespace.

    On first access it becomes a plain method, whose docstring says what the route says. Annotations
    are evaluated then, not on import. A decorator above it calls it as a function.
    """

    def __init__(self, stub: Callable[..., Any], declared: _Declared) -> None:
        self._method = Namespace.__endpoint__(stub, declared)
        functools.update_wrapper(self, self._method)  # with `route_for`, which lookup needs

    def __set_name__(self, owner: type[Namespace[Any]], name: str) -> None:
        self._place = owner, name

    def __get__(self, instance: Namespace[Any] | None, _: type[Namespace[Any]]) -> Any:
        owner, name = self._place  # not the class of the instance, which may override the method
        method = self._method
        route = method.route_for(owner, owner.__module__.rpartition(".")[2])  # type: ignore[attr-defined]  # set by __endpoint__
        method.__doc__ = documentation(route, owner.__source__)
        if vars(owner).get(name) is self:
            setattr(owner, name, method)
        return method if instance is None else method.__get__(instance)

    def __call__(self, instance: Namespace[Any], *args: Any, **kwargs: Any) -> Any:
        return self._method(instance, *args, **kwargs)


def _decorator(
    verb: Verb,
    path: str,
    body: Body = None,
    idempotent: bool | None = None,
    items: str = "",
    derived: bool = False,
    view_of: type[Model] | None = None,
) -> Callable[[F], F]:
    if not path.startswith("/") or path.startswith("//"):
        raise TypeError(f"the path of an endpoint must begin with one slash: {path!r}")
    declared = _Declared(verb, path, body, idempotent, items, derived, view_of)

    def decorate(stub: F) -> F:
        return cast("F", _Endpoint(stub, declared))

    return decorate


def GET(  # noqa: N802 - a name `get` would be shadowed by methods of that name
    path: str, *, items: str = "", derived: bool = False, view_of: type[Model] | None = None
) -> Callable[[F], F]:
    """Declare a read.

    Args:
        path: The template, with the names of parameters in braces.
        items: Where a wrapped list has its items, as a dotted path; lists on the way are joined.
        derived: This is another view of an operation that has a route of its own.
        view_of: The model that the operation reads whose lists these are. They take what it takes;
            null or no list is an empty list.
    """
    return _decorator("GET", path, items=items, derived=derived, view_of=view_of)


def POST(path: str, *, body: Body = None, idempotent: bool = False) -> Callable[[F], F]:  # noqa: N802
    """Declare a POST.

    Args:
        path: The template.
        body: The key that the fields are nested under, or a function of all parameters by name
            that makes the complete body.
        idempotent: Whether it may be repeated when the outcome is unknown.
    """
    return _decorator("POST", path, body, idempotent)


def PUT(path: str, *, body: Body = None, idempotent: bool = True) -> Callable[[F], F]:  # noqa: N802
    """Declare a PUT; `body` as for POST."""
    return _decorator("PUT", path, body, idempotent)


def PATCH(path: str, *, body: Body = None, idempotent: bool = True) -> Callable[[F], F]:  # noqa: N802
    """Declare a PATCH; `body` as for POST."""
    return _decorator("PATCH", path, body, idempotent)


def DELETE(path: str, *, body: Body = None, idempotent: bool = True) -> Callable[[F], F]:  # noqa: N802
    """Declare a DELETE; its parameters go into the query, or with a `body` into that."""
    return _decorator("DELETE", path, body, idempotent)


def _bind_slowly(
    stub: Callable[..., Any],
    route: Route,
    owner: Namespace[Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> dict[str, Any]:
    """The arguments as Python binds them, or its TypeError with the method and the nearest name."""
    try:
        return inspect.signature(stub).bind(owner, *args, **kwargs).arguments
    except TypeError as error:
        known = [parameter.name for parameter in route.parameters]
        unknown = next((name for name in kwargs if name not in known), None)
        if unknown is None:
            raise TypeError(f"{route.name}(): {error}") from None
        raise TypeError(
            f"{route.name}() takes no {unknown!r}{suggestion(unknown, known)}"
        ) from None


_PAGING: dict[str, Where] = {"page_size": "page_size", "on_change": "on_change"}


def _parameters(
    stub: Callable[..., Any], declared: _Declared, hints: dict[str, Any], *, paginated: bool
) -> tuple[tuple[Parameter, ...], tuple[str, ...]]:
    """All parameters, and the names of those that may be given by position."""
    in_path = set(names_in(declared.path))
    in_body = declared.verb in ("POST", "PUT", "PATCH") or declared.body is not None
    parameters: list[Parameter] = []
    positional: list[str] = []
    for name, declaration in list(inspect.signature(stub).parameters.items())[1:]:
        annotation, param = _unwrap(hints[name])
        place: Where = "path" if name in in_path else "body" if in_body else "query"
        place = _PAGING[name] if paginated and name in _PAGING else param.where or place
        required = declaration.default is inspect.Parameter.empty
        parameters.append(
            Parameter(
                name=name,
                wire_name=param.name or wire_name(name),
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
    return tuple(parameters), tuple(positional)


def _check_declaration(stub: Callable[..., Any], path: str, hints: Mapping[str, Any]) -> None:
    """Raise TypeError if the signature and the path of a stub do not fit together."""
    parameters = dict(list(inspect.signature(stub).parameters.items())[1:])
    problem = ""
    if starred := [
        name for name, p in parameters.items() if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]:
        problem = f"*{starred[0]} is not possible"
    elif missing := [name for name in (*parameters, "return") if name not in hints]:
        problem = f"{missing[0]!r} has no annotation"
    elif missing := [name for name in names_in(path) if name not in parameters]:
        problem = f"{missing[0]!r} of the path is no parameter"
    elif inspect.iscoroutinefunction(stub) == _result(hints["return"])[1]:
        problem = "it is either `async def` and returns one object, or `def` and returns Paginator"
    if problem:
        raise TypeError(f"the endpoint {stub.__qualname__} is not valid: {problem}")


def _result(annotation: Any) -> tuple[Any, bool]:
    """The type of one item, and whether there are pages of them."""
    if getattr(get_origin(annotation), "__name__", "") == "Paginator":
        return get_args(annotation)[0], True
    return (None if annotation is type(None) else annotation), False


def _unwrap(annotation: Any) -> tuple[Any, Param]:
    if get_origin(annotation) is Annotated:
        inner, *marks = get_args(annotation)
        return inner, next((mark for mark in marks if isinstance(mark, Param)), Param())
    return annotation, Param()


def _is_many(annotation: Any) -> bool:
    """Whether only a list may be given, or None and UNSET."""
    if is_union(annotation):
        given = [m for m in get_args(annotation) if m not in (type(None), type(UNSET))]
        return all(_is_many(member) for member in given)
    return get_origin(annotation) in (Sequence, list, tuple)


def _allowed(annotation: Any) -> frozenset[Any] | None:
    """The values of a Literal, or of a sequence of it; None if other values may be given too."""
    if get_origin(annotation) is Literal:
        return frozenset(get_args(annotation))
    if get_origin(annotation) in (Sequence, list, tuple):
        return _allowed(get_args(annotation)[0])
    values: set[Any] = set()
    for member in get_args(annotation):
        if member in (type(None), type(UNSET)):
            continue
        allowed = _allowed(member)
        if allowed is None:
            return None
        values |= allowed
    return frozenset(values) or None
