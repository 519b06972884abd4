"""Asset definitions: the properties that an asset of each type can have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import attrs
from attrs import define

from aioinstructure._types import OnChange
from aioinstructure.abconnect.filters.expressions import FilterLike, PathLike
from aioinstructure.abconnect.json_api.resources import (
    ABNamespace,
    Resource,
)
from aioinstructure.conversion.model import Model
from aioinstructure.endpoints.declare import GET, Param
from aioinstructure.paging.paginator import Paginator

__all__ = ["AssetDefinition", "AssetDefinitionsAPI", "AssetProperty", "NameAndId"]


@define
class NameAndId(Model):
    """Two paths: that of the text to show, and that of the value to filter by."""

    name: str | None = None
    id: str | None = None


@define
class AssetProperty(Model):
    """A property of an asset type.

    `field.name` is the facet to request, `field.id` the path to filter by; `facet` has the paths
    within the details of the facet.
    """

    label: str | None = None
    seq: int | None = None
    filterable: Any = None
    field: NameAndId | None = None
    facet: NameAndId | None = None


@define
class AssetDefinition(Resource):
    """The properties of an asset type.

    Source: https://developerdocs.instructure.com/services/ab-connect/reference/asset-definitions
    """

    asset_type: str | None = None
    properties: list[AssetProperty] = attrs.field(factory=list)


class AssetDefinitionsAPI(ABNamespace):
    """Asset definitions: list and read."""

    __source__ = (
        "https://developerdocs.instructure.com/services/ab-connect/reference/asset-definitions"
    )
    _resource = "asset_definitions"

    @GET("/asset_definitions")
    def list(
        self,
        *,
        filter: Annotated[FilterLike | None, Param("filter[asset_definitions]")] = None,
        fields: Annotated[Sequence[PathLike], Param("fields[asset_definitions]")] = (),
        sort: Annotated[Sequence[PathLike], Param("sort[asset_definitions]")] = (),
        page_size: int | None = None,
        on_change: OnChange = "raise",
    ) -> Paginator[AssetDefinition]:
        """List the asset definitions of your account."""
        ...

    @GET("/asset_definitions/{id}")
    async def get(
        self,
        id: str,
        *,
        fields: Annotated[Sequence[PathLike], Param("fields[asset_definitions]")] = (),
    ) -> AssetDefinition:
        """Read one asset definition."""
        ...
