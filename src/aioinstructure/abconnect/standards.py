"""Academic standards: their models, and how to list, read and relate them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal

from attrs import define, field

from aioinstructure._types import OnChange
from aioinstructure.abconnect.batching import Batcher, BatchResult, in_batches
from aioinstructure.abconnect.filters.expressions import F, FilterLike, PathLike
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
    Labelled,
    Section,
)
from aioinstructure.conversion.model import Model
from aioinstructure.endpoints.declare import GET, Param
from aioinstructure.paging.paginator import Paginator

if TYPE_CHECKING:
    from aioinstructure.abconnect.concepts import Concept
    from aioinstructure.abconnect.topics import Topic

_SIBLINGS = {"Concept": "concepts", "Topic": "topics"}

YesNo = Literal["Y", "N"]
StandardRelationship = Literal[
    "parent",
    "ancestors",
    "children",
    "contexts",
    "derivatives",
    "origins",
    "peer_derivatives",
    "peers",
    "crosswalks",
    "replaces",
    "replaced_by",
    "breakouts",
    "breakout_origins",
    "course_standards",
    "related_courses",
    "associations",
]


@define
class Addendum(Model):
    """Text that belongs before or after the statement."""

    descr: str | None = None
    position: Literal["before", "after"] | str | None = None
    seq: int | None = None
    add_context: YesNo | str | None = None


@define
class Statement(Model):
    """The text of a standard; `combined_descr` includes the addendums."""

    descr: str | None = None
    combined_descr: str | None = None
    addendums: list[Addendum] = field(factory=list)


@define
class Number(Model):
    """The number of a standard in several forms. Not unique, and may be missing."""

    raw: str | None = None
    enhanced: str | None = None
    prefix_enhanced: str | None = None
    root_enhanced: str | None = None
    alternate: str | None = None


@define
class Utilization(Model):
    """The use of a standard: "alignable" ones are learning objectives."""

    guid: str | None = None
    type: str | None = None


@define
class Legend(Model):
    """A symbol of a standard, and its meaning."""

    symbol: str | None = None
    symbol_position: str | None = None
    descr: str | None = None


@define
class AltIdentifier(Model):
    """An identifier that another organization assigned to a standard."""

    type: Literal["GUID", "URI"] | str | None = None
    source: str | None = None
    id: str | None = None


@define
class Extension(Model):
    """Additional text of a standard."""

    type: str | None = None
    guid: str | None = None
    descr: str | None = None


@define
class KeyIdea(Model):
    """One idea of a standard, with its concepts; licensed separately."""

    guid: str | None = None
    concepts: list[Labelled] = field(factory=list)


@define
class Standard(Resource):
    """An academic standard. Without `fields` the service sends only `id` and `type`.

    Source: https://developerdocs.instructure.com/services/ab-connect/reference/standards
    """

    json_type = "standards"

    seq: int | None = None
    level: int | None = None
    status: Literal["active", "deleted", "obsolete"] | str | None = None
    label: str | None = None
    standard_type: Literal["organizational", "objective"] | str | None = None
    captured_by: str | None = None
    uri: str | None = None
    deepest: YesNo | str | None = None
    in_list: YesNo | str | None = None
    has_list: YesNo | str | None = None
    topic_organizer: str | None = None
    date_modified_utc: datetime | None = None
    date_deleted_utc: datetime | None = None
    statement: Statement = field(factory=Statement)
    number: Number = field(factory=Number)
    disciplines: Disciplines = field(factory=Disciplines)
    education_levels: EducationLevels = field(factory=EducationLevels)
    section: Section = field(factory=Section)
    document: Document = field(factory=Document)
    utilizations: list[Utilization] = field(factory=list)
    legends: list[Legend] = field(factory=list)
    alt_identifiers: list[AltIdentifier] = field(factory=list)
    extensions: list[Extension] = field(factory=list)
    key_ideas: list[KeyIdea] = field(factory=list)
    parent: Relationship[Standard] = relationship()
    ancestors: Relationship[Standard] = relationship()
    children: Relationship[Standard] = relationship()
    contexts: Relationship[Standard] = relationship()
    origins: Relationship[Standard] = relationship()
    derivatives: Relationship[Standard] = relationship()
    peer_derivatives: Relationship[Standard] = relationship()
    peers: Relationship[Standard] = relationship()
    crosswalks: Relationship[Standard] = relationship()
    replaces: Relationship[Standard] = relationship()
    replaced_by: Relationship[Standard] = relationship()
    breakouts: Relationship[Standard] = relationship()
    breakout_origins: Relationship[Standard] = relationship()
    course_standards: Relationship[Standard] = relationship()
    related_courses: Relationship[Standard] = relationship()
    associations: Relationship[Standard] = relationship()
    topics: Relationship[Topic] = relationship()
    concepts: Relationship[Concept] = relationship()


class StandardsAPI(Faceted):
    """Standards: list, read, follow relationships. Read-only."""

    __source__ = "https://developerdocs.instructure.com/services/ab-connect/reference/standards"
    _resource = "standards"

    @GET("/standards")
    def list(
        self,
        *,
        filter: Annotated[FilterLike | None, Param("filter[standards]")] = None,
        fields: Annotated[Sequence[PathLike], Param("fields[standards]")] = (),
        sort: Annotated[Sequence[PathLike], Param("sort[standards]")] = (),
        include: Sequence[StandardRelationship | Literal["topics", "concepts"]] = (),
        page_size: int | None = None,
        on_change: OnChange = "raise",
    ) -> Paginator[Standard]:
        """List the standards that match; deleted ones only if the filter names that status.

        The default order is by GUID, or by relevance if the filter has a `query()`. `fields=["*"]`
        requests all properties, and is limited to 2 calls a second. `include` requests the
        related objects themselves, each in the `.resource` of its reference.
        """
        ...

    @GET("/standards/{id}")
    async def get(
        self,
        id: str,
        *,
        fields: Annotated[Sequence[PathLike], Param("fields[standards]")] = (),
        include: Sequence[StandardRelationship | Literal["topics", "concepts"]] = (),
    ) -> Standard:
        """Read one standard, deleted or not.

        Raises Forbidden if your licence does not include it.
        """
        ...

    async def get_many(
        self,
        ids: Iterable[str],
        *,
        fields: Sequence[PathLike] = (),
        include: Sequence[StandardRelationship | Literal["topics", "concepts"]] = (),
    ) -> BatchResult[Standard]:
        """Read standards by GUID, including deleted ones, in the given order: 100 per call."""
        return await in_batches(
            ids,
            lambda batch: aiter(
                self.list(
                    filter=F.guid.in_(*batch) & F.status.in_("active", "deleted", "obsolete"),
                    fields=fields,
                    include=include,
                )
            ),
        )

    def batcher(self, *, fields: Sequence[PathLike] = (), wait: float = 0.005) -> Batcher[Standard]:
        """Return a `get` that combines calls within `wait` seconds of each other into one."""
        return Batcher(lambda ids: self.get_many(ids, fields=fields), wait)

    @GET("/standards/{id}/topics")
    def topics(
        self,
        id: str,
        *,
        fields: Annotated[Sequence[PathLike], Param("fields[topics]")] = (),
        page_size: int | None = None,
    ) -> Paginator[Topic]:
        """List the topics of a standard."""
        ...

    @GET("/standards/{id}/concepts")
    def concepts(
        self,
        id: str,
        *,
        filter: Annotated[FilterLike | None, Param("filter[concepts]")] = None,
        fields: Annotated[Sequence[PathLike], Param("fields[concepts]")] = (),
        page_size: int | None = None,
    ) -> Paginator[Concept]:
        """List the concepts of a standard; filter by `descr` and `context`."""
        ...

    @GET("/standards/{id}/{relationship}")
    def related(
        self,
        id: str,
        relationship: StandardRelationship,
        *,
        filter: Annotated[FilterLike | None, Param("filter[{relationship}]")] = None,
        sort: Annotated[Sequence[PathLike], Param("sort[{relationship}]")] = (),
        fields: Annotated[Sequence[PathLike], Param("fields[standards]")] = (),
        page_size: int | None = None,
    ) -> Paginator[Standard]:
        """List the standards that are related to a standard.

        `.meta` has the properties of the relationship; `filter` and `sort` accept them, as in
        "meta.same_text eq 'Y'".
        """
        ...
