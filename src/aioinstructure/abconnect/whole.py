"""Lists by offset, read whole: a unique order, pages side by side, and changes noticed.

The service pages by offset, so that a list which changes between two pages shifts: items come
twice, or never. Three things show it: the count that each page tells, an item of the page before,
and a sum that does not add up at the end. What none of them shows is one item that came and
another that went between the same two pages, both before the place that was read.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import parse_qsl

from attrs import define, field

from aioinstructure.errors import IncompleteError, InputError
from aioinstructure.paging.cursor import Place, id_of
from aioinstructure.paging.result_page import ResultPage
from aioinstructure.wire.params import query_string

__all__ = [
    "WINDOW",
    "WholeList",
    "is_by_relevance",
    "offset_of",
    "offsets_behind",
    "with_offset",
    "with_unique_sort",
]

WINDOW: Final = 4
"""Pages that are asked for before they are read: at 5 calls a second, for answers of 0.8 s."""

_UNIQUE: Final = frozenset({"guid", "id"})
_DIGITS: Final = 18


def _number(path: str, name: str, default: int) -> int:
    text = dict(parse_qsl(path.partition("?")[2])).get(name, "")
    if len(text) > _DIGITS:  # of a cursor, which is untrusted
        raise InputError(f"{name} is too large: {text!r:.40}")
    return int(text) if text.isdecimal() else default


def offset_of(path: str) -> int:
    """The offset of a page."""
    return _number(path, "offset", 0)


def with_offset(path: str, offset: int) -> str:
    """The path of another page of the same list; the first one's has no offset."""
    resource, _, query = path.partition("?")
    pairs = [pair for pair in query.split("&") if pair and not pair.startswith("offset=")]
    if offset:
        pairs.append(f"offset={offset}")
    return f"{resource}?{'&'.join(pairs)}"


def offsets_behind(path: str, total: int, start: int) -> list[str]:
    """The paths of the pages behind one, from the next one's offset as far as the window reaches."""
    size = start - offset_of(path)  # by the service's word: it may cut the limit that was asked for
    return [with_offset(path, at) for at in range(start, min(total, start + WINDOW * size), size)]


def with_unique_sort(path: str, resource: str) -> str:
    """The path with an order that has no ties, which paging by offset needs.

    A full-text search keeps the order of its relevance unless it has a sort of its own.
    """
    name, _, query = path.partition("?")
    pairs = parse_qsl(query, keep_blank_values=True)
    asked = dict(pairs)
    key, sort = f"sort[{resource}]", asked.get(f"sort[{resource}]", "")
    names = {part.lstrip("-") for part in sort.split(",")}
    unique = _UNIQUE | {"seq"} if resource == "events" else _UNIQUE  # elsewhere it orders siblings
    if is_by_relevance(path, resource) or names & unique:
        return path
    asked[key] = f"{sort},guid" if sort else "guid"
    return f"{name}?{query_string(asked.items())}"


def is_by_relevance(path: str, resource: str) -> bool:
    """Whether the service orders the list by relevance, which is no order to page apart by."""
    from aioinstructure.abconnect.filters.grammar import searches  # noqa: PLC0415 - the first list loads it

    asked = dict(parse_qsl(path.partition("?")[2]))
    return f"sort[{resource}]" not in asked and searches(asked.get(f"filter[{resource}]", ""))


@define
class WholeList:
    """Adds up the pages of one walk.

    Args:
        start: The offset that the walk begins at.
        place: The cursor that it goes on from, if it does.
    """

    start: int
    place: Place | None = None
    _expected: int | None = field(default=None, init=False)
    _got: int = field(default=0, init=False)
    _last: frozenset[Any] = field(default=frozenset(), init=False)

    def start_of(self, path: str) -> str:
        """The path of the first page of the list that a page is of."""
        return with_offset(path, 0)

    def see(self, page: ResultPage[Any]) -> None:
        """Raise IncompleteError if the page does not go on where the last one ended."""
        ids = frozenset(found for item in page.raw if (found := id_of(item)) is not None)
        self._compare(ids)
        if page.total is None:
            return
        if self._expected is None:
            self._expected = page.total
        if page.total != self._expected:
            raise IncompleteError(
                f"the list changed while it was read: it had {self._expected} items,"
                f" now it has {page.total}",
                expected=self._expected,
                got=page.total,
            )
        if twice := ids & self._last:
            raise IncompleteError(
                f"the list changed while it was read: {min(map(str, twice))} came twice",
                expected="items that had not come yet",
                got=sorted(map(str, twice)),
            )
        self._last = ids
        self._got += len(page.raw)
        is_last = page.next is None or not page.raw
        if is_last and self.start + self._got != self._expected:
            raise IncompleteError(
                f"the list has {self._expected} items, and {self.start + self._got} came",
                expected=self._expected,
                got=self.start + self._got,
            )

    def _compare(self, ids: frozenset[Any]) -> None:
        """Look whether the item before the cursor is still on its page.

        If it is not, nobody knows which of the others were handed out: by count alone, one would
        be lost for each that has gone.
        """
        place, self.place = self.place, None
        if place is None or not place.skip or place.last_id is None:
            return
        if str(place.last_id).lower() not in {str(each).lower() for each in ids}:
            raise IncompleteError(
                f"the list changed since the cursor was made: {place.last_id} is not on its page",
                expected=place.last_id,
                got=sorted(map(str, ids)),
            )
