"""The converter that all clients share, loaded with cattrs on the first conversion."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["converter_for"]

_functions: dict[Any, Callable[[Any], Any]] = {}


def converter_for(tp: Any) -> Callable[[Any], Any]:
    """Return the function that converts parsed JSON to a type, or raises DecodeError.

    A model takes tens of milliseconds at its first use.
    """
    try:
        return _functions[tp]
    except KeyError:
        from aioinstructure.conversion.converter import shared_converter  # noqa: PLC0415 - a tenth of the import time

        _functions[tp] = found = shared_converter().maker(tp)
        return found
