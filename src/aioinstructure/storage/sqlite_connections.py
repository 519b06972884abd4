"""Connections to SQLite whose threads are waited for. Knows no rows.

aiosqlite runs each connection in a thread. One that is dropped in a hurry, behind a cancellation or
a failed open, still answers the event loop when that is closed already: a traceback on the screen
of somebody who has pressed Ctrl-C.
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
"""How long a thread is waited for: it ends at once, unless the disk does not answer."""


@define(eq=False)
class Connections:
    """Opens connections, and knows the threads of all."""

    _threads: list[Thread] = field(factory=list[Thread], init=False)

    async def connect(self, *words: Any, **options: Any) -> Connection:
        """A new connection; takes what `aiosqlite.connect` takes."""
        import aiosqlite  # noqa: PLC0415 - an extra

        connection: Any = aiosqlite.connect(*words, **options)
        # The connection was the thread itself before 0.22; SQLAlchemy looks for it in the same way.
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
