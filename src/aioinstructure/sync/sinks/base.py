"""The interface of a sink. Independent of services and databases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from attrs import frozen

__all__ = ["Checkpoint", "Refusal", "Row", "Sink"]


@frozen
class Row:
    """One object as the server sent it.

    Attributes:
        id: The object's id as text.
        data: The object as JSON values.
    """

    id: str
    data: Any


@frozen
class Refusal:
    """A row that a store cannot hold.

    Attributes:
        id: The id of the row.
        reason: Why, as text.
    """

    id: str
    reason: str


@frozen
class Checkpoint:
    """How far a stream has been read.

    Attributes:
        cursor: Where the next run resumes; None for the start of the list.
        done: Whether the last run reached the end.
    """

    cursor: str | None
    done: bool


class Sink(Protocol):
    """Stores rows and checkpoints."""

    async def open(self, streams: Sequence[str]) -> None:
        """Prepare to write these streams."""
        ...

    async def checkpoint(self, source: str, stream: str) -> Checkpoint | None:
        """Return the last checkpoint written, or None."""
        ...

    async def write(
        self, source: str, stream: str, rows: Sequence[Row], checkpoint: Checkpoint
    ) -> Sequence[Refusal] | None:
        """Insert or replace the rows and set the checkpoint, atomically.

        A sink that cannot store some of the rows may store the others, and return the refused ones.
        The checkpoint must not be stored before the rows.
        """
        ...

    async def close(self) -> None:
        """Release all resources; written data is kept."""
        ...
