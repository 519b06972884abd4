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

import difflib
import functools
import inspect
import keyword
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import UnionType
from typing import (
    Annotated,
    Any,
    ClassVar,
    Generic,
    Literal,
    Protocol,
    TypeAlias,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
)
from urllib.parse import unquote

from attrs import field, frozen

from aioinstructure._types import UNSET
from aioinstructure.convert import hints_of
from aioinstructure.errors import InputError
from aioinstructure.wire.params import (
    Pairs,
    climbs,
    is_list,
    json_body,
    path_segment,
    query_string,
    rails_pairs,
)

__all__ = [
    "DELETE",
    "GET",
    "PATCH",
    "POST",
    "PUT",
    "Call",
    "Namespace",
    "Parameter",
    "Refine",
    "Route",
    "Wire",
    "routes_of",
]

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])
Verb: TypeAlias = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Place: TypeAlias = Literal["path", "query", "body", "page_size", "on_change"]
Body: TypeAlias = str | Callable[..., Mapping[str, Any]] | None
Refine: TypeAlias = Callable[[str, Any], Any]

_BRACES = re.compile(r"{(\w+)}")
_SEGMENT = r"([\w.~%!$&'()*+,;=:@-]+)"
PAGE_MAX = 100


@frozen
class Wire:
    """Marks one parameter in `Annotated`: another name on the wire, or another place.

    Args:
        name: The name on the wire, such as "filter[standards]"; names of the path in braces stand
            for their values.
        where: "query" or "body"; by default what the verb says.
    """

    name: str = ""
    where: Place | None = None


@frozen
class Parameter:
    """One parameter of a route.

    Attributes:
        name: In Python.
        wire_name: In the request.
        where: Its place: "path", "query", "body", or "page_size" for the length of a page.
        annotation: The type of what it takes.
        required: Whether it has no default.
        many: Whether it takes a list.
        allowed: The words that it takes, if it takes only these.
    """

    name: str
    wire_name: str
    where: Place
    annotation: Any = field(repr=False)
    required: bool
    default: Any = None
    many: bool = field(default=False, repr=False)
    allowed: frozenset[Any] | None = field(default=None, repr=False)

    def check(self, value: Any) -> None:
        """Raise InputError if it is no list where it must be, or one of its words is unknown."""
        if value is UNSET or (value is None and not self.required):
            return
        if self.many and not is_list(value):
            raise InputError(f"{self.name} takes a list, such as [{value!r}], not {value!r}")
        if self.allowed is None:
            return
        for word in value if is_list(value) else [value]:
            if not isinstance(word, str | int) or word not in self.allowed:
                near = difflib.get_close_matches(str(word), map(str, self.allowed), 1)
                hint = f", did you mean {near[0]!r}?" if near else "."
                known = ", ".join(sorted(map(str, self.allowed)))
                raise InputError(f"{self.name} takes no {word!r}{hint} It takes: {known}")


@frozen
class Call(Generic[T]):
    """One bound call: all that is needed to send it and to read the answer, as a value.

    Attributes:
        route: What was called.
        path: Path and query, encoded, below the service's base.
        body: The JSON body, or None.
        on_change: What a list does when it changes while it is read: "raise" or "restart".
    """

    route: Route
    path: str
    body: bytes | None = field(default=None, repr=False)
    on_change: str = "raise"


@frozen(eq=False)
class Route:
    """One operation of a service.

    Attributes:
        method: The HTTP verb.
        path: The template, with names in braces.
        name: "courses.list": stable, used in cursors, logs and by the command line.
        parameters: All of them, in order.
        returns: The type of the object, or of one item of a list; None for no body.
        paginated: Whether it is a list.
        idempotent: Whether it may be repeated when nobody knows whether it happened.
        items: Where the items are in the body, such as ("course_pace", "modules").
        derived: Whether it is another view of an operation that has a route of its own.
        doc: The docstring.
    """

    method: Verb
    path: str
    name: str
    parameters: tuple[Parameter, ...] = field(repr=False)
    returns: Any
    paginated: bool
    idempotent: bool
    items: tuple[str, ...] = ()
    derived: bool = False
    doc: str = field(default="", repr=False)
    _body: Body = field(default=None, repr=False, alias="body")
    _refine: Refine | None = field(default=None, repr=False, alias="refine")
    _pairs: Pairs = field(default=rails_pairs, repr=False, alias="pairs")
    _page_size_name: str = field(default="per_page", repr=False, alias="page_size_name")
    _positional: tuple[str, ...] = field(default=(), repr=False, alias="positional")

    def bind(self, arguments: Mapping[str, Any]) -> Call[Any]:
        """The call with these arguments; those left out have their defaults.

        Raises:
            InputError: A value that the server would refuse or misread.
        """
        segments: dict[str, str] = {}
        query: list[tuple[str, str]] = []
        body: dict[str, Any] = {}
        on_change = "raise"
        for parameter in self.parameters:
            value = arguments.get(parameter.name, parameter.default)
            parameter.check(value)
            if parameter.where == "path":
                segments[parameter.name] = self._segment(parameter, value)
            elif parameter.where == "on_change":
                on_change = value
            elif parameter.where == "body":
                if value is not UNSET:
                    body[parameter.wire_name] = value
            else:
                query.extend(self._asked(parameter, value, segments))
        path = _BRACES.sub(lambda match: segments[match[1]], self.path)
        if query:
            path = f"{path}?{query_string(query)}"
        in_path = {name: arguments[name] for name in segments}
        return Call(self, path, self._encode(body, in_path), on_change)

    def _segment(self, parameter: Parameter, value: Any) -> str:
        if self._refine is not None:
            value = self._refine(parameter.wire_name, value)
        return path_segment(parameter.name, value)

    def _asked(
        self, parameter: Parameter, value: Any, segments: Mapping[str, str]
    ) -> Iterable[tuple[str, str]]:
        """What a parameter adds to the query."""
        if parameter.where == "page_size":
            return [(self._page_size_name, str(_page_size(parameter.name, value)))]
        wire_name = parameter.wire_name
        if "{" in wire_name:
            wire_name = wire_name.format_map(segments)
        if self._refine is not None:
            value = self._refine(wire_name, value)
        return () if value is UNSET else self._pairs(wire_name, value)

    def matches(self, path: str) -> bool:
        """Whether a path (with or without a query) can be one of this route's."""
        fixed = _BRACES.split(self.path)[::2]
        pattern = _SEGMENT.join(re.escape(part) for part in fixed)
        found = re.fullmatch(pattern, path.partition("?")[0], re.ASCII)
        return found is not None and not any(climbs(unquote(part)) for part in found.groups())

    def _encode(self, body: dict[str, Any], in_path: Mapping[str, Any]) -> bytes | None:
        if callable(self._body):  # a shape of its own, made of all parameters by name
            return json_body(self._body(**in_path, **body))
        if self._body is not None:
            return json_body({self._body: body})
        return json_body(body) if body else None


