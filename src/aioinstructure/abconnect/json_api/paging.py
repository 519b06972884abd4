"""How AB Connect lists: in an order without ties, by offset, with the included objects attached.

Works on bound calls and on bodies; knows no resource by name.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl

from attrs import frozen

from aioinstructure.abconnect.json_api.includes import attach_included, with_included_fields
from aioinstructure.endpoints.route import Call, Route
from aioinstructure.paging.pagers import OffsetPager
from aioinstructure.wire.message import Response
from aioinstructure.wire.params import CommaList

__all__ = ["BASE", "PAGER", "WILDCARD", "bucket_of", "complete"]

T = TypeVar("T")

BASE: Final = "/rest/v4.1"

WILDCARD: Final = "wildcard"
"""The bucket of 2 calls a second, from which calls with a `*` among their fields also take."""

_UNIQUE: Final = frozenset({"guid", "id"})

_TO_ONE: Final = frozenset(
    {
        "asset",
        "deleted_standard",
        "focus",
        "nondeliverable_standard",
        "owner",
        "parent",
        "standard",
    }
)
"""The relationships that the vendor shows as one object; all others are lists."""


@cache
def _sorted_resource(route: Route) -> str:
    """The resource whose list a route is, if the list can be sorted; else ""."""
    for parameter in route.parameters:
        if parameter.wire_name.startswith("sort["):
            resource = parameter.wire_name[5:-1]
            return resource if route.path == f"{BASE}/{resource}" else ""
    return ""


def _is_by_relevance(call: Call[Any], resource: str) -> bool:
    """Whether the service orders the list by relevance, in which order pages cannot be separated."""
    from aioinstructure.abconnect.filters.grammar import searches  # noqa: PLC0415 - the first list loads it

    condition = call.value(f"filter[{resource}]")
    return condition is not None and call.value(f"sort[{resource}]") is None and searches(condition)


def _with_unique_order(call: Call[T], resource: str) -> Call[T]:
    """The call with an order that has no ties, which paging by offset needs.

    A full-text search keeps the order of its relevance unless it has a sort of its own.
    """
    name = f"sort[{resource}]"
    keys = call.value(name) or CommaList()
    unique = _UNIQUE | {"seq"} if resource == "events" else _UNIQUE  # elsewhere it orders siblings
    if any(key.lstrip("-") in unique for key in keys) or _is_by_relevance(call, resource):
        return call
    return call.with_values(**{name: CommaList([*keys, "guid"])})


def complete(call: Call[T]) -> Call[T]:
    """Add to a bound call what follows from its parameters: a unique order, fields to include."""
    route = call.route
    if route.method != "GET":
        return call
    if route.paginated and (resource := _sorted_resource(route)):
        call = _with_unique_order(call, resource)
    return with_included_fields(call, route.path.removeprefix(f"{BASE}/").partition("/")[0])


def bucket_of(call: Call[Any]) -> str:
    """The wildcard bucket for a call with a `*` among its fields or facet summaries."""
    query = call.query
    if not call.route.name:  # a path of the caller, which may have a query of its own
        query = (*query, *parse_qsl(call.route.path.partition("?")[2]))
    for name, value in query:
        if name == "facet_summary" or name.startswith("fields["):
            names = value if isinstance(value, CommaList) else str(value).split(",")
            if "*" in names:
                return WILDCARD
    return ""


@frozen
class _JSONAPIPager(OffsetPager):
    """By offset, with included objects attached to the references to them."""

    def items(self, body: Any, call: Call[Any], response: Response) -> list[Any]:
        """What `data` holds."""
        attach_included(body)
        return OffsetPager.items(self, body, call, response)


def _is_ordered(call: Call[Any]) -> bool:
    return not _is_by_relevance(call, _sorted_resource(call.route))


def _is_to_one(call: Call[Any]) -> bool:
    """Whether a path is a relationship to one object: "/standards/{id}/parent"."""
    steps = call.path.partition("?")[0].removeprefix(BASE).strip("/").split("/")
    return len(steps) == 3 and steps[2] in _TO_ONE


PAGER: Final = _JSONAPIPager(f"{BASE}/", is_ordered=_is_ordered, is_to_one=_is_to_one)
