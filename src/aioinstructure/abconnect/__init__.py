"""AB Connect v4.1: the client and its filters. Models are in the module of their page: `abconnect.standards`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aioinstructure._lazy import lazy

if TYPE_CHECKING:
    from aioinstructure.abconnect.client import ABConnect as ABConnect
    from aioinstructure.abconnect.filters.expressions import F as F
    from aioinstructure.abconnect.filters.expressions import FilterLike as FilterLike
    from aioinstructure.abconnect.filters.expressions import Path as Path
    from aioinstructure.abconnect.filters.expressions import PathLike as PathLike
    from aioinstructure.abconnect.filters.expressions import Raw as Raw
    from aioinstructure.abconnect.filters.expressions import isempty as isempty
    from aioinstructure.abconnect.filters.grammar import Filter as Filter
    from aioinstructure.abconnect.filters.grammar import parse_filter as parse_filter

_MODULES = {
    "ABConnect": "abconnect.client",
    "F": "abconnect.filters.expressions",
    "Filter": "abconnect.filters.grammar",
    "FilterLike": "abconnect.filters.expressions",
    "Path": "abconnect.filters.expressions",
    "PathLike": "abconnect.filters.expressions",
    "Raw": "abconnect.filters.expressions",
    "isempty": "abconnect.filters.expressions",
    "parse_filter": "abconnect.filters.grammar",
}

if not TYPE_CHECKING:
    __all__, __getattr__, __dir__ = lazy(globals(), _MODULES)
