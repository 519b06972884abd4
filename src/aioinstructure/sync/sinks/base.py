"""What a sync needs of a store. Knows no service and no database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from attrs import frozen

__all__ = ["Checkpoint", "Row", "Sink"]


@frozen
class Row:
    """One object as the server sent it.

    Attributes:
        id: Its id, as text.
        data: The JSON of it.
    """

    id: str
    data: Any


@frozen
class Checkpoint:
    """How far a stream has come.

    Attributes:
        cursor: The place that the next run starts from; None at the start of the list.
        done: Whether the last run came to the end.
    """

    cursor: str | None
    done: bool


class Sink(Protocol):
    """A store for rows and checkpoints."""

    async def open(self, streams: Sequence[str]) -> None:
        """Make ready for these streams."""
        ...

    async def checkpoint(self, source: str, stream: str) -> Checkpoint | None:
        """The last one that was written, or None."""
        ...

    async def write(
        self, source: str, stream: str, rows: Sequence[Row], checkpoint: Checkpoint
    ) -> None:
        """Insert or replace the rows and set the checkpoint: both, or neither."""
        ...

    async def close(self) -> None:
        """Let go of everything; what was written stands."""
        ...
