"""The report of a sync, updated while it runs."""

from __future__ import annotations

from typing import Literal, TypeAlias

from attrs import Factory, define, frozen

from aioinstructure.errors import Error

__all__ = ["RejectedRow", "Report", "SkippedParent", "State", "StreamReport"]

State: TypeAlias = Literal["waiting", "running", "done", "failed", "stopped"]


@frozen
class SkippedParent:
    """An object without a child that the caller may see, such as a course without a pace.

    Attributes:
        id: The id of the parent as text.
        reason: Why there is no child.
    """

    id: str
    reason: str


@frozen
class RejectedRow:
    """An object that could not be written: it has no id, or the store refuses it.

    Attributes:
        id: Its id as text; "" for none.
        page: The path of the response that it came in.
        reason: Why it was not written.
    """

    id: str
    page: str
    reason: str


@define
class StreamReport:
    """The progress of one stream; changes while it runs.

    Attributes:
        stream: The name of the stream.
        source: The origin that it is read from.
        state: "waiting", "running", "done", "failed" or "stopped".
        rows: Rows written in this run.
        total: Expected number of rows, if the server reports it.
        requests: Responses that the rows came in.
        skipped: Parent objects without a child, or with none that the caller may see.
        skipped_parents: The first 20 of these, with the reasons.
        rejected: Objects that could not be written; the others of their pages were.
        rejected_rows: The first 20 of these, with the reasons.
        resumed: Whether it started where an earlier run stopped.
        seconds: How long it ran.
        error: The error that ended it, if it failed.
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
    skipped_parents: list[SkippedParent] = Factory(list)
    rejected: int = 0
    rejected_rows: list[RejectedRow] = Factory(list)


@define
class Report:
    """What a run did.

    Attributes:
        streams: One report per stream, in the order requested.
        seconds: How long the run took.
        refusals: How often a server refused a call because the quota was spent.
    """

    streams: list[StreamReport] = Factory(list)
    seconds: float = 0.0
    refusals: int = 0

    @property
    def rows(self) -> int:
        """Rows written in all streams."""
        return sum(stream.rows for stream in self.streams)

    @property
    def requests(self) -> int:
        """Responses that the rows came in."""
        return sum(stream.requests for stream in self.streams)
