"""The right to send one call, and how it ends. Knows nothing of lanes or waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aioinstructure._types import Lane
from aioinstructure.quota.limiter import Ticket

if TYPE_CHECKING:
    from aioinstructure.quota.scheduler import Scheduler

__all__ = ["Lease"]


class Lease:
    """The right to send one call. Exactly one ending counts: the first; later ones do nothing."""

    __slots__ = ("_lane", "_loop", "_scheduler", "_ticket")

    def __init__(self, scheduler: Scheduler, ticket: Ticket, lane: Lane) -> None:
        self._scheduler: Scheduler | None = scheduler
        self._loop = scheduler._loop
        self._ticket = ticket
        self._lane: Lane = lane

    def settle(self, *, cost: float | None = None, remaining: float | None = None) -> None:
        """Say that the call was answered, as soon as the head of the answer is there.

        Args:
            cost: What the server charged for it, in units, if it said.
            remaining: What it said is left, in units.
        """
        if scheduler := self._end():
            scheduler._settle(self._ticket, self._lane, cost, remaining)

    def abandon(self) -> None:
        """Say that the call was sent and no answer came: what it took stays taken."""
        if scheduler := self._end():
            scheduler._abandon(self._ticket)

    def refund(self) -> None:
        """Say that the call was never sent: what it took is put back."""
        if scheduler := self._end():
            scheduler._refund(self._ticket)

    def refused(self, *, remaining: float | None = None, retry_after: float | None = None) -> None:
        """Say that the server refused it for want of quota (429, or 403 with the throttle's text).

        Args:
            remaining: What it said is left, in units; may be negative.
            retry_after: Seconds that it asked to wait.
        """
        if scheduler := self._end():
            scheduler._refused(self._ticket, self._lane, remaining, retry_after)

    def _end(self) -> Scheduler | None:
        scheduler, self._scheduler = self._scheduler, None
        if scheduler is not None and scheduler._loop is not self._loop:
            return None  # another loop has taken over, and counts this call as lost
        return scheduler
