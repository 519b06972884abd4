"""What the objects of AB Connect have in common: JSON:API without its scaffolding."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from attrs import define, field

from aioinstructure.abconnect.filters.expressions import FilterLike, PathLike
from aioinstructure.abconnect.filters.vocabulary import check
from aioinstructure.abconnect.json_api.facets import FacetSummary
from aioinstructure.conversion.model import Model
from aioinstructure.endpoints.declare import Namespace
from aioinstructure.endpoints.route import Refine
from aioinstructure.errors import DecodeError, InputError
from aioinstructure.wire.params import PairEncoder, comma_pairs

if TYPE_CHECKING:
    from aioinstructure.abconnect.assets import Asset
    from aioinstructure.abconnect.concepts import Concept
    from aioinstructure.abconnect.providers import Provider
    from aioinstructure.abconnect.standards import Standard
    from aioinstructure.abconnect.topics import Topic

__all__ = [
    "ABNamespace",
    "Faceted",
    "Links",
    "OnChange",
    "Relationship",
    "Resource",
    "ResourceRef",
    "check_guid",
    "flattened",
]

OnChange = Literal["raise", "restart"]
"""What a list does that changes while it is read: raise IncompleteError, or begin anew.

Anew it hands out only what it has not yet, for which it remembers every id that it has."""


def flattened(data: dict[str, Any]) -> dict[str, Any]:
    """A resource object with its attributes and relationships as members of its own."""
    attributes = data.get("attributes")
    relationships = data.get("relationships")
    if not isinstance(attributes, dict) and not isinstance(relationships, dict):
        return data
    rest = {k: v for k, v in data.items() if k not in ("attributes", "relationships")}
    return {**rest, **(attributes or {}), **(relationships or {})}


@define
class Links(Model):
    """Where a relationship is listed, and its next page if it was cut."""

    related: str | None = None
    next: str | None = None
    last: str | None = None


@define
class ResourceRef(Model):
    """Another object by type and id.

    `meta` has the properties of the relationship, `resource` the object itself if `include` asked
    for it.
    """

    type: str | None = None
    id: str | None = None
    meta: dict[str, Any] = field(factory=dict)
    resource: Standard | Topic | Concept | Asset | Provider | None = None


@define
class Relationship(Model):
    """The related objects of one kind.

    Up to 25 are embedded whole. Of more than 25 the first 10 are, and `truncated` says so: list the
    relationship for all of them. A to-one relationship holds one or none.
    """

    data: list[ResourceRef] = field(factory=list)
    links: Links = field(factory=Links)

    @classmethod
    def reshape(cls, data: dict[str, Any]) -> dict[str, Any]:
        """A to-one is an object, and an empty one the empty object: a list of one or none."""
        one = data.get("data")
        if isinstance(one, dict):
            return {**data, "data": [one] if one else []}
        return data

    @property
    def single(self) -> ResourceRef | None:
        """The related object of a to-one relationship."""
        return self.data[0] if self.data else None

    @property
    def ids(self) -> list[str]:
        """The ids of the embedded objects."""
        return [ref.id for ref in self.data if ref.id is not None]

    @property
    def truncated(self) -> bool:
        """Whether there are more than are embedded."""
        return self.links.next is not None


@define
class Resource(Model):
    """An object of AB Connect.

    Only what `fields` asked for is set; `fields_set` tells what the service sent from what it did
    not. GUIDs come in any case: compare them without.
    """

    id: str | None = None
    type: str | None = None
    guid: str | None = None
    meta: dict[str, Any] = field(factory=dict)

    @classmethod
    def reshape(cls, data: dict[str, Any]) -> dict[str, Any]:
        """Without the scaffolding, and out of the envelope of a single resource."""
        inner = data.get("data")
        if isinstance(inner, dict) and "id" not in data:
            # What was asked for by `include` stands beside it, and goes to `extra`.
            data = {k: v for k, v in data.items() if k == "included"} | inner
        return flattened(data)


_GUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


def check_guid(name: str, value: Any) -> str:
    """The value, if it has the form of a GUID, in any case.

    Raises:
        InputError: It has not.
    """
    if not isinstance(value, str) or not _GUID.fullmatch(value):
        raise InputError(
            f"{name} must be a GUID such as 1F9D5A8A-7053-11DF-8EBF-BE719DFF4B22, not {value!r:.80}"
        )
    return value


class ABNamespace(Namespace):
    """The operations of one resource: lists joined by commas, pages by `limit`."""

    _encoding: ClassVar[PairEncoder] = staticmethod(comma_pairs)
    _page_size_name: ClassVar[str] = "limit"
    _resource: ClassVar[str] = ""

    @classmethod
    def _refiner(cls) -> Refine:
        """Checks GUIDs, filters and names before anything is sent."""
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
        """The values of properties among the objects that match, and how often each comes.

        Args:
            names: Facets whose values are wanted, such as "disciplines.subjects".
            filter: Which objects count; by default all that your licence shows.
            summary: Facets of which only the number of values is wanted; ["*"] for all, at 2
                calls a second.
        """
        resource = self._resource
        asked = {
            f"filter[{resource}]": None
            if filter is None
            else str(check(resource, f"filter[{resource}]", filter)),
            "facet": ",".join(check(resource, "facet", names)) if names else None,
            "facet_summary": ",".join(check(resource, "facet_summary", summary))
            if summary
            else None,
            "limit": 0,
        }
        client: Any = self._client
        response = await client.request("GET", f"{client.base}/{resource}", params=asked)
        found: FacetSummary = client.structure(response, FacetSummary)
        if (names or summary) and "facets" not in found.fields_set:
            raise DecodeError("the answer has no facets", response=response)
        return found
