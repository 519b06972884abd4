"""Assets: your content, its alignments, and its related topics, concepts and assets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypedDict

from attrs import define, field

from aioinstructure._types import UNSET, OnChange, Opt
from aioinstructure.abconnect.filters.expressions import FilterLike, PathLike
from aioinstructure.abconnect.json_api import serializers as bodies
from aioinstructure.abconnect.json_api.resources import (
    Faceted,
    Relationship,
    Resource,
    relationship,
)
from aioinstructure.abconnect.shared_models import Disciplines, EducationLevels
from aioinstructure.conversion.model import Model
from aioinstructure.endpoints.declare import (
    DELETE,
    GET,
    PATCH,
    POST,
    Param,
)
from aioinstructure.paging.paginator import Paginator

if TYPE_CHECKING:
    from aioinstructure.abconnect.concepts import Concept
    from aioinstructure.abconnect.providers import Provider
    from aioinstructure.abconnect.standards import Standard
    from aioinstructure.abconnect.topics import Topic

_SIBLINGS = {
    "Concept": "concepts",
    "Provider": "providers",
    "Standard": "standards",
    "Topic": "topics",
}

Disposition = Literal["accepted", "rejected"]
Emphasis = Literal["central", "related", "not_applicable", "avoid"]
AlignmentTag = Literal[
    "Excellent",
    "Good",
    "Moderate",
    "Encompassing",
    "Related",
    "Partial",
    "Limited",
    "Best One",
    "Maybe",
]
AssetInclude = Literal[
    "alignments",
    "deleted_alignments",
    "topics",
    "concepts",
    "owner",
    "parent",
    "alignment_donors",
    "concept_donors",
]


class Coded(TypedDict, total=False):
    """A grade, subject or similar term, by its code or GUID."""

    code: str
    guid: str


class DescriptorValue(TypedDict):
    """A custom attribute under its display name."""

    name: str
    value: str


@define
class Descriptor(Model):
    """A custom attribute under its display name, the form for old clients."""

    name: str | None = None
    value: Any = None


@define
class Asset(Resource):
    """A piece of content.

    `custom_attributes` maps keys to lists. The service derives the keys from the display names:
    lower case, with each run of blanks and special characters replaced by an underscore.
    Source: https://developerdocs.instructure.com/services/ab-connect/reference/assets
    """

    json_type = "assets"

    client_id: str | None = None
    asset_type: str | None = None
    title: str | None = None
    prediction_algorithm: int | None = None
    date_modified_utc: datetime | None = None
    date_alignments_modified_utc: datetime | None = None
    descriptors: list[Descriptor] = field(factory=list)
    custom_attributes: dict[str, Any] = field(factory=dict)
    disciplines: Disciplines = field(factory=Disciplines)
    education_levels: EducationLevels = field(factory=EducationLevels)
    alignments: Relationship[Standard] = relationship()
    deleted_alignments: Relationship[Standard] = relationship()
    topics: Relationship[Topic] = relationship()
    concepts: Relationship[Concept] = relationship()
    owner: Relationship[Provider] = relationship()
    parent: Relationship[Asset] = relationship()
    alignment_donors: Relationship[Asset] = relationship()
    concept_donors: Relationship[Asset] = relationship()


class AssetsAPI(Faceted):
    """Assets: list, read, create, update, delete, and relate.

    `add_*` keeps the existing members, `replace_*` replaces the complete set with all of its
    properties (without arguments it clears the set), `remove_*` removes members. Properties of a
    relationship cannot be changed in place. Donors and parents work only for asset types for which
    AB Support has enabled them. The reference describes the bodies of removals, and the parent, in
    text only.
    """

    __source__ = "https://developerdocs.instructure.com/services/ab-connect/reference/assets"
    _resource = "assets"

    @GET("/assets")
    def list(
        self,
        *,
        filter: Annotated[FilterLike | None, Param("filter[assets]")] = None,
        alignments: Annotated[FilterLike | None, Param("filter[alignments]")] = None,
        deleted_alignments: Annotated[
            FilterLike | None, Param("filter[deleted_alignments]")
        ] = None,
        topics: Annotated[FilterLike | None, Param("filter[topics]")] = None,
        concepts: Annotated[FilterLike | None, Param("filter[concepts]")] = None,
        fields: Annotated[Sequence[PathLike], Param("fields[assets]")] = (),
        sort: Annotated[Sequence[PathLike], Param("sort[assets]")] = (),
        include: Sequence[AssetInclude] = (),
        page_size: int | None = None,
        on_change: OnChange = "raise",
    ) -> Paginator[Asset]:
        """List your own assets that match, or those of owners selected by `owner.id` in the filter.

        `alignments`, `deleted_alignments`, `topics` and `concepts` filter the related objects that
        are shown, not the assets.
        """
        ...

    @GET("/assets/{id}")
    async def get(
        self,
        id: str,
        *,
        fields: Annotated[Sequence[PathLike], Param("fields[assets]")] = (),
        include: Sequence[AssetInclude] = (),
    ) -> Asset:
        """Read one asset."""
        ...

    @POST("/assets", body=bodies.asset)
    async def create(
        self,
        *,
        client_id: str,
        asset_type: str,
        title: Opt[str | None] = UNSET,
        grades: Opt[Sequence[Coded]] = UNSET,
        subjects: Opt[Sequence[Coded]] = UNSET,
        strands: Opt[Sequence[Coded]] = UNSET,
        genres: Opt[Sequence[Coded]] = UNSET,
        ece_domains: Opt[Sequence[Coded]] = UNSET,
        descriptors: Opt[Sequence[DescriptorValue]] = UNSET,
        custom_attributes: Opt[Mapping[str, Sequence[str | float]]] = UNSET,
    ) -> Asset:
        """Create an asset.

        `client_id` and `asset_type` cannot be updated: to change them, delete the asset and create
        it again.
        """
        ...

    @PATCH("/assets/{id}", body=bodies.asset)
    async def update(
        self,
        id: str,
        *,
        title: Opt[str | None] = UNSET,
        grades: Opt[Sequence[Coded]] = UNSET,
        subjects: Opt[Sequence[Coded]] = UNSET,
        strands: Opt[Sequence[Coded]] = UNSET,
        genres: Opt[Sequence[Coded]] = UNSET,
        ece_domains: Opt[Sequence[Coded]] = UNSET,
        descriptors: Opt[Sequence[DescriptorValue]] = UNSET,
        custom_attributes: Opt[Mapping[str, Sequence[str | float]]] = UNSET,
    ) -> Asset:
        """Update the given attributes.

        Each value replaces the complete old value, including lists and objects.
        """
        ...

    @DELETE("/assets/{id}")
    async def delete(self, id: str) -> None:
        """Delete an asset. Raises Conflict while it is a donor of other assets."""
        ...

    # --- alignments

    @GET("/assets/{id}/alignments")
    def alignments(
        self,
        id: str,
        *,
        filter: Annotated[FilterLike | None, Param("filter[alignments]")] = None,
        fields: Annotated[Sequence[PathLike], Param("fields[standards]")] = (),
        sort: Annotated[Sequence[PathLike], Param("sort[alignments]")] = (),
        page_size: int | None = None,
    ) -> Paginator[Standard]:
        """List the standards that an asset is aligned to.

        `.meta` has the disposition, score, tags and dates.
        """
        ...

    @POST("/assets/{id}/alignments", body=bodies.alignments)
    async def add_alignments(
        self,
        id: str,
        *,
        accepted: Sequence[str] = (),
        rejected: Sequence[str] = (),
        tags: Sequence[AlignmentTag] = (),
    ) -> None:
        """Align an asset to standards; `tags` apply to the accepted ones."""
        ...

    @PATCH("/assets/{id}/alignments", body=bodies.alignments)
    async def replace_alignments(
        self,
        id: str,
        *,
        accepted: Sequence[str] = (),
        rejected: Sequence[str] = (),
        tags: Sequence[AlignmentTag] = (),
    ) -> None:
        """Replace all alignments of an asset; removed ones become deleted alignments."""
        ...

    @DELETE("/assets/{id}/alignments", body=bodies.members("standards"))
    async def remove_alignments(self, id: str, *, ids: Sequence[str]) -> None:
        """Remove alignments from an asset; they become deleted alignments."""
        ...

    @GET("/assets/{id}/deleted_alignments")
    def deleted_alignments(
        self,
        id: str,
        *,
        filter: Annotated[FilterLike | None, Param("filter[deleted_alignments]")] = None,
        fields: Annotated[Sequence[PathLike], Param("fields[standards]")] = (),
        sort: Annotated[Sequence[PathLike], Param("sort[deleted_alignments]")] = (),
        page_size: int | None = None,
    ) -> Paginator[Standard]:
        """List the standards that an asset was aligned to; `.meta` has `date_deleted_utc`."""
        ...

    # --- topics

    @GET("/assets/{id}/topics")
    def topics(
        self,
        id: str,
        *,
        filter: Annotated[FilterLike | None, Param("filter[topics]")] = None,
        fields: Annotated[Sequence[PathLike], Param("fields[topics]")] = (),
        sort: Annotated[Sequence[PathLike], Param("sort[topics]")] = (),
        page_size: int | None = None,
    ) -> Paginator[Topic]:
        """List the topics of an asset; `.meta` has the disposition."""
        ...

    @POST("/assets/{id}/topics", body=bodies.topics)
    async def add_topics(
        self, id: str, *, accepted: Sequence[str] = (), rejected: Sequence[str] = ()
    ) -> None:
        """Relate an asset to topics."""
        ...

    @PATCH("/assets/{id}/topics", body=bodies.topics)
    async def replace_topics(
        self, id: str, *, accepted: Sequence[str] = (), rejected: Sequence[str] = ()
    ) -> None:
        """Replace all topics of an asset."""
        ...

    @DELETE("/assets/{id}/topics", body=bodies.members("topics"))
    async def remove_topics(self, id: str, *, ids: Sequence[str]) -> None:
        """Remove topics from an asset."""
        ...

    # --- concepts

    @GET("/assets/{id}/concepts")
    def concepts(
        self,
        id: str,
        *,
        filter: Annotated[FilterLike | None, Param("filter[concepts]")] = None,
        fields: Annotated[Sequence[PathLike], Param("fields[concepts]")] = (),
        sort: Annotated[Sequence[PathLike], Param("sort[concepts]")] = (),
        page_size: int | None = None,
    ) -> Paginator[Concept]:
        """List the concepts of an asset; `.meta` has the emphasis."""
        ...

    @POST("/assets/{id}/concepts", body=bodies.concepts)
    async def add_concepts(
        self,
        id: str,
        *,
        central: Sequence[str] = (),
        related: Sequence[str] = (),
        not_applicable: Sequence[str] = (),
        avoid: Sequence[str] = (),
    ) -> None:
        """Relate an asset to concepts, by emphasis."""
        ...

    @PATCH("/assets/{id}/concepts", body=bodies.concepts)
    async def replace_concepts(
        self,
        id: str,
        *,
        central: Sequence[str] = (),
        related: Sequence[str] = (),
        not_applicable: Sequence[str] = (),
        avoid: Sequence[str] = (),
    ) -> None:
        """Replace all concepts of an asset. Raises Conflict if its concepts come from a donor."""
        ...

    @DELETE("/assets/{id}/concepts", body=bodies.members("concepts"))
    async def remove_concepts(self, id: str, *, ids: Sequence[str]) -> None:
        """Remove concepts from an asset."""
        ...

    # --- other assets; AB Support enables donors and parents for an asset type

    @GET("/assets/{id}/alignment_donors")
    def alignment_donors(
        self,
        id: str,
        *,
        fields: Annotated[Sequence[PathLike], Param("fields[assets]")] = (),
        page_size: int | None = None,
    ) -> Paginator[Asset]:
        """List the assets that pass their standards and topics on to this one.

        The developer portal does not document this operation; links in responses point to it.
        """
        ...

    @GET("/assets/{id}/concept_donors")
    def concept_donors(
        self,
        id: str,
        *,
        fields: Annotated[Sequence[PathLike], Param("fields[assets]")] = (),
        page_size: int | None = None,
    ) -> Paginator[Asset]:
        """List the assets that pass their concepts on to this one.

        The developer portal does not document this operation; links in responses point to it.
        """
        ...

    @GET("/assets/{id}/parent")
    def parent(
        self,
        id: str,
        *,
        fields: Annotated[Sequence[PathLike], Param("fields[assets]")] = (),
        page_size: int | None = None,
    ) -> Paginator[Asset]:
        """List the parent of an asset: one asset or none.

        The developer portal does not document this operation; links in responses point to it.
        """
        ...

    @POST("/assets/{id}/alignment_donors", body=bodies.members("assets"))
    async def add_alignment_donors(self, id: str, *, ids: Sequence[str]) -> None:
        """Let other assets pass their standards and topics on to this one."""
        ...

    @PATCH("/assets/{id}/alignment_donors", body=bodies.members("assets"))
    async def replace_alignment_donors(self, id: str, *, ids: Sequence[str]) -> None:
        """Replace all alignment donors of an asset."""
        ...

    @DELETE("/assets/{id}/alignment_donors", body=bodies.members("assets"))
    async def remove_alignment_donors(self, id: str, *, ids: Sequence[str]) -> None:
        """Remove alignment donors from an asset."""
        ...

    @POST("/assets/{id}/concept_donors", body=bodies.members("assets"))
    async def add_concept_donors(self, id: str, *, ids: Sequence[str]) -> None:
        """Let other assets pass their concepts on to this one."""
        ...

    @PATCH("/assets/{id}/concept_donors", body=bodies.members("assets"))
    async def replace_concept_donors(self, id: str, *, ids: Sequence[str]) -> None:
        """Replace all concept donors of an asset."""
        ...

    @DELETE("/assets/{id}/concept_donors", body=bodies.members("assets"))
    async def remove_concept_donors(self, id: str, *, ids: Sequence[str]) -> None:
        """Remove concept donors from an asset."""
        ...

    @POST("/assets/{id}/parent", body=bodies.parent)
    async def add_parent(self, id: str, *, parent_id: str) -> None:
        """Make another asset the parent of an asset."""
        ...
