"""The clarifier: decisions about an asset that the service requests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from attrs import define

from aioinstructure.abconnect.filters.expressions import FilterLike, PathLike
from aioinstructure.abconnect.json_api.resources import (
    ABNamespace,
    Relationship,
    Resource,
    relationship,
)
from aioinstructure.endpoints.declare import GET, Param

if TYPE_CHECKING:
    from aioinstructure.abconnect.concepts import Concept
    from aioinstructure.abconnect.standards import Standard

_SIBLINGS = {"Concept": "concepts", "Standard": "standards"}

__all__ = ["Clarification", "ClarifierAPI"]


@define
class Clarification(Resource):
    """Up to five concepts and five standards for which the service requests a decision."""

    clarification_concepts: Relationship[Concept] = relationship()
    clarification_standards: Relationship[Standard] = relationship()


class ClarifierAPI(ABNamespace):
    """The clarifier: what to decide next about an asset.

    Send the decision with `assets.add_alignments`.
    """

    @GET("/clarifier/{id}")
    async def get(
        self,
        id: str,
        *,
        include: Sequence[Literal["clarification_concepts", "clarification_standards"]] = (
            "clarification_concepts",
            "clarification_standards",
        ),
        fields: Annotated[Sequence[PathLike], Param("fields[clarifier]")] = (
            "clarification_concepts",
            "clarification_standards",
        ),
        standard_fields: Annotated[Sequence[PathLike], Param("fields[standards]")] = (),
        concept_fields: Annotated[Sequence[PathLike], Param("fields[concepts]")] = (),
        standards: Annotated[FilterLike | None, Param("filter[clarification_standards]")] = None,
    ) -> Clarification:
        """Read the concepts and standards to decide next for an asset, by the id of the asset."""
        ...
