"""Filtering and sorting of rows, independent of HTTP and resources."""

from __future__ import annotations

import re
from array import array
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from aioinstructure.simulator.abconnect.filters import (
    Call,
    Expr,
    Getter,
    compile_filter,
    paths_of,
    words_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from aioinstructure.simulator.abconnect.rows_base import Rows

__all__ = ["Table"]

_REMEMBERED = 64


class Table:
    """Rows that can be searched. Results are cached until `forget`."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.name = rows.name
        self._found: OrderedDict[tuple[str, str], array[int]] = OrderedDict()
        self._order: array[int] | None = None

    def known(self, path: str) -> bool:
        """Whether a filter or sort can use a path."""
        head, _, tail = path.partition(".")
        if head in self.rows.relations:
            fixed = tail in {"", "id", "guid"} or tail.startswith("meta.")
            return fixed or tail in self.rows.through.get(head, ())
        return path == "id" or self.rows.has(path) or path.endswith(".id")

    def forget(self) -> None:
        """Clear the cache after a change."""
        self._found.clear()
        self._order = None

    def find(self, expr: Expr | None, text: str, sort: Sequence[str]) -> array[int]:
        """Return the matching rows, in order. `text` is the cache key for `expr`."""
        key = (text, ",".join(sort))
        found = self._found.get(key)
        if found is None:
            found = self._find(expr, sort)
            self._found[key] = found
            if len(self._found) > _REMEMBERED:
                self._found.popitem(last=False)
        else:
            self._found.move_to_end(key)
        return found

    def _all(self) -> array[int]:
        """Return all rows, sorted by the bytes of their ids."""
        if self._order is None:
            self._order = array("I", sorted(self.rows.numbers(), key=self.rows.guid))
        return self._order

    def _find(self, expr: Expr | None, sort: Sequence[str]) -> array[int]:
        few = None if expr is None else self.rows.candidates(expr)
        rows: Iterable[int] = self._all() if few is None else sorted(few, key=self.rows.guid)
        if self.rows.withholds():
            rows = (row for row in rows if self.rows.readable(row))
        lifted = self.rows.lifted_by
        if lifted and (expr is None or lifted not in paths_of(expr)):
            rows = (row for row in rows if self.rows.usual(row))
        if expr is not None:
            fits = compile_filter(expr, self.score)
            rows = (row for row in rows if fits(self.getter(row)))
        found = list(rows)
        if sort:
            self.arrange(found, sort)
        elif expr is not None and (calls := words_of(expr)):
            self._by_relevance(found, calls)
        return array("I", found)

    def getter(self, row: int) -> Getter:
        """Return a function that returns the values of a row."""
        values = self.rows.values
        return lambda path: values(row, path)

    def arrange(
        self,
        rows: list[int],
        sort: Sequence[str],
        values: Callable[[int, str], Sequence[Any]] | None = None,
    ) -> None:
        """Sort by several keys, in place; rows without a value come first.

        Args:
            rows: The rows to sort.
            sort: Paths; a leading minus means descending.
            values: Returns the values at a path, if they depend on more than the row.
        """
        values = self.rows.values if values is None else values
        for key in reversed(sort):
            path = key.removeprefix("-")
            ranks = {row: _rank(values(row, path)) for row in rows}
            rows.sort(key=ranks.__getitem__, reverse=key.startswith("-"))

    def _by_relevance(self, rows: list[int], calls: Sequence[Call]) -> None:
        scores = {row: sum(self.score(self.getter(row), call) for call in calls) for row in rows}
        rows.sort(key=lambda row: -scores[row])

    def score(self, get: Getter, call: Call) -> int:
        """Score a row for a query: the number of words found, plus a bonus for the exact phrase.

        The real search uses stemming. This one only removes a plural `s` and also matches parts
        of words.
        """
        if ".number." in f".{call.path}":
            wanted = _parts(call.words)
            return max((len(wanted & _parts(str(value))) for value in get(call.path)), default=0)
        paths = (call.path,) if call.path else self.rows.texts
        texts = [str(value).lower() for path in paths for value in get(path)]
        words = [word.removesuffix("s") for word in re.findall(r"\w+", call.words.lower())]
        hits = sum(any(word in text for text in texts) for word in words)
        phrase = any(call.words.lower() in text for text in texts)
        return hits + (len(words) if phrase else 0)


def _rank(values: Sequence[Any]) -> tuple[int, Any]:
    if not values:
        return (0, 0)
    value = values[0]
    return (1, value) if isinstance(value, int | float) else (2, str(value))


def _parts(text: str) -> set[str]:
    return {part.lower() for part in re.split(r"[^0-9A-Za-z]+", text) if part}
