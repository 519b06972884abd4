"""Cursors: places in a list as text, which is untrusted input when it comes back.

A cursor is at least once: the page it points into is fetched again, and what was handed out is
skipped, by the id of the last item if it is still there, else by count. It holds no credential.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Generic, TypeVar

import orjson
from attrs import frozen

from aioinstructure.endpoints.route import Route, checked_path
from aioinstructure.errors import InputError
from aioinstructure.wire.redact import scrub

__all__ = ["Cursor", "Place", "id_of", "list_at", "skipped"]

T = TypeVar("T")

_VERSION = 1


class Cursor(str, Generic[T]):
    """A place in a list, as text without any credential. Give it to `client.resume`."""

    __slots__ = ()


@frozen
class Place:
    """What a cursor says.

    Attributes:
        origin: The service that the list came from.
        route: The name of the endpoint.
        path: Path and query of the page, below the service's base.
        skip: How many of its items were handed out.
        last_id: The id of the last of them, if it has one.
        as_user: The user that was masqueraded as.
        on_change: What the list does when it changes while it is read.
    """

    origin: str
    route: str
    path: str
    skip: int = 0
    last_id: Any = None
    as_user: Any = None
    on_change: str = "raise"

    def encode(self) -> str:
        """The text of the cursor."""
        more = [] if self.on_change == "raise" else [self.on_change]  # as all were, at first
        return orjson.dumps(
            [
                _VERSION,
                self.origin,
                self.route,
                self.as_user,
                self.path,
                self.skip,
                self.last_id,
                *more,
            ]
        ).decode()

    @classmethod
    def decode(cls, text: str) -> Place:
        """What the text says.

        Raises:
            InputError: It is no cursor, or one of another version.
        """
        try:
            version, origin, route, as_user, path, skip, last_id, *more = orjson.loads(
                text.encode()
            )
            (on_change,) = more or ["raise"]
        except (ValueError, TypeError, AttributeError) as error:
            raise InputError(f"no cursor: {text!r:.100}") from error
        if type(version) is not int or version != _VERSION:
            raise InputError(f"a cursor of version {version!r:.100}, not {_VERSION}")
        words = all(isinstance(word, str) for word in (origin, route, path, on_change))
        ids = all(type(found) in (int, str, type(None)) for found in (as_user, last_id))
        if not words or not ids or type(skip) is not int or skip < 0:
            raise InputError(f"no cursor: {text!r:.100}")
        return cls(origin, route, path, skip, last_id, as_user, on_change)


def list_at(place: Place, routes: Iterable[Route]) -> Route:
    """The list that a place is in.

    Raises:
        InputError: There is no such list, or it has no such place.
    """
    if scrub(place.path) != place.path:
        raise InputError("the cursor holds a credential")
    route = next((route for route in routes if route.name == place.route), None)
    if route is None or not route.paginated:
        raise InputError(f"the cursor is of {place.route!r:.200}, which is no list of this client")
    if not route.matches(checked_path(place.path)):
        raise InputError(f"the cursor's path is none of {route.name}: {place.path!r:.200}")
    if place.on_change != "raise":
        parameter = next((p for p in route.parameters if p.where == "on_change"), None)
        if parameter is None:
            raise InputError(f"the cursor is of {route.name}, which has no on_change")
        parameter.check(place.on_change)
    return route


def id_of(item: Any) -> Any:
    """The id of a raw item, or its GUID, if it has a plain one."""
    found = item.get("id", item.get("guid")) if isinstance(item, Mapping) else None
    return found if isinstance(found, int | str) and not isinstance(found, bool) else None


def skipped(raw: list[Any], place: Place) -> int:
    """How many items of a page that is read again were handed out before."""
    if place.skip and place.last_id is not None:
        for index, item in enumerate(raw):
            if id_of(item) == place.last_id:
                return index + 1
    return min(place.skip, len(raw))
