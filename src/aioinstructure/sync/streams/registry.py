"""All streams by name. A stream is declared in the module of its service, and listed there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from aioinstructure._suggest import suggestion
from aioinstructure.abconnect import ABConnect
from aioinstructure.canvas import Canvas
from aioinstructure.errors import ConfigurationError, InputError
from aioinstructure.sync.streams import abconnect as abconnect_streams
from aioinstructure.sync.streams import canvas as canvas_streams
from aioinstructure.sync.streams.base import Clients, Stream

__all__ = ["STREAMS", "checked", "client_of"]

STREAMS: Final[Mapping[str, Stream]] = {
    stream.name: stream for stream in (*canvas_streams.STREAMS, *abconnect_streams.STREAMS)
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
            raise InputError(f"unknown stream {name!r}{suggestion(name, STREAMS)}")
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
