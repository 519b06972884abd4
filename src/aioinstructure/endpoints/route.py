"""Routes and calls: one operation of a service as a value, and how its arguments become a call.

A `Call` holds the path's arguments and the query as pairs. They are encoded once, when the request
is made; nothing parses them again. Knows neither how operations are declared (`declare`) nor what
sends a call.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, Literal, TypeAlias, TypeVar
from urllib.parse import unquote

from attrs import Factory, field, frozen

from aioinstructure._suggest import suggestion
from aioinstructure._types import UNSET
from aioinstructure.conversion.annotations import is_optional
from aioinstructure.errors import InputError
from aioinstructure.wire.params import (
    Pair,
    PairEncoder,
    Query,
    checked_segment,
    has_dot_segments,
    is_list,
    json_body,
    query_string,
    quoted_segment,
    rails_pairs,
)

__all__ = [
    "Body",
    "Call",
    "Complete",
    "Parameter",
    "Refine",
    "Route",
    "Verb",
    "Where",
    "checked_path",
    "names_in",
]

T = TypeVar("T")
Verb: TypeAlias = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Where: TypeAlias = Literal["path", "query", "body", "page_size", "on_change"]
Body: TypeAlias = str | Callable[..., Mapping[str, Any]] | None
Refine: TypeAlias = Callable[[str, Any], Any]
"""Checks a value for the path or the query, by its wire name, and may replace it."""

Complete: TypeAlias = Callable[["Call[Any]"], "Call[Any]"]
"""Adds to a bound call what follows from its other parameters, such as a unique order."""

_BRACES = re.compile(r"{(\w+)}")
_SEGMENT = r"([\w.~%!$&'()*+,;=:@-]+)"
_ENCODED = re.compile(r"[!\"$-~]*")
"""What a path and its query may consist of: ASCII without blanks, control characters and #."""
PAGE_MAX = 100


def names_in(path: str) -> list[str]:
    """The names in the braces of a template, in order."""
    return _BRACES.findall(path)


def checked_path(path: str) -> str:
    """The path, with or without a query, if it can be sent unchanged.

    Raises:
        InputError: It does not begin with exactly one slash, or has characters that must be
            escaped.
    """
    if not isinstance(path, str) or not path.startswith("/") or path.startswith("//"):
        raise InputError(f"a path must begin with one slash: {path!r:.200}")
    if not _ENCODED.fullmatch(path):
        raise InputError(f"the path must be percent-encoded: {path!r:.200}")
    return path


def _is_omitted_by_default(parameter: Parameter) -> bool:
    """Whether nothing is sent for it when it is left out."""
    if parameter.required or parameter.where not in ("query", "body"):
        return False
    if parameter.default is UNSET:
        return True
    return parameter.where == "query" and parameter.default in (None, ())


@frozen
class Parameter:
    """One parameter of a route.

    Attributes:
        name: In Python.
        wire_name: In the request.
        where: Its place: "path", "query", "body"; "page_size" for the length of a page, and
            "on_change" for what a list does when it changes.
        annotation: The type of its values.
        required: Whether it has no default.
        many: Whether it takes a list.
        allowed: The values that it takes, if it takes only these.
    """

    name: str
    wire_name: str
    where: Where
    annotation: Any = field(repr=False)
    required: bool
    default: Any = None
    many: bool = field(default=False, repr=False)
    allowed: frozenset[Any] | None = field(default=None, repr=False)
    is_omitted_by_default: bool = field(
        default=Factory(_is_omitted_by_default, takes_self=True), init=False, repr=False
    )

    def _takes_none(self) -> bool:
        """In a query None is not sent; in a body it is null, which no list is."""
        if self.many and self.where == "body":
            return is_optional(self.annotation)
        return not self.required

    def check(self, value: Any) -> None:
        """Raise InputError if it is no list where it must be, or one of its values is unknown."""
        if value is UNSET or (value is None and self._takes_none()):
            return
        if self.many and not is_list(value):
            one = "..." if value is None else repr(value)
            raise InputError(f"{self.name} takes a list, such as [{one}], not {value!r}")
        if self.allowed is None:
            return
        for one in value if is_list(value) else [value]:
            if not isinstance(one, str | int) or one not in self.allowed:
                raise InputError(f"{self.name} does not take {one!r}{_hint(one, self.allowed)}")


def _hint(value: Any, allowed: frozenset[Any]) -> str:
    known = sorted(map(str, allowed))
    hint = suggestion(str(value), known)
    return f"{hint if hint.endswith('?') else '.'} It takes: {', '.join(known)}"


