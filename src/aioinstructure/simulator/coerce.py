"""Conversion of JSON values and text to an expected type, with None for other types."""

from __future__ import annotations

from typing import Any, cast

__all__ = ["listed", "mapping", "number", "truth"]


def mapping(value: Any) -> dict[str, Any] | None:
    """Return a JSON object."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def listed(value: Any) -> list[Any] | None:
    """Return a JSON list."""
    elements: list[Any] | None = value if isinstance(value, list) else None
    return elements


def number(value: Any) -> int | None:
    """Return a non-negative integer, also from text: an id or a number of days."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value if value >= 0 else None
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() else None


def truth(value: Any) -> bool:
    """Read a flag as Rails does, from JSON or a form."""
    return value is True or str(value).lower() in {"true", "t", "yes", "y", "on", "1"}
