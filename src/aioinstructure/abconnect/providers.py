"""Providers (you, and whom you share assets with) and the definitions of asset types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from attrs import define, field

from aioinstructure.abconnect.filters.expressions import FilterLike, PathLike
from aioinstructure.abconnect.json_api.resources import (
    ABNamespace,
    OnChange,
    Relationship,
    Resource,
)
from aioinstructure.endpoints.declare import GET, Param
from aioinstructure.paging.paginator import Paginator

ProviderInclude = Literal["owners", "consumers"]


@define
class Provider(Resource):
    """An account that assets belong to. `owners` and `consumers` are on your own one only.

    Source: https://developerdocs.instructure.com/services/ab-connect/reference/providers
    """

    json_type = "providers"

    descr: str | None = None
    taxonomies: list[Literal["concepts", "topics"] | str] = field(factory=list)
    owners: Relationship = field(factory=Relationship)
    consumers: Relationship = field(factory=Relationship)


class ProvidersAPI(ABNamespace):
    """Providers: list and read. `filter="id eq _me"` finds your own."""

    _resource = "providers"

    @GET("/providers")
    def list(
        self,
        *,
        filter: Annotated[FilterLike | None, Param("filter[providers]")] = None,
        fields: Annotated[Sequence[PathLike], Param("fields[providers]")] = (),
        sort: Annotated[Sequence[PathLike], Param("sort[providers]")] = (),
        include: Sequence[ProviderInclude] = (),
        page_size: int | None = None,
        on_change: OnChange = "raise",
    ) -> Paginator[Provider]:
        """You, and every provider that you share with."""
        ...

    @GET("/providers/{id}")
    async def get(
        self,
        id: str,
        *,
        fields: Annotated[Sequence[PathLike], Param("fields[providers]")] = (),
        include: Sequence[ProviderInclude] = (),
    ) -> Provider:
        """One provider."""
        ...
