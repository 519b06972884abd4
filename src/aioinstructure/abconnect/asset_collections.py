"""Collections of assets: named filters that the service stores for its clients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from aioinstructure._types import UNSET, OnChange, Opt
from aioinstructure.abconnect.filters.expressions import FilterLike, PathLike
from aioinstructure.abconnect.json_api import serializers as bodies
from aioinstructure.abconnect.json_api.resources import ABNamespace
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
    """Collections of assets: list, read, create, update, delete."""

    __source__ = (
        "https://developerdocs.instructure.com/services/ab-connect/reference/asset-collections"
    )

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
        """List the collections of assets.

        `collection_name` matches the exact name, `search_collection_name` a part of the name,
        ignoring case. Without either, all collections are listed.
        """
        ...

    @GET("/asset_collections/{id}")
    async def get(
        self,
        id: str,
        *,
        fields: Annotated[Sequence[PathLike], Param("fields[asset_collections]")] = (),
    ) -> Collection:
        """Read one collection."""
        ...

    @POST("/asset_collections", body=bodies.collection)
    async def create(
        self,
        *,
        name: str,
        filters: Opt[Mapping[str, Any]] = UNSET,
        advanced_search: Opt[Mapping[str, Any]] = UNSET,
    ) -> Collection:
        """Create a collection.

        Raises Conflict if the name is taken (the vendor does not document the cause).
        """
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
        """Update the given members.

        The reference describes this operation in text only, without a schema.
        """
        ...

    @DELETE("/asset_collections/{id}")
    async def delete(self, id: str) -> None:
        """Delete a collection.

        The reference describes this operation in text only, without a schema.
        """
        ...
