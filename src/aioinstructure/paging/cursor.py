"""Cursors: positions in lists and traversals as text, which is untrusted when it comes back.

A cursor is a JSON array: version, kind, origin, payload. It holds no credential. The kind says what
it resumes: "list" (an operation), "path" (`client.paginate`), or the name of a traversal.

A list's cursor names the page and the items that were read last, by their ids, newest first. When
the list resumes, that page is read again and continues after the newest of these items that is
still on it. If none is, the list has changed before that position, and counting would lose items:
that is an IncompleteError.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Generic, TypeVar

from attrs import frozen

from aioinstructure._json import dumps, loads
from aioinstructure._public import public
from aioinstructure.endpoints.route import Call, Route, checked_path
from aioinstructure.errors import IncompleteError, InputError
from aioinstructure.wire.links import reserved_names
from aioinstructure.wire.params import CommaList, Pair, Query

__all__ = [
    "LAST_IDS",
    "Cursor",
    "CursorState",
    "already_read",
    "decode_cursor",
    "encode_cursor",
    "id_of",
    "ids_of",
    "same_id",
]

T = TypeVar("T")

_VERSION: Final = 2

LAST_IDS: Final = 8
"""How many of the items read last a cursor names."""

_MAX_COUNT: Final = 2**53


@public
class Cursor(str, Generic[T]):
    """A position in a list, as text without any credential. Give it to `client.resume`, or `paginate(cursor=)`."""

    __slots__ = ()


def encode_cursor(kind: str, origin: str, payload: Sequence[Any]) -> str:
    """The text of a cursor."""
    return dumps([_VERSION, kind, origin, payload]).decode()


def decode_cursor(text: str, kinds: Sequence[str], origin: str) -> tuple[str, list[Any]]:
    """The kind and the payload of a cursor.

    Raises:
        InputError: It is no cursor, or one of another version, kind or origin.
    """
    try:
        found = loads(text.encode())
    except (ValueError, AttributeError) as error:
        raise InputError(f"not a cursor: {text!r:.100}") from error
    version = found[0] if isinstance(found, list) and found else None
    if type(version) is not int:
        raise InputError(f"not a cursor: {text!r:.100}")
    if version != _VERSION:
        raise InputError(
            f"a cursor of version {version!r:.20} cannot be resumed, only of {_VERSION}:"
            " read the list from its start"
        )
    if len(found) != 4 or not isinstance(found[3], list) or found[1] not in kinds:
        raise InputError(f"not a cursor of a {' or '.join(kinds)}: {text!r:.100}")
    if found[2] != origin:
        raise InputError(f"the cursor belongs to {found[2]!r:.100}, not to {origin}")
    return found[1], found[3]


@frozen
class CursorState:
    """What the cursor of a list says.

    Attributes:
        origin: The service that the list comes from.
        route: The name of the operation; "" for a path of `client.paginate`.
        arguments: The path's arguments by name; for "" the path itself.
        query: The query's pairs.
        page: The path and query of a page, where a link of the server gave them.
        read: How many of its items were read.
        last_ids: The ids of the items read last, newest first, as far as they have ids.
        body_length: The length of the page's body in bytes, where items have no ids: counting is
            trusted only while the page has not changed.
        fixed: The pairs that the client adds to every request, such as the user it acts as.
        on_change: What the list does when it changes while it is read.
    """

    origin: str
    route: str
    arguments: tuple[tuple[str, str], ...] = ()
    query: Query = ()
    page: str | None = None
    read: int = 0
    last_ids: tuple[Any, ...] = ()
    body_length: int = 0
    fixed: Query = ()
    on_change: str = "raise"

    @property
    def kind(self) -> str:
        """The kind of its cursor."""
        return "list" if self.route else "path"

    def encode(self) -> str:
        """The text of the cursor."""
        query = [
            [name, list(value) if isinstance(value, CommaList) else str(value)]
            for name, value in self.query
        ]
        payload = [
            self.route,
            dict(self.arguments),
            query,
            self.page,
            self.read,
            self.last_ids,
            self.body_length,
            [[name, str(value)] for name, value in self.fixed],
            self.on_change,
        ]
        return encode_cursor(self.kind, self.origin, payload)

    @classmethod
    def decode(cls, text: str, origin: str, kind: str = "list") -> CursorState:
        """Decode the text of a cursor.

        Raises:
            InputError: It is no cursor of such a list, or one of another version or origin.
        """
        found, payload = decode_cursor(text, ("list", "path"), origin)
        if found != kind:
            hint = (
                "pass it as paginate(..., cursor=cursor)"
                if found == "path"
                else "pass it to resume()"
            )
            raise InputError(f"not a cursor of this method: {hint}")
        if not _is_state(payload):
            raise InputError(f"not a cursor: {text!r:.100}")
        route, arguments, query, page, read, last_ids, length, fixed, on_change = payload
        return cls(
            origin=origin,
            route=route,
            arguments=tuple(arguments.items()),
            query=tuple((name, _value(value)) for name, value in query),
            page=page,
            read=read,
            last_ids=tuple(last_ids),
            body_length=length,
            fixed=tuple((name, value) for name, value in fixed),
            on_change=on_change,
        )

    def call(self, route: Route, paging_names: Sequence[str] = ()) -> Call[Any]:
        """The call for the page that the cursor points into.

        Args:
            route: The operation.
            paging_names: The names in its query by which it is paged.

        Raises:
            InputError: The operation is no list, or has no such position.
        """
        if not route.paginated:
            raise InputError(f"the cursor is of {self.route}, which is not a list")
        unknown = [name for name, _ in self.query if not _knows(route, self, name, paging_names)]
        if unknown:
            raise InputError(
                f"the cursor has {unknown[0]!r:.100}, which {route.name} does not take"
            )
        if self.page is not None and not route.matches(checked_path(self.page)):
            raise InputError(
                f"the cursor's page is not of {route.name or route.path}: {self.page!r:.200}"
            )
        if self.page is not None and (names := reserved_names(self.page)):
            raise InputError(f"the cursor holds {names[0]!r:.50}, which only the client adds")
        if self.on_change != "raise":
            parameter = next((p for p in route.parameters if p.where == "on_change"), None)
            if parameter is None:
                raise InputError(f"the cursor is of {route.name}, which has no on_change")
            parameter.check(self.on_change)
        arguments = route.path_arguments(dict(self.arguments)) if self.route else ()
        return Call(route, arguments, self.query, None, self.on_change, self.page)


def _value(value: Any) -> Any:
    return CommaList(value) if isinstance(value, list) else value


def _is_state(payload: list[Any]) -> bool:
    """Whether a payload has the types of a state."""
    if len(payload) != 9:
        return False
    route, arguments, query, page, read, last_ids, length, fixed, on_change = payload
    return (
        isinstance(route, str)
        and isinstance(arguments, dict)
        and all(isinstance(value, str) for value in arguments.values())
        and _are_pairs(query)
        and (page is None or isinstance(page, str))
        and type(read) is int
        and 0 <= read < _MAX_COUNT
        and isinstance(last_ids, list)
        and len(last_ids) <= LAST_IDS
        and all(type(found) in (int, str) for found in last_ids)
        and type(length) is int
        and _are_pairs(fixed)
        and isinstance(on_change, str)
    )


def _are_pairs(pairs: Any) -> bool:
    return isinstance(pairs, list) and all(
        isinstance(pair, list)
        and len(pair) == 2
        and isinstance(pair[0], str)
        and (isinstance(pair[1], str) or _is_names(pair[1]))
        for pair in pairs
    )


def _is_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) and each for each in value)


def _knows(route: Route, state: CursorState, name: str, paging_names: Sequence[str]) -> bool:
    """Whether a name in the query is one of the operation's, or of its paging."""
    if not state.route:  # a path: the caller gives the same one again
        return True
    known = (name for name in route.query_names(state.arguments))
    return name in paging_names or any(
        name == each or name.startswith(f"{each}[") for each in known
    )


