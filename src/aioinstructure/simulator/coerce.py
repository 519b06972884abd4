"""What came as JSON or text, narrowed to what it should be. None for what it is not."""

from __future__ import annotations

from typing import Any, cast

__all__ = ["listed", "mapping", "number", "truth"]


def mapping(value: Any) -> dict[str, Any] | None:
    """A JSON object."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def listed(value: Any) -> list[Any] | None:
    """A JSON list."""
    elements: list[Any] | None = value if isinstance(value, list) else None
    return elements


def number(value: Any) -> int | None:
    """A whole number that is not negative, also as text: an id, or a count of days."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value if value >= 0 else None
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() else None


def truth(value: Any) -> bool:
    """A flag as Rails reads it, from JSON or from a form."""
    return value is True or str(value).lower() in {"true", "t", "yes", "y", "on", "1"}
