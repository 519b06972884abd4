"""QuotaReport: what is read from the quota headers of a response, and what is not believed."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioinstructure.wire.message import Headers, Response
from aioinstructure.wire.quota_report import NO_REPORT, QuotaReport, refused_by_bucket

NOW = 1_767_225_600.0  # 1 January 2026
COST, REMAINING, RETRY = "X-Request-Cost", "X-Rate-Limit-Remaining", "Retry-After"


def report(**fields: str) -> QuotaReport:
    """The report of a response with these headers."""
    names = {"cost": COST, "remaining": REMAINING, "retry_after": RETRY}
    return QuotaReport.of(Headers({names[name]: text for name, text in fields.items()}), NOW)


def test_a_report_has_all_three_numbers() -> None:
    """Cost and remaining of Canvas, and the pause that any server may ask for."""
    found = report(cost="0.25", remaining="699.5", retry_after="3")
    assert found == QuotaReport(cost=0.25, remaining=699.5, retry_after=3.0)


@pytest.mark.parametrize(
    "headers", [{}, {"content-type": "x"}, {COST: "much"}, {RETRY: ""}, {COST: "", REMAINING: "-"}]
)
def test_without_a_valid_number_there_is_no_report(headers: dict[str, str]) -> None:
    """One shared value, as for no response at all."""
    assert QuotaReport.of(Headers(headers), NOW) is NO_REPORT
    assert QuotaReport(None, None, None) == NO_REPORT


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0.0),
        ("1e-3", 0.001),
        ("2.5E+2", 250.0),
        ("6.99e2", 699.0),
        (" 12 ", 12.0),
        ("-20.5", -20.5),
        ("-0", 0.0),
        (".5", 0.5),
        ("1e308", 1e308),
    ],
)
def test_numbers_in_every_notation_are_read(text: str, number: float) -> None:
    """Ruby writes small costs as 1.0e-05; what remains may be negative."""
    assert report(cost=text).cost == number
    assert report(remaining=text).remaining == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "nan",
        "NaN",
        "-nan",
        "inf",
        "Infinity",
        "-inf",
        "1e999",
        "much",
        "1,5",
        "0x10",
        "1 2",
    ],
)
def test_what_is_no_finite_number_says_nothing(text: str) -> None:
    """The quota must not believe it."""
    found = report(cost=text, remaining=text, retry_after="1")
    assert (found.cost, found.remaining, found.retry_after) == (None, None, 1.0)


@pytest.mark.parametrize("name", [COST, REMAINING])
def test_a_number_that_came_twice_says_nothing(name: str) -> None:
    """Repeated fields are joined by a comma: which one is right is unknown."""
    headers = Headers([(name, "1"), (name.lower(), "2"), (RETRY, "5")])
    assert QuotaReport.of(headers, NOW) == QuotaReport(retry_after=5.0)


def test_a_pause_that_came_twice_says_nothing() -> None:
    """As for the other numbers."""
    assert QuotaReport.of(Headers([(RETRY, "5"), (RETRY, "6")]), NOW) is NO_REPORT


def test_names_are_found_in_any_case() -> None:
    """HTTP/2 sends them in lower case."""
    headers = Headers({COST.upper(): "1", REMAINING.lower(): "2", RETRY.swapcase(): "3"})
    assert QuotaReport.of(headers, NOW) == QuotaReport(1.0, 2.0, 3.0)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Thu, 01 Jan 2026 00:02:00 GMT", 120.0),
        ("Thursday, 01-Jan-26 00:02:00 GMT", 120.0),
        ("Thu Jan  1 00:02:00 2026", 120.0),
        ("Thu, 01 Jan 2026 00:00:00 GMT", 0.0),
        ("Wed, 31 Dec 2025 23:00:00 GMT", 0.0),
    ],
)
def test_a_pause_may_be_a_date_in_each_form_of_http(text: str, seconds: float) -> None:
    """RFC 9110 has three; a date in the past is no pause."""
    assert report(retry_after=text).retry_after == seconds


@pytest.mark.parametrize("text", ["-1", "1e-3", "1e999", "nan", "inf", "+5", "five", "0x5", "1_0"])
def test_a_pause_is_a_plain_number(text: str) -> None:
    """Without a sign, and not infinite."""
    assert report(retry_after=text).retry_after is None


_TEXT = st.one_of(
    st.text(),
    st.text("0123456789+-.eE_ ,naifINF"),
    st.floats().map(repr),
    st.integers().map(str),
    st.datetimes().map(lambda moment: moment.strftime("%a, %d %b %Y %H:%M:%S GMT")),
)


@given(_TEXT, _TEXT, _TEXT, st.floats(0, 1e11))
def test_any_header_gives_finite_numbers_or_none(
    cost: str, remaining: str, pause: str, now: float
) -> None:
    """Headers are untrusted: no text raises, and no pause is negative."""
    found = QuotaReport.of(Headers({COST: cost, REMAINING: remaining, RETRY: pause}), now)
    for number in (found.cost, found.remaining, found.retry_after):
        assert number is None or (isinstance(number, float) and math.isfinite(number))
    assert found.retry_after is None or found.retry_after >= 0


@pytest.mark.parametrize(
    ("cost", "kind", "by_bucket"),
    [
        (None, "text/plain", True),
        ("much", "text/plain", True),
        ("0.5", "text/plain", False),
        ("0", "text/plain", False),
        (None, "application/json; charset=utf-8", False),
    ],
)
def test_a_refusal_with_a_cost_or_in_json_is_not_of_the_bucket(
    cost: str | None, kind: str, by_bucket: bool
) -> None:
    """Canvas charges only what passes the bucket: another limit refused that call."""
    headers = {"content-type": kind} | ({} if cost is None else {COST: cost})
    assert refused_by_bucket(Response(429, headers), is_reported=True) is by_bucket
    assert refused_by_bucket(Response(429, headers), is_reported=False)
