"""Predictions: what the service proposes for an asset or a standard."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypedDict, TypeVar

from attrs import define

from aioinstructure._types import UNSET, Opt
from aioinstructure.abconnect.filters.expressions import FilterLike, PathLike
from aioinstructure.abconnect.json_api.resources import (
    ABNamespace,
    Relationship,
    Resource,
    check_guid,
    relationship,
)
from aioinstructure.config import seconds
from aioinstructure.conversion.checked import checked
from aioinstructure.endpoints.declare import GET, POST, Param
from aioinstructure.errors import (
    DeadlineExceeded,
    DecodeError,
    ProgressFailed,
)
from aioinstructure.paging.paginator import Paginator

if TYPE_CHECKING:
    from aioinstructure.abconnect.assets import Asset
    from aioinstructure.abconnect.standards import Standard
    from aioinstructure.abconnect.topics import Topic

_SIBLINGS = {"Asset": "assets", "Standard": "standards", "Topic": "topics"}

T = TypeVar("T")

_MAX_WAIT: Final = 25
"""Seconds of a long poll: the value in the vendor's example."""


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
"""All documented properties except `focus`; "*" would be limited to 2 calls a second."""


class Focus(TypedDict):
    """A restriction of a prediction. Its meaning is not documented, so it is sent unchanged."""

    type: str
    id: str


@define
class QueueStatus(Resource):
    """The state of a prediction: `code` is "pending" or "complete".

    Its id, the id of the prediction set and the id of the asset all differ.
    """

    code: Literal["pending", "complete"] | str | None = None
    status: str | None = None
    asset: Relationship[Asset] = relationship()
    standard: Relationship[Standard] = relationship()
    predictions: Relationship[Prediction] = relationship()

    @property
    def predictions_id(self) -> str | None:
        """The id of the prediction set, which is only part of its link."""
        link = checked(self.predictions.links.related, str, "predictions.links.related")
        path = (link or "").partition("?")[0].rstrip("/")
        return path.rpartition("/")[2] or None


@define
class Prediction(Resource):
    """A set of predictions. It exists until it expires.

    The members of `standards`, `topics` and `assets` have `meta` with `score` (text), `disposition`
    and `steps` (1 for a direct crosswalk, 2 through an intermediate document).
    """

    algorithm: Literal["confidence", "crosswalk"] | str | None = None
    date_requested_utc: datetime | None = None
    date_expires_utc: datetime | None = None
    asset: Relationship[Asset] = relationship()
    standard: Relationship[Standard] = relationship()
    focus: Relationship[Resource] = relationship()
    standards: Relationship[Standard] = relationship()
    topics: Relationship[Topic] = relationship()
    assets: Relationship[Asset] = relationship()


def _request(
    *, id: str, subject: str, algorithm: str, focus: Opt[Sequence[Focus]] = UNSET
) -> dict[str, Any]:
    subjects: dict[str, Any] = {"type": subject, "id": check_guid("id", id)}
    if focus is not UNSET:
        subjects["focus"] = focus
    return {"data": {"attributes": {"algorithm": algorithm}, "relationships": subjects}}


class PredictionsAPI(ABNamespace):
    """Predictions: request, wait, review, store."""

    __source__ = "https://developerdocs.instructure.com/services/ab-connect/reference/relationships"

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
        """Request predictions for an asset, or by "crosswalk" for a standard. Nothing is stored."""
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
        """Read the state of a prediction.

        With `max_wait` the service holds a pending response for up to that many seconds.
        """
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
        """Read a set of predictions with its first related objects."""
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
        """List the predicted standards."""
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
        """List the predicted topics."""
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
        """List the predicted assets of a standard.

        The reference does not document this operation; it is inferred from the links.
        """
        ...

    @POST("/predictions/{id}/asset")
    async def commit(self, id: str) -> None:
        """Store a set of predictions. It replaces the predicted alignments of its asset."""
        ...

    async def run(
        self,
        id: str,
        *,
        subject: Literal["assets", "standards"] = "assets",
        algorithm: Literal["confidence", "crosswalk"] = "confidence",
        timeout: float | None = None,
    ) -> Prediction:
        """Request predictions, wait until they are complete, and read them. Nothing is stored.

        Args:
            id: The id of the asset or standard.
            subject: Which of the two it is.
            algorithm: "confidence" (assets only) or "crosswalk".
            timeout: Seconds for the complete operation, including queueing, the request and the
                read; None waits forever. The service itself may delay its first response for half
                a minute.

        Raises:
            InputError: The timeout is not a number above 0.
            QuotaError: The request could not be sent in time.
            UnknownOutcome: The request got no response in time. The prediction may be in the
                service's queue, but its id is unknown. It is safe to request it again: nothing is
                stored.
            ProgressFailed: The prediction was not complete or not read in time, or it ended in
                another state than complete; `.progress` is the last status, with the ids to
                continue from.
        """
        seconds("timeout", timeout)
        clock = asyncio.get_running_loop().time
        ends = math.inf if timeout is None else clock() + timeout
        status = await self._until(ends).create(id, subject=subject, algorithm=algorithm)
        while status.code == "pending":
            late = ProgressFailed(
                f"the prediction is still pending after {timeout} s", progress=status
            )
            if ends - clock() < 1 or status.id is None:
                raise late
            polled, wait = clock(), self._patience(ends)
            poll = partial(PredictionsAPI.queue_status, id=status.id, max_wait=wait)
            status = await self._read(ends, late, poll)
            # Avoid a busy loop if the server does not hold its response.
            if status.code == "pending" and clock() - polled < 1:
                await asyncio.sleep(min(1.0, ends - clock()))
        if status.code != "complete":
            raise ProgressFailed(f"the prediction ended as {status.code}", progress=status)
        found = status.predictions_id
        if found is None:
            raise DecodeError("the queue status has no link to the predictions")
        late = ProgressFailed(f"the prediction was not read within {timeout} s", progress=status)
        return await self._read(ends, late, partial(PredictionsAPI.get, id=found))

    def _until(self, ends: float) -> PredictionsAPI:
        """Return these operations with the remaining time as the deadline of each."""
        left, own = ends - asyncio.get_running_loop().time(), self._client.deadline
        if left >= (math.inf if own is None else own):
            return self
        return self._client.with_options(deadline=max(left, 0.001)).predictions

    def _patience(self, ends: float) -> int:
        """Return how many seconds the service may hold its response: less than the deadline."""
        own = self._client.deadline
        left = ends - asyncio.get_running_loop().time()
        return max(0, int(min(_MAX_WAIT, left, math.inf if own is None else own - 1)))

    async def _read(
        self, ends: float, late: ProgressFailed, ask: Callable[[PredictionsAPI], Awaitable[T]]
    ) -> T:
        """Return the result of `ask`; raise `late` if it takes longer than the remaining time."""
        view = self._until(ends)
        try:
            return await ask(view)
        except DeadlineExceeded as error:
            if view is self:  # the client's own deadline, not `timeout`
                raise
            raise late from error
