"""Walks above the API that can be gone on with: their cursors, and how they are read.

The base of `DocumentTree`, `Replacements` and `Crosswalk`, with what all three ask and compare.
Knows no relationship, and nothing of the wire.
"""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, Protocol, TypeAlias, TypeVar

import orjson

from aioinstructure.abconnect.filters.expressions import PathLike
from aioinstructure.abconnect.json_api.resources import check_guid
from aioinstructure.errors import InputError

if TYPE_CHECKING:
    from aioinstructure.abconnect import ABConnect

__all__ = [
    "DEFAULT_FIELDS",
    "BatchReader",
    "Position",
    "ResumableTraversal",
    "asked_fields",
    "is_guid",
    "normalized_guid",
]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Position: TypeAlias = "list[Any] | None"
"""What a cursor says of where a walk is, in JSON; None at the start."""

_VERSION = 1
DEFAULT_FIELDS: Final = ("number", "statement", "label")
"""The fields of a standard that helpers ask for if they are told of none."""


class BatchReader(Protocol[T_co]):
    """What a walk reads from: some items at a time, each with the place behind it."""

    async def more(self) -> Sequence[tuple[T_co, Position]] | None:
        """The next items, maybe none; None at the end."""
        ...


class ResumableTraversal(Generic[T]):
    """An async iterator that can be gone on with: `.cursor` is the place behind the last item.

    Each `async for` starts anew, from the cursor that the walk was made with. A cursor is text
    without any credential. It is checked like any other input when it comes back.
    """

    _kind: ClassVar[str] = ""

    def __init__(self, ab: ABConnect, subject: Sequence[Any], cursor: str | None) -> None:
        self._ab = ab
        self._subject = list(subject)
        self._start = None if cursor is None else self._opened(cursor)
        self._position = self._start
        self._loop: weakref.ref[_Loop[T]] | None = None

    @property
    def cursor(self) -> str:
        """The place behind the item that was read last; the start before the first."""
        head = [_VERSION, self._kind, self._ab.origin, *self._subject]
        return orjson.dumps([*head, self._position]).decode()

    def __aiter__(self) -> AsyncIterator[T]:
        if self._loop is not None and (loop := self._loop()) is not None and not loop.ended:
            raise InputError(f"two loops over one {type(self).__name__}: make another one")
        self._position = self._start
        loop = _Loop(self, self._reader(self._start))
        self._loop = weakref.ref(loop)
        return loop

    def _reader(self, start: Position) -> BatchReader[T]:
        raise NotImplementedError

    def _is_position(self, place: list[Any]) -> bool:
        """Whether a place in a cursor is one that a walk of this kind could have been at."""
        raise NotImplementedError

    def _opened(self, cursor: str) -> Position:
        wrong = InputError(f"no cursor of a {type(self).__name__}: {cursor!r:.100}")
        try:
            found = orjson.loads(cursor.encode())
        except (ValueError, AttributeError):
            raise wrong from None
        if not isinstance(found, list) or len(found) < 3 or type(found[0]) is not int:
            raise wrong
        version, kind, origin, *rest = found
        if version != _VERSION:
            raise InputError(f"a cursor of version {version}, not {_VERSION}")
        if kind != self._kind:
            raise wrong
        if origin != self._ab.origin:
            raise InputError(f"the cursor belongs to {origin!r:.100}, not to {self._ab.origin}")
        *subject, place = rest or [None]
        if subject != self._subject:
            raise InputError(f"the cursor is of another {type(self).__name__}: {subject!r:.200}")
        if place is not None and not (isinstance(place, list) and self._is_position(place)):
            raise wrong
        return place

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {' '.join(map(str, self._subject))}>"


class _Loop(Generic[T]):
    """One way through a walk. Nothing of it goes on when it is dropped."""

    def __init__(self, walk: ResumableTraversal[T], reader: BatchReader[T]) -> None:
        self._walk = walk
        self._reader = reader
        self._ready: deque[tuple[T, Position]] = deque()
        self.ended = False

    def __aiter__(self) -> _Loop[T]:
        return self

    async def __anext__(self) -> T:
        while not self._ready:
            if self.ended:
                raise StopAsyncIteration
            try:
                found = await self._reader.more()
            except BaseException:
                self.ended = True
                raise
            if found is None:
                self.ended = True
                raise StopAsyncIteration
            self._ready.extend(found)
        item, self._walk._position = self._ready.popleft()
        return item


# --- what walks ask and compare ----------------------------------------------------------------


def is_guid(value: object) -> bool:
    """Whether something is text in the form of a GUID, in any case."""
    try:
        check_guid("value", value)
    except InputError:
        return False
    return True


def normalized_guid(guid: str | None) -> str:
    """What tells two GUIDs apart: the service changes their case at will."""
    return (guid or "").lower()


def asked_fields(fields: Sequence[PathLike], needed: Sequence[str]) -> list[PathLike]:
    """The caller's fields, and what a helper needs besides."""
    if isinstance(fields, str):
        raise InputError(f"fields must be a list of names, not {fields!r}")
    names = [*fields]  # as they are: a Raw one must stay one
    known = {str(name) for name in names}
    if "*" in known:
        return ["*"]
    more = (
        name
        for name in dict.fromkeys(needed)
        if name not in known and not any(name.startswith(f"{other}.") for other in known)
    )
    return [*names, *more]
