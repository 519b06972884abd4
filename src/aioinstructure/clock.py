"""Loop time for waiting, and wall time for signatures and expiry.

Both are injectable, so that tests run in virtual time. Nothing else in the package reads the wall
clock; loop time is that of the running loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

from attrs import field, frozen

from aioinstructure._public import public

__all__ = ["Clock"]


def _loop_time() -> float:
    return asyncio.get_running_loop().time()


@public
@frozen
class Clock:
    """The source of loop time and wall time.

    Args:
        monotonic: Returns the monotonic time of the running event loop, in seconds, for
            timeouts, quota and deadlines.
        wall: Returns the seconds since 1970 (UTC), which may jump, for signatures and tokens.
        hold: A context manager that stops virtual time while a thread works that the loop does
            not see. Does nothing with a real clock.
    """

    monotonic: Callable[[], float] = field(default=_loop_time, repr=False)
    wall: Callable[[], float] = field(default=time.time, repr=False)
    hold: Callable[[], AbstractContextManager[None]] = field(
        default=contextlib.nullcontext, repr=False
    )
