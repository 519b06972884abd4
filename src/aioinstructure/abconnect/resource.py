"""What the objects of AB Connect have in common: JSON:API without its scaffolding."""

from __future__ import annotations

from typing import Any, ClassVar

from attrs import define, field

from aioinstructure.convert import Model
from aioinstructure.endpoint import Namespace
from aioinstructure.wire.params import Pairs, comma_pairs

__all__ = ["ABNamespace", "Links", "Relationship", "Resource", "ResourceRef", "flattened"]


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
    """Another object by type and id; `meta` has the properties of the relationship."""

    type: str | None = None
    id: str | None = None
    meta: dict[str, Any] = field(factory=dict)


@define
class Relationship(Model):
    """The related objects of one kind.

    Up to 25 are embedded whole. Of more than 25 the first 10 are, and `cut` says so: list the
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
    def one(self) -> ResourceRef | None:
        """The related object of a to-one relationship."""
        return self.data[0] if self.data else None

    @property
    def ids(self) -> list[str]:
        """The ids of the embedded objects."""
        return [ref.id for ref in self.data if ref.id is not None]

    @property
    def cut(self) -> bool:
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


class ABNamespace(Namespace):
    """The operations of one resource: lists joined by commas, pages by `limit`."""

    _encoding: ClassVar[Pairs] = staticmethod(comma_pairs)
    _page_size_name: ClassVar[str] = "limit"
