"""All streams by name."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Final

from aioinstructure.abconnect import ABConnect
from aioinstructure.canvas import Canvas
from aioinstructure.errors import (
    ConfigurationError,
    InputError,
)
from aioinstructure.sync.streams.abconnect import assets, events, standards
from aioinstructure.sync.streams.base import Clients, Stream, list_reader, restarting
from aioinstructure.sync.streams.canvas import course_paces, courses

__all__ = ["STREAMS", "checked", "client_of"]

STREAMS: Final[Mapping[str, Stream]] = {
    stream.name: stream
    for stream in (
        Stream("courses", "canvas", list_reader(courses), courses),
        Stream("course_paces", "canvas", restarting(course_paces), courses, per_row=1),
        Stream("standards", "abconnect", list_reader(standards), standards),
        Stream("assets", "abconnect", list_reader(assets), assets),
        Stream(
            "events", "abconnect", list_reader(events, counts_rest=True), events, continues=True
        ),
    )
}
"""All streams by name, in the order that a report lists them."""


def checked(names: Sequence[str]) -> list[Stream]:
    """Return the streams with these names.

    Raises:
        InputError: A name is unknown or repeated, or there is none.
    """
    if not names:
        raise InputError(f"no stream given, expected one or more of {', '.join(STREAMS)}")
    for name in names:
        if name not in STREAMS:
            near = difflib.get_close_matches(name, STREAMS, 1)
            hint = f", did you mean {near[0]!r}?" if near else ""
            raise InputError(f"unknown stream {name!r}{hint} (known: {', '.join(STREAMS)})")
    if len(set(names)) != len(names):
        raise InputError(f"a stream is named twice: {', '.join(names)}")
    return [STREAMS[name] for name in names]


def client_of(stream: Stream, canvas: Canvas | None, abconnect: ABConnect | None) -> Clients:
    """Return the client that reads a stream.

    Raises:
        ConfigurationError: The client is missing.
    """
    client = canvas if stream.service == "canvas" else abconnect
    if client is None:
        raise ConfigurationError(f"stream {stream.name!r} needs a client: pass {stream.service}=")
    return client
