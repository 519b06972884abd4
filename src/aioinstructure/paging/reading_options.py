"""What a list does with an item that its model does not match, and when it changes while it is read."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from typing import Any, Literal, Self, TypeAlias

from attrs import frozen

from aioinstructure._public import public
from aioinstructure._text import short_repr
from aioinstructure._types import OnChange
from aioinstructure.errors import DecodeError, InputError
from aioinstructure.paging.cursor import Cursor

__all__ = ["BadItem", "OnBadItem", "ReadingOptions"]

log = logging.getLogger("aioinstructure.lists")


@public
@frozen
class BadItem:
    """An item of a list that is not what its model says. Given to the function `on_bad_item`.

    Attributes:
        raw: The item as the server sent it.
        error: What is wrong with it, with the response of its page.
        route: The operation that lists, such as "courses.list"; "" for `client.paginate`.
        cursor: The position after it; None for the items of a single page.
    """

    raw: Any
    error: DecodeError
    route: str
    cursor: Cursor[Any] | None


OnBadItem: TypeAlias = Literal["raise", "skip"] | Callable[[BadItem], object]


@frozen
class ReadingOptions:
    """How the lists of a view are read.

    Attributes:
        on_bad_item: "raise", "skip" or a function.
        on_change: "raise" or "restart"; None for what the list itself does.
    """

    on_bad_item: OnBadItem = "raise"
    on_change: OnChange | None = None

    def changed(self, on_bad_item: Any, on_change: Any) -> Self:
        """The options with others; None keeps a value.

        Raises:
            InputError: A value is none of its option.
        """
        if on_change not in (None, "raise", "restart"):
            raise InputError(
                f'on_change must be "raise" or "restart", not {short_repr(on_change, 100)}'
            )
        rule = self.on_bad_item if on_bad_item is None else _checked_rule(on_bad_item)
        return type(self)(rule, on_change or self.on_change)

    def take(self, bad: BadItem) -> None:
        """Raise the error of an item, or leave it out as the option says."""
        if self.on_bad_item == "raise":
            raise bad.error
        if self.on_bad_item == "skip":
            log.warning("%s: an item was skipped: %s", bad.route or "a list", bad.error)
        else:
            self.on_bad_item(bad)


def _checked_rule(value: Any) -> OnBadItem:
    if value in ("raise", "skip"):
        found: OnBadItem = value
        return found
    call = getattr(type(value), "__call__", None)  # noqa: B004 - it may be a coroutine function
    if callable(value) and not any(map(inspect.iscoroutinefunction, (value, call))):
        return value  # type: ignore[no-any-return]  # what it takes shows when it is called
    raise InputError(
        'on_bad_item must be "raise", "skip" or a function without await,'
        f" not {short_repr(value, 100)}"
    )
