"""Filters, paths and sort keys of AB Connect as values that print as the API's own text.

    F.document.guid == "6C2635F0-..."                    document.guid eq '6C2635F0-...'
    (F.level <= 2) & ~F.status.in_("deleted")            (level le 2) and (not status in ('deleted'))

Every comparison that is joined is put in parentheses, since `and` and `or` share one precedence in
the documentation. Source: https://developerdocs.instructure.com/services/ab-connect/
"""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from typing import NoReturn, TypeAlias

from attrs import frozen

from aioinstructure.errors import InputError

__all__ = ["F", "Filter", "FilterLike", "Path", "PathLike", "Value"]

Value: TypeAlias = str | int | float | bool | date


def literal(value: Value) -> str:
    r"""A value as the filter language writes it.

    Text in single quotes, a quote in it as \'; numbers bare; True and False as 'Y' and 'N', which
    is what the service has for flags; moments in UTC as 'YYYY-MM-DD HH:MM:SS'.

    Raises:
        InputError: A naive datetime, NaN, or something that has no form there.
    """
    if isinstance(value, bool):
        return "'Y'" if value else "'N'"
    if isinstance(value, datetime):
        if value.utcoffset() is None:
            raise InputError(f"a datetime in a filter must have a time zone: {value!r} is naive")
        try:
            moment = value.astimezone(UTC).replace(tzinfo=None)
        except OverflowError as error:
            raise InputError(f"a filter cannot say {value!r}") from error
        return f"'{moment.isoformat(' ', 'seconds')}'"
    if isinstance(value, date):
        return f"'{value.isoformat()}'"
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, float) and math.isfinite(value):
        return repr(value)
    if isinstance(value, str):
        if "\\" in value:
            # Nothing documents how a backslash is escaped, and the service's own client drops it.
            raise InputError(f"a filter cannot say a backslash: {value!r}")
        escaped = value.replace("'", "\\'")
        return f"'{escaped}'"
    raise InputError(f"a filter cannot compare with {value!r}")


@frozen
class Filter:
    """A condition. Join two by `&` and `|`, negate one by `~`; `str()` is what is sent."""

    text: str

    def __and__(self, other: Filter) -> Filter:
        return self._joined("and", other)

    def __or__(self, other: Filter) -> Filter:
        return self._joined("or", other)

    def _joined(self, word: str, other: Filter) -> Filter:
        return Filter(f"({self}) {word} ({other})") if isinstance(other, Filter) else NotImplemented

    def __invert__(self) -> Filter:
        return Filter(f"not ({self})")

    def __bool__(self) -> NoReturn:
        raise InputError("join filters by & and |, negate by ~: and, or and not would drop one")

    def __str__(self) -> str:
        return self.text


class Path:
    """A property by its dotted name: `F.document.guid`, or `F["custom_attributes"]["color"]`."""

    __slots__ = ("_name",)

    def __init__(self, name: str = "") -> None:
        self._name = name

    def __getattr__(self, name: str) -> Path:
        if name.startswith("_"):
            raise AttributeError(name)
        return self[name.rstrip("_")]

    def __getitem__(self, name: str) -> Path:
        if (
            not isinstance(name, str)
            or not name
            or any(ch.isspace() or ch in "'\"(),[]\\" for ch in name)
        ):
            raise InputError(f"no property name: {name!r}")
        return Path(f"{self._name}.{name}" if self._name else name)

    def __str__(self) -> str:
        return self._name

    def __repr__(self) -> str:
        return f"F.{self._name}" if self._name else "F"

    def __hash__(self) -> int:
        return hash(self._name)

    def __bool__(self) -> NoReturn:
        raise InputError(f"{self!r} is a property, no condition: compare it with something")

    def _named(self) -> str:
        if not self._name:
            raise InputError("F alone is no property: name one, as in F.status")
        return self._name

    def _compare(self, operator: str, value: Value) -> Filter:
        return Filter(f"{self._named()} {operator} {literal(value)}")

    def __eq__(self, value: Value) -> Filter:  # type: ignore[override]  # a condition, not a bool
        return self._compare("eq", value)

    def __ne__(self, value: Value) -> Filter:  # type: ignore[override]
        return self._compare("ne", value)

    def __gt__(self, value: Value) -> Filter:
        return self._compare("gt", value)

    def __ge__(self, value: Value) -> Filter:
        return self._compare("ge", value)

    def __lt__(self, value: Value) -> Filter:
        return self._compare("lt", value)

    def __le__(self, value: Value) -> Filter:
        return self._compare("le", value)

    def in_(self, *values: Value) -> Filter:
        """Any of the values."""
        if not values:
            raise InputError(f"{self!r}.in_() needs a value: an empty list matches nothing")
        return Filter(f"{self._named()} in ({','.join(literal(value) for value in values)})")

    def isempty(self) -> Filter:
        """No value: null, an empty array, or a relationship to nothing."""
        return Filter(f"isempty({self._named()})")

    def query(self, words: str) -> Filter:
        """Full text: any of the words, stemmed, in this property; ordered by relevance."""
        inner = literal(words)
        return Filter(f"query({self}, {inner})" if self._name else f"query({inner})")


F = Path()
"""The root of all paths."""

PathLike: TypeAlias = str | Path
FilterLike: TypeAlias = str | Filter
