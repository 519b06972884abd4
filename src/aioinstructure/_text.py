"""Text of others, such as a server, as one bounded line that a terminal or a log can show."""

from __future__ import annotations

from typing import Final

__all__ = ["LONGEST", "one_line"]

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
