"""Copy lists of the services into a store, in the memory of a page or two, and go on after a stop.

report = await Sync(sql("sqlite+aiosqlite:///lms.db"), canvas=canvas).run("courses")
"""

from __future__ import annotations

from aioinstructure.sync.run import Report, StreamReport, Sync
from aioinstructure.sync.sinks.base import Checkpoint, Row, Sink
from aioinstructure.sync.sinks.sql import sql
from aioinstructure.sync.streams import STREAMS, Batch, Stream

__all__ = [
    "STREAMS",
    "Batch",
    "Checkpoint",
    "Report",
    "Row",
    "Sink",
    "Stream",
    "StreamReport",
    "Sync",
    "sql",
]