@frozen(repr=False)
class Call(Generic[T]):
    """One bound call: all that is needed to send it and to read its response, as a value.

    Attributes:
        route: The operation.
        arguments: The path's arguments by name, as text that is not yet encoded.
        query: The query's pairs, not yet encoded.
        body: The JSON body, or None.
        on_change: What a list does when it changes while it is read: "raise" or "restart".
        page: The path and query of a page, as a link of the server gave them: sent unchanged
            instead of the path and the query. None for a page that the query addresses.
        headers: Header fields that the caller adds.
    """

    route: Route
    arguments: tuple[tuple[str, str], ...] = ()
    query: Query = ()
    body: bytes | None = None
    on_change: str = "raise"
    page: str | None = None
    headers: tuple[tuple[str, str], ...] = ()

    def __repr__(self) -> str:
        # Without query and body, which may hold personal data.
        return f"<Call {self.route.name or 'of a path'}: {self.route.method} {self.path}>"

    @property
    def target(self) -> str:
        """The path and query below the origin, percent-encoded."""
        if self.page is not None:
            return self.page
        path = self.route.path_with(self.arguments)
        if not self.query:
            return path
        return f"{path}{'&' if '?' in path else '?'}{query_string(self.query)}"

    @property
    def path(self) -> str:
        """The path of the operation below the origin, percent-encoded, without the query."""
        return self.route.path_with(self.arguments)

    def value(self, name: str) -> Any:
        """The first value of a parameter of the query, not encoded; None if it has none."""
        return next((value for key, value in self.query if key == name), None)

    def with_values(self, **values: Any) -> Call[T]:
        """The call for another page, or with other values in the query, by wire names.

        None removes a parameter.
        """
        return Call(
            self.route, self.arguments, with_values(self.query, values), self.body, self.on_change
        )

    def at_page(self, page: str) -> Call[T]:
        """The call for another page of the same list, by its path and query."""
        return Call(self.route, self.arguments, self.query, self.body, self.on_change, page)


def with_values(query: Query, values: Mapping[str, Any]) -> Query:
    """The pairs with other values: in their place where the name is there, else at the end."""
    left = dict(values)
    changed: list[Pair] = []
    for name, value in query:
        if name not in values:
            changed.append((name, value))
        elif (new := left.pop(name, None)) is not None:
            changed.append((name, new))
    changed += [(name, value) for name, value in left.items() if value is not None]
    return tuple(changed)


class _BindPlan:
    """What `bind` looks up for each call."""

    __slots__ = ("elsewhere", "in_path", "names", "required")

    def __init__(self, parameters: tuple[Parameter, ...]) -> None:
        self.names = frozenset(p.name for p in parameters)
        self.required = frozenset(p.name for p in parameters if p.required)
        self.in_path = [p for p in parameters if p.where == "path"]
        self.elsewhere = [p for p in parameters if p.where != "path"]


def _reads_json(route: Route) -> bool:
    has_result = route.returns not in (None, bytes, str)
    return route.method == "GET" and has_result and bool(route.name or route.paginated)


