"""The server's time, by which credentials are made. The clock of this machine may be wrong."""

from __future__ import annotations

import logging
from typing import Final

from attrs import define, field

from aioinstructure.clock import Clock
from aioinstructure.wire.message import Response

__all__ = ["ServerClock"]

log = logging.getLogger("aioinstructure.http")

_TOLERATED: Final = 30.0
"""Seconds of difference that are not corrected: a response is under way for a while."""


@define(eq=False)
class ServerClock:
    """Wall time, corrected once a server has refused a credential and said what its time is.

    Attributes:
        clock: The clock of this machine.
        offset: Seconds that the server is ahead of it; 0 until that is known.
    """

    clock: Clock
    offset: float = field(default=0.0, init=False)
    _has_logged: bool = field(default=False, init=False, repr=False)

    def wall(self) -> float:
        """Seconds since 1970 (UTC), as the server counts them."""
        return self.clock.wall() + self.offset

    def learn(self, response: Response) -> None:
        """Take the time from the Date of a refusal. A difference is logged once."""
        date = response.headers.date("date")
        if date is None or abs(date - self.wall()) <= _TOLERATED:
            return
        self.offset = date - self.clock.wall()
        if not self._has_logged:
            self._has_logged = True
            log.warning(
                "the clock of this machine is %.0f s %s the server's: credentials are made by the"
                " server's time",
                abs(self.offset),
                "behind" if self.offset > 0 else "ahead of",
            )
