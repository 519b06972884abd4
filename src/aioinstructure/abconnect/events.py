"""The event feed: what changed in the standards that are delivered to an account."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

from attrs import define, field

from aioinstructure.abconnect.query import F, FilterLike, PathLike
from aioinstructure.abconnect.resource import Faceted, OnChange, Relationship, Resource
from aioinstructure.convert import Model
from aioinstructure.endpoint import GET, Wire
from aioinstructure.errors import InputError
from aioinstructure.paging import Pages

if TYPE_CHECKING:
    from aioinstructure.abconnect import ABConnect
    from aioinstructure.abconnect.follow import Follow

EVENT_FIELDS = (
    "guid",
    "seq",
    "date_utc",
    "change_type",
    "target",
    "document_guid",
    "section_guid",
    "affected_properties",
    "standard",
    "deleted_standard",
    "nondeliverable_standard",
)
"""Every documented property of an event: without `fields` the service sends type and id alone."""


@define
class AffectedProperty(Model):
    """A property that changed; its values are of any JSON type."""

    name: str | None = None
    previous_value: Any = None
    new_value: Any = None


@define
class Event(Resource):
    """One change. The change types are an open set.

    Of the three relationships one at most is filled. A retired standard stands in `standard`.
    Source: https://developerdocs.instructure.com/services/ab-connect/reference/events
    """

    seq: int | None = None
    date_utc: datetime | None = None
    change_type: str | None = None
    target: Literal["standard", "document", "section"] | str | None = None
    document_guid: str | None = None
    section_guid: str | None = None
    affected_properties: list[AffectedProperty] = field(factory=list)
    standard: Relationship = field(factory=Relationship)
    deleted_standard: Relationship = field(factory=Relationship)
    nondeliverable_standard: Relationship = field(factory=Relationship)


EventInclude = Literal["standard", "deleted_standard", "nondeliverable_standard"]


class Events(Faceted):
    """Events: list, and follow from a number."""

    _resource = "events"

    @GET("/events")
    def list(
        self,
        *,
        filter: Annotated[FilterLike | None, Wire("filter[events]")] = None,
        fields: Annotated[Sequence[PathLike], Wire("fields[events]")] = EVENT_FIELDS,
        sort: Annotated[Sequence[PathLike], Wire("sort[events]")] = ("seq",),
        include: Sequence[EventInclude] = (),
        page_size: int | None = None,
        on_change: OnChange = "raise",
    ) -> Pages[Event]:
        """Events that match, in the order of their numbers, with all documented fields."""
        ...

    @GET("/events/{id}")
    async def get(
        self,
        id: str,
        *,
        fields: Annotated[Sequence[PathLike], Wire("fields[events]")] = EVENT_FIELDS,
        include: Sequence[EventInclude] = (),
    ) -> Event:
        """One event. The prose of the reference mentions it, no operation is printed."""
        ...

    def since(self, seq: int, *, page_size: int | None = None) -> Pages[Event]:
        """Events behind a number, in order.

        Every page asks for what is behind the last event of the one before, so that events that
        come in meanwhile shift nothing. Numbers have gaps: other accounts share them.

        Args:
            seq: The number of the last event that was dealt with; 0 for all of them.
            page_size: 1 to 100.
        """
        if isinstance(seq, bool) or not isinstance(seq, int) or seq < 0:
            raise InputError(f"seq must be a number from 0 up, not {seq!r}")
        return self.list(filter=F.seq > seq, page_size=page_size)

    def follow(self, *, after: int, poll: float = 60.0) -> Follow:
        """Events behind a number, for ever: what is there, then a look every `poll` seconds.

        Args:
            after: The number of the last event that was dealt with; 0 for all of them.
            poll: Seconds between two looks at the end of the feed.
        """
        from aioinstructure.abconnect.follow import Follow  # noqa: PLC0415 - it imports Event

        return Follow(cast("ABConnect", self._client), after, poll)
