"""Changes of a list while it is read: its pages are compared with one another and with the count."""

from __future__ import annotations

from typing import Any, Protocol

from attrs import define, field

from aioinstructure.errors import IncompleteError
from aioinstructure.paging.cursor import id_of, same_id
from aioinstructure.paging.result_page import ResultPage

__all__ = ["ConsistencyCheck", "OffsetConsistencyCheck", "RepeatedItemsCheck"]


class ConsistencyCheck(Protocol):
    """Compares the pages of one reading."""

    def see(self, page: ResultPage[Any]) -> None:
        """Raise IncompleteError if the page does not continue where the last one ended."""
        ...


@define
class RepeatedItemsCheck:
    """Notices an item that comes twice in one reading of a list that has no count.

    It keeps the ids of all items. An item that moves to a page that was read already stays unseen.
    """

    _seen: set[str] = field(factory=set[str], init=False)

    def see(self, page: ResultPage[Any]) -> None:
        """Raise IncompleteError if an item of the page has come before."""
        for item in page.raw:
            if (found := id_of(item)) is None:
                continue
            if (key := same_id(found)) in self._seen:
                raise IncompleteError(
                    f"the list changed while it was read: {found!r:.100} was sent twice",
                    expected="items that had not come before",
                    got=[found],
                )
            self._seen.add(key)


@define
class OffsetConsistencyCheck:
    """Adds up the pages of one reading of a list by offset.

    A list that changes between two pages shifts: items come twice, or never. Three things show it:
    the count on each page, an item of the page before, and a sum that is wrong at the end. One item
    added and another removed between the same two pages, both before the position, stay unseen.

    Args:
        start: The offset at which the reading begins.
    """

    start: int
    _expected: int | None = field(default=None, init=False)
    _got: int = field(default=0, init=False)
    _last: frozenset[str] = field(default=frozenset(), init=False)

    def see(self, page: ResultPage[Any]) -> None:
        """Raise IncompleteError if the page does not continue where the last one ended."""
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
        ids = frozenset(same_id(found) for item in page.raw if (found := id_of(item)) is not None)
        if twice := sorted(ids & self._last):
            raise IncompleteError(
                f"the list changed while it was read: {twice[0]} was sent twice",
                expected="items that had not come before",
                got=twice,
            )
        self._last = ids
        self._got += len(page.raw)
        if page.next_error is not None:
            return
        if (page.next is None or not page.raw) and self.start + self._got != self._expected:
            raise IncompleteError(
                f"the list has {self._expected} items, but {self.start + self._got} were received",
                expected=self._expected,
                got=self.start + self._got,
            )
