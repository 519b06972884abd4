"""Paging by key: what the next page of an event list is asked for."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioinstructure.abconnect.keyed import behind_last

SINCE = "/events?filter%5Bevents%5D=seq%20gt%205&sort%5Bevents%5D=seq&limit=2"


def event(seq: Any) -> dict[str, Any]:
    return {"id": "x", "attributes": {"seq": seq}}


@pytest.mark.parametrize(
    "path",
    [
        SINCE,
        f"{SINCE}&offset=2",
        SINCE.replace("%20", "+"),
        SINCE.replace("seq%20gt%20", "SEQ%20GT%20"),
        SINCE.replace("seq%20gt%205", "%20seq%20%20gt%205%20"),
        SINCE.replace("%5B", "[").replace("%5D", "]"),
    ],
)
def test_the_next_page_is_what_lies_behind_the_last_event(path: str) -> None:
    """The filter moves on, the offset goes, the rest stays."""
    found = behind_last(path, [event(6), event(9)])
    assert found == "/events?filter%5Bevents%5D=seq%20gt%209&sort%5Bevents%5D=seq&limit=2"
    assert behind_last(found, [event(12)]) == found.replace("%209", "%2012")


@pytest.mark.parametrize(
    "path",
    [
        "/events",
        "/standards?filter%5Bevents%5D=seq%20gt%205&sort%5Bevents%5D=seq",
        SINCE.replace("sort%5Bevents%5D=seq", "sort%5Bevents%5D=-seq"),
        SINCE.replace("sort%5Bevents%5D=seq", "sort%5Bevents%5D=date_utc"),
        SINCE.replace("&sort%5Bevents%5D=seq", ""),
        SINCE.replace("gt%205", "ge%205"),
        SINCE.replace("gt%205", "gt%205%20and%20target%20eq%20%27x%27"),
        SINCE.replace("filter%5Bevents%5D=seq%20gt%205&", ""),
    ],
)
def test_other_lists_go_by_their_links(path: str) -> None:
    """In another order, or with another condition, the last number says nothing."""
    assert behind_last(path, [event(6)]) is None


@pytest.mark.parametrize(
    "raw",
    [[], [{}], [{"attributes": None}], [{"attributes": {}}], [event("7")], [event(True)], [5]],
)
def test_events_without_a_number_go_by_their_links(raw: list[Any]) -> None:
    """They were asked for without `seq`, or are none."""
    assert behind_last(SINCE, raw) is None


@given(
    st.integers(0, 10**12), st.dictionaries(st.sampled_from(["fields[events]", "limit"]), st.text())
)
def test_all_other_parameters_stay(last: int, more: dict[str, str]) -> None:
    """Whatever they hold."""
    asked = {"filter[events]": "seq gt 0", "sort[events]": "seq", **more, "offset": "10"}
    found = behind_last(f"/events?{urlencode(asked)}", [event(last)])
    assert found is not None
    query = parse_qs(found.partition("?")[2], keep_blank_values=True)
    expected = {**asked, "filter[events]": f"seq gt {last}"}
    del expected["offset"]
    assert query == {name: [value] for name, value in expected.items()}
