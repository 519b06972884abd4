"""Providers: your account, and the accounts that you share assets with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from attrs import define, field

from aioinstructure._types import OnChange
from aioinstructure.abconnect.filters.expressions import FilterLike, PathLike
from aioinstructure.abconnect.json_api.resources import (
    ABNamespace,
    Relationship,
    Resource,
    relationship,
)
from aioinstructure.endpoints.declare import GET, Param
from aioinstructure.paging.paginator import Paginator

ProviderInclude = Literal["owners", "consumers"]


@define
class Provider(Resource):
    """An account that owns assets. `owners` and `consumers` are set on your own one only.

    Source: https://developerdocs.instructure.com/services/ab-connect/reference/providers
    """

    json_type = "providers"

    descr: str | None = None
    taxonomies: list[Literal["concepts", "topics"] | str] = field(factory=list)
    owners: Relationship[Provider] = relationship()
    consumers: Relationship[Provider] = relationship()


class ProvidersAPI(ABNamespace):
    """Providers: list and read. `filter="id eq _me"` selects your own."""

    __source__ = "https://developerdocs.instructure.com/services/ab-connect/reference/providers"
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
        """List your own provider and all providers that you share assets with."""
        ...

    @GET("/providers/{id}")
    async def get(
        self,
        id: str,
        *,
        fields: Annotated[Sequence[PathLike], Param("fields[providers]")] = (),
        include: Sequence[ProviderInclude] = (),
    ) -> Provider:
        """Read one provider."""
        ...
