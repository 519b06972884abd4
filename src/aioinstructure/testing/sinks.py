"""A sink in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import define, field

from aioinstructure.sync import Checkpoint, Row

__all__ = ["MemorySink"]


@define(eq=False)
class MemorySink:
    """A sink of `aioinstructure.sync` that stores everything in dictionaries.

    Attributes:
        rows: The JSON objects, by stream and then by id.
        checkpoints: The last checkpoints, by source and stream.
        writes: The number of rows of each write, in order.
        closed: How many times it was closed.
    """

    rows: dict[str, dict[str, Any]] = field(factory=dict, init=False)
    checkpoints: dict[tuple[str, str], Checkpoint] = field(factory=dict, init=False)
    writes: list[int] = field(factory=list, init=False)
    closed: int = field(default=0, init=False)

    async def open(self, streams: Sequence[str]) -> None:
        """See Sink."""
        for stream in streams:
            self.rows.setdefault(stream, {})

    async def checkpoint(self, source: str, stream: str) -> Checkpoint | None:
        """See Sink."""
        return self.checkpoints.get((source, stream))

    async def write(
        self, source: str, stream: str, rows: Sequence[Row], checkpoint: Checkpoint
    ) -> None:
        """See Sink."""
        self.rows[stream].update((row.id, row.data) for row in rows)
        self.checkpoints[source, stream] = checkpoint
        self.writes.append(len(rows))

    async def close(self) -> None:
        """See Sink."""
        self.closed += 1
