"""SQLite connections whose threads can be joined. Independent of tables.

aiosqlite runs each connection in a thread. When a connection is dropped by a cancellation or a
failed open, its thread may call the event loop after it has closed, which prints a traceback after
Ctrl-C.
"""

from __future__ import annotations

import asyncio
from threading import Thread
from typing import TYPE_CHECKING, Any, Final

from attrs import define, field

if TYPE_CHECKING:
    from aiosqlite import Connection

__all__ = ["Connections"]

_SECONDS: Final = 5.0
"""How long to wait for a thread. It normally ends at once, unless the disk does not respond."""


@define(eq=False)
class Connections:
    """Opens connections and keeps track of their threads."""

    _threads: list[Thread] = field(factory=list[Thread], init=False)

    async def connect(self, *args: Any, **options: Any) -> Connection:
        """Open a connection, with the arguments of `aiosqlite.connect`."""
        import aiosqlite  # noqa: PLC0415 - an extra

        connection: Any = aiosqlite.connect(*args, **options)
        # Before aiosqlite 0.22 the connection was the thread itself; SQLAlchemy has the same check.
        thread: Thread = getattr(connection, "_thread", connection)
        thread.daemon = True
        self._threads.append(thread)
        opened: Connection = await connection
        return opened

    async def join(self) -> None:
        """Wait until the threads of closed connections have ended."""
        if any(thread.is_alive() for thread in self._threads):
            await asyncio.get_running_loop().run_in_executor(None, self._join)
        self._threads.clear()

    def _join(self) -> None:
        for thread in self._threads:
            thread.join(_SECONDS)
