"""One page of a list, and what a list needs from its client."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar

from attrs import field, frozen

from aioinstructure._public import public
from aioinstructure._text import short_repr
from aioinstructure.endpoints.route import Call, Route
from aioinstructure.errors import DecodeError, Error
from aioinstructure.paging.cursor import Cursor, CursorState
from aioinstructure.paging.reading_options import BadItem, ReadingOptions
from aioinstructure.wire.message import Response
from aioinstructure.wire.redact import shown

__all__ = ["ResultPage", "items_at", "items_of"]

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
    _reading: ReadingOptions = field(factory=ReadingOptions, repr=False, alias="reading")
    _route: str = field(default="", repr=False, alias="route")

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
            DecodeError: One of them is not what its model says, and the option `on_bad_item` of the
                client is "raise".
        """
        found: list[T] = []
        for raw in self.raw:
            try:
                found.append(self._structure(raw))
            except DecodeError as error:
                error.response = self.response
                self._reading.take(BadItem(raw, error, self._route, None))
        return found

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


def items_of(body: Any, route: Route, response: Response) -> list[Any]:
    """The items of a list's body: where the operation says that they are.

    Raises:
        DecodeError: There is no list; for a view of a model, there is no such object.
    """
    if route.view_of is None:
        return items_at(body, route.items, response)
    whole = route.view_of.reshape(body) if isinstance(body, dict) else body
    if not isinstance(whole, dict) or not route.view_of.is_sent_in(whole):
        raise DecodeError(
            f"the response has no {route.view_of.__name__}: {shown(response.text, 200)}",
            response=response,
        )
    return items_at(whole, route.items, response, is_view=True)


def items_at(
    body: Any, path: Sequence[str], response: Response, *, is_view: bool = False
) -> list[Any]:
    """The items at the end of a path, lists on the way joined.

    Raises:
        DecodeError: There is no list; an object of a view may have none.
    """
    level = [body]
    for name in path:
        level = list(_step(level, name, path, response, is_view))
    if path:
        return level
    if not isinstance(body, list):
        raise DecodeError(
            "no list", paths=[f"expected a list, got {short_repr(body, 60)} @ $"], response=response
        )
    return body


def _step(
    level: list[Any], name: str, path: Sequence[str], response: Response, is_view: bool
) -> Iterator[Any]:
    for parent in level:
        if is_view and isinstance(parent, Mapping) and name not in parent:
            continue
        inner = parent.get(name) if isinstance(parent, Mapping) else None
        if isinstance(inner, list):
            yield from inner
        elif isinstance(inner, Mapping) and name != path[-1] and not is_view:
            yield inner
        elif inner is not None or name not in (parent if isinstance(parent, Mapping) else ()):
            where = ".".join(path)
            raise DecodeError(
                "no list", paths=[f"expected a list at {where} @ $"], response=response
            )
