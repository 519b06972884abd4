"""Facets: the values of a property among the objects that match, with their counts."""

from __future__ import annotations

from typing import Any

from attrs import define, field

from aioinstructure.conversion.checked import checked
from aioinstructure.conversion.model import Model

__all__ = ["Facet", "FacetDetail", "FacetSummary"]


@define
class FacetDetail(Model):
    """One value of a facet.

    `data` is an object with `guid`, `descr` and members that depend on the facet (`code`, `seq`,
    `acronym`, `adopt_year`). For asset types and custom attributes it is the bare value.
    """

    count: int | None = None
    data: Any = None


@define
class Facet(Model):
    """The values of one property, most frequent first."""

    facet: str | None = None
    count: int | None = None
    details: list[FacetDetail] = field(factory=list)

    @property
    def truncated(self) -> bool:
        """Whether there are more values than the 10,000 that the service lists."""
        count = checked(self.count, int, "count")
        return bool(self.details) and count is not None and count > len(self.details)


@define
class FacetSummary(Model):
    """The result of `facets`.

    Attributes:
        count: The number of objects that match.
        facets: The requested facets.
    """

    count: int | None = None
    facets: list[Facet] = field(factory=list)

    @classmethod
    def reshape(cls, data: dict[str, Any]) -> dict[str, Any]:
        """Take the facets from the `meta` of a list."""
        inner = data.get("meta")
        return inner if isinstance(inner, dict) and "facets" not in data else data

    def __getitem__(self, name: str) -> Facet:
        """Return the facet of a property.

        Raises:
            KeyError: The facet was not requested, or your licence does not include it.
        """
        for facet in self.facets:
            if facet.facet == name:
                return facet
        raise KeyError(name)
