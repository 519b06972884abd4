"""Copy lists of the services into a store, with little memory, resumable after a stop.

report = await Sync(sql("sqlite:///lms.db"), canvas=canvas).run("courses")
"""

from __future__ import annotations

from aioinstructure.sync.engine import Sync
from aioinstructure.sync.plan import Plan, StreamPlan, plan_of
from aioinstructure.sync.report import RejectedRow, Report, SkippedParent, StreamReport
from aioinstructure.sync.sinks.base import Checkpoint, Refusal, Row, Sink
from aioinstructure.sync.sinks.registry import SINKS, sink_of
from aioinstructure.sync.sinks.sql import sql
from aioinstructure.sync.streams.base import Batch, Stream
from aioinstructure.sync.streams.registry import STREAMS

__all__ = [
    "SINKS",
    "STREAMS",
    "Batch",
    "Checkpoint",
    "Plan",
    "Refusal",
    "RejectedRow",
    "Report",
    "Row",
    "Sink",
    "SkippedParent",
    "Stream",
    "StreamPlan",
    "StreamReport",
    "Sync",
    "plan_of",
    "sink_of",
    "sql",
]
