"""The streams of AB Connect."""

from __future__ import annotations

from typing import Any, Final

from aioinstructure.abconnect import ABConnect
from aioinstructure.abconnect.filters.expressions import F
from aioinstructure.paging.paginator import Paginator
from aioinstructure.sync.streams.base import Stream, list_reader

__all__ = ["STREAMS"]

_STANDARD_FIELDS: Final = (
    "guid",
    "number",
    "statement",
    "label",
    "level",
    "seq",
    "status",
    "date_modified_utc",
    "disciplines.subjects",
    "education_levels.grades",
    "document.guid",
    "section.guid",
    "parent",
)


# Without the other two values, a copy would keep retired standards as if they were active.
_MIRROR: Final = F.status.in_("active", "deleted", "obsolete")


# Without relationships: of more than 25 related objects only the first 10 would be sent.
_ASSET_FIELDS: Final = (
    "guid",
    "client_id",
    "asset_type",
    "title",
    "date_modified_utc",
    "date_alignments_modified_utc",
    "custom_attributes",
    "disciplines",
    "education_levels",
)


def standards(ab: ABConnect, page_size: int | None = None) -> Paginator[Any]:
    """All standards, including retired ones."""
    # Without a unique sort key the order is by relevance, and pages overlap.
    return ab.standards.list(
        filter=_MIRROR, fields=_STANDARD_FIELDS, sort=["guid"], page_size=page_size
    )


def assets(ab: ABConnect, page_size: int | None = None) -> Paginator[Any]:
    """Your own assets, without their relationships."""
    return ab.assets.list(fields=_ASSET_FIELDS, sort=["guid"], page_size=page_size)


def events(ab: ABConnect, page_size: int | None = None) -> Paginator[Any]:
    """All events, ordered by number."""
    return ab.events.since(0, page_size=page_size)


STREAMS: Final = (
    Stream("standards", "abconnect", list_reader(standards), standards),
    Stream("assets", "abconnect", list_reader(assets), assets),
    Stream("events", "abconnect", list_reader(events, counts_rest=True), events, continues=True),
)
"""The streams of AB Connect, in the order that a report lists them."""
