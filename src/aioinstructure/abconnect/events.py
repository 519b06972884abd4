"""The event feed: what changed in the standards that are delivered to an account."""

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


class EventsAPI(Faceted):
    """Events: list, and follow from a number."""

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
        """Events that match, in the order of their numbers, with all documented fields."""
        ...

    @GET("/events/{id}")
    async def get(
        self,
        id: str,
        *,
        fields: Annotated[Sequence[PathLike], Param("fields[events]")] = EVENT_FIELDS,
        include: Sequence[EventInclude] = (),
    ) -> Event:
        """One event. The prose of the reference mentions it, no operation is printed."""
        ...

    def since(self, seq: int, *, page_size: int | None = None) -> Paginator[Event]:
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
        return Follow(cast("ABConnect", self._client), after, poll)


log = logging.getLogger("aioinstructure.abconnect")


_TRANSIENT_ERRORS: Final = (ServerError, TransportError, QuotaError, Throttled)
"""What the next poll may find mended. The rest is for the caller: credentials, licences, bodies."""


class Follow:
    """The events behind a number, for ever, in the order of their numbers.

    Each request asks for what is behind the last event, so that none is missed and none comes
    twice; numbers have gaps. At the end of the feed it is asked again `poll` seconds after it was
    asked the last time. A poll that fails although the client has repeated it (the service is
    down, no connection, no quota in time) is told to the log, and the next one makes up for it.

    `.seq` is the number of the last event that was handed out: keep it beside what you made of the
    event, and hand it in as `after` the next time. Another loop goes on behind it. Leaving the
    loop, or cancelling it, leaves nothing behind.

    Args:
        ab: The client.
        after: The number of the last event that was dealt with; 0 for all of them.
        poll: Seconds between two looks at the end of the feed.

    Raises:
        InputError: A number below 0, or seconds that are not above 0.

    Example:
        async for event in Follow(ab, after=28974, poll=60.0):
            print(event.seq, event.change_type, event.target)
    """

    def __init__(self, ab: ABConnect, after: int, poll: float = 60.0) -> None:
        if isinstance(after, bool) or not isinstance(after, int) or after < 0:
            raise InputError(f"after must be a number from 0 up, not {after!r}")
        if isinstance(poll, bool) or not isinstance(poll, int | float):
            raise InputError(f"poll must be seconds, not {poll!r}")
        if not (isfinite(poll) and poll > 0):
            raise InputError(f"poll must be seconds above 0, not {poll!r}")
        self._ab = ab
        self._poll = float(poll)
        self._seq = after
        self._loop: weakref.ref[_Following] | None = None

    @property
    def seq(self) -> int:
        """The number of the last event that was handed out; `after` before the first."""
        return self._seq

    def __aiter__(self) -> AsyncIterator[Event]:
        if self._loop is not None and (loop := self._loop()) is not None and not loop.ended:
            raise InputError("two loops over one feed: follow it twice instead")
        loop = _Following(self)
        self._loop = weakref.ref(loop)
        return loop

    def __repr__(self) -> str:
        return f"<Follow events behind {self._seq} every {self._poll:g} s>"


class _Following:
    """One loop over the feed. What it has in flight ends when it is dropped."""

    def __init__(self, feed: Follow) -> None:
        self._feed = feed
        self._events: AsyncIterator[Event] | None = None  # those of this poll
        self._due: float | None = None  # when the next poll may start
        self.ended = False  # by an error; it can be gone on with all the same

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
                log.warning("a poll of the events failed, the next one makes up for it: %s", error)
                continue
            except BaseException:
                self._events = None  # the next step asks behind the last number again, at once
                self._due = None
                raise
            if event is None:
                self._events = None
                continue
            if event.seq is None:
                raise IncompleteError("an event without a number", expected="seq", got=event.id)
            if event.seq > self._feed._seq:
                self._feed._seq = event.seq
                return event

    async def _turn(self) -> None:
        """Wait for the next poll."""
        now = asyncio.get_running_loop().time
        if self._due is not None and (wait := self._due - now()) > 0:
            await asyncio.sleep(wait)
        self._due = now() + self._feed._poll
