"""Async iterables that start again: one loop at a time, each from the start.

The base of lists, traversals and the event feed. What they have in flight ends when a loop is
dropped.
"""

from __future__ import annotations

import weakref
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Generic, NoReturn, Protocol, TypeVar

from aioinstructure.errors import InputError

__all__ = ["Loop", "Restartable"]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Loop(Protocol[T_co]):
    """One reading, which `async for` drives."""

    @property
    def ended(self) -> bool:
        """Whether it has come to its end, or was left by an error."""
        ...

    def __aiter__(self) -> AsyncIterator[T_co]: ...

    async def __anext__(self) -> T_co: ...


class Restartable(Generic[T]):
    """An async iterable that starts again with each loop, and refuses two loops at once."""

    _loop: weakref.ref[Any] | None = None

    def _new_loop(self) -> Loop[T]:
        raise NotImplementedError

    def _name(self) -> str:
        """What the error about a second loop calls it."""
        return type(self).__name__

    def _check_no_loop(self) -> None:
        loop = None if self._loop is None else self._loop()
        if loop is not None and not loop.ended:
            raise InputError(
                f"two loops over the same {self._name()}: make another one for the second loop"
            )

    def __aiter__(self) -> AsyncIterator[T]:
        self._check_no_loop()
        loop = self._new_loop()
        self._loop = weakref.ref(loop)
        return loop

    if not TYPE_CHECKING:  # a checker refuses `for` by itself

        def __iter__(self) -> NoReturn:
            raise TypeError(f"use `async for` to read {self!r}")
