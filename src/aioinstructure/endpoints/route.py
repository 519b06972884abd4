"""Routes: one operation of a service as a value, and how its arguments become a call.

Knows neither how operations are declared (`endpoint`) nor what sends a call.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, Literal, TypeAlias, TypeVar
from urllib.parse import unquote

from attrs import Factory, field, frozen

from aioinstructure._types import UNSET
from aioinstructure.conversion.annotations import is_optional
from aioinstructure.errors import InputError
from aioinstructure.wire.params import (
    PairEncoder,
    has_dot_segments,
    is_list,
    json_body,
    path_segment,
    query_string,
    rails_pairs,
)

__all__ = [
    "Body",
    "Call",
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

_BRACES = re.compile(r"{(\w+)}")
_SEGMENT = r"([\w.~%!$&'()*+,;=:@-]+)"
_ENCODED = re.compile(r"[!\"$-~]*")
"""What a path and its query may be made of: ASCII without blanks and control characters, and #."""
PAGE_MAX = 100


def names_in(path: str) -> list[str]:
    """The names in the braces of a template, in order."""
    return _BRACES.findall(path)


def checked_path(path: str) -> str:
    """The path, with or without a query, if it can be sent as it is.

    Raises:
        InputError: It does not begin with one slash, or has characters that must be escaped.
    """
    if not isinstance(path, str) or not path.startswith("/") or path.startswith("//"):
        raise InputError(f"a path begins with one slash: {path!r:.200}")
    if not _ENCODED.fullmatch(path):
        raise InputError(f"the path must be percent-encoded: {path!r:.200}")
    return path


def _is_silent(parameter: Parameter) -> bool:
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
            "on_change" for what a list does that changes.
        annotation: The type of what it takes.
        required: Whether it has no default.
        many: Whether it takes a list.
        allowed: The words that it takes, if it takes only these.
    """

    name: str
    wire_name: str
    where: Where
    annotation: Any = field(repr=False)
    required: bool
    default: Any = None
    many: bool = field(default=False, repr=False)
    allowed: frozenset[Any] | None = field(default=None, repr=False)
    _silent: bool = field(default=Factory(_is_silent, takes_self=True), init=False, repr=False)

    def _takes_none(self) -> bool:
        """In a query None is not sent; in a body it is null, which no list is."""
        if self.many and self.where == "body":
            return is_optional(self.annotation)
        return not self.required

    def check(self, value: Any) -> None:
        """Raise InputError if it is no list where it must be, or one of its words is unknown."""
        if value is UNSET or (value is None and self._takes_none()):
            return
        if self.many and not is_list(value):
            one = "..." if value is None else repr(value)
            raise InputError(f"{self.name} takes a list, such as [{one}], not {value!r}")
        if self.allowed is None:
            return
        for word in value if is_list(value) else [value]:
            if not isinstance(word, str | int) or word not in self.allowed:
                raise InputError(f"{self.name} takes no {word!r}{_hint(word, self.allowed)}")


def _hint(word: Any, allowed: frozenset[Any]) -> str:
    import difflib  # noqa: PLC0415 - for errors only, and a hundredth of the import time

    known = sorted(map(str, allowed))
    near = difflib.get_close_matches(str(word), known, 1)
    return f"{f', did you mean {near[0]!r}?' if near else '.'} It takes: {', '.join(known)}"


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

    def at(self, path: str) -> Call[T]:
        """The call for another page of the same list."""
        return Call(self.route, path, None, self.on_change)


class _BindPlan:
    """What `bind` looks up for each call."""

    __slots__ = ("elsewhere", "in_path", "names", "required")

    def __init__(self, parameters: tuple[Parameter, ...]) -> None:
        self.names = frozenset(p.name for p in parameters)
        self.required = frozenset(p.name for p in parameters if p.required)
        self.in_path = [p for p in parameters if p.where == "path"]
        self.elsewhere = [p for p in parameters if p.where != "path"]


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
    _pairs: PairEncoder = field(default=rails_pairs, repr=False, alias="pairs")
    _page_size_name: str = field(default="per_page", repr=False, alias="page_size_name")
    _positional: tuple[str, ...] = field(default=(), repr=False, alias="positional")
    _plan: _BindPlan = field(
        default=Factory(lambda route: _BindPlan(route.parameters), takes_self=True),
        init=False,
        repr=False,
    )

    def named(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any] | None:
        """The arguments of a call by their names; None if the signature does not take these."""
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
        segments: dict[str, str] = {}
        query: list[tuple[str, str]] = []
        body: dict[str, Any] = {}
        on_change = "raise"
        for parameter in self._plan.in_path:
            value = arguments.get(parameter.name)
            parameter.check(value)
            segments[parameter.name] = self._segment(parameter, value)
        for parameter in self._plan.elsewhere:
            if parameter.name in arguments:
                value = arguments[parameter.name]
                parameter.check(value)
            elif parameter._silent:
                continue
            else:
                value = parameter.default
                parameter.check(value)  # one that is required is missing
            where = parameter.where
            if where == "page_size":
                query.append((self._page_size_name, _page_size(parameter.name, value)))
            elif where == "on_change":
                on_change = value or "raise"
            elif where == "query":
                query.extend(self._query_pairs(_wire_name(parameter, segments), value))
            elif value is not UNSET:
                body[_wire_name(parameter, segments)] = value
        path = self.path.format_map(segments) if segments else self.path
        if query:
            path = f"{path}?{query_string(query)}"
        return Call(self, path, self._encode(body, arguments), on_change)

    def _segment(self, parameter: Parameter, value: Any) -> str:
        if self._refine is not None:
            value = self._refine(parameter.wire_name, value)
        return path_segment(parameter.name, value)

    def _query_pairs(self, wire_name: str, value: Any) -> Iterable[tuple[str, str]]:
        """What a parameter adds to the query."""
        if self._refine is not None:
            value = self._refine(wire_name, value)
        return () if value is UNSET else self._pairs(wire_name, value)

    def matches(self, path: str) -> bool:
        """Whether a path (with or without a query) can be one of this route's."""
        fixed = _BRACES.split(self.path)[::2]
        pattern = _SEGMENT.join(re.escape(part) for part in fixed)
        found = re.fullmatch(pattern, path.partition("?")[0], re.ASCII)
        return found is not None and not any(
            has_dot_segments(unquote(part)) for part in found.groups()
        )

    def _encode(self, body: dict[str, Any], arguments: Mapping[str, Any]) -> bytes | None:
        if callable(self._body):  # a shape of its own, made of all parameters by name
            in_path = {p.name: arguments[p.name] for p in self._plan.in_path}
            return json_body(self._body(**in_path, **body))
        if self._body is not None:
            return json_body({self._body: body})
        return json_body(body) if body else None


def _wire_name(parameter: Parameter, segments: Mapping[str, str]) -> str:
    """The name of a parameter in the request, with values for names of the path in braces."""
    name = parameter.wire_name
    if "{" not in name:
        return name
    return _BRACES.sub(lambda match: unquote(segments[match[1]]), name)


def _page_size(name: str, value: Any) -> str:
    if value is None:
        return str(PAGE_MAX)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= PAGE_MAX:
        raise InputError(f"{name} must be a number from 1 to {PAGE_MAX}, not {value!r}")
    return str(value)
