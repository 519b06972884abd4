"""The event feed: changes to the standards that are delivered to an account."""

from __future__ import annotations

import asyncio
import logging
import weakref
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from math import isfinite
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, cast

from attrs import define, field

from aioinstructure.abconnect.filters.expressions import F, FilterLike, PathLike
from aioinstructure.abconnect.json_api.resources import (
    Faceted,
    OnChange,
    Relationship,
    Resource,
)
from aioinstructure.conversion.model import Model
from aioinstructure.endpoints.declare import GET, Param
from aioinstructure.errors import (
    IncompleteError,
    InputError,
    QuotaError,
    ServerError,
    Throttled,
    TransportError,
)
from aioinstructure.paging.paginator import Paginator

if TYPE_CHECKING:
    from aioinstructure.abconnect import ABConnect

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
"""All documented properties of an event; without `fields` the service sends only type and id."""


@define
class AffectedProperty(Model):
    """A property that changed; its values can have any JSON type."""

    name: str | None = None
    previous_value: Any = None
    new_value: Any = None


@define
class Event(Resource):
    """One change. The set of change types is open.

    At most one of the three relationships is filled. A retired standard is in `standard`.
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


class EventsAPI(Faceted):
    """Events: list, read, and follow from a sequence number."""

    _resource = "events"

    @GET("/events")
    def list(
        self,
        *,
        filter: Annotated[FilterLike | None, Param("filter[events]")] = None,
        fields: Annotated[Sequence[PathLike], Param("fields[events]")] = EVENT_FIELDS,
        sort: Annotated[Sequence[PathLike], Param("sort[events]")] = ("seq",),
        include: Sequence[EventInclude] = (),
        page_size: int | None = None,
        on_change: OnChange = "raise",
    ) -> Paginator[Event]:
        """List the events that match, by sequence number, with all documented fields."""
        ...

    @GET("/events/{id}")
    async def get(
        self,
        id: str,
        *,
        fields: Annotated[Sequence[PathLike], Param("fields[events]")] = EVENT_FIELDS,
        include: Sequence[EventInclude] = (),
    ) -> Event:
        """Read one event. The reference mentions this operation in text only."""
        ...

    def since(self, seq: int, *, page_size: int | None = None) -> Paginator[Event]:
        """List the events after a sequence number, in order.

        Each page requests the events after the last one of the previous page, so new events do not
        shift pages. Sequence numbers have gaps, since other accounts share them.

        Args:
            seq: The number of the last processed event; 0 for all events.
            page_size: 1 to 100.
        """
        if isinstance(seq, bool) or not isinstance(seq, int) or seq < 0:
            raise InputError(f"seq must be an integer of at least 0, not {seq!r}")
        return self.list(filter=F.seq > seq, page_size=page_size)

    def follow(self, *, after: int, poll: float = 60.0) -> Follow:
        """Follow the events after a sequence number forever, polling at the end of the feed.

        Args:
            after: The number of the last processed event; 0 for all events.
            poll: Seconds between two polls at the end of the feed.
        """
        return Follow(cast("ABConnect", self._client), after, poll)


log = logging.getLogger("aioinstructure.abconnect")


_TRANSIENT_ERRORS: Final = (ServerError, TransportError, QuotaError, Throttled)
"""Transient errors, retried at the next poll. Others are raised: credentials, licences, bodies."""


class Follow:
    """The events after a sequence number, in order, forever.

    Each request asks for the events after the last one, so that none is missed and none comes
    twice; sequence numbers have gaps. At the end of the feed, polls start `poll` seconds apart. A
    poll that fails after the client's retries (the service is down, no connection, no quota in
    time) is logged, and the next poll catches up.

    `.seq` is the sequence number of the last yielded event. Store it together with the result of
    processing the event, and pass it as `after` the next time. Another loop resumes after it.
    Leaving or cancelling the loop leaves no task running.

    Args:
        ab: The client.
        after: The number of the last processed event; 0 for all events.
        poll: Seconds between two polls at the end of the feed.

    Raises:
        InputError: `after` is below 0, or `poll` is not above 0.

    Example:
        async for event in Follow(ab, after=28974, poll=60.0):
            print(event.seq, event.change_type, event.target)
    """

    def __init__(self, ab: ABConnect, after: int, poll: float = 60.0) -> None:
        if isinstance(after, bool) or not isinstance(after, int) or after < 0:
            raise InputError(f"after must be an integer of at least 0, not {after!r}")
        if isinstance(poll, bool) or not isinstance(poll, int | float):
            raise InputError(f"poll must be a number of seconds, not {poll!r}")
        if not (isfinite(poll) and poll > 0):
            raise InputError(f"poll must be a number of seconds above 0, not {poll!r}")
        self._ab = ab
        self._poll = float(poll)
        self._seq = after
        self._loop: weakref.ref[_Following] | None = None

    @property
    def seq(self) -> int:
        """The sequence number of the last yielded event; `after` before the first."""
        return self._seq

    def __aiter__(self) -> AsyncIterator[Event]:
        if self._loop is not None and (loop := self._loop()) is not None and not loop.ended:
            raise InputError("two loops over one feed: create another Follow instead")
        loop = _Following(self)
        self._loop = weakref.ref(loop)
        return loop

    def __repr__(self) -> str:
        return f"<Follow events after {self._seq} every {self._poll:g} s>"


class _Following:
    """One loop over the feed. Requests in flight end when it is dropped."""

    def __init__(self, feed: Follow) -> None:
        self._feed = feed
        self._events: AsyncIterator[Event] | None = None  # the events of this poll
        self._due: float | None = None  # when the next poll may start
        self.ended = False  # by an error; iteration can still resume

    def __aiter__(self) -> _Following:
        return self

    async def __anext__(self) -> Event:
        self.ended = False
        try:
            return await self._next()
        except BaseException:
            self.ended = True
            raise

    async def _next(self) -> Event:
        while True:
            if self._events is None:
                await self._turn()
                self._events = aiter(self._feed._ab.events.since(self._feed._seq, page_size=100))
            try:
                event = await anext(self._events, None)
            except _TRANSIENT_ERRORS as error:
                self._events = None
                log.warning("polling events failed, retrying at the next poll: %s", error)
                continue
            except BaseException:
                self._events = None  # the next step polls again after the last number, at once
                self._due = None
                raise
            if event is None:
                self._events = None
                continue
            if event.seq is None:
                raise IncompleteError(
                    "an event has no sequence number", expected="seq", got=event.id
                )
            if event.seq > self._feed._seq:
                self._feed._seq = event.seq
                return event

    async def _turn(self) -> None:
        """Wait until the next poll is due."""
        now = asyncio.get_running_loop().time
        if self._due is not None and (wait := self._due - now()) > 0:
            await asyncio.sleep(wait)
        self._due = now() + self._feed._poll
