"""Collections: named filters over standards or assets, which the service keeps for its clients.

What is in `filters` and `advanced_search` is a convention among clients; the service keeps both as
they are. Their bodies are no JSON:API: `data` holds the members directly.
"""

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


class StandardCollectionsAPI(ABNamespace):
    """Collections of standards."""

    @GET("/standard_collections")
    def list(
        self,
        *,
        collection_name: str | None = None,
        search_collection_name: str | None = None,
        filter: Annotated[FilterLike | None, Param("filter[standard_collections]")] = None,
        fields: Annotated[Sequence[PathLike], Param("fields[standard_collections]")] = (),
        sort: Annotated[Sequence[PathLike], Param("sort[standard_collections]")] = (),
        page_size: int | None = None,
        on_change: OnChange = "raise",
    ) -> Paginator[Collection]:
        """Collections by their exact name, by a part of it in any case, or all."""
        ...

    @GET("/standard_collections/{id}")
    async def get(
        self,
        id: str,
        *,
        fields: Annotated[Sequence[PathLike], Param("fields[standard_collections]")] = (),
    ) -> Collection:
        """One collection."""
        ...

    @POST("/standard_collections", body=bodies.collection)
    async def create(
        self,
        *,
        name: str,
        filters: Opt[Mapping[str, Any]] = UNSET,
        advanced_search: Opt[Mapping[str, Any]] = UNSET,
    ) -> Collection:
        """Create a collection. Conflict where the name is taken (the cause is not documented)."""
        ...

    @PATCH("/standard_collections/{id}", body=bodies.collection)
    async def update(
        self,
        id: str,
        *,
        name: Opt[str] = UNSET,
        filters: Opt[Mapping[str, Any]] = UNSET,
        advanced_search: Opt[Mapping[str, Any]] = UNSET,
    ) -> Collection:
        """Change what is given."""
        ...

    @DELETE("/standard_collections/{id}")
    async def delete(self, id: str) -> None:
        """Delete a collection."""
        ...
