"""Bodies in pieces: decoded, complete and bounded."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import AsyncIterator, Callable

import pytest
from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st

from aioinstructure.transport.body import BodyDecoder, BodyTooLarge, BrokenBody, read_body
from aioinstructure.wire.message import Headers


def raw_deflate(data: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(data) + stream.flush()


CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    "identity": bytes,
    "gzip": gzip.compress,
    "X-GZIP": gzip.compress,
    "deflate": zlib.compress,
    " Deflate ": raw_deflate,
}


@frozen
class Chunks:
    """A body that arrives in chunks."""

    data: bytes
    size: int

    async def read(self) -> bytes:
        return self.data

    async def iter_any(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self.data), self.size):
            yield self.data[start : start + self.size]


async def read(
    coding: str, data: bytes, size: int = 7, limit: int = 1 << 30, *, has_length: bool = False
) -> bytes:
    fields = {"Content-Encoding": coding}
    if has_length:
        fields["Content-Length"] = str(len(data))
    return await read_body(Chunks(data, size), Headers(fields), limit)


@pytest.mark.parametrize("coding", CODINGS)
@given(data=st.binary(max_size=300), size=st.integers(1, 40), has_length=st.booleans())
async def test_a_body_is_decoded_however_it_is_cut(
    coding: str, data: bytes, size: int, *, has_length: bool
) -> None:
    """Each coding that was asked for, and deflate in both of its forms."""
    assert await read(coding, CODINGS[coding](data), size, has_length=has_length) == data


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("has_length", [True, False])
async def test_a_plain_length_does_not_hide_a_large_body(coding: str, *, has_length: bool) -> None:
    """The limit is on the decoded size, which a length may or may not be."""
    data = b"x" * 1000
    assert await read(coding, CODINGS[coding](data), limit=1000, has_length=has_length) == data
    with pytest.raises(BodyTooLarge):
        await read(coding, CODINGS[coding](data), limit=999, has_length=has_length)


@given(
    members=st.lists(st.binary(max_size=40), min_size=1, max_size=4),
    zeros=st.integers(0, 3),
    size=st.integers(1, 40),
)
async def test_gzip_may_have_several_members(members: list[bytes], zeros: int, size: int) -> None:
    """With padding between them, and whatever after the last one."""
    data = (b"\0" * zeros).join(map(gzip.compress, members)) + b"\0" * zeros
    assert await read("gzip", data, size) == b"".join(members)


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
@given(
    data=st.binary(min_size=1, max_size=100), share=st.floats(0.01, 0.99), size=st.integers(1, 9)
)
async def test_a_cut_body_is_noticed(coding: str, data: bytes, share: float, size: int) -> None:
    """At every place, such as before the check sum at the end of gzip."""
    whole = CODINGS[coding](data)
    cut = whole[: max(1, int(len(whole) * share))]
    with pytest.raises(BrokenBody):
        await read(coding, cut, size)


@pytest.mark.parametrize("coding", ["br", "gzip, br", "zstd", "\x1b[2J"])
def test_an_unknown_coding_is_named(coding: str) -> None:
    """In one printable line."""
    with pytest.raises(BrokenBody, match="encoded as") as caught:
        BodyDecoder(coding)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
async def test_what_is_not_compressed_is_broken(coding: str) -> None:
    """The header says what the body is not."""
    with pytest.raises(BrokenBody, match=f"no {coding}"):
        await read(coding, b"[12345]")


async def test_a_compressed_body_may_be_empty() -> None:
    """A refusal, or the answer to HEAD."""
    assert await read("gzip", b"") == b""


@pytest.mark.parametrize("coding", CODINGS)
async def test_the_decoded_size_has_a_limit(coding: str) -> None:
    """The limit itself is allowed; one byte more is not, however small it came."""
    data = bytes(3_000_000)
    assert len(await read(coding, CODINGS[coding](data), 65_536, limit=len(data))) == len(data)
    with pytest.raises(BodyTooLarge):
        await read(coding, CODINGS[coding](data), 65_536, limit=len(data) - 1)


def test_a_bomb_is_decoded_in_pieces() -> None:
    """256 MB in 260 kB: no piece is larger than a megabyte, and each is made when it is asked for."""
    stream = zlib.compressobj(wbits=31)
    bomb = b"".join(stream.compress(bytes(1 << 20)) for _ in range(256)) + stream.flush()
    assert len(bomb) < 300_000
    decoder = BodyDecoder("gzip")
    assert max(map(len, decoder.feed(bomb))) <= 1 << 20
    decoder.finish()
