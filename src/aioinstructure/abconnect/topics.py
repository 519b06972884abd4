"""AB Topics: a taxonomy that standards and assets relate to. Read-only, licensed separately."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal

from attrs import define, field

from aioinstructure._types import OnChange
from aioinstructure.abconnect.filters.expressions import FilterLike, PathLike
from aioinstructure.abconnect.json_api.resources import (
    Faceted,
    Relationship,
    Resource,
    relationship,
)
from aioinstructure.abconnect.shared_models import (
    Disciplines,
    Document,
    EducationLevels,
    Section,
)
from aioinstructure.endpoints.declare import GET, Param
from aioinstructure.paging.paginator import Paginator

if TYPE_CHECKING:
    from aioinstructure.abconnect.standards import Standard

_SIBLINGS = {"Standard": "standards"}

TopicInclude = Literal["parent", "children", "standards"]


@define
class Topic(Resource):
    """A branch (level 1) or a topic (level 2).

    `section` is its grade band, `document` its subject.
    Source: https://developerdocs.instructure.com/services/ab-connect/reference/topics
    """

    json_type = "topics"

    descr: str | None = None
    status: str | None = None
    seq: int | None = None
    level: int | None = None
    uri: str | None = None
    date_modified_utc: datetime | None = None
    disciplines: Disciplines = field(factory=Disciplines)
    education_levels: EducationLevels = field(factory=EducationLevels)
    document: Document = field(factory=Document)
    section: Section = field(factory=Section)
    parent: Relationship[Topic] = relationship()
    children: Relationship[Topic] = relationship()
    standards: Relationship[Standard] = relationship()


class TopicsAPI(Faceted):
    """Topics: list, read, follow relationships."""

    __source__ = "https://developerdocs.instructure.com/services/ab-connect/reference/topics"
    _resource = "topics"

    @GET("/topics")
    def list(
        self,
        *,
        filter: Annotated[FilterLike | None, Param("filter[topics]")] = None,
        fields: Annotated[Sequence[PathLike], Param("fields[topics]")] = (),
        sort: Annotated[Sequence[PathLike], Param("sort[topics]")] = (),
        include: Sequence[TopicInclude] = (),
        page_size: int | None = None,
        on_change: OnChange = "raise",
    ) -> Paginator[Topic]:
        """List the topics that match; by default in order of their GUIDs."""
        ...

    @GET("/topics/{id}")
    async def get(
        self,
        id: str,
        *,
        fields: Annotated[Sequence[PathLike], Param("fields[topics]")] = (),
        include: Sequence[TopicInclude] = (),
    ) -> Topic:
        """Read one topic."""
        ...

    @GET("/topics/{id}/standards", derived=True)
    def standards(
        self,
        id: str,
        *,
        fields: Annotated[Sequence[PathLike], Param("fields[standards]")] = (),
        page_size: int | None = None,
    ) -> Paginator[Standard]:
        """List the standards of a topic. The reference describes this operation in text only."""
        ...

    @GET("/topics/{id}/{relationship}")
    def related(
        self,
        id: str,
        relationship: Literal["children", "parent"],
        *,
        fields: Annotated[Sequence[PathLike], Param("fields[topics]")] = (),
        page_size: int | None = None,
    ) -> Paginator[Topic]:
        """List the topics below or above a topic.

        The reference describes this operation in text only.
        """
        ...
