"""Filters, paths and sort keys of AB Connect as values that print as the API's own text.

    F.document.guid == "6C2635F0-..."                    document.guid eq '6C2635F0-...'
    (F.level <= 2) & ~F.status.in_("deleted")            (level le 2) and (not (status in ('deleted')))
    -F.date_modified_utc                                 -date_modified_utc, to sort by

Every comparison that is joined is put in parentheses, since `and` and `or` share one precedence in
the documentation. Source: https://developerdocs.instructure.com/services/ab-connect/
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import NoReturn, TypeAlias

from aioinstructure.abconnect.filters.grammar import (
    Comparison,
    Filter,
    In,
    IsEmpty,
    Query,
    checked_text,
    is_path,
    is_value,
    parse_filter,
)
from aioinstructure.errors import InputError

__all__ = [
    "F",
    "Filter",
    "FilterLike",
    "Path",
    "PathLike",
    "Raw",
    "Value",
    "checked_filter",
    "isempty",
    "parse_filter",
    "query",
]

Value: TypeAlias = str | int | float | bool | date

_CUSTOM = "custom_attributes"
_SPECIAL = re.compile(r"\W+")


class Raw(str):
    """Text that is sent as it stands, for what this version does not know.

    As a name, `F[Raw("new_property")]` or `fields=[Raw("new_property")]`, it is not compared with
    the known ones. As a value, `F.owner.id == Raw("_all")`, it has no quotes but its own.
    """

    __slots__ = ()


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
        return f"'{_moment(value)}'"
    if isinstance(value, date):
        return f"'{value.isoformat()}'"
    if isinstance(value, int):
        try:
            return str(int(value))
        except ValueError as error:  # Python's own limit of digits
            raise InputError("a filter cannot compare with a number of so many digits") from error
    if isinstance(value, float) and math.isfinite(value):
        return f"{Decimal(repr(float(value))):f}"  # no exponent: none is documented
    if isinstance(value, str):
        return _quoted(value)
    raise InputError(f"a filter cannot compare with {value!r}{_hint(value)}")


def _hint(value: object) -> str:
    if value is None:
        return ": ask for no value by isempty()"
    return (
        ": give values one by one, as in_(*values)" if isinstance(value, list | tuple | set) else ""
    )


def _moment(value: datetime) -> str:
    if value.utcoffset() is None:
        raise InputError(f"a datetime in a filter must have a time zone: {value!r} is naive")
    try:
        moment = value.astimezone(UTC).replace(tzinfo=None)
    except OverflowError as error:
        raise InputError(f"a filter cannot say {value!r}") from error
    return moment.isoformat(" ", "seconds")


def _quoted(value: str) -> str:
    text = str.__str__(value)  # the value of a str-Enum, not its name
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InputError(f"a filter cannot say {value!r}: UTF-8 cannot hold it") from error
    if isinstance(value, Raw):
        if not is_value(text):
            raise InputError(f"a filter cannot say {value!r}: it is no single value")
        return text
    if "\\" in text:
        # Nothing documents how a backslash is escaped, and the service's own client drops it.
        raise InputError(f"a filter cannot say a backslash: {value!r}")
    escaped = text.replace("'", "\\'")
    return f"'{escaped}'"


class Path:
    """A property by its dotted name: `F.document.guid`, or `F["document.guid"]`.

    Names of custom attributes are written as on the asset: `F.custom_attributes["Item Type"]` is
    sent under the key of the service, which is the name in lower case with every run of blanks and
    special characters as one underscore: `custom_attributes.item_type`.

    A name that ends in an underscore loses it, so that `F.class_` is `class`. Names that methods
    have here are taken in brackets, as `F["query"]`. `-F.seq` sorts by it in falling order.
    """

    __slots__ = ("_name",)

    def __init__(self, name: str = "") -> None:
        self._name = name

    def __getattr__(self, name: str) -> Path:
        if name.startswith("_"):
            raise AttributeError(name)
        return self[name.rstrip("_")]

    def __getitem__(self, name: str) -> Path:
        if not isinstance(name, str) or not name:
            raise InputError(f"no property name: {name!r}")
        text = str.__str__(name)
        raw = isinstance(name, Raw) or isinstance(self._name, Raw)
        if self._name:
            if self._name == _CUSTOM and not raw:
                text = _key(text)
            text = f"{self._name}.{text}"
        elif text.startswith(f"{_CUSTOM}.") and not raw:
            text = f"{_CUSTOM}.{_key(text.removeprefix(f'{_CUSTOM}.'))}"
        if not is_path(text):
            hint = f": sort by -F.{text[1:]}" if is_path(text.removeprefix("-")) else ""
            raise InputError(f"no property name: {name!r}{hint}")
        return Path(Raw(text) if raw else text)

    def __str__(self) -> str:
        return self._name

    def __repr__(self) -> str:
        return f"F.{self._name}" if self._name else "F"

    def __hash__(self) -> int:
        return hash(self._name)

    def __bool__(self) -> NoReturn:
        raise InputError(f"{self!r} is a property, no condition: compare it with something")

    def __neg__(self) -> str:
        text = f"-{self._named()}"
        return Raw(text) if isinstance(self._name, Raw) else text

    def _named(self) -> str:
        if not self._name:
            raise InputError("F alone is no property: name one, as in F.status")
        return self._name

    def _compare(self, operator: str, value: Value) -> Filter:
        return Comparison(self._named(), operator, literal(value))

    def __eq__(self, value: Value) -> Filter:  # type: ignore[override]  # a condition, not a bool
        return self._compare("eq", value)

    def __ne__(self, value: Value) -> Filter:  # type: ignore[override]  # a condition, not a bool
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
        return In(self._named(), tuple(literal(value) for value in values))

    def isempty(self) -> Filter:
        """No value: null, an empty array, or a relationship to nothing."""
        return IsEmpty(self._named())

    def query(self, words: str) -> Filter:
        """Full text: any of the words, stemmed, in this property; ordered by relevance.

        `F.query("...")` searches all text of the resource.
        """
        if not isinstance(words, str):
            raise InputError(f"a filter searches for text, not {words!r}")
        return Query(literal(words), self._name)


def _key(name: str) -> str:
    """The key that the service gives to a custom attribute."""
    return _SPECIAL.sub("_", name.lower())


F = Path()
"""The root of all paths."""

PathLike: TypeAlias = str | Path
FilterLike: TypeAlias = str | Filter


def query(words: str) -> Filter:
    """Full text in all text of the resource: any of the words, stemmed; ordered by relevance."""
    return F.query(words)


def isempty(path: PathLike) -> Filter:
    """No value: null, an empty array, or a relationship to nothing."""
    return (path if isinstance(path, Path) else F[path]).isempty()


def checked_filter(value: FilterLike) -> str:
    """The text of a filter that is to be sent; of a raw one the quotes and parentheses are checked.

    Raises:
        InputError: It is no filter, or one of them is not closed; the message says where.
    """
    if isinstance(value, Filter):
        return str(value)
    if isinstance(value, str):
        return checked_text(value)
    hint = ": compare it with something" if isinstance(value, Path) else ""
    raise InputError(f"no filter: {value!r}{hint}")


def names_of(names: PathLike | Iterable[PathLike]) -> list[str]:
    """Names of properties as they are sent; one text may have several, joined by commas.

    Raises:
        InputError: One is empty, has a comma of its own, or is no name.
    """
    if isinstance(names, str | Path):
        names = [names] if isinstance(names, Raw | Path) else names.split(",")
    found: list[str] = []
    for name in names:
        text = name._named() if isinstance(name, Path) else name
        if not isinstance(text, str) or not text.strip():
            raise InputError(f"no property name: {name!r}")
        if "," in text:
            raise InputError(f"no property name: {name!r} has a comma; give names one by one")
        found.append(text if isinstance(text, Raw) else str.__str__(text).strip())
    return found
