"""An event loop whose clock jumps to the next timer, so that ten minutes last a second."""

from __future__ import annotations

import asyncio
import selectors
from typing import Any

CREEP = 1e-7
"""Seconds that each turn lasts: a clock that stood still would let float rounding spin."""


class _Jump(selectors.DefaultSelector):
    """A selector that does not wait: it moves the loop's clock on instead."""

    loop: VirtualLoop

    def select(self, timeout: float | None = None) -> list[Any]:
        ready = super().select(0)
        if not ready and timeout is None:
            raise RuntimeError("nothing is scheduled: everybody waits for ever")
        if not ready and timeout:
            self.loop.now += timeout
        self.loop.now += CREEP
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop in virtual time."""

    def __init__(self, start: float = 1_000.0) -> None:
        selector = _Jump()
        self.now = start
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        return self.now


def run(main: Any, *, start: float = 1_000.0) -> Any:
    """Run a coroutine on a fresh virtual loop."""
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(start)) as runner:
        return runner.run(main)
