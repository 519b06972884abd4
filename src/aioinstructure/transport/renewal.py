"""One renewal of a credential for all calls that need it.

A refresh token may work only once, so two renewals at the same time can end the access of the
program. Three layers share one Renewal: `refresh_credential` waits for it, `authorize` records
which generation of the credential a request carries, and `retry` asks whether a refused request
may be sent again.
"""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from typing import Final

from attrs import define, field

from aioinstructure.auth.credentials import Credential
from aioinstructure.errors import Error
from aioinstructure.transport.single_flight import own_copy

__all__ = ["Renewal"]

_RENEWING: Final[ContextVar[object]] = ContextVar("_RENEWING", default=None)
"""The Renewal in whose task this code runs: what a refresh sends must not wait for the refresh."""


@define(eq=False)
class Renewal:
    """Renews a credential once for all calls that wait.

    The refresh runs in a task of its own. A caller that is cancelled, or whose deadline passes,
    stops waiting; the task goes on and ends by itself, so that what the server has issued is kept.

    Attributes:
        credential: What is renewed.
        generation: Grows when the credential is discarded and when it has been renewed. A request
            of an earlier generation says nothing about the present one.
    """

    credential: Credential
    generation: int = field(default=0, init=False)
    _task: asyncio.Task[None] | None = field(default=None, init=False, repr=False)

    def is_needed(self, now: float) -> bool:
        """Whether `wait` must return before the next request is authorized."""
        if self._task is None:
            return self.credential.needs_refresh(now)
        if _RENEWING.get() is self:
            return False
        return self._under_way() is not None or self.credential.needs_refresh(now)

    async def wait(self) -> None:
        """Wait until the credential is renewed; start that if it is not under way.

        All that wait get the error of a refresh that fails. The next call starts another.
        """
        task = self._under_way()
        if task is None:
            task = self._task = asyncio.create_task(self._renew())
            task.add_done_callback(self._ended)
        await asyncio.wait((task,))  # a cancellation ends the waiting, not the task
        try:
            task.result()
        except Error as error:
            # The layers above write into errors: each caller has its own.
            raise own_copy(error)  # noqa: B904 - with its own cause

    def after_refusal(self, generation: int) -> bool:
        """Whether a request with this generation of the credential may be sent again.

        Only a refusal of the present generation discards it. The calls that were under way with an
        earlier one repeat with what the first of them has caused to be renewed.
        """
        if generation != self.generation or self._under_way() is not None:
            return True
        if not self.credential.invalidate():
            return False
        self.generation += 1
        return True

    def _under_way(self) -> asyncio.Task[None] | None:
        """The task that renews in this event loop; one that another loop has left never ends."""
        task = self._task
        if task is None or task.done() or task.get_loop() is not asyncio.get_running_loop():
            return None
        return task

    async def _renew(self) -> None:
        _RENEWING.set(self)
        await self.credential.refresh()
        self.generation += 1

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            task.exception()  # mark as retrieved: perhaps no one waits any more
        if self._task is task:
            self._task = None
