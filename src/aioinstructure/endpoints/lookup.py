"""Lookup: the operations of a client class, all of them or one by its name. Knows no service."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Hashable, Iterator, Mapping
from functools import cache
from typing import Any, cast

from aioinstructure._public import defined_in
from aioinstructure._suggest import suggestion
from aioinstructure.endpoints.declare import Namespace
from aioinstructure.endpoints.route import Route
from aioinstructure.errors import InputError

__all__ = ["namespace_modules", "namespace_type", "route_of", "routes_in", "routes_of"]


def namespace_modules(client: type[Any]) -> Mapping[str, tuple[str, str]]:
    """Module and class name of each namespace of a client class, by attribute.

    They are the annotations of the class. A namespace of the library is in the module of its name,
    in the package of its client, and is not loaded for this.
    """
    return _namespace_modules(cast("Hashable", client))  # mypy does not take a class for one


@cache
def _namespace_modules(client: Any) -> Mapping[str, tuple[str, str]]:
    return {
        name: (_module_of(module, name), text)
        for base in reversed(client.__mro__)
        for module in [defined_in(base)]
        for name, text in inspect.get_annotations(base).items()
        if not name.startswith("_") and _is_namespace(module, text)
    }


def _module_of(module: str, name: str) -> str:
    return f"{module.rpartition('.')[0]}.{name}" if _in_library(module) else module


def _in_library(module: str) -> bool:
    return module.startswith("aioinstructure.")


def _is_namespace(module: str, text: Any) -> bool:
    """Whether an annotation names a namespace; the library's clients have no others."""
    if not isinstance(text, str) or _in_library(module):
        return isinstance(text, str)
    found = getattr(sys.modules[module], text, None)
    return isinstance(found, type) and issubclass(found, Namespace)


def namespace_type(client: type[Any], name: str) -> type[Namespace[Any]]:
    """The class of a namespace; loads its module."""
    module, text = namespace_modules(client)[name]
    found: type[Namespace[Any]] = getattr(importlib.import_module(module), text)
    return found


def routes_of(client: type[Any]) -> Iterator[Route]:
    """Every operation of a client class, in the order of its namespaces and their methods.

    Loads the modules of all namespaces; `route_of` loads one.
    """
    for name in namespace_modules(client):
        yield from routes_in(namespace_type(client, name), name)


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
    names = namespace_modules(client)
    if prefix not in names:
        raise InputError(
            f"{client.__name__} has no operation {name!r:.100}{suggestion(prefix, names)}"
        )
    namespace = namespace_type(client, prefix)
    # A method whose name is a keyword has an underscore, which its route has not.
    for attribute in (method, f"{method}_"):
        route_for = getattr(getattr(namespace, attribute, None), "route_for", None)
        if route_for is not None:
            route: Route = route_for(namespace, prefix)
            return route
    known = [route.name for route in routes_in(namespace, prefix)]
    raise InputError(f"{client.__name__} has no operation {name!r:.100}{suggestion(name, known)}")
