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

__all__ = ["namespace_type", "namespaces_of", "route_of", "routes_in", "routes_of"]


def namespaces_of(client: type[Any]) -> Mapping[str, type[Any] | tuple[str, str]]:
    """The namespaces of a client class by attribute: the class, or its module and name.

    They are the annotations of the class. A namespace of the library is in the module of its name,
    in the package of its client, and is not loaded for this.
    """
    return _namespaces_of(cast("Hashable", client))  # mypy does not take a class for one


@cache
def _namespaces_of(client: Any) -> Mapping[str, type[Any] | tuple[str, str]]:
    found: dict[str, type[Any] | tuple[str, str]] = {}
    for base in reversed(client.__mro__):
        module = defined_in(base)
        for name, annotation in inspect.get_annotations(base).items():
            if name.startswith("_"):
                continue
            if module.startswith("aioinstructure."):  # its clients have no other annotations
                found[name] = f"{module.rpartition('.')[0]}.{name}", annotation
            elif (cls := _namespace_in(module, annotation)) is not None:
                found[name] = cls
    return found


def _namespace_in(module: str, annotation: Any) -> type[Namespace[Any]] | None:
    """The namespace that an annotation names: a class, or text such as "TabsAPI" or "tabs.TabsAPI"."""
    found = annotation
    if isinstance(annotation, str):
        found = sys.modules.get(module)
        for part in annotation.strip("'\"").split("."):
            found = getattr(found, part, None)
    return found if isinstance(found, type) and issubclass(found, Namespace) else None


def namespace_type(client: type[Any], name: str) -> type[Namespace[Any]]:
    """The class of a namespace; loads its module."""
    found = namespaces_of(client)[name]
    if isinstance(found, tuple):
        module, text = found
        loaded: type[Namespace[Any]] = getattr(importlib.import_module(module), text)
        return loaded
    return found


def routes_of(client: type[Any]) -> Iterator[Route]:
    """Every operation of a client class, in the order of its namespaces and their methods.

    Loads the modules of all namespaces; `route_of` loads one.
    """
    for name in namespaces_of(client):
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
    names = namespaces_of(client)
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
