"""Lookup: the operations of a client class, all of them or one by its name. Knows no service."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aioinstructure._suggest import suggestion
from aioinstructure.endpoints.declare import Namespace
from aioinstructure.endpoints.route import Route
from aioinstructure.errors import InputError

__all__ = ["route_of", "routes_in", "routes_of"]


def routes_of(client: type[Any]) -> Iterator[Route]:
    """Every operation of a client class, in the order of its namespaces and their methods.

    Loads the modules of all namespaces; `route_of` loads one.
    """
    for name in client.namespace_names():
        yield from routes_in(client.namespace_type(name), name)


def routes_in(namespace: type[Namespace[Any]], name: str) -> Iterator[Route]:
    """Every operation of a namespace, which is the attribute `name` of its client."""
    for method in dict.fromkeys(n for base in namespace.__mro__ for n in vars(base)):
        route_for = getattr(getattr(namespace, method, None), "route_for", None)
        if route_for is not None:
            yield route_for(namespace, name)


def route_of(client: type[Any], name: str) -> Route:
    """The operation of a client class by its name, such as "courses.list".

    Loads the module of its namespace only.

    Raises:
        InputError: The client has no such operation; the message has the nearest name.
    """
    prefix, _, method = name.partition(".")
    names = list(client.namespace_names())
    if prefix not in names:
        raise InputError(
            f"{client.__name__} has no operation {name!r:.100}{suggestion(prefix, names)}"
        )
    namespace = client.namespace_type(prefix)
    # A method whose name is a keyword has an underscore, which its route has not.
    for attribute in (method, f"{method}_"):
        route_for = getattr(getattr(namespace, attribute, None), "route_for", None)
        if route_for is not None:
            route: Route = route_for(namespace, prefix)
            return route
    known = [route.name for route in routes_in(namespace, prefix)]
    raise InputError(f"{client.__name__} has no operation {name!r:.100}{suggestion(name, known)}")
