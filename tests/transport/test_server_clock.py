"""The server's time: signatures are made by it, and a Retry-After is counted from it."""

from __future__ import annotations

import logging
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from aioinstructure import Canvas, Request, Response, ServerError, Unauthorized
from aioinstructure.testing import reply
from aioinstructure.wire.message import Headers
from tests.transport.rig import (
    KEY,
    ab_on,
    always,
    bad_signature,
    canvas_on,
    failing,
    now,
    running_clock,
    timed,
)


def expiry(request: Request) -> float:
    """When the signature of a request expires."""
    return float(parse_qs(urlsplit(request.url).query)["auth.expires"][0])


def dated(response: Response, seconds: float) -> Response:
    headers = {**response.headers, "date": formatdate(seconds, usegmt=True)}
    return Response(response.status, headers, response.body)


@pytest.mark.parametrize("hours", [-2.0, 2.0, 24 * 365.0])
async def test_a_wrong_clock_is_corrected_once(
    caplog: pytest.LogCaptureFixture, hours: float
) -> None:
    """After the first refusal all requests are signed by the server's time, in views too."""
    caplog.set_level(logging.WARNING)
    clock = running_clock()

    def server(request: Request) -> Response:
        """Accepts signatures that expire within the next two hours of its own time."""
        time = clock.wall() + hours * 3600
        accepted = 0 < expiry(request) - time < 7200
        return dated(reply({"data": []}) if accepted else bad_signature(), time)

    ab, transport = ab_on([server] * 6, partner_key=KEY, partner_id="partner")
    for _ in range(3):
        await ab.with_options(lane="bulk").request("GET", "/standards")
    assert len(transport.requests) == 4
    (record,) = caplog.records
    assert ("behind" if hours > 0 else "ahead of") in record.message


@pytest.mark.parametrize("date", [None, "yesterday", "Thu, 01 Jan 99999 00:00:00 GMT"])
async def test_a_refusal_without_a_date_changes_nothing(
    caplog: pytest.LogCaptureFixture, date: str | None
) -> None:
    """It is signed again once, by the local time, and raised."""
    caplog.set_level(logging.WARNING)
    refusal = bad_signature()
    if date is not None:
        refusal = Response(401, {**refusal.headers, "date": date}, refusal.body)
    ab, transport = ab_on([always(refusal)] * 2, partner_key=KEY, partner_id="partner")
    with pytest.raises(Unauthorized):
        await ab.request("GET", "/standards")
    assert len(transport.requests) == 2
    assert abs(expiry(transport.requests[1]) - running_clock().wall() - 3600) < 5
    assert not caplog.records


@pytest.mark.parametrize("wrong", [-3600.0, 0.0, 3600.0])
async def test_a_retry_after_is_counted_from_the_date_of_the_response(wrong: float) -> None:
    """A date in five seconds is five seconds, whatever the local clock says."""
    there = running_clock().wall() + wrong
    busy = failing(
        503, date=formatdate(there, usegmt=True), retry_after=formatdate(there + 5, usegmt=True)
    )
    times: list[float] = []
    canvas, _ = canvas_on(timed([busy, reply([])], times))
    await canvas.request("GET", "/api/v1/x")
    assert times[1] - times[0] == pytest.approx(5, abs=0.01)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Thu, 01 Jan 1970 00:01:40 GMT", 100.0),
        ("Thu, 01 Jan 1970 01:01:40 +0100", 100.0),
        ("Thu, 01 Jan 1970 00:01:40", 100.0),
        ("tomorrow", None),
        ("", None),
        ("Mon, 32 Jan 1970 00:00:00 GMT", None),
    ],
)
def test_a_date_in_a_header(text: str, seconds: float | None) -> None:
    """Seconds since 1970, or None if it is no date."""
    assert Headers({"Date": text}).date("date") == seconds
    assert Headers().date("date") is None


# --- how long a server may ask to wait -----------------------------------------------------


@pytest.mark.parametrize(
    "text", ["301", "3600", "1000000000000000", "1e5", "9" * 250, "Fri, 31 Dec 9999 23:59:59 GMT"]
)
@pytest.mark.parametrize("status", [500, 503, 408])
async def test_a_retry_after_beyond_the_bound_is_an_error_at_once(
    caplog: pytest.LogCaptureFixture, status: int, text: str
) -> None:
    """With what the server asked for, and without a wait."""
    caplog.set_level(logging.WARNING)
    canvas, transport = canvas_on([failing(status, retry_after=text)])
    start = now()
    with pytest.raises(Exception) as caught:  # noqa: PT011 - 408 and 5xx are two classes
        await canvas.request("GET", "/api/v1/x")
    found: Any = caught.value
    assert (found.status, found.retry_after > 300) == (status, True)
    assert len(transport.requests) == 1
    assert now() - start == pytest.approx(0, abs=0.01)
    assert not caplog.records


@pytest.mark.parametrize(("most", "attempts"), [(4.0, 1), (5.0, 2), (1e9, 2)])
async def test_the_bound_can_be_set(most: float, attempts: int) -> None:
    """`max_retry_after` seconds are still waited for."""
    canvas, transport = canvas_on(
        [failing(503, retry_after="5"), failing(501)], max_retry_after=most
    )
    with pytest.raises(ServerError):
        await canvas.request("GET", "/api/v1/x")
    assert len(transport.requests) == attempts


@pytest.mark.parametrize(("seconds", "warnings"), [(10, 0), (11, 1), (300, 1)])
async def test_a_long_wait_is_logged(
    caplog: pytest.LogCaptureFixture, seconds: int, warnings: int
) -> None:
    """Before it begins, if it is more than ten seconds."""
    caplog.set_level(logging.WARNING)
    canvas, _ = canvas_on([failing(503, retry_after=str(seconds)), reply([])])
    start = now()
    await canvas.request("GET", "/api/v1/x")
    assert now() - start == pytest.approx(seconds, abs=0.1)
    assert len(caplog.records) == warnings
    assert all(f"waits {seconds} s" in record.message for record in caplog.records)


@pytest.mark.parametrize("value", [0, -1, "300", True, float("nan")])
def test_a_bound_that_is_none(value: Any) -> None:
    """A number of seconds above 0."""
    with pytest.raises(ValueError, match="max_retry_after"):
        Canvas("https://canvas.test", token="a-token", max_retry_after=value)
