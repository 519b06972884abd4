"""Lookup: the operations of a client class. Knows no service."""

from __future__ import annotations

from collections.abc import Iterator
from typing import (
    Any,
)

from aioinstructure.endpoints.route import (
    Route,
)

__all__ = ["routes_of"]


def routes_of(client: type[Any]) -> Iterator[Route]:
    """Every operation of a client class, in the order of its namespaces and their methods."""
    for name, namespace in client.namespaces():
        for method in dict.fromkeys(n for base in namespace.__mro__ for n in vars(base)):
            route_for = getattr(getattr(namespace, method, None), "route_for", None)
            if route_for is not None:
                yield route_for(namespace, name)
