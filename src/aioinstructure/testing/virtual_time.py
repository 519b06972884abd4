"""Virtual time: an event loop whose clock jumps to the next timer."""

from __future__ import annotations

import asyncio
import contextlib
import selectors
import time
from collections.abc import Callable, Generator
from typing import Any

from aioinstructure.clock import Clock

__all__ = ["VirtualLoop", "virtual_clock"]

_CREEP = 1e-7


class _Selector(selectors.DefaultSelector):
    """Polls for I/O without waiting; the clock jumps instead."""

    def __init__(self, jump: Callable[[float], bool]) -> None:
        super().__init__()
        self._jump = jump

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if timeout is not None and self._jump(timeout):
            return []
        # A hold is active, or there is no timer to jump to: wait in real time.
        return super().select(timeout if timeout is None else min(timeout, 0.05))


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next timer instead of waiting for it.

    Each iteration of the loop advances the clock by 100 ns: otherwise float rounding could keep
    code waiting forever for a time that is never reached. The clock does not jump while an executor
    is working, or during `hold()`.
    """

    def __init__(self) -> None:
        self._now = 1000.0
        self._held = 0
        super().__init__(_Selector(self._jump))

    def time(self) -> float:
        """The virtual time in seconds."""
        return self._now

    def _jump(self, seconds: float) -> bool:
        if self._held:
            return False
        self._now += seconds
        return True

    def _run_once(self) -> None:
        self._now += _CREEP
        super()._run_once()  # type: ignore[misc]  # not in the stubs; its only override point

    @contextlib.contextmanager
    def hold(self) -> Generator[None]:
        """Prevent jumps during the block, while a thread works that the loop does not know of."""
        self._held += 1
        start = time.monotonic()
        try:
            yield
        finally:
            self._held -= 1
            self._now += time.monotonic() - start

    def run_in_executor(  # type: ignore[override]  # typed as Any: only passed on
        self, executor: Any, func: Any, *args: Any
    ) -> asyncio.Future[Any]:
        """Run in an executor, with the clock held until it is done."""
        with contextlib.ExitStack() as stack:
            stack.enter_context(self.hold())
            future = super().run_in_executor(executor, func, *args)
            held = stack.pop_all()
        future.add_done_callback(lambda _: held.close())
        return future

    async def shutdown_default_executor(self, *args: Any, **options: Any) -> None:
        """Wait for the threads of the executor, with the clock held: its timeout is in loop time."""
        with self.hold():
            await super().shutdown_default_executor(*args, **options)


def virtual_clock(loop: VirtualLoop, *, wall: float = 1_767_225_600.0) -> Clock:
    """Create a clock on a virtual loop; its wall time starts at `wall` (1 January 2026)."""
    start = loop.time()
    return Clock(wall=lambda: wall + loop.time() - start, hold=loop.hold)
