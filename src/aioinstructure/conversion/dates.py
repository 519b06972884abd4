"""Dates and datetimes in JSON: how they are read, and when what was sent must be kept.

A date that cannot be read does not cost its object: the field is None, and the model keeps what was
sent. It also keeps a text that would be written in another form, such as `2026-01-31T00:00:00-0700`.
`DateReader` counts both, so that a model looks for them only where there are any. Independent of
models.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from attrs import define, field

__all__ = ["DateReader", "has_unreadable", "is_written_back", "iso_text"]

_DAY = len("2026-01-31")

_HOUR = slice(_DAY + 1, _DAY + 3)

# The separators of nearly all datetimes, in one look: of 2026-01-31T00:00:00Z every third character
# from the fifth on. These are also written in this form; with the offset 00:00, Z is written.
_SHAPE = slice(4, None, 3)
_IN_UTC = "--T::Z"
_WITH_OFFSET = frozenset({"--T::+:", "--T::-:"})
_HAS_HOUR_24 = sys.version_info >= (3, 13)  # hour 24 is then the midnight of the next day


def _to_datetime(value: Any) -> datetime:
    """ISO 8601; without an offset it is UTC, as in AB Connect; a date is its midnight."""
    if isinstance(value, datetime):
        return value
    moment = datetime.fromisoformat(value)
    if _HAS_HOUR_24 and value[_HOUR] == "24":
        raise ValueError(f"the hour of {value!r} is not from 0 to 23")
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _to_date(value: Any) -> date:
    """A date; of a datetime the day, in its own time zone."""
    if isinstance(value, date):
        return value
    return date.fromisoformat(value) if len(value) == _DAY else _to_datetime(value).date()


def _to_either(value: Any) -> date:
    """A date if no time of day was sent, else a datetime."""
    is_day = isinstance(value, str) and len(value) == _DAY
    return _to_date(value) if is_day else _to_datetime(value)


@define
class DateReader:
    """Reads dates, leniently.

    Attributes:
        unusual: How many values were read so far that are not written back as they were sent. It
            only grows; two threads may use one reader.
    """

    unusual: int = field(default=0, init=False)

    def hook_of(self, kinds: frozenset[type]) -> Callable[[Any, Any], Any]:
        """What reads dates, datetimes, or either of them; None if a value is none."""
        if kinds == {date}:
            return self._lenient(_to_date)
        slow = self._lenient(_to_datetime if kinds == {datetime} else _to_either)
        fromisoformat = datetime.fromisoformat

        def read(value: Any, _: Any) -> Any:
            if value is None:
                return None
            try:
                shape = value[_SHAPE]
                if _HAS_HOUR_24 and value[_HOUR] == "24":
                    return slow(value, None)
                if shape == _IN_UTC or (shape in _WITH_OFFSET and value[20:] != "00:00"):
                    return fromisoformat(value)
            except (ValueError, TypeError, KeyError):
                pass
            return slow(value, None)

        return read

    def _lenient(self, read: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
        def scalar(value: Any, _: Any) -> Any:
            if value is None:
                return None
            try:
                found = read(value)
            except (ValueError, TypeError, OverflowError):
                self.unusual += 1
                return None
            if not is_written_back(found, value):
                self.unusual += 1
            return found

        return scalar


def iso_text(value: date) -> str:
    """A date or datetime as text; UTC is written as Z."""
    text = value.isoformat()
    return text.replace("+00:00", "Z") if isinstance(value, datetime) else text


def is_written_back(value: Any, sent: Any) -> bool:
    """Whether a value that was read is written as it was sent; also of lists and objects."""
    if isinstance(value, date):
        return isinstance(sent, date) or iso_text(value) == sent
    if isinstance(value, list):
        return all(map(is_written_back, value, sent or ()))
    if isinstance(value, dict):
        return all(is_written_back(inner, sent[key]) for key, inner in value.items())
    return value is sent


def has_unreadable(value: Any, sent: Any) -> bool:
    """Whether a value is None, or has a None in it, where null was not sent."""
    if isinstance(value, list):
        return any(map(has_unreadable, value, sent))
    if isinstance(value, dict):
        return any(has_unreadable(inner, sent[key]) for key, inner in value.items())
    return value is None and sent is not None
