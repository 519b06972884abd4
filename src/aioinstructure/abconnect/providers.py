"""Providers (you, and whom you share assets with) and the definitions of asset types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import attrs
from attrs import define, field

from aioinstructure.abconnect.query import FilterLike, PathLike
from aioinstructure.abconnect.resource import ABNamespace, OnChange, Relationship, Resource
from aioinstructure.convert import Model
from aioinstructure.endpoint import GET, Wire
from aioinstructure.paging import Pages

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


class Providers(ABNamespace):
    """Providers: list and read. `filter="id eq _me"` finds your own."""

    _resource = "providers"

    @GET("/providers")
    def list(
        self,
        *,
        filter: Annotated[FilterLike | None, Wire("filter[providers]")] = None,
        fields: Annotated[Sequence[PathLike], Wire("fields[providers]")] = (),
        sort: Annotated[Sequence[PathLike], Wire("sort[providers]")] = (),
        include: Sequence[ProviderInclude] = (),
        page_size: int | None = None,
        on_change: OnChange = "raise",
    ) -> Pages[Provider]:
        """You, and every provider that you share with."""
        ...

    @GET("/providers/{id}")
    async def get(
        self,
        id: str,
        *,
        fields: Annotated[Sequence[PathLike], Wire("fields[providers]")] = (),
        include: Sequence[ProviderInclude] = (),
    ) -> Provider:
        """One provider."""
        ...


@define
class NameAndId(Model):
    """Two paths: of the text to show, and of the value to filter by."""

    name: str | None = None
    id: str | None = None


@define
class AssetProperty(Model):
    """A property of an asset type.

    `field.name` is the facet to ask for, `field.id` the path to filter by; `facet` has the paths
    within a facet's details.
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


class AssetDefinitions(ABNamespace):
    """Definitions of asset types: list and read."""

    _resource = "asset_definitions"

    @GET("/asset_definitions")
    def list(
        self,
        *,
        filter: Annotated[FilterLike | None, Wire("filter[asset_definitions]")] = None,
        fields: Annotated[Sequence[PathLike], Wire("fields[asset_definitions]")] = (),
        sort: Annotated[Sequence[PathLike], Wire("sort[asset_definitions]")] = (),
        page_size: int | None = None,
        on_change: OnChange = "raise",
    ) -> Pages[AssetDefinition]:
        """All definitions of your account."""
        ...

    @GET("/asset_definitions/{id}")
    async def get(
        self,
        id: str,
        *,
        fields: Annotated[Sequence[PathLike], Wire("fields[asset_definitions]")] = (),
    ) -> AssetDefinition:
        """One definition."""
        ...
