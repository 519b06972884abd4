"""Facets: which values a property has among the objects that match, and how often."""

from __future__ import annotations

from typing import Any

from attrs import define, field

from aioinstructure.conversion.model import Model

__all__ = ["Facet", "FacetDetail", "FacetSummary"]


@define
class FacetDetail(Model):
    """One value of a facet.

    `data` is an object with `guid` and `descr` and what the kind of facet adds (`code`, `seq`,
    `acronym`, `adopt_year`); for asset types and custom attributes it is the bare value.
    """

    count: int | None = None
    data: Any = None


@define
class Facet(Model):
    """The values of one property, the most frequent first."""

    facet: str | None = None
    count: int | None = None
    details: list[FacetDetail] = field(factory=list)

    @property
    def truncated(self) -> bool:
        """Whether there are more values than the 10,000 that the service lists."""
        return bool(self.details) and self.count is not None and self.count > len(self.details)


@define
class FacetSummary(Model):
    """What `facets` found.

    Attributes:
        count: How many objects match.
        facets: The facets that were asked for.
    """

    count: int | None = None
    facets: list[Facet] = field(factory=list)

    @classmethod
    def reshape(cls, data: dict[str, Any]) -> dict[str, Any]:
        """Facets stand in the `meta` of a list."""
        inner = data.get("meta")
        return inner if isinstance(inner, dict) and "facets" not in data else data

    def __getitem__(self, name: str) -> Facet:
        """The facet of a property.

        Raises:
            KeyError: It was not asked for, or your licence has none.
        """
        for facet in self.facets:
            if facet.facet == name:
                return facet
        raise KeyError(name)
