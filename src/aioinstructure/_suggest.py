"""The end of a message about an unknown name: the nearest known one."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["suggestion"]


def suggestion(name: str, known: Iterable[str]) -> str:
    """Text to append: ", did you mean 'x'?", or all known names where none is near."""
    import difflib  # noqa: PLC0415 - for errors only, and a hundredth of the import time

    names = sorted(known)
    if near := difflib.get_close_matches(name, names, 1):
        return f", did you mean {near[0]!r}?"
    return f"; there are: {', '.join(names)}" if names else ""
