"""Filters, paths and sort keys of AB Connect as values that print as the text of the API.

    F.document.guid == "6C2635F0-..."                    document.guid eq '6C2635F0-...'
    (F.level <= 2) & ~F.status.in_("deleted")            (level le 2) and (not (status in ('deleted')))
    -F.date_modified_utc                                 -date_modified_utc, a sort key

Each condition in a combination is put in parentheses, since `and` and `or` have the same precedence
in the documentation. Source: https://developerdocs.instructure.com/services/ab-connect/
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
    """Text that is sent unchanged, for names and values that this version does not know.

    As a name, `F[Raw("new_property")]` or `fields=[Raw("new_property")]`, it is not checked against
    the known names. As a value, `F.owner.id == Raw("_all")`, no quotes are added.
    """

    __slots__ = ()


def literal(value: Value) -> str:
    r"""Return a value in the syntax of the filter language.

    Text is put in single quotes, with a quote in it as \'; numbers are bare; True and False become
    'Y' and 'N', the values of flags in the service; datetimes become UTC as 'YYYY-MM-DD HH:MM:SS'.

    Raises:
        InputError: The value is a naive datetime, NaN, or of a type that the language does not
            have.
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
        except ValueError as error:  # Python's limit on digits
            raise InputError("a number in a filter has too many digits") from error
    if isinstance(value, float) and math.isfinite(value):
        return f"{Decimal(repr(float(value))):f}"  # no exponent: none is documented
    if isinstance(value, str):
        return _quoted(value)
    raise InputError(f"a filter cannot compare with {value!r}{_hint(value)}")


def _hint(value: object) -> str:
    if value is None:
        return ": test for no value with isempty()"
    return (
        ": pass values one by one, as in_(*values)" if isinstance(value, list | tuple | set) else ""
    )


def _moment(value: datetime) -> str:
    if value.utcoffset() is None:
        raise InputError(f"a datetime in a filter must have a time zone: {value!r} is naive")
    try:
        moment = value.astimezone(UTC).replace(tzinfo=None)
    except OverflowError as error:
        raise InputError(f"a filter cannot contain {value!r}: it is out of range in UTC") from error
    return moment.isoformat(" ", "seconds")


def _quoted(value: str) -> str:
    text = str.__str__(value)  # the value of a str-Enum, not its name
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InputError(f"a filter cannot contain {value!r}: it is not valid UTF-8") from error
    if isinstance(value, Raw):
        if not is_value(text):
            raise InputError(f"a filter cannot contain {value!r}: it is not a single value")
        return text
    if "\\" in text:
        # The escape of a backslash is not documented, and the vendor's own client drops it.
        raise InputError(f"a filter cannot contain a backslash: {value!r}")
    escaped = text.replace("'", "\\'")
    return f"'{escaped}'"


class Path:
    """A property by its dotted name: `F.document.guid`, or `F["document.guid"]`.

    Names of custom attributes are written as on the asset: `F.custom_attributes["Item Type"]` is
    sent as the key of the service, `custom_attributes.item_type`. The key is the name in lower
    case, with each run of blanks and special characters replaced by one underscore.

    Trailing underscores are dropped: `F.class_` is `class`. Use brackets for names that are methods
    here, as in `F["query"]`. `-F.seq` sorts by it in descending order.
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
            raise InputError(f"not a property name: {name!r}")
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
            raise InputError(f"not a property name: {name!r}{hint}")
        return Path(Raw(text) if raw else text)

    def __str__(self) -> str:
        return self._name

    def __repr__(self) -> str:
        return f"F.{self._name}" if self._name else "F"

    def __hash__(self) -> int:
        return hash(self._name)

    def __bool__(self) -> NoReturn:
        raise InputError(f"{self!r} is a property, not a condition: compare it with a value")

    def __neg__(self) -> str:
        text = f"-{self._named()}"
        return Raw(text) if isinstance(self._name, Raw) else text

    def _named(self) -> str:
        if not self._name:
            raise InputError("F alone is not a property: name one, as in F.status")
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
        """Match any of the values."""
        if not values:
            raise InputError(
                f"{self!r}.in_() needs at least one value: an empty list matches nothing"
            )
        return In(self._named(), tuple(literal(value) for value in values))

    def isempty(self) -> Filter:
        """Match if there is no value: null, an empty array, or an empty relationship."""
        return IsEmpty(self._named())

    def query(self, words: str) -> Filter:
        """Search this property for any of the words, stemmed; results are ordered by relevance.

        `F.query("...")` searches all text of the resource.
        """
        if not isinstance(words, str):
            raise InputError(f"query() searches for text, not {words!r}")
        return Query(literal(words), self._name)


def _key(name: str) -> str:
    """Return the key that the service derives from the name of a custom attribute."""
    return _SPECIAL.sub("_", name.lower())


F = Path()
"""The root of all paths."""

PathLike: TypeAlias = str | Path
FilterLike: TypeAlias = str | Filter


def query(words: str) -> Filter:
    """Search all text of the resource for any of the words, stemmed; ordered by relevance."""
    return F.query(words)


def isempty(path: PathLike) -> Filter:
    """Match if there is no value: null, an empty array, or an empty relationship."""
    return (path if isinstance(path, Path) else F[path]).isempty()


def checked_filter(value: FilterLike) -> str:
    """Return the text of a filter to send; quotes and parentheses of a raw filter are checked.

    Raises:
        InputError: The value is not a filter, or a quote or parenthesis is not balanced; the
            message has the position.
    """
    if isinstance(value, Filter):
        return str(value)
    if isinstance(value, str):
        return checked_text(value)
    hint = ": compare it with a value" if isinstance(value, Path) else ""
    raise InputError(f"not a filter: {value!r}{hint}")


def names_of(names: PathLike | Iterable[PathLike]) -> list[str]:
    """Return the names of properties as they are sent; one text may hold several, comma-separated.

    Raises:
        InputError: A name is empty, contains a comma, or is not a name.
    """
    if isinstance(names, str | Path):
        names = [names] if isinstance(names, Raw | Path) else names.split(",")
    found: list[str] = []
    for name in names:
        text = str(name) if isinstance(name, Path) else name
        if not isinstance(text, str) or not text.strip():
            raise InputError(f"not a property name: {name!r}")
        if "," in text:
            raise InputError(f"not a property name: {name!r} has a comma; pass names one by one")
        found.append(text if isinstance(text, Raw) else str.__str__(text).strip())
    return found
