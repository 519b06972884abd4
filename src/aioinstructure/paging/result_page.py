"""One page of a list, and what lists need of their client."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

from attrs import field, frozen

from aioinstructure.endpoints.route import Call
from aioinstructure.errors import DecodeError
from aioinstructure.paging.cursor import Cursor, Place
from aioinstructure.wire.message import Response

__all__ = ["Check", "ResultPage", "Source", "items_in"]


T = TypeVar("T")


@frozen
class ResultPage(Generic[T]):
    """One page of a list.

    Attributes:
        raw: Its items as the server sent them.
        response: The whole answer.
        total: How many items the whole list has, where the server says so.
        next: The call for the page behind it; None on the last one.
        cursor: The place behind this page. None where the list ends here, unless it is one that
            grows at its end (events): then what is behind it can be asked for later.
    """

    raw: list[Any] = field(repr=lambda raw: f"<{len(raw)} items>")
    response: Response
    total: int | None
    next: Call[T] | None = field(repr=False)
    cursor: Cursor[T] | None = field(repr=False)
    _structure: Callable[[Any], T] = field(repr=False, alias="structure")

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


class Source(Protocol):
    """What a list needs of its client."""

    async def fetch_page(self, call: Call[T]) -> ResultPage[T]:
        """Send the call and take the answer apart."""
        ...

    def place_of(self, call: Call[Any], skip: int, last_id: Any) -> Place:
        """What a cursor in this page says."""
        ...

    def converter_for(self, tp: Any) -> Callable[[Any], Any]:
        """The function that makes a raw item a model."""
        ...

    def ahead_of(self, call: Call[T], page: ResultPage[T]) -> Sequence[Call[T]]:
        """The calls behind a page that may be made before that page is read, in order."""
        ...

    def check_of(self, call: Call[Any], place: Place | None) -> Check | None:
        """What notices that the list changes while it is read, if anything can."""
        ...


class Check(Protocol):
    """Looks at the pages of one walk."""

    def see(self, page: ResultPage[Any]) -> None:
        """Raise IncompleteError if the page does not go on where the last one ended."""
        ...

    def start_of(self, path: str) -> str:
        """The path of the first page of the list that a page is of."""
        ...


def items_in(body: Any, path: tuple[str, ...], response: Response) -> list[Any]:
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


def _step(level: list[Any], name: str, path: tuple[str, ...], response: Response) -> Iterator[Any]:
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
