"""Traversals that can be resumed: their cursors, and how they are read.

The base of `DocumentTree`, `Replacements` and `Crosswalk`, with the helpers that all three use. Knows
no relationship and nothing of the wire.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, Protocol, TypeAlias, TypeVar

from aioinstructure.abconnect.filters.expressions import PathLike
from aioinstructure.abconnect.json_api.resources import check_guid
from aioinstructure.errors import InputError, ResponseError
from aioinstructure.paging.cursor import decode_cursor, encode_cursor
from aioinstructure.paging.restartable import Restartable

if TYPE_CHECKING:
    from aioinstructure.abconnect.client import ABConnect

__all__ = [
    "DEFAULT_FIELDS",
    "BatchReader",
    "Position",
    "ResumableTraversal",
    "asked_fields",
    "is_guid",
]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Position: TypeAlias = "list[Any] | None"
"""What a cursor says of the position in a traversal, in JSON; None at the start."""

DEFAULT_FIELDS: Final = ("number", "statement", "label")
"""The fields of a standard that traversals request unless others are given."""


class BatchReader(Protocol[T_co]):
    """What a traversal reads from: some items at a time, each with the position after it."""

    async def more(self) -> Sequence[tuple[T_co, Position]] | None:
        """The next items, maybe none; None at the end."""
        ...


class ResumableTraversal(Restartable[T], Generic[T]):
    """An async iterator that can be resumed: `.cursor` is the position after the last item.

    Each `async for` starts again, from the cursor that the traversal was made with. A cursor is
    text without any credential. It is checked like any other input when it comes back.
    """

    _kind: ClassVar[str] = ""

    def __init__(self, ab: ABConnect, subject: Sequence[Any], cursor: str | None) -> None:
        self._ab = ab
        self._subject = list(subject)
        self._start = None if cursor is None else self._decoded(cursor)
        self._current: _Current = _Current(self._start)

    @property
    def cursor(self) -> str:
        """The position after the item read last; the start before the first."""
        return encode_cursor(self._kind, self._ab.origin, [*self._subject, self._current.position])

    def _new_loop(self) -> _Loop[T]:
        self._current = _Current(self._start)
        return _Loop(self._reader(self._start), self._current)

    def _reader(self, start: Position) -> BatchReader[T]:
        raise NotImplementedError

    def _is_position(self, position: list[Any]) -> bool:
        """Whether a position in a cursor is one that a traversal of this kind can have."""
        raise NotImplementedError

    def _decoded(self, cursor: str) -> Position:
        _, payload = decode_cursor(cursor, [self._kind], self._ab.origin)
        *subject, position = payload or [None]
        if subject != self._subject:
            raise InputError(f"the cursor is of another {type(self).__name__}: {subject!r:.200}")
        is_list = isinstance(position, list)
        if position is not None and not (is_list and self._is_position(position)):
            raise InputError(f"not a cursor of a {type(self).__name__}: {cursor!r:.100}")
        found: Position = position
        return found

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {' '.join(map(str, self._subject))}>"


class _Current:
    """The position of a loop, which outlives it."""

    __slots__ = ("position",)

    def __init__(self, position: Position) -> None:
        self.position = position


class _Loop(Generic[T]):
    """One reading of a traversal. Nothing of it continues when it is dropped."""

    def __init__(self, reader: BatchReader[T], current: _Current) -> None:
        self._reader = reader
        self._current = current
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
            except ResponseError as error:
                self.ended = True
                raise error.with_traceback(None)  # noqa: B904 - as in `Namespace`
            except BaseException:  # a cancellation too
                self.ended = True
                raise
            if found is None:
                self.ended = True
                raise StopAsyncIteration
            self._ready.extend(found)
        item, self._current.position = self._ready.popleft()
        return item


# --- helpers ----------------------------------------------------------------


def is_guid(value: object) -> bool:
    """Whether it is text in the form of a GUID, in any case."""
    try:
        check_guid("value", value)
    except InputError:
        return False
    return True


def asked_fields(fields: Sequence[PathLike], needed: Sequence[str]) -> list[PathLike]:
    """The caller's fields, and what a traversal needs besides."""
    if isinstance(fields, str):
        raise InputError(f"fields must be a list of names, not {fields!r}")
    names = [*fields]  # unchanged: a Raw one must stay one
    known = {str(name) for name in names}
    if "*" in known:
        return ["*"]
    more = (
        name
        for name in dict.fromkeys(needed)
        if name not in known and not any(name.startswith(f"{other}.") for other in known)
    )
    return [*names, *more]
