"""Collections: named filters over standards or assets, which the service keeps for its clients.

What is in `filters` and `advanced_search` is a convention among clients; the service keeps both as
they are. Their bodies are no JSON:API: `data` holds the members directly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from attrs import define, field

from aioinstructure._types import UNSET, Opt
from aioinstructure.abconnect.query import FilterLike, PathLike
from aioinstructure.abconnect.resource import ABNamespace, OnChange
from aioinstructure.convert import Model
from aioinstructure.endpoint import DELETE, GET, PATCH, POST, Wire
from aioinstructure.paging import Pages


@define
class Collection(Model):
    """A named filter.

    Sources: https://developerdocs.instructure.com/services/ab-connect/reference/standard-collections
    and asset-collections beside it.
    """

    guid: str | None = None
    name: str | None = None
    filters: dict[str, Any] = field(factory=dict)
    advanced_search: dict[str, Any] = field(factory=dict)

    @classmethod
    def reshape(cls, data: dict[str, Any]) -> dict[str, Any]:
        """Out of the envelope."""
        inner = data.get("data")
        return inner if isinstance(inner, dict) else data


def _data(*, id: str | None = None, **given: Any) -> dict[str, Any]:  # noqa: ARG001 - of the path
    return {"data": {name: value for name, value in given.items() if value is not UNSET}}


class StandardCollections(ABNamespace):
    """Collections of standards."""

    @GET("/standard_collections")
    def list(
        self,
        *,
        collection_name: str | None = None,
        search_collection_name: str | None = None,
        filter: Annotated[FilterLike | None, Wire("filter[standard_collections]")] = None,
        fields: Annotated[Sequence[PathLike], Wire("fields[standard_collections]")] = (),
        sort: Annotated[Sequence[PathLike], Wire("sort[standard_collections]")] = (),
        page_size: int | None = None,
        on_change: OnChange = "raise",
    ) -> Pages[Collection]:
        """Collections by their exact name, by a part of it in any case, or all."""
        ...

    @GET("/standard_collections/{id}")
    async def get(
        self,
        id: str,
        *,
        fields: Annotated[Sequence[PathLike], Wire("fields[standard_collections]")] = (),
    ) -> Collection:
        """One collection."""
        ...

    @POST("/standard_collections", body=_data)
    async def create(
        self,
        *,
        name: str,
        filters: Opt[Mapping[str, Any]] = UNSET,
        advanced_search: Opt[Mapping[str, Any]] = UNSET,
    ) -> Collection:
        """Create a collection. Conflict where the name is taken (the cause is not documented)."""
        ...

    @PATCH("/standard_collections/{id}", body=_data)
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


class AssetCollections(ABNamespace):
    """Collections of assets."""

    @GET("/asset_collections")
    def list(
        self,
        *,
        collection_name: str | None = None,
        search_collection_name: str | None = None,
        filter: Annotated[FilterLike | None, Wire("filter[asset_collections]")] = None,
        fields: Annotated[Sequence[PathLike], Wire("fields[asset_collections]")] = (),
        sort: Annotated[Sequence[PathLike], Wire("sort[asset_collections]")] = (),
        page_size: int | None = None,
        on_change: OnChange = "raise",
    ) -> Pages[Collection]:
        """Collections by their exact name, by a part of it in any case, or all."""
        ...

    @GET("/asset_collections/{id}")
    async def get(
        self,
        id: str,
        *,
        fields: Annotated[Sequence[PathLike], Wire("fields[asset_collections]")] = (),
    ) -> Collection:
        """One collection."""
        ...

    @POST("/asset_collections", body=_data)
    async def create(
        self,
        *,
        name: str,
        filters: Opt[Mapping[str, Any]] = UNSET,
        advanced_search: Opt[Mapping[str, Any]] = UNSET,
    ) -> Collection:
        """Create a collection. Conflict where the name is taken (the cause is not documented)."""
        ...

    @PATCH("/asset_collections/{id}", body=_data)
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
