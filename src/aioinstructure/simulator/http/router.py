"""The operations of the simulator, from its own operation table, and the routing to them."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import orjson
from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Operation", "Router", "operations"]

_METHODS = "/"  # cannot be the name of a segment


@frozen
class Operation:
    """One entry of the operation table.

    Args:
        service: "canvas" or "abconnect".
        returns: The type of the result, with `[]` for a list.
        key: The member of the body that holds the result; None if the body is the result.
        paging: "ordinal", "without_count", "bookmark" or "offset"; None if there are no pages.
    """

    service: str
    name: str
    method: str
    path: str
    returns: str
    key: str | None
    paginated: bool
    paging: str | None


@cache
def operations() -> tuple[Operation, ...]:
    """Return the complete operation table."""
    text = files("aioinstructure.simulator").joinpath("operations.json").read_bytes()
    return tuple(Operation(**facts) for facts in orjson.loads(text))


class Router:
    """Router from raw paths to operations. A literal segment wins over a parameter."""

    def __init__(self, known: Sequence[Operation]) -> None:
        self._tree: dict[str, Any] = {}
        for operation in known:
            node = self._tree
            for segment in operation.path.split("/")[1:]:
                node = node.setdefault("{}" if segment.startswith("{") else segment, {})
            names = [
                segment[1:-1] for segment in operation.path.split("/") if segment.startswith("{")
            ]
            node.setdefault(_METHODS, {})[operation.method] = (operation, names)

    def find(self, method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
        """Return the operation and its decoded parameters; None if there is none.

        The path is split before it is decoded: an id may contain `%2F`.
        """
        node = self._tree
        values: list[str] = []
        for segment in path.rstrip("/").split("/")[1:]:
            inner = node.get(segment)
            if inner is None:
                inner = node.get("{}")
                if inner is None:
                    return None
                values.append(unquote(segment))
            node = inner
        found = node.get(_METHODS, {}).get(method)
        if found is None:
            return None
        operation, names = found
        return operation, dict(zip(names, values, strict=True))
