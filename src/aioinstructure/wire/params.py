"""Conversion of Python values to path segments, query pairs and JSON bodies.

Canvas reads Rails brackets (`include[]=term`, `course[name]=x`) and ISO 8601 in UTC; AB Connect
reads lists joined by commas. In a query None is not sent, in a JSON body it is null.

A query is a tuple of pairs until the request is sent: names are text, values are text or a
`QueryValue`, such as a list of names or a filter. `query_string` encodes it once.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any, Final, TypeAlias, TypeGuard
from urllib.parse import quote

import orjson

from aioinstructure._types import UNSET
from aioinstructure.errors import InputError

__all__ = [
    "CommaList",
    "Pair",
    "PairEncoder",
    "Query",
    "QueryValue",
    "checked_headers",
    "checked_segment",
    "comma_pairs",
    "form_body",
    "has_dot_segments",
    "is_list",
    "json_body",
    "path_segment",
    "query_string",
    "quoted_segment",
    "rails_pairs",
    "timestamp",
]


class QueryValue:
    """A query value that is not encoded yet: `str()` returns the text to send."""

    __slots__ = ()


class CommaList(tuple[str, ...], QueryValue):
    """Names that are sent joined by commas, as AB Connect expects."""

    __slots__ = ()

    def __str__(self) -> str:
        return ",".join(self)


Pair: TypeAlias = tuple[str, str | QueryValue]
"""One parameter of a query, before percent-encoding."""

Query: TypeAlias = tuple[Pair, ...]
PairEncoder: TypeAlias = Callable[[str, Any], Iterator[Pair]]
"""Returns the pairs of one parameter from its name and value."""

_DEEPEST: Final = 50
"""The most levels of lists and objects in a parameter; no operation takes nearly as many."""

_MAX_ID = 2**63 - 1

_NESTED = re.compile(r"[^\[\]]+(\[[^\[\]]+\])*(\[\])?")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_FIELD = re.compile(r"[ -~]*")
_OWN_HEADERS = frozenset(
    {"authorization", "connection", "content-length", "cookie", "host", "transfer-encoding"}
)


def path_segment(name: str, value: object) -> str:
    """Return an escaped path segment; see `checked_segment`."""
    return quoted_segment(checked_segment(name, value))


def checked_segment(name: str, value: object) -> str:
    """Return the text of an id that becomes one segment of a path.

    Raises:
        InputError: The value is not an id: empty, blank, a bool, negative, beyond 64 bits, text
            that UTF-8 cannot encode, or with parts such as "..".
    """
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise InputError(f"{name} must be an int or a str, not {value!r}")
    if isinstance(value, int):
        if not 0 <= value <= _MAX_ID:
            raise InputError(f"{name} must be between 0 and 2**63 - 1, not {value!r}")
        return str(int(value))
    if not value.strip():
        raise InputError(f"{name} must not be empty")
    if has_dot_segments(value):
        raise InputError(f"{name} must not have '.' or '..' as a path segment: {value!r}")
    return _text(name, value)


def quoted_segment(text: str) -> str:
    """Percent-encode a segment.

    A dot is escaped too: Canvas reads `CS/101.11` only as `CS%2F101%2E11`, since Rails takes the
    text after a plain dot for a format. The colon of `sis_course_id:` and the tilde of `2107~565`
    are not escaped.
    """
    return text if text.isalnum() and text.isascii() else quote(text, ":~").replace(".", "%2E")


def has_dot_segments(text: str) -> bool:
    """Whether a proxy that decodes paths before routing would leave the directory."""
    return not {".", ".."}.isdisjoint(text.replace("\\", "/").split("/"))


def _text(name: str, value: str) -> str:
    """Return the plain text, without the class of a str-Enum."""
    text = str.__str__(value)
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise InputError(f"{name} cannot be encoded as UTF-8: {text!r}") from error
    return text


def timestamp(name: str, value: datetime) -> str:
    """Format a time for both services: ISO 8601 in UTC, without a zero fraction.

    Raises:
        InputError: The time has no time zone, or is outside of the years 1 to 9999 in UTC.
    """
    if value.tzinfo is None or value.utcoffset() is None:
        raise InputError(f"{name} must have a time zone: {value!r} is naive")
    try:
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    except OverflowError as error:
        raise InputError(f"{name} must be in the years 1 to 9999: {value!r}") from error


def _scalar(name: str, value: object) -> str:
    if isinstance(value, str):
        return _text(name, value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, datetime):
        return timestamp(name, value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        if not math.isfinite(value):
            raise InputError(f"{name} must be a finite number, not {value!r}")
        return repr(value)
    if isinstance(value, Iterable | Enum) or type(value).__str__ is object.__str__:
        raise InputError(f"{name} cannot be sent in a query: {value!r}")
    return str(value)


def is_list(value: object) -> TypeGuard[Sequence[Any] | AbstractSet[Any]]:
    """Whether a value is sent as a list: any sequence or set except text and bytes."""
    no_list = str | bytes | bytearray | memoryview
    return isinstance(value, Sequence | AbstractSet) and not isinstance(value, no_list)


def rails_pairs(name: str, value: Any) -> Iterator[Pair]:
    """Return pairs as Rails nests them: `a[]=1&a[]=2`, `a[b]=c`; none for None and UNSET.

    A name may have its brackets already, as the pages of Canvas print it: "include[]".
    """
    if is_list(value):
        name = name.removesuffix("[]")
    return _rails_pairs(name, value, 0)


def _check_depth(name: str, depth: int) -> None:
    """Refuse what contains itself, and what no server would read."""
    if depth >= _DEEPEST:
        raise InputError(f"{name:.100} is nested too deep: more than {_DEEPEST} levels")


def _rails_pairs(name: str, value: Any, depth: int) -> Iterator[Pair]:
    if value is None or value is UNSET:
        return
    if isinstance(value, Mapping):
        _check_depth(name, depth)
        for key, inner in value.items():
            yield from _rails_pairs(f"{name}[{_text(name, str(key))}]", inner, depth + 1)
    elif is_list(value):
        _check_depth(name, depth)
        for inner in value:
            yield from _rails_pairs(f"{name}[]", inner, depth + 1)
    else:
        yield name, _scalar(name, value)


def comma_pairs(name: str, value: Any) -> Iterator[Pair]:
    """Return one pair, its list joined by commas as AB Connect expects; none for an empty list."""
    if value is None or value is UNSET:
        return
    if isinstance(value, QueryValue):
        yield name, value
    elif is_list(value):
        # Compare by identity: `==` on an AB Connect path builds a filter.
        given = [inner for inner in value if inner is not None and inner is not UNSET]
        parts = CommaList(_scalar(name, inner) for inner in given)
        if not parts:
            return
        bad = next((part for part in parts if "," in part or not part), None)
        if bad is not None:
            raise InputError(f"{name} has {bad!r}: a name must not be empty or contain a comma")
        yield name, parts
    else:
        yield name, _scalar(name, value)


def query_string(pairs: Iterable[Pair]) -> str:
    """Percent-encode pairs as `a=b&c=d`: all except letters, digits and `_.-~` is escaped.

    Raises:
        InputError: A name or a value is text that UTF-8 cannot encode.
    """
    try:
        return "&".join([f"{quote(name, '')}={quote(str(value), '')}" for name, value in pairs])
    except UnicodeEncodeError as error:
        raise InputError(f"the query cannot be encoded as UTF-8: {error.object!r:.100}") from error


def json_body(value: Any) -> bytes:
    """Encode a JSON body: UNSET is omitted, None is null, datetimes are in UTC.

    A name with brackets, as the pages of Canvas print it, is nested: "course[name]".

    Raises:
        InputError: A naive datetime, NaN or infinity, an int beyond 64 bits, text that UTF-8
            cannot encode, a type that has no JSON form, or names that do not fit together.
    """
    if isinstance(value, Mapping) and any("[" in str(name) for name in value):
        value = _nested(value)
    return orjson.dumps(_jsonable("body", value))


def _nested(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields with "a[b]" as {"a": {"b": ...}}, and "a[]" as "a"."""
    nested: dict[str, Any] = {}
    for name, value in fields.items():
        if value is UNSET:
            continue
        if not _NESTED.fullmatch(str(name)):
            raise InputError(f"the name {name!r:.100} in the body has brackets that do not match")
        *path, last = [part for part in re.split(r"[\[\]]+", str(name)) if part]
        place = nested
        for part in path:
            inner = place.setdefault(part, {})
            if not isinstance(inner, dict):
                raise InputError(f"{name} does not fit to another field of the body")
            place = inner
        if last in place:
            raise InputError(f"{name} is given twice in the body")
        place[last] = dict(value) if isinstance(value, Mapping) else value
    return nested


