"""What a scheduler reports: events for its listener, and log records."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable

from attrs import define, field

from aioinstructure._types import Lane
from aioinstructure.quota.events import LimitLearned, QuotaEvent
from aioinstructure.quota.limiter import Learned
from aioinstructure.wire.quota_report import QuotaReport

__all__ = ["Reporter"]

LONG = 10.0
"""Seconds of a pause that is logged as a warning, at most once a minute."""

logger = logging.getLogger("aioinstructure.quota")


@define(eq=False)
class Reporter:
    """Logs refusals and learned limits, and calls the listener.

    Args:
        name: Names the scheduler in the log.
        listener: Called with every event, in the next iteration of the loop, which handles its
            errors.
    """

    name: str
    listener: Callable[[QuotaEvent], None] | None
    _warned_at: float = field(default=-math.inf, init=False)

    def emit(self, event: QuotaEvent, loop: asyncio.AbstractEventLoop | None) -> None:
        """Call the listener, if there is one."""
        if self.listener is not None and loop is not None and not loop.is_closed():
            loop.call_soon(self.listener, event)

    def refused(self, key: str, lane: Lane, report: QuotaReport, throttles: int) -> None:
        """Report a refusal. The call waits and is sent again: no action is needed."""
        logger.info(
            "refused: quota=%s route=%s lane=%s remaining=%s retry_after=%s throttles=%d",
            self.name,
            key,
            lane,
            report.remaining,
            report.retry_after,
            throttles,
        )

    def pausing(self, seconds: float, asked: float | None, waiting: int, now: float) -> None:
        """Warn of a long pause, at most once a minute."""
        if seconds > LONG and not 0 <= now - self._warned_at < 60:
            self._warned_at = now
            logger.warning(
                "quota %s: the server refuses calls and asks to wait %.0f s; the next one is sent"
                " in %.0f s, and %d wait",
                self.name, asked, seconds, waiting,
            )  # fmt: skip

    def learned(self, changes: list[Learned], loop: asyncio.AbstractEventLoop | None) -> None:
        """Report limits that differ from the believed ones, and clear the list."""
        found = list(changes)
        changes.clear()
        for each in found:
            logger.info(
                "limit learned: quota=%s limit=%s value=%.6g", self.name, each.limit, each.value
            )
            self.emit(LimitLearned(each.limit, each.value), loop)