# --- the items that were read --------------------------------------------------------------------


def id_of(item: Any) -> Any:
    """The id of a raw item, or its GUID, if it has one that is a number or text."""
    found = item.get("id", item.get("guid")) if isinstance(item, Mapping) else None
    return found if isinstance(found, int | str) and not isinstance(found, bool) else None


def same_id(found: Any) -> str:
    """What two ids are compared by: GUIDs come in any case, numbers also as text."""
    return str(found).lower()


def ids_of(raw: Sequence[Any], before: tuple[Any, ...] = ()) -> tuple[Any, ...]:
    """The ids of the last items, newest first, continued by those before them.

    They end before an item without an id: what is before it says nothing about it.
    """
    found: list[Any] = []
    for item in reversed(raw[-LAST_IDS:]):
        if (each := id_of(item)) is None:
            return tuple(found)
        found.append(each)
    return (*found, *before)[:LAST_IDS]


def already_read(raw: Sequence[Any], state: CursorState, body_length: int) -> int:
    """How many items of a page that is read again come before the cursor.

    Raises:
        IncompleteError: None of the items read last is on the page, or the page of items without
            ids has changed.
    """
    if not state.read:
        return 0
    places = {
        same_id(found): at for at, item in enumerate(raw) if (found := id_of(item)) is not None
    }
    for found in state.last_ids:
        if (at := places.get(same_id(found))) is not None:
            return at + 1
    if not state.last_ids and body_length == state.body_length and state.read <= len(raw):
        return state.read
    expected: Pair | Any = state.last_ids[0] if state.last_ids else f"{state.read} items"
    raise IncompleteError(
        f"the list has changed since the cursor was made: {expected} is not on its page",
        expected=expected,
        got=sorted(places),
    )