def form_body(fields: Mapping[str, Any]) -> bytes:
    """Encode a form body, with lists and mappings as in a query.

    Raises:
        InputError: A value that has no text.
    """
    pairs = [pair for name, value in fields.items() for pair in rails_pairs(str(name), value)]
    return query_string(pairs).encode()


def checked_headers(headers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The header fields that a caller adds, with names in lower case.

    Raises:
        InputError: A name or value that HTTP does not allow, or a field that the client sets.
    """
    for name, value in headers.items():
        if not (isinstance(name, str) and _TOKEN.fullmatch(name)):
            raise InputError(f"not a name of a header: {name!r:.100}")
        if name.lower() in _OWN_HEADERS:
            raise InputError(f"the header {name!r} is set by the client: leave it out")
        if not isinstance(value, str) or not _FIELD.fullmatch(value):
            raise InputError(f"the header {name!r} must be printable ASCII text")
    return tuple((name.lower(), value) for name, value in headers.items())


def _jsonable(name: str, value: Any, depth: int = 0) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(name, value)
    if isinstance(value, int):
        if not -_MAX_ID - 1 <= value <= _MAX_ID:
            raise InputError(f"{name} must fit in 64 bits, not {value!r}")
        return int(value)
    if isinstance(value, Mapping):
        _check_depth(name, depth)
        return {
            _jsonable(name, str(key)): _jsonable(str(key), inner, depth + 1)
            for key, inner in value.items()
            if inner is not UNSET
        }
    if is_list(value):
        _check_depth(name, depth)
        return [_jsonable(name, inner, depth + 1) for inner in value if inner is not UNSET]
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, date | float):
        return _scalar(name, value)
    raise InputError(f"{name} cannot be sent as JSON: {value!r}")
