"""Collections of assets: named filters, which the service keeps for its clients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from aioinstructure._types import UNSET, Opt
from aioinstructure.abconnect.filters.expressions import FilterLike, PathLike
from aioinstructure.abconnect.json_api import serializers as bodies
from aioinstructure.abconnect.json_api.resources import ABNamespace, OnChange
from aioinstructure.abconnect.shared_models import Collection
from aioinstructure.endpoints.declare import (
    DELETE,
    GET,
    PATCH,
    POST,
    Param,
)
from aioinstructure.paging.paginator import Paginator

__all__ = ["AssetCollectionsAPI"]


class AssetCollectionsAPI(ABNamespace):
    """Collections of assets."""

    @GET("/asset_collections")
    def list(
        self,
        *,
        collection_name: str | None = None,
        search_collection_name: str | None = None,
        filter: Annotated[FilterLike | None, Param("filter[asset_collections]")] = None,
        fields: Annotated[Sequence[PathLike], Param("fields[asset_collections]")] = (),
        sort: Annotated[Sequence[PathLike], Param("sort[asset_collections]")] = (),
        page_size: int | None = None,
        on_change: OnChange = "raise",
    ) -> Paginator[Collection]:
        """Collections by their exact name, by a part of it in any case, or all."""
        ...

    @GET("/asset_collections/{id}")
    async def get(
        self,
        id: str,
        *,
        fields: Annotated[Sequence[PathLike], Param("fields[asset_collections]")] = (),
    ) -> Collection:
        """One collection."""
        ...

    @POST("/asset_collections", body=bodies.collection)
    async def create(
        self,
        *,
        name: str,
        filters: Opt[Mapping[str, Any]] = UNSET,
        advanced_search: Opt[Mapping[str, Any]] = UNSET,
    ) -> Collection:
        """Create a collection. Conflict where the name is taken (the cause is not documented)."""
        ...

    @PATCH("/asset_collections/{id}", body=bodies.collection)
    async def update(
        self,
        id: str,
        *,
        name: Opt[str] = UNSET,
        filters: Opt[Mapping[str, Any]] = UNSET,
        advanced_search: Opt[Mapping[str, Any]] = UNSET,
    ) -> Collection:
        """Change what is given. The prose of the reference has it, no schema is printed."""
        ...

    @DELETE("/asset_collections/{id}")
    async def delete(self, id: str) -> None:
        """Delete a collection. The prose of the reference has it, no schema is printed."""
        ...
