"""What a run of a sync did, and does."""

from __future__ import annotations

from typing import Literal, TypeAlias

from attrs import Factory, define

from aioinstructure.errors import Error

__all__ = ["Report", "State", "StreamReport"]

State: TypeAlias = Literal["waiting", "running", "done", "failed", "stopped"]


@define
class StreamReport:
    """How a stream fares; changes while it runs.

    Attributes:
        stream: Its name.
        source: The origin that it is read from.
        state: "waiting", "running", "done", "failed" or "stopped".
        rows: How many were written in this run.
        total: How many there will be, where the server says so.
        requests: How many answers they came in.
        skipped: How many parents had nothing, or nothing that the caller may see.
        resumed: Whether it went on where an earlier run had stopped.
        seconds: How long it ran.
        error: What ended it, if it failed.
    """

    stream: str
    source: str
    state: State = "waiting"
    rows: int = 0
    total: int | None = None
    requests: int = 0
    skipped: int = 0
    resumed: bool = False
    seconds: float = 0.0
    error: Error | None = None


@define
class Report:
    """What a run did.

    Attributes:
        streams: One a stream, in the order asked.
        seconds: How long the whole took.
        refusals: How often a server said that the quota was spent.
    """

    streams: list[StreamReport] = Factory(list)
    seconds: float = 0.0
    refusals: int = 0

    @property
    def rows(self) -> int:
        """How many rows were written in all."""
        return sum(stream.rows for stream in self.streams)

    @property
    def requests(self) -> int:
        """How many answers they came in."""
        return sum(stream.requests for stream in self.streams)
