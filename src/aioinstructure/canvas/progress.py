"""Progress: the asynchronous jobs of Canvas, and waiting for one."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import datetime
from typing import Any, Final, Literal
from weakref import WeakKeyDictionary

from aiolimiter import AsyncLimiter
from attrs import define

from aioinstructure._types import UNSET, Id, Opt
from aioinstructure.canvas._namespace import CanvasNamespace
from aioinstructure.config import is_positive
from aioinstructure.conversion.checked import checked
from aioinstructure.conversion.model import Model
from aioinstructure.endpoints.declare import GET, POST
from aioinstructure.errors import InputError, ProgressFailed
from aioinstructure.quota import Scheduler

# Every other state is final. Canvas documents four states and has six.
_PENDING: Final = frozenset({"queued", "running", "waiting_for_external_tool"})
_FIRST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 10.0
_SPACING: Final = 0.25


@define
class Progress(Model):
    """The state of an asynchronous job.

    `completion` is in percent, may have a fraction, and is None or 0 at the start. `results` is
    set only when the job has ended.
    Source: https://developerdocs.instructure.com/services/canvas/resources/progress
    """

    id: Id | None = None
    context_id: Id | None = None
    context_type: str | None = None
    user_id: Id | None = None
    tag: str | None = None
    completion: float | None = None
    workflow_state: (
        Literal["queued", "running", "waiting_for_external_tool", "completed", "failed", "canceled"]
        | str
        | None
    ) = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    message: str | None = None
    results: Any = None
    url: str | None = None

    @property
    def pending(self) -> bool:
        """Whether the job has not ended yet."""
        return checked(self.workflow_state, str, "workflow_state") in _PENDING


class ProgressAPI(CanvasNamespace):
    """Progress: read, cancel, wait."""

    __source__ = "https://developerdocs.instructure.com/services/canvas/resources/progress"

    @GET("/api/v1/progress/{id}")
    async def get(self, id: Id) -> Progress:
        """Read the state of a job. Needs a permission on the object that the job works on."""
        ...

    @POST("/api/v1/progress/{id}/cancel", idempotent=True)
    async def cancel(self, id: Id, *, message: Opt[str] = UNSET) -> Progress:
        """Cancel one of your own jobs; its state is then "failed".

        Jobs that belong to no user cannot be cancelled.
        """
        ...

    async def wait(self, id: Id, *, timeout: float | None = None) -> Progress:
        """Poll until the job has ended. Polls go through the scheduler like every call.

        The pauses grow from 0.5 to 10 seconds. All waits of a client and its views together poll
        at most four times a second.

        Args:
            id: The job.
            timeout: Maximum seconds to wait; None waits forever.

        Raises:
            InputError: The timeout is not a number from 0 up.
            ProgressFailed: The job failed, was canceled, or did not end in time; `.progress` is the
                last state seen.
        """
        is_zero = timeout == 0 and timeout is not False
        if timeout is not None and not is_zero and not is_positive(timeout):
            raise InputError(f"timeout must be 0 seconds or more, not {timeout!r}")
        clock = asyncio.get_running_loop().time
        ends = None if timeout is None else clock() + timeout
        pause = _FIRST_PAUSE
        while (progress := await self._poll(id, ends)).pending:
            if ends is not None and clock() >= ends:
                raise ProgressFailed(
                    f"progress {id} is still {progress.workflow_state} after {timeout} s",
                    progress=progress,
                )
            await asyncio.sleep(pause if ends is None else min(pause, max(0.0, ends - clock())))
            pause = min(_LONGEST_PAUSE, pause * 1.5)
        if progress.workflow_state != "completed":
            detail = f": {progress.message}" if progress.message else ""
            raise ProgressFailed(
                f"progress {id} ended as {progress.workflow_state}{detail}", progress=progress
            )
        return progress

    async def _poll(self, id: Id, ends: float | None) -> Progress:
        with suppress(TimeoutError):  # the last poll is sent in time, even without spacing
            async with asyncio.timeout_at(ends):
                await _spacing(self._client.quota).acquire()
        return await self.get(id)


_spacings: WeakKeyDictionary[Scheduler, tuple[asyncio.AbstractEventLoop, AsyncLimiter]] = (
    WeakKeyDictionary()
)


def _spacing(quota: Scheduler) -> AsyncLimiter:
    """Return the limiter that spaces the polls of a client. Each event loop has its own."""
    running = asyncio.get_running_loop()
    loop, limiter = _spacings.get(quota, (None, None))
    if limiter is None or loop is not running:
        limiter = AsyncLimiter(1, _SPACING)
        _spacings[quota] = (running, limiter)
    return limiter