@frozen(eq=False)
class Route:
    """One operation of a service.

    Attributes:
        method: The HTTP method.
        path: The template below the origin, with the names of parameters in braces.
        name: "courses.list": stable, used in cursors, logs and by the command line; "" for a path
            that has no method of its own.
        parameters: All of them, in order.
        returns: The type of the object, or of one item of a list; None for no body.
        paginated: Whether it is a list.
        idempotent: Whether it may be repeated when the outcome is unknown.
        items: Where the items are in the body, such as ("course_pace", "modules").
        derived: Whether it is another view of an operation that has a route of its own.
        view_of: The model whose lists such a view has; None otherwise.
        doc: The docstring.
        body: The root key of the body, or the function that makes it.
        pager: How its pages are read, a `paging.pagers.Pager`; None for the client's usual way.
        expects_json: Whether it is a read that returns JSON; false for one without a name, whose
            caller reads the response.
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
    view_of: Any = field(default=None, repr=False)
    doc: str = field(default="", repr=False)
    body: Body = field(default=None, repr=False)
    pager: Any = field(default=None, repr=False)
    expects_json: bool = field(
        default=Factory(_reads_json, takes_self=True), init=False, repr=False
    )
    _refine: Refine | None = field(default=None, repr=False, alias="refine")
    _complete: Complete | None = field(default=None, repr=False, alias="complete")
    _pairs: PairEncoder = field(default=rails_pairs, repr=False, alias="pairs")
    _page_size_name: str = field(default="per_page", repr=False, alias="page_size_name")
    _positional: tuple[str, ...] = field(default=(), repr=False, alias="positional")
    _plan: _BindPlan = field(
        default=Factory(lambda route: _BindPlan(route.parameters), takes_self=True),
        init=False,
        repr=False,
    )

    def named(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any] | None:
        """The arguments of a call by their names; None if the signature does not take them."""
        positional = self._positional
        if len(args) > len(positional) or not self._plan.names.issuperset(kwargs):
            return None
        arguments = dict(zip(positional, args, strict=False))
        if not kwargs.keys().isdisjoint(arguments):
            return None
        arguments.update(kwargs)
        return arguments if self._plan.required.issubset(arguments) else None

    def bind(self, arguments: Mapping[str, Any]) -> Call[Any]:
        """The call with these arguments; those left out have their defaults.

        Raises:
            InputError: A value that the server would refuse or misread.
        """
        in_path: list[tuple[str, str]] = []
        query: list[Pair] = []
        body: dict[str, Any] = {}
        on_change = "raise"
        for parameter in self._plan.in_path:
            value = arguments.get(parameter.name)
            parameter.check(value)
            in_path.append((parameter.name, self._segment(parameter, value)))
        for parameter in self._plan.elsewhere:
            if parameter.name in arguments:
                value = arguments[parameter.name]
                parameter.check(value)
            elif parameter.is_omitted_by_default:
                continue
            else:
                value = parameter.default
                parameter.check(value)  # raises where a required one is missing
            where = parameter.where
            if where == "page_size":
                query.append((self._page_size_name, _page_size(parameter.name, value)))
            elif where == "on_change":
                on_change = value or "raise"
            elif where == "query":
                query.extend(self._query_pairs(_wire_name(parameter, in_path), value))
            elif value is not UNSET:
                body[_wire_name(parameter, in_path)] = value
        call: Call[Any] = Call(
            self, tuple(in_path), tuple(query), self._encode(body, arguments), on_change
        )
        return call if self._complete is None else self._complete(call)

    def _segment(self, parameter: Parameter, value: Any) -> str:
        if self._refine is not None:
            value = self._refine(parameter.wire_name, value)
        return checked_segment(parameter.name, value)

    def _query_pairs(self, wire_name: str, value: Any) -> Iterable[Pair]:
        """What a parameter adds to the query."""
        if self._refine is not None:
            value = self._refine(wire_name, value)
        return () if value is UNSET else self._pairs(wire_name, value)

    def path_arguments(self, values: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
        """The arguments of the path, checked like those of a call.

        Raises:
            InputError: One is missing, unknown, or not what the path takes.
        """
        in_path = self._plan.in_path
        if values.keys() != {parameter.name for parameter in in_path}:
            raise InputError(
                f"{self.name} takes {names_in(self.path)}, not {sorted(values)!r:.200}"
            )
        for parameter in in_path:
            parameter.check(values[parameter.name])
        return tuple((p.name, self._segment(p, values[p.name])) for p in in_path)

    def query_names(self, arguments: Iterable[tuple[str, str]]) -> list[str]:
        """The names of its parameters in the query, page sizes included."""
        names = [_wire_name(p, arguments) for p in self.parameters if p.where == "query"]
        return [*names, self._page_size_name]

    def sent_name(self, parameter: Parameter) -> str:
        """The name of a parameter in a request, such as "include[]" for a list of Canvas."""
        if parameter.where != "query" or not parameter.many:
            return parameter.wire_name
        return next(iter(self._pairs(parameter.wire_name, ["x"])))[0]

    def path_with(self, arguments: Sequence[tuple[str, str]]) -> str:
        """The path of a call, percent-encoded."""
        if not arguments:
            return self.path
        return self.path.format_map({name: quoted_segment(text) for name, text in arguments})

    def matches(self, path: str) -> bool:
        """Whether a path (with or without a query) can be one of this route's."""
        fixed = _BRACES.split(self.path.partition("?")[0])[::2]
        pattern = _SEGMENT.join(re.escape(part) for part in fixed)
        found = re.fullmatch(pattern, path.partition("?")[0], re.ASCII)
        if found is None:
            return False
        return not any(has_dot_segments(unquote(part)) for part in found.groups())

    def _encode(self, body: dict[str, Any], arguments: Mapping[str, Any]) -> bytes | None:
        if callable(self.body):  # a shape of its own, made of all parameters by name
            in_path = {p.name: arguments[p.name] for p in self._plan.in_path}
            return json_body(self.body(**in_path, **body))
        if self.body is not None:
            return json_body({self.body: body})
        return json_body(body) if body else None


def _wire_name(parameter: Parameter, in_path: Iterable[tuple[str, str]]) -> str:
    """The name of a parameter in the request, with values for names of the path in braces."""
    name = parameter.wire_name
    return name.format_map(dict(in_path)) if "{" in name else name


def _page_size(name: str, value: Any) -> str:
    if value is None:
        return str(PAGE_MAX)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= PAGE_MAX:
        raise InputError(f"{name} must be a number from 1 to {PAGE_MAX}, not {value!r}")
    return str(value)
