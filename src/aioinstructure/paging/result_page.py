"""One page of a list, and what a list needs from its client."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar

from attrs import field, frozen

from aioinstructure._public import public
from aioinstructure.endpoints.route import Call
from aioinstructure.errors import DecodeError, Error
from aioinstructure.paging.cursor import Cursor, CursorState
from aioinstructure.wire.message import Response

__all__ = ["ResultPage", "items_at"]

T = TypeVar("T")


@public
@frozen
class ResultPage(Generic[T]):
    """One page of a list. Iterating it gives its items, `len()` their number.

    Attributes:
        raw: Its items as the server sent them. On the first page of a resumed list, those that
            were not read before.
        response: The complete response.
        total: How many items the list has, where the server says so.
        next_error: Why the page after it is not known: the server's link to it cannot be read, or
            is missing where there should be one. A loop raises it after the items.
    """

    raw: list[Any] = field(repr=False)
    response: Response = field(repr=False)
    total: int | None = field(repr=False)
    _next: Call[T] | None = field(repr=False, alias="next")
    _state: CursorState | None = field(repr=False, alias="state")
    _structure: Callable[[Any], T] = field(repr=False, alias="structure")
    next_error: Error | None = field(default=None, repr=False)

    @property
    def next(self) -> Call[T] | None:
        """The call for the page after it; None on the last one.

        Raises:
            Error: `next_error`, if it is not known whether there is one.
        """
        if self.next_error is not None:
            raise self.next_error
        return self._next

    @property
    def items(self) -> list[T]:
        """Its items as models, converted on each access.

        Raises:
            DecodeError: One of them is not what its model says.
        """
        try:
            return [self._structure(item) for item in self.raw]
        except DecodeError as error:
            error.response = self.response
            raise

    @property
    def cursor(self) -> Cursor[T] | None:
        """The position after this page.

        None where the list ends here, unless it grows at its end (events): then the later items
        can be requested from here.
        """
        return None if self._state is None else Cursor(self._state.encode())

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.raw)

    def __repr__(self) -> str:
        total = "" if self.total is None else f" of {self.total}"
        more = "more follow" if self._next is not None else "the last page"
        if self.next_error is not None:
            more = "the next page is not known"
        return f"<ResultPage {len(self.raw)} items{total}, {more}>"


def items_at(body: Any, path: Sequence[str], response: Response) -> list[Any]:
    """The items of a list's body: at the end of the path, lists on the way joined.

    Raises:
        DecodeError: There is no list.
    """
    level = [body]
    for name in path:
        level = list(_step(level, name, path, response))
    if path:
        return level
    if not isinstance(body, list):
        raise DecodeError(
            "no list", paths=[f"expected a list, got {body!r:.60} @ $"], response=response
        )
    return body


def _step(level: list[Any], name: str, path: Sequence[str], response: Response) -> Iterator[Any]:
    for parent in level:
        inner = parent.get(name) if isinstance(parent, Mapping) else None
        if isinstance(inner, list):
            yield from inner
        elif isinstance(inner, Mapping) and name != path[-1]:
            yield inner
        elif inner is not None or name not in (parent if isinstance(parent, Mapping) else ()):
            where = ".".join(path)
            raise DecodeError(
                "no list", paths=[f"expected a list at {where} @ $"], response=response
            )
