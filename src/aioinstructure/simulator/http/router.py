"""The operations that the simulator knows, from its own fact table, and how a path finds one."""

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

_METHODS = "/"  # no segment can be called that


@frozen
class Operation:
    """One line of the fact table.

    Args:
        service: "canvas" or "abconnect".
        returns: The name of what it gives, with `[]` for a list.
        key: The member of the body that holds it; None where the body is it.
        paging: "ordinal", "bookmark" or "offset"; None where there are no pages.
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
    """The whole fact table."""
    text = files("aioinstructure.simulator").joinpath("operations.json").read_bytes()
    return tuple(Operation(**facts) for facts in orjson.loads(text))


class Router:
    """Finds the operation of a raw path. A fixed word wins over a parameter."""

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
        """The operation and its parameters, decoded; None where nothing has that path.

        The path is split before it is decoded: an id may hold `%2F`.
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
