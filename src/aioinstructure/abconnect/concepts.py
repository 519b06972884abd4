"""AB Concepts: what standards and assets are about. Read-only, licensed separately."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from attrs import define, field

from aioinstructure._types import OnChange
from aioinstructure.abconnect.filters.expressions import FilterLike, PathLike
from aioinstructure.abconnect.json_api.resources import Faceted, Resource
from aioinstructure.abconnect.shared_models import Disciplines
from aioinstructure.endpoints.declare import GET, Param
from aioinstructure.paging.paginator import Paginator


@define
class Concept(Resource):
    """A concept; `context` distinguishes it from others of the same name.

    Source: https://developerdocs.instructure.com/services/ab-connect/reference/concepts
    """

    json_type = "concepts"

    descr: str | None = None
    context: str | None = None
    disciplines: Disciplines = field(factory=Disciplines)


class ConceptsAPI(Faceted):
    """Concepts: list and read. They have no relationships."""

    __source__ = "https://developerdocs.instructure.com/services/ab-connect/reference/concepts"
    _resource = "concepts"

    @GET("/concepts")
    def list(
        self,
        *,
        filter: Annotated[FilterLike | None, Param("filter[concepts]")] = None,
        fields: Annotated[Sequence[PathLike], Param("fields[concepts]")] = (),
        sort: Annotated[Sequence[PathLike], Param("sort[concepts]")] = (),
        page_size: int | None = None,
        on_change: OnChange = "raise",
    ) -> Paginator[Concept]:
        """List the concepts that match; by default in order of their GUIDs."""
        ...

    @GET("/concepts/{id}")
    async def get(
        self, id: str, *, fields: Annotated[Sequence[PathLike], Param("fields[concepts]")] = ()
    ) -> Concept:
        """Read one concept."""
        ...