def _page_size(name: str, value: Any) -> int:
    if value is None:
        return PAGE_MAX
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= PAGE_MAX:
        raise InputError(f"{name} must be a number from 1 to {PAGE_MAX}, not {value!r}")
    return value


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

    _encoding: ClassVar[Pairs] = staticmethod(rails_pairs)
    _page_size_name: ClassVar[str] = "per_page"

    @classmethod
    def _refiner(cls) -> Refine | None:
        """What checks a parameter of the path or query by its wire name, and may replace it."""
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
        positional = known._positional
        if len(args) > len(positional) or not kwargs.keys() <= _names(known):
            _complain(stub, self, args, kwargs)
        arguments = dict(zip(positional, args, strict=False))
        if arguments.keys() & kwargs.keys():
            _complain(stub, self, args, kwargs)
        arguments.update(kwargs)
        if any(p.required and p.name not in arguments for p in known.parameters):
            _complain(stub, self, args, kwargs)
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


@functools.lru_cache(maxsize=4096)
def _names(route: Route) -> frozenset[str]:
    return frozenset(parameter.name for parameter in route.parameters)


def _complain(stub: Callable[..., Any], *args: Any) -> None:
    """Raise the TypeError that Python itself would for these arguments."""
    self, positional, named = args
    inspect.signature(stub).bind(self, *positional, **named)


_PAGING: dict[str, Place] = {"page_size": "page_size", "on_change": "on_change"}


def _compile(
    stub: Callable[..., Any], declared: _Declared, owner: type[Namespace], namespace: str
) -> Route:
    hints = hints_of(stub, stub.__module__)
    returns, paginated = _result(hints.pop("return"))
    in_path = set(_BRACES.findall(declared.path))
    in_body = declared.verb in ("POST", "PUT", "PATCH") or declared.body is not None
    parameters: list[Parameter] = []
    positional: list[str] = []
    for name, declaration in list(inspect.signature(stub).parameters.items())[1:]:
        annotation, wire = _unwrap(hints[name])
        place: Place = "path" if name in in_path else "body" if in_body else "query"
        place = _PAGING[name] if paginated and name in _PAGING else wire.where or place
        required = declaration.default is inspect.Parameter.empty
        parameters.append(
            Parameter(
                name=name,
                wire_name=wire.name or _strip_keyword(name),
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


def _strip_keyword(name: str) -> str:
    return name[:-1] if name.endswith("_") and keyword.iskeyword(name[:-1]) else name


def _result(annotation: Any) -> tuple[Any, bool]:
    """The type of one item and whether there are pages of them."""
    if getattr(get_origin(annotation), "__name__", "") == "Pages":
        return get_args(annotation)[0], True
    return (None if annotation is type(None) else annotation), False


def _unwrap(annotation: Any) -> tuple[Any, Wire]:
    if get_origin(annotation) is Annotated:
        inner, *marks = get_args(annotation)
        return inner, next((mark for mark in marks if isinstance(mark, Wire)), Wire())
    return annotation, Wire()


def _is_many(annotation: Any) -> bool:
    """Whether nothing but a list may be given, or None and UNSET."""
    if get_origin(annotation) in (Union, UnionType):
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


def routes_of(client: type[Any]) -> Iterator[Route]:
    """Every operation of a client class, in the order of its namespaces and their methods."""
    for name, namespace in client.namespaces():
        for method in dict.fromkeys(n for base in namespace.__mro__ for n in vars(base)):
            route_for = getattr(getattr(namespace, method, None), "route_for", None)
            if route_for is not None:
                yield route_for(namespace, name)
