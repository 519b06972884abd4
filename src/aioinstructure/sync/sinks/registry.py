"""All sinks by the scheme of their URL.

A new sink is a module with a function that takes the URL, and an entry here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Final

from aioinstructure._suggest import suggestion
from aioinstructure.errors import InputError
from aioinstructure.sync.sinks.base import Sink

__all__ = ["SINKS", "sink_of"]

SINKS: Final[Mapping[str, str]] = {
    "sqlite": "aioinstructure.sync.sinks.sql:sql",
    "postgresql": "aioinstructure.sync.sinks.sql:sql",
    "postgres": "aioinstructure.sync.sinks.sql:sql",
}
"""The "module:function" of each scheme. A module is imported when a URL needs it."""


def sink_of(url: str) -> Sink:
    """Create the sink of a URL such as "sqlite:///lms.db" or "postgresql://user@host/lms".

    The scheme may name a driver, as in "postgresql+asyncpg://...".

    Raises:
        ConfigurationError: A library that the sink needs is not installed.
        InputError: The URL is invalid, or no sink has its scheme.
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        raise InputError(
            "invalid destination: expected a URL like sqlite:///lms.db or postgresql://user@host/lms"
        )
    name = scheme.partition("+")[0].lower()
    if name not in SINKS:
        raise InputError(f"no sink for the scheme {name!r}{suggestion(name, SINKS)}")
    module, _, function = SINKS[name].partition(":")
    factory: Callable[[str], Sink] = getattr(import_module(module), function)
    return factory(f"{scheme.lower()}://{rest}")
