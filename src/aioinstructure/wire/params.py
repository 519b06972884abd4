"""Python values to path segments, query pairs and JSON bodies. Knows no endpoint.

Canvas reads Rails brackets (`include[]=term`, `course[name]=x`) and ISO 8601 in UTC; AB Connect
reads lists joined by commas. In a query None is left out, in a JSON body it is null.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any, TypeGuard
from urllib.parse import quote

import orjson

from aioinstructure._types import UNSET
from aioinstructure.errors import InputError

__all__ = ["comma_pairs", "json_body", "path_segment", "query_string", "rails_pairs", "timestamp"]

Pair = tuple[str, str]
PairEncoder = Callable[[str, Any], Iterator[Pair]]

_MAX_ID = 2**63 - 1


def path_segment(name: str, value: object) -> str:
    """One segment of a path, escaped so that it stays one segment.

    A dot is escaped too: Canvas reads `CS/101.11` as `CS%2F101%2E11` only, since what follows a
    plain dot is a format for Rails. The colon of `sis_course_id:` and the tilde of `2107~565` stay.

    Raises:
        InputError: The value is no id: empty, blank, a bool, negative, beyond 64 bits, or with
            parts such as "..".
    """
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise InputError(f"{name} must be an int or a str, not {value!r}")
    if isinstance(value, int):
        if not 0 <= value <= _MAX_ID:
            raise InputError(f"{name} must lie between 0 and 2**63 - 1, not {value!r}")
        return str(value)
    if not value.strip():
        raise InputError(f"{name} must not be empty")
    if has_dot_segments(value):
        raise InputError(f"{name} must not have the parts '.' and '..' of a path: {value!r}")
    return _quoted(name, value, safe=":~").replace(".", "%2E")


def has_dot_segments(text: str) -> bool:
    """Whether a proxy that decodes a path before it is read would climb in it by this segment."""
    return not {".", ".."}.isdisjoint(text.replace("\\", "/").split("/"))


def _quoted(name: str, text: str, safe: str = "") -> str:
    try:
        return quote(text, safe=safe)
    except UnicodeEncodeError as error:
        raise InputError(f"{name} is no text that UTF-8 can hold: {text!r}") from error


def timestamp(name: str, value: datetime) -> str:
    """A point in time as both services read it: ISO 8601 in UTC, without needless fractions.

    Raises:
        InputError: It has no time zone, so that nobody knows which moment it is.
    """
    if value.tzinfo is None or value.utcoffset() is None:
        raise InputError(f"{name} must have a time zone: {value!r} is naive")
    try:
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    except OverflowError as error:
        raise InputError(f"{name} lies outside of the years 1 to 9999: {value!r}") from error


def _scalar(name: str, value: object) -> str:
    if isinstance(value, str):
        return str.__str__(value)  # the value of a str-Enum, not its name
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
    """Whether a value is sent as a list: any sequence or set but text and bytes."""
    no_list = str | bytes | bytearray | memoryview
    return isinstance(value, Sequence | AbstractSet) and not isinstance(value, no_list)


def rails_pairs(name: str, value: Any) -> Iterator[Pair]:
    """Pairs as Rails nests them: `a[]=1&a[]=2`, `a[b]=c`; None and UNSET give none."""
    if value is None or value is UNSET:
        return
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from rails_pairs(f"{name}[{key}]", inner)
    elif is_list(value):
        for inner in value:
            yield from rails_pairs(f"{name}[]", inner)
    else:
        yield name, _scalar(name, value)


def comma_pairs(name: str, value: Any) -> Iterator[Pair]:
    """One pair, a list joined by commas as AB Connect reads it; empty lists give none."""
    if value is None or value is UNSET:
        return
    if is_list(value):
        # By identity: the paths of AB Connect make a filter of every comparison.
        given = [inner for inner in value if inner is not None and inner is not UNSET]
        parts = [_scalar(name, inner) for inner in given]
        if not parts:
            return
        bad = next((part for part in parts if "," in part or not part), None)
        if bad is not None:
            raise InputError(f"{name} holds {bad!r}: a name cannot have a comma")
        yield name, ",".join(parts)
    else:
        yield name, _scalar(name, value)


def query_string(pairs: Iterable[Pair]) -> str:
    """Percent-encoded `a=b&c=d`, everything but letters, digits and `_.-~` escaped."""
    return "&".join(f"{_quoted(name, name)}={_quoted(name, value)}" for name, value in pairs)


def json_body(value: Mapping[str, Any]) -> bytes:
    """A JSON body: UNSET left out, None as null, datetimes in UTC.

    Raises:
        InputError: A naive datetime, NaN or infinity, an int beyond 64 bits, text that UTF-8
            cannot hold, or a type that JSON has no word for.
    """
    return orjson.dumps(_jsonable("body", value))


def _jsonable(name: str, value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        _quoted(name, value)
        return str.__str__(value)
    if isinstance(value, int):
        if not -_MAX_ID <= value <= _MAX_ID:
            raise InputError(f"{name} must lie within 64 bits, not {value!r}")
        return int(value)
    if isinstance(value, Mapping):
        return {
            _jsonable(name, str(key)): _jsonable(str(key), inner)
            for key, inner in value.items()
            if inner is not UNSET
        }
    if is_list(value):
        return [_jsonable(name, inner) for inner in value if inner is not UNSET]
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, date | float):
        return _scalar(name, value)
    raise InputError(f"{name} cannot be sent as JSON: {value!r}")
