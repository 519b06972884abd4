"""One call of AB Connect, with parsing and checks of its parameters."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from attrs import frozen

from aioinstructure.simulator.abconnect.filters import Expr, FilterError, parse_filter
from aioinstructure.simulator.coerce import listed, mapping
from aioinstructure.simulator.http.parsing import Pairs, first
from aioinstructure.simulator.http.responses import Reply, abconnect_error

__all__ = ["AUTH", "ABCall", "RefusedError", "day"]

AUTH = frozenset({"partner.id", "auth.signature", "auth.expires", "user.id"})
_DEFAULT_LIMIT = 10
_MAXIMUM_LIMIT = 100


class RefusedError(Exception):
    """Aborts a request; `reply` is the error reply."""

    def __init__(
        self,
        status: int,
        detail: str | None = None,
        *,
        parameter: str | None = None,
        pointer: str | None = None,
    ) -> None:
        super().__init__(detail)
        self.reply: Reply = abconnect_error(status, detail, parameter=parameter, pointer=pointer)


@frozen
class ABCall:
    """A signed call.

    Args:
        operation: The name in the operation table.
        values: The parameters of the path.
        pairs: The query, including credentials.
        body: The JSON body; None if there is none or it is invalid.
        now: The time of the simulator's clock.
        wall: Unix seconds.
    """

    operation: str
    values: dict[str, str]
    path: str
    pairs: Pairs
    body: Any
    origin: str
    now: float
    wall: float

    @property
    def public(self) -> Pairs:
        """The query without credentials."""
        return [pair for pair in self.pairs if pair[0] not in AUTH]

    def parameter(self, name: str) -> str | None:
        """Return the value of a parameter."""
        return first(self.pairs, name)

    def names(self, name: str) -> list[str]:
        """Return the values of a comma-separated parameter."""
        return [part.strip() for part in (self.parameter(name) or "").split(",") if part.strip()]

    def window(self) -> tuple[int, int]:
        """Return limit and offset."""
        limit = self.number("limit", _DEFAULT_LIMIT)
        offset = self.number("offset", 0)
        # The real service may cut a larger limit; refusing it reveals mistakes of a client.
        if limit > _MAXIMUM_LIMIT:
            raise RefusedError(400, f"limit must not exceed {_MAXIMUM_LIMIT}.", parameter="limit")
        return limit, offset

    def number(self, name: str, default: int) -> int:
        """Return an integer parameter."""
        text = self.parameter(name)
        if text is None:
            return default
        if not (text.isascii() and text.isdigit()):
            detail = f"{name} must be a non-negative integer."
            raise RefusedError(400, detail, parameter=name)
        return int(text)

    def filter(self, parameter: str) -> Expr | None:
        """Parse a filter; the names in it are not checked."""
        text = self.parameter(parameter) or ""
        if not text.strip():
            return None
        try:
            return parse_filter(text)
        except FilterError as error:
            detail = f"The filter cannot be read: {error}."
            raise RefusedError(400, detail, parameter=parameter) from error

    def data(self) -> dict[str, Any]:
        """Return the member `data` of the body, an object."""
        data = mapping(self._data())
        if data is None:
            raise RefusedError(400, "data must be an object.", pointer="/data")
        return data

    def items(self) -> list[Any]:
        """Return the member `data` of the body, a list."""
        data = listed(self._data())
        if data is None:
            raise RefusedError(400, "data must be a list.", pointer="/data")
        return data

    def _data(self) -> Any:
        body = mapping(self.body)
        if body is None:
            raise RefusedError(400, "The body must be a JSON object.", pointer="")
        return body.get("data")


def day(wall: float) -> str:
    """Format a time in UTC as AB Connect does, without a time zone."""
    return datetime.fromtimestamp(wall, UTC).strftime("%Y-%m-%d %H:%M:%S")
