"""The loggers of the library: silent unless the program, or AIOINSTRUCTURE_LOG, asks for records.

Loggers: aioinstructure.http (each attempt, and another origin in a link), .quota (refusals and
learned limits), .sync and .abconnect (what starts again or is tried again). No record contains a
credential.
"""

from __future__ import annotations

import logging
import os
from typing import Final

__all__ = ["configure"]

LEVELS: Final = ("debug", "info", "warning", "error")
FORMAT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def configure() -> None:
    """Add the handlers. AIOINSTRUCTURE_LOG=debug writes all records to standard error."""
    logger = logging.getLogger("aioinstructure")
    logger.addHandler(logging.NullHandler())
    wish = os.environ.get("AIOINSTRUCTURE_LOG", "").strip().lower()
    if not wish:
        return
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter(FORMAT))
    logger.addHandler(handler)
    if wish in LEVELS:
        logger.setLevel(wish.upper())
    else:
        logger.warning("AIOINSTRUCTURE_LOG must be one of %s, not %r", ", ".join(LEVELS), wish)
