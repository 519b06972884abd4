"""Text of others, such as a server, as one bounded line that a terminal or a log can show."""

from __future__ import annotations

import reprlib
from itertools import islice
from typing import Any, Final

__all__ = ["LONGEST", "one_line", "short_repr"]

LONGEST: Final = 2_000
"""The most characters of an error message."""


def one_line(text: str, limit: int = LONGEST) -> str:
    """Return the text as one printable line of at most `limit` characters.

    Lines are joined with a blank. What else is not printable is escaped as in Python: controls,
    bidirectional marks and lone surrogates. Remove credentials first: an escape splits a token.
    """
    if len(text) <= limit and text.isprintable():
        return text
    # An escape only makes text longer: what comes after the limit is never shown.
    shown = " ".join(part for line in text[: limit + 1].splitlines() if (part := line.strip()))
    if not shown.isprintable():
        shown = "".join(c if c.isprintable() else _escaped(c) for c in shown)
    if len(text) > limit or len(shown) > limit:
        shown = f"{shown[: limit - 3]}..."
    return shown


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


class _Short(reprlib.Repr):
    """A repr that is bounded in depth and length, and never fails."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 6
        self.maxlist = self.maxtuple = self.maxdict = self.maxset = self.maxfrozenset = 30
        self.maxstring = self.maxother = 1_000
        self.maxlong = 60

    def repr_dict(self, x: dict[Any, Any], level: int) -> str:
        """In the order that was sent; the usual one is sorted."""
        if x and level <= 0:
            return "{...}"
        first = islice(x.items(), self.maxdict)
        shown = [f"{self.repr1(k, level - 1)}: {self.repr1(v, level - 1)}" for k, v in first]
        return f"{{{', '.join([*shown, *['...'] * (len(x) > self.maxdict)])}}}"

    def repr_instance(self, x: Any, level: int) -> str:
        try:
            return super().repr_instance(x, level)
        except RecursionError:  # of objects in objects
            return f"<{type(x).__name__} ...>"


_short = _Short()


def short_repr(value: Any, limit: int = LONGEST) -> str:
    """Return the repr of any value as one line of at most `limit` characters.

    Deep and long values are shown in part, and at the cost of that part.
    """
    return one_line(_short.repr(value), limit)
