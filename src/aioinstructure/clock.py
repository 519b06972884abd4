"""Time in two kinds: loop time to wait by, wall time to sign and to expire by.

Both are injectable, so that tests run in virtual time. Nothing else in the package reads a clock.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

from attrs import field, frozen

__all__ = ["Clock"]


def _loop_time() -> float:
    return asyncio.get_running_loop().time()


@frozen
class Clock:
    """Where seconds come from.

    Args:
        monotonic: Seconds that only grow, of the running event loop: timeouts, quota, deadlines.
        wall: Seconds since 1970 (UTC), which may jump: signatures and tokens.
        hold: A context in which virtual time must not jump, since work goes on in a thread that
            the loop does not see. Does nothing with a real clock.
    """

    monotonic: Callable[[], float] = field(default=_loop_time, repr=False)
    wall: Callable[[], float] = field(default=time.time, repr=False)
    hold: Callable[[], AbstractContextManager[None]] = field(
        default=contextlib.nullcontext, repr=False
    )
