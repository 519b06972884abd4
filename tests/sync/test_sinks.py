"""Sinks by the scheme of their URL."""

from __future__ import annotations

import pytest

from aioinstructure.errors import InputError
from aioinstructure.sync import SINKS, Sync, sink_of
from aioinstructure.sync.sinks.sql import SqlSink


@pytest.mark.parametrize("driver", ["", "+aiosqlite"])
async def test_a_scheme_selects_a_sink(driver: str) -> None:
    """A driver in the scheme does not change the sink."""
    sink = sink_of(f"sqlite{driver}:///:memory:")
    assert isinstance(sink, SqlSink)
    await sink.close()


def test_each_scheme_has_a_factory() -> None:
    """Each entry of the registry names a function that exists."""
    for scheme in SINKS:
        assert isinstance(sink_of(f"{scheme}:///lms.db"), SqlSink)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("lms.db", "invalid destination"),
        ("postgresq://u:s3cret@host/lms", "'postgresq', did you mean 'postgresql'"),
        ("kafka://u:s3cret@host/lms", "'kafka'; there are: postgres, postgresql, sqlite"),
    ],
)
def test_an_unknown_scheme_is_refused_without_its_password(url: str, message: str) -> None:
    """The message names the scheme and the known ones, and nothing else of the URL."""
    with pytest.raises(InputError, match=message) as caught:
        sink_of(url)
    assert "s3cret" not in str(caught.value)


def test_the_scheme_is_read_in_any_case() -> None:
    """As in other URLs."""
    assert isinstance(sink_of("SQLITE:///:memory:"), SqlSink)


def test_a_sync_takes_a_sink_and_not_its_url() -> None:
    """The message says how to make one."""
    with pytest.raises(InputError, match=r"such as sql\(url\) or sink_of\(url\)"):
        Sync("sqlite:///lms.db")  # type: ignore[arg-type]  # the mistake
