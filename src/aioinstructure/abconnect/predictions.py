"""Predictions and the clarifier: what the service proposes for an asset or a standard."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypedDict, TypeVar, cast

from attrs import define, field

from aioinstructure._types import UNSET, Opt
from aioinstructure.abconnect.filters.expressions import FilterLike, PathLike
from aioinstructure.abconnect.json_api.resources import (
    ABNamespace,
    Relationship,
    Resource,
    check_guid,
)
from aioinstructure.endpoints.declare import GET, POST, Param
from aioinstructure.errors import (
    DeadlineError,
    DecodeError,
    InputError,
    ProgressFailed,
    QuotaError,
)
from aioinstructure.paging.paginator import Paginator

if TYPE_CHECKING:
    from aioinstructure.abconnect import ABConnect
    from aioinstructure.abconnect.assets import Asset
    from aioinstructure.abconnect.standards import Standard
    from aioinstructure.abconnect.topics import Topic

T = TypeVar("T")

_MAX_WAIT: Final = 25
"""Seconds of a long poll, the value of the vendor's own example."""


PREDICTION_FIELDS: Final = (
    "guid",
    "algorithm",
    "date_requested_utc",
    "date_expires_utc",
    "asset",
    "standard",
    "standards",
    "topics",
    "assets",
)
"""Every documented property but `focus`; a "*" would take from the bucket of 2 a second."""


class Focus(TypedDict):
    """What a prediction is limited to; its meaning is not documented, so it is sent as it is."""

    type: str
    id: str


@define
class QueueStatus(Resource):
    """Where a prediction stands: `code` is "pending" or "complete".

    Its id, that of the prediction set and that of the asset all differ.
    """

    code: Literal["pending", "complete"] | str | None = None
    status: str | None = None
    asset: Relationship = field(factory=Relationship)
    standard: Relationship = field(factory=Relationship)
    predictions: Relationship = field(factory=Relationship)

    @property
    def predictions_id(self) -> str | None:
        """The id of the prediction set, which stands in its link alone."""
        link = self.predictions.links.related
        path = (link or "").partition("?")[0].rstrip("/")
        return path.rpartition("/")[2] or None


@define
class Prediction(Resource):
    """A set of predictions, until it expires.

    The members of `standards`, `topics` and `assets` have `meta` with `score` (text), `disposition`
    and `steps` (1 for a direct crosswalk, 2 through an intermediate document).
    """

    algorithm: Literal["confidence", "crosswalk"] | str | None = None
    date_requested_utc: datetime | None = None
    date_expires_utc: datetime | None = None
    asset: Relationship = field(factory=Relationship)
    standard: Relationship = field(factory=Relationship)
    focus: Relationship = field(factory=Relationship)
    standards: Relationship = field(factory=Relationship)
    topics: Relationship = field(factory=Relationship)
    assets: Relationship = field(factory=Relationship)


def _request(
    *, id: str, subject: str, algorithm: str, focus: Opt[Sequence[Focus]] = UNSET
) -> dict[str, Any]:
    subjects: dict[str, Any] = {"type": subject, "id": check_guid("id", id)}
    if focus is not UNSET:
        subjects["focus"] = focus
    return {"data": {"attributes": {"algorithm": algorithm}, "relationships": subjects}}


