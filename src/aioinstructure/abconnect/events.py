"""The event feed: changes to the standards that are delivered to an account."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from math import isfinite
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal

from attrs import define, field

from aioinstructure._types import OnChange
from aioinstructure.abconnect.filters.expressions import F, FilterLike, PathLike
from aioinstructure.abconnect.filters.grammar import Comparison
from aioinstructure.abconnect.json_api.paging import PAGER
from aioinstructure.abconnect.json_api.resources import (
    Faceted,
    Relationship,
    Resource,
    relationship,
)
from aioinstructure.conversion.checked import checked
from aioinstructure.conversion.model import Model
from aioinstructure.endpoints.declare import GET, Param
from aioinstructure.endpoints.route import Call
from aioinstructure.errors import (
    IncompleteError,
    InputError,
    QueueFull,
    QuotaError,
    ResponseError,
    ServerError,
    Throttled,
    TransportError,
)
from aioinstructure.paging.pagers import KeysetPager
from aioinstructure.paging.paginator import Paginator
from aioinstructure.paging.restartable import Restartable

if TYPE_CHECKING:
    from aioinstructure.abconnect.client import ABConnect
    from aioinstructure.abconnect.standards import Standard

_SIBLINGS = {"Standard": "standards"}

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
    standard: Relationship[Standard] = relationship()
    deleted_standard: Relationship[Standard] = relationship()
    nondeliverable_standard: Relationship[Standard] = relationship()


EventInclude = Literal["standard", "deleted_standard", "nondeliverable_standard"]


_AFTER = re.compile(r"\s*seq\s+gt\s+[0-9]+\s*", re.IGNORECASE)


def _after(call: Call[Any], seq: int) -> Call[Any] | None:
    """The call for the events after a number; None for a list that is not one by number."""
    condition = call.value("filter[events]")
    if call.value("sort[events]") != ("seq",) or condition is None:
        return None
    if isinstance(condition, Comparison):
        by_number = (condition.path, condition.operator) == ("seq", "gt")
    else:
        by_number = isinstance(condition, str) and _AFTER.fullmatch(condition) is not None
    return (
        call.with_values(**{"filter[events]": F.seq > seq, "offset": None}) if by_number else None
    )


def _seq_of(event: Any) -> int | None:
    attributes = event.get("attributes") if isinstance(event, Mapping) else None
    seq = attributes.get("seq") if isinstance(attributes, Mapping) else None
    return seq if type(seq) is int else None


class EventsAPI(Faceted):
    """Events: list, read, and follow from a sequence number."""

    __source__ = "https://developerdocs.instructure.com/services/ab-connect/reference/events"
    _resource = "events"
    _pager: ClassVar[Any] = KeysetPager(PAGER, _seq_of, _after)

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
        return Follow(self._client, after, poll)


log = logging.getLogger("aioinstructure.abconnect")


_TRANSIENT_ERRORS: Final = (ServerError, TransportError, QuotaError, QueueFull, Throttled)
"""Transient errors, retried at the next poll. Others are raised: credentials, licences, bodies."""


class Follow(Restartable[Event]):
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
        self.poll = float(poll)
        self._seq = after

    @property
    def seq(self) -> int:
        """The sequence number of the last yielded event; `after` before the first."""
        return self._seq

    def advance_to(self, event: Event) -> bool:
        """Move to an event that is yielded; False if it was yielded before.

        Raises:
            IncompleteError: It has no number.
        """
        seq = checked(event.seq, int, "seq")
        if seq is None:
            raise IncompleteError("an event has no sequence number", expected="seq", got=event.id)
        is_new = seq > self._seq
        if is_new:
            self._seq = seq
        return is_new

    def _name(self) -> str:
        return "event feed"

    def _new_loop(self) -> _Following:
        return _Following(self, self._ab.events)

    def __repr__(self) -> str:
        return f"<Follow events after {self._seq} every {self.poll:g} s>"


class _Following:
    """One loop over the feed. Requests in flight end when it is dropped."""

    def __init__(self, feed: Follow, events: EventsAPI) -> None:
        self._feed = feed
        self._api = events
        self._events: AsyncIterator[Event] | None = None  # those of this poll
        self._due: float | None = None  # when the next poll may start
        self.ended = False  # by an error; the loop can be continued all the same

    def __aiter__(self) -> _Following:
        return self

    async def __anext__(self) -> Event:
        self.ended = False
        try:
            return await self._next()
        except ResponseError as error:
            self.ended = True
            raise error.with_traceback(None)  # noqa: B904 - as in `Namespace`
        except BaseException:  # a cancellation too
            self.ended = True
            raise

    async def _next(self) -> Event:
        while True:
            if self._events is None:
                await self._wait_for_poll()
                self._events = aiter(self._api.since(self._feed.seq, page_size=100))
            try:
                event = await anext(self._events, None)
            except _TRANSIENT_ERRORS as error:
                self._events = None
                log.warning("polling events failed, retrying at the next poll: %s", error)
                continue
            except BaseException:  # a cancellation too
                self._events = None  # the next step polls again after the last number, at once
                self._due = None
                raise
            if event is None:
                self._events = None
                continue
            if self._feed.advance_to(event):
                return event

    async def _wait_for_poll(self) -> None:
        """Wait until the next poll is due."""
        now = asyncio.get_running_loop().time
        if self._due is not None and (wait := self._due - now()) > 0:
            await asyncio.sleep(wait)
        self._due = now() + self._feed.poll
