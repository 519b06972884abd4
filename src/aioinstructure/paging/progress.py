"""Progress of a list: detects a server whose pages never end.

Pages that come again, under their own address or under a new one, and pages without items. Knows
nothing of how pages are fetched.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Final, TypeVar

from aioinstructure.endpoints.route import Call
from aioinstructure.errors import IncompleteError
from aioinstructure.paging.cursor import id_of, same_id
from aioinstructure.paging.pagers import Pager
from aioinstructure.paging.result_page import ResultPage

__all__ = ["CycleDetector", "ProgressCheck"]

T = TypeVar("T")

_RECENT: Final = 128
"""How many pages back a cycle is noticed at once."""

_REPEATS: Final = 2
"""How many pages of one item in a row repeat earlier ones before the list is in a cycle."""

_PAST_END: Final = 2
"""How many empty pages in a row that may be after the end of the list are followed."""

_EMPTY_PAGES: Final = 100
"""How many empty pages in a row are followed at most."""


class CycleDetector:
    """The things that were seen, in a memory that does not grow.

    The last ones are all known. Of those before, one is: the longer the list, the farther back
    (Brent's algorithm). So a cycle of any length is noticed, a long one some rounds late.
    """

    __slots__ = ("_anchor", "_count", "_recent")

    def __init__(self) -> None:
        self._recent: dict[int, None] = {}
        self._anchor: int | None = None
        self._count = 0

    def __contains__(self, found: Hashable) -> bool:
        return (mark := hash(found)) == self._anchor or mark in self._recent

    def add(self, found: Hashable) -> None:
        """Remember a thing."""
        mark = hash(found)
        self._recent[mark] = None
        self._count += 1
        if len(self._recent) > _RECENT:
            del self._recent[next(iter(self._recent))]
        if self._count & (self._count - 1) == 0:  # a power of two
            self._anchor = mark


class ProgressCheck:
    """Checks that one reading of a list gets on.

    A page at an address that was read is a cycle, and so is one with the items of an earlier page
    under a new address. One item may be repeated where a list changes, so that a cycle of pages with
    one item needs two in a row.
    """

    __slots__ = ("_addresses", "_contents", "_empty", "_past_end", "_repeated")

    def __init__(self) -> None:
        self._addresses = CycleDetector()
        self._contents = CycleDetector()
        self._repeated = 0
        self._empty = 0
        self._past_end = 0

    def has_seen(self, call: Call[Any]) -> bool:
        """Whether a page was read at its address."""
        return call.target in self._addresses

    def see_call(self, call: Call[Any]) -> None:
        """Note the call of a page that is read now.

        Raises:
            IncompleteError: It was read before.
        """
        if self.has_seen(call):
            raise IncompleteError(
                f"the list runs in a cycle: it leads back to {call.target}",
                expected="an unread page",
                got=call.target,
            )
        self._addresses.add(call.target)

    def see_items(self, call: Call[Any], page: ResultPage[Any]) -> None:
        """Note the items of a page.

        Raises:
            IncompleteError: It repeats an earlier one, under an address that is new.
        """
        if not page.raw:
            return
        content = _content(page)
        if content not in self._contents:
            self._contents.add(content)
            self._repeated = 0
            return
        self._contents.add(content)
        self._repeated += 1
        if len(page.raw) > 1 or self._repeated >= _REPEATS:
            raise IncompleteError(
                f"the list runs in a cycle: the page at {call.target} has the items of an earlier"
                " page",
                expected="items that had not come before",
                got=[id_of(item) for item in page.raw],
            )

    def next_after(self, call: Call[T], page: ResultPage[T], pager: Pager) -> Call[T] | None:
        """The call for the next page to read; None where the list ends.

        An empty page does not end a list, unless the pager says that it may be one after the end
        and some of those came in a row.

        Raises:
            IncompleteError: Too many empty pages in a row.
        """
        following = None if page.next_error is not None else page.next
        if page.raw or following is None:
            self._empty = self._past_end = 0
            return following
        self._empty += 1
        self._past_end = self._past_end + 1 if pager.may_be_past_end(page) else 0
        if self._past_end > _PAST_END:
            return None
        if self._empty > _EMPTY_PAGES:
            raise IncompleteError(
                f"the list does not get on: {self._empty} empty pages in a row, each with a link"
                f" to the next one, the last at {call.target}",
                expected="items, or a page without a link to the next one",
                got=f"{self._empty} empty pages",
            )
        return following


def _content(page: ResultPage[Any]) -> Hashable:
    """What pages are compared by: the ids of the items; the body where an item has none."""
    ids = [id_of(item) for item in page.raw]
    if None in ids:
        return page.response.body
    return tuple(map(same_id, ids))