class PredictionsAPI(ABNamespace):
    """Predictions: ask, wait, review, store.

    Source: https://developerdocs.instructure.com/services/ab-connect/reference/relationships
    """

    @POST("/predictions", body=_request)
    async def create(
        self,
        id: str,
        *,
        subject: Literal["assets", "standards"] = "assets",
        algorithm: Literal["confidence", "crosswalk"] = "confidence",
        focus: Opt[Sequence[Focus]] = UNSET,
        fields: Annotated[Sequence[PathLike], Param("fields[queue-status]", where="query")] = (
            "code",
            "status",
            "predictions",
        ),
    ) -> QueueStatus:
        """Ask for predictions for an asset, or by "crosswalk" for a standard. Nothing is stored."""
        ...

    @GET("/predictions/queue-status/{id}")
    async def queue_status(
        self,
        id: str,
        *,
        max_wait: int | None = None,
        fields: Annotated[Sequence[PathLike], Param("fields[queue-status]")] = (
            "code",
            "status",
            "predictions",
        ),
    ) -> QueueStatus:
        """Where a prediction stands; `max_wait` holds the answer back for so many seconds."""
        ...

    @GET("/predictions/{id}")
    async def get(
        self,
        id: str,
        *,
        fields: Annotated[Sequence[PathLike], Param("fields[predictions]")] = PREDICTION_FIELDS,
        standard_fields: Annotated[Sequence[PathLike], Param("fields[standards]")] = (),
        topic_fields: Annotated[Sequence[PathLike], Param("fields[topics]")] = (),
        asset_fields: Annotated[Sequence[PathLike], Param("fields[assets]")] = (),
        include: Sequence[Literal["standards", "topics", "assets"]] = (),
        limit: int | None = None,
        offset: int | None = None,
    ) -> Prediction:
        """A set of predictions with its first related objects."""
        ...

    @GET("/predictions/{id}/standards")
    def standards(
        self,
        id: str,
        *,
        filter: Annotated[FilterLike | None, Param("filter[standards]")] = None,
        fields: Annotated[Sequence[PathLike], Param("fields[standards]")] = (),
        sort: Annotated[Sequence[PathLike], Param("sort[standards]")] = (),
        page_size: int | None = None,
    ) -> Paginator[Standard]:
        """Predicted standards."""
        ...

    @GET("/predictions/{id}/topics")
    def topics(
        self,
        id: str,
        *,
        filter: Annotated[FilterLike | None, Param("filter[topics]")] = None,
        fields: Annotated[Sequence[PathLike], Param("fields[topics]")] = (),
        sort: Annotated[Sequence[PathLike], Param("sort[topics]")] = (),
        page_size: int | None = None,
    ) -> Paginator[Topic]:
        """Predicted topics."""
        ...

    @GET("/predictions/{id}/assets")
    def assets(
        self,
        id: str,
        *,
        filter: Annotated[FilterLike | None, Param("filter[assets]")] = None,
        fields: Annotated[Sequence[PathLike], Param("fields[assets]")] = (),
        sort: Annotated[Sequence[PathLike], Param("sort[assets]")] = (),
        page_size: int | None = None,
    ) -> Paginator[Asset]:
        """Predicted assets of a standard. Inferred from the links: no operation is printed."""
        ...

    @POST("/predictions/{id}/asset")
    async def commit(self, id: str) -> None:
        """Store a set: it replaces the predicted alignments of its asset."""
        ...

    async def run(
        self,
        id: str,
        *,
        subject: Literal["assets", "standards"] = "assets",
        algorithm: Literal["confidence", "crosswalk"] = "confidence",
        timeout: float | None = None,
    ) -> Prediction:
        """Ask for predictions, wait until they are there, and read them. Nothing is stored.

        Args:
            id: The asset, or the standard.
            subject: Which of the two it is.
            algorithm: "confidence" for assets only, or "crosswalk".
            timeout: Seconds for all of it, queueing, asking and reading included; None waits for
                ever. The service itself may hold back its first answer for half a minute.

        Raises:
            QuotaError: Not even the question could be sent in time.
            UnknownOutcome: The question was not answered in time. It may wait in the service's
                queue, where nobody knows its id. Asking again does no harm: nothing is stored.
            ProgressFailed: It was not there, or not read, in time, or ended otherwise than
                complete; `.progress` is the last status, by whose ids one may go on.
        """
        if timeout is not None and not (_is_number(timeout) and timeout > 0):
            raise InputError(f"timeout must be seconds above 0, not {timeout!r}")
        clock = asyncio.get_running_loop().time
        ends = math.inf if timeout is None else clock() + timeout
        status = await self._until(ends).create(id, subject=subject, algorithm=algorithm)
        while status.code == "pending":
            late = ProgressFailed(f"the prediction is pending after {timeout} s", progress=status)
            if ends - clock() < 1 or status.id is None:
                raise late
            asked, wait = clock(), self._patience(ends)
            poll = partial(PredictionsAPI.queue_status, id=status.id, max_wait=wait)
            status = await self._read(ends, late, poll)
            # A server that does not hold its answer back is not asked in a circle.
            if status.code == "pending" and clock() - asked < 1:
                await asyncio.sleep(min(1.0, ends - clock()))
        if status.code != "complete":
            raise ProgressFailed(f"the prediction ended as {status.code}", progress=status)
        found = status.predictions_id
        if found is None:
            raise DecodeError("the queue status names no predictions")
        late = ProgressFailed(f"the prediction was not read within {timeout} s", progress=status)
        return await self._read(ends, late, partial(PredictionsAPI.get, id=found))

    def _until(self, ends: float) -> PredictionsAPI:
        """These operations, with what is left of the time as the deadline of each."""
        client = cast("ABConnect", self._client)
        left, own = ends - asyncio.get_running_loop().time(), client._options.deadline
        if left >= (math.inf if own is None else own):
            return self
        return client.with_options(deadline=max(left, 0.001)).predictions

    def _patience(self, ends: float) -> int:
        """Seconds that the service is asked to hold its answer back: well within the deadline."""
        own = cast("ABConnect", self._client)._options.deadline
        left = ends - asyncio.get_running_loop().time()
        return max(0, int(min(_MAX_WAIT, left, math.inf if own is None else own - 1)))

    async def _read(
        self, ends: float, late: ProgressFailed, ask: Callable[[PredictionsAPI], Awaitable[T]]
    ) -> T:
        """What is asked for; `late` where that takes more than what is left of the time."""
        view = self._until(ends)
        try:
            return await ask(view)
        except (DeadlineError, QuotaError) as error:
            if view is self:  # by a deadline of the client's own
                raise
            raise late from error


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
