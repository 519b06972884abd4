"""The body of a response: decoded in chunks, checked for its end, and bounded. Knows no HTTP library.

A compressed body can be a thousand times as large as what was sent: 260 kB of gzip hold 256 MB. So
it is decoded in pieces, and the size that counts is the decoded one.
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final, Protocol

from attrs import define, field

from aioinstructure.wire.message import Headers
from aioinstructure.wire.redact import shown

__all__ = ["ACCEPTED", "BodyDecoder", "BodyTooLarge", "BrokenBody", "read_body"]

ACCEPTED: Final = "gzip, deflate"
"""The Accept-Encoding of every request."""

_PIECE: Final = 1 << 20
"""The most bytes that one step decodes."""

_GZIP: Final = 31  # what zlib calls the gzip format, its own, and the one without a header
_ZLIB: Final = 15
_RAW: Final = -15

_NAME = 100


class BrokenBody(Exception):
    """The body ended early, or cannot be decoded."""


class BodyTooLarge(Exception):
    """The decoded body is larger than the limit."""


def _normal(coding: str) -> str:
    return coding.strip().lower()


@define
class BodyDecoder:
    """Decodes a body by its Content-Encoding.

    Args:
        coding: The header field, in any case; "" for none.
    """

    coding: str = field(converter=_normal)
    _stream: Any = field(default=None, init=False)  # zlib does not publish its type

    def __attrs_post_init__(self) -> None:
        if self.coding not in ("", "identity", "gzip", "x-gzip", "deflate"):
            raise BrokenBody(
                f"the body is encoded as {shown(self.coding, _NAME)!r}, which was not asked for"
            )

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Decode the next bytes, in pieces of at most a megabyte.

        Raises:
            BrokenBody: They are not of this encoding.
        """
        if self.coding in ("", "identity"):
            yield data
            return
        while data:
            if self._stream is None:
                self._stream = zlib.decompressobj(self._format(data))
            elif self._stream.eof:
                # A gzip body may have several members; what is not one is padding.
                data = data.lstrip(b"\0")
                if self.coding == "deflate" or not data.startswith(b"\x1f"):
                    return
                self._stream = zlib.decompressobj(_GZIP)
            try:
                piece = self._stream.decompress(data, _PIECE)
            except zlib.error as error:
                raise BrokenBody(f"the body is no {self.coding}: {error}") from None
            if piece:
                yield piece
            data = self._stream.unused_data if self._stream.eof else self._stream.unconsumed_tail

    def _format(self, data: bytes) -> int:
        if self.coding != "deflate":
            return _GZIP
        # Servers disagree whether "deflate" has the zlib header, whose first bytes are 0x78 and a
        # check sum.
        has_header = data[0] & 0x0F == 8 and (len(data) < 2 or (data[0] * 256 + data[1]) % 31 == 0)
        return _ZLIB if has_header else _RAW

    def finish(self) -> None:
        """Check that the body has ended.

        Raises:
            BrokenBody: It broke off.
        """
        if self._stream is not None and not self._stream.eof:
            raise BrokenBody("the response broke off: its compressed body has no end")


class Stream(Protocol):
    """What a body is read from; aiohttp's StreamReader."""

    async def read(self) -> bytes:
        """All that is left."""
        ...

    def iter_any(self) -> AsyncIterator[bytes]:
        """The body as it arrives."""
        ...


async def read_body(stream: Stream, headers: Headers, limit: int) -> bytes:
    """Read and decode a body.

    Args:
        stream: Where it is read from.
        headers: Those of its response.
        limit: The most bytes that it may have when decoded.

    Raises:
        BodyTooLarge: It has more.
        BrokenBody: It ended early, or cannot be decoded.
    """
    coding, length = headers.lower.get("content-encoding", ""), headers.number("content-length")
    if not coding and length is not None and length <= limit:
        return await stream.read()  # which ends at this length
    decoder = BodyDecoder(coding)
    pieces: list[bytes] = []
    size = 0
    async for chunk in stream.iter_any():
        for piece in decoder.feed(chunk):
            size += len(piece)
            if size > limit:
                raise BodyTooLarge
            pieces.append(piece)
    decoder.finish()
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)
