"""Base classes of AB Connect objects and namespaces: JSON:API resources, flattened."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from attrs import define, field

from aioinstructure.abconnect.filters.expressions import FilterLike, PathLike
from aioinstructure.abconnect.filters.vocabulary import check
from aioinstructure.abconnect.json_api.facets import FacetSummary
from aioinstructure.abconnect.json_api.includes import attach_included
from aioinstructure.abconnect.json_api.paging import BASE, PAGER, complete
from aioinstructure.conversion.checked import checked
from aioinstructure.conversion.model import Model
from aioinstructure.endpoints.declare import Namespace
from aioinstructure.endpoints.route import Call, Complete, Refine, Route
from aioinstructure.errors import DecodeError, InputError
from aioinstructure.wire.params import PairEncoder, comma_pairs

if TYPE_CHECKING:
    from aioinstructure.abconnect.client import ABConnect  # noqa: F401 - named in a base below

__all__ = [
    "ABNamespace",
    "Faceted",
    "Links",
    "Relationship",
    "Resource",
    "ResourceRef",
    "check_guid",
    "flattened",
    "normalized_guid",
    "relationship",
]

"""What to do if a list changes while it is read: raise IncompleteError, or restart.

A restart skips items that were already yielded; for this, the ids of all of them are kept."""


def flattened(data: dict[str, Any]) -> dict[str, Any]:
    """Return a resource object with its attributes and relationships as direct members."""
    attributes = data.get("attributes")
    relationships = data.get("relationships")
    if not isinstance(attributes, dict) and not isinstance(relationships, dict):
        return data
    rest = {k: v for k, v in data.items() if k not in ("attributes", "relationships")}
    return {**rest, **(attributes or {}), **(relationships or {})}


@define
class Links(Model):
    """The URL that lists a relationship, and its next page if the embedded list is truncated."""

    related: str | None = None
    next: str | None = None
    last: str | None = None


R = TypeVar("R")


def normalized_guid(guid: str | None) -> str:
    """What two GUIDs are compared by: the service sends them in any case; "" for none.

    Raises:
        DecodeError: It is no text.
    """
    return (checked(guid, str, "id") or "").lower()


@define
class ResourceRef(Model, Generic[R]):
    """A reference to another object by type and id.

    `meta` has the properties of the relationship, `resource` the object itself if `include`
    requested it.
    """

    type: str | None = None
    id: str | None = None
    meta: dict[str, Any] = field(factory=dict)
    resource: R | None = None


@define
class Relationship(Model, Generic[R]):
    """The related objects of one kind.

    Up to 25 objects are embedded. If there are more, only the first 10 are embedded and `truncated`
    is true: list the relationship to read all of them. A to-one relationship holds one or none.
    """

    data: list[ResourceRef[R]] = field(factory=list)
    links: Links = field(factory=Links)

    @classmethod
    def reshape(cls, data: dict[str, Any]) -> dict[str, Any]:
        """Make a list of a to-one relationship: of one object, or none for the empty object."""
        one = data.get("data")
        if isinstance(one, dict):
            return {**data, "data": [one] if one else []}
        return data

    @property
    def single(self) -> ResourceRef[R] | None:
        """The related object of a to-one relationship, if any."""
        return self.data[0] if self.data else None

    @property
    def ids(self) -> list[str]:
        """The ids of the embedded objects."""
        return [ref.id for ref in self.data if ref.id is not None]

    @property
    def truncated(self) -> bool:
        """Whether there are more related objects than are embedded."""
        return self.links.next is not None


def relationship() -> Any:
    """The field of a relationship: an empty one where none was sent."""
    # Any, since no checker infers the type of the related objects from `factory=Relationship`.
    return field(factory=Relationship)


@define
class Resource(Model):
    """An object of AB Connect.

    Only the properties requested by `fields` are set; `fields_set` names those that the service
    sent. GUIDs come in upper or lower case: compare them case-insensitively.
    """

    id: str | None = None
    type: str | None = None
    guid: str | None = None
    meta: dict[str, Any] = field(factory=dict)

    def is_empty(self) -> bool:
        """Whether nothing of it was sent; any response may have `meta`."""
        return not self.fields_set - {"meta"}

    @classmethod
    def reshape(cls, data: dict[str, Any]) -> dict[str, Any]:
        """Unwrap a single resource, and flatten its attributes and relationships."""
        inner = data.get("data")
        if isinstance(inner, dict) and "id" not in data:
            # `included` is next to `data` in the body; it goes to `extra` too.
            attach_included(data)
            data = {k: v for k, v in data.items() if k == "included"} | inner
        return flattened(data)


_GUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


def check_guid(name: str, value: Any) -> str:
    """Return the value if it has the form of a GUID, in upper or lower case.

    Raises:
        InputError: The value is not a GUID.
    """
    if not isinstance(value, str) or not _GUID.fullmatch(value):
        raise InputError(
            f"{name} must be a GUID such as 1F9D5A8A-7053-11DF-8EBF-BE719DFF4B22, not {value!r:.80}"
        )
    return value


class ABNamespace(Namespace["ABConnect"]):
    """The operations of one resource: lists are joined by commas, `limit` is the page size."""

    _base: ClassVar[str] = BASE
    _pairs: ClassVar[PairEncoder] = staticmethod(comma_pairs)
    _page_size_name: ClassVar[str] = "limit"
    _pager: ClassVar[Any] = PAGER
    _resource: ClassVar[str] = ""

    @classmethod
    def _completer(cls) -> Complete:
        """Adds a unique order, and the fields of what is included."""
        return complete

    @classmethod
    def _refiner(cls) -> Refine:
        """Return a function that checks GUIDs, filters and names before a request is sent."""
        resource = cls._resource

        def refine(wire_name: str, value: Any) -> Any:
            if wire_name == "id":
                return check_guid("id", value)
            return value if value is None else check(resource, wire_name, value)

        return refine


class Faceted(ABNamespace):
    """A resource whose list has facets."""

    async def facets(
        self,
        *names: PathLike,
        filter: FilterLike | None = None,
        summary: Sequence[PathLike] = (),
    ) -> FacetSummary:
        """Count the values of properties among the objects that match.

        Args:
            names: Facets to list with their values, such as "disciplines.subjects".
            filter: Which objects to count; by default all that your licence includes.
            summary: Facets for which only the number of values is requested; ["*"] for all of
                them, which is limited to 2 calls a second.
        """
        resource = self._resource
        name = f"filter[{resource}]"
        given = (
            (name, None if filter is None else check(resource, name, filter)),
            ("facet", check(resource, "facet", names) if names else None),
            ("facet_summary", check(resource, "facet_summary", summary) if summary else None),
            ("limit", 0),
        )
        query = tuple(pair for key, value in given for pair in comma_pairs(key, value))
        response = await self._client.send(Call(_facet_route(resource), query=query))
        found = self._client.structure(response, FacetSummary)
        if (names or summary) and "facets" not in found.fields_set:
            raise DecodeError("the response has no facets", response=response)
        return found


@functools.cache
def _facet_route(resource: str) -> Route:
    """The list of a resource, read only for its facets."""
    return Route(
        method="GET",
        path=f"{BASE}/{resource}",
        name=f"{resource}.facets",
        parameters=(),
        returns=FacetSummary,
        paginated=False,
        idempotent=True,
        derived=True,
    )
