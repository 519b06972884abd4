"""The order of the layers, tested by its visible effects."""

from __future__ import annotations

import asyncio
import logging
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from attrs import define, evolve, field

from aioinstructure import NotFound, Request
from aioinstructure.auth.credentials import PartnerSignature
from aioinstructure.quota import (
    Answered,
    QuotaEvent,
    Retried,
    Scheduler,
    Sent,
    TokenBucket,
)
from aioinstructure.testing import reply
from aioinstructure.transport.pipeline import LAYERS
from tests.transport.rig import ab_on, assert_nothing_left, canvas_on, failing, now, running_clock


@define
class Renewing:
    """A credential that takes five seconds to renew, and records what is in flight then."""

    quota: list[Scheduler] = field(factory=list)
    seen: list[tuple[int, int]] = field(factory=list)
    token: str = ""

    def authorize(self, request: Request, now: float) -> Request:
        return evolve(request, headers=request.headers.with_field("authorization", self.token))

    def needs_refresh(self, now: float) -> bool:
        return not self.token

    async def refresh(self) -> None:
        await asyncio.sleep(5)
        shot = self.quota[0].snapshot()
        self.seen.append((shot.in_flight, shot.granted))
        self.token = "Bearer renewed"

    def invalidate(self) -> bool:
        return False


def test_the_order_is_the_documented_one() -> None:
    """Outermost first: the list that the documentation explains."""
    assert tuple(name for name, _ in LAYERS) == (
        "single_flight",
        "deadline",
        "retry",
        "raise_for_status",
        "log_attempts",
        "refresh_credential",
        "throttle",
    )


async def test_a_credential_is_renewed_before_a_lease_is_taken() -> None:
    """During the refresh no reservation is held; the request has the new token."""
    auth = Renewing()
    canvas, transport = canvas_on([reply([])], auth=auth)
    auth.quota.append(canvas.quota)
    await canvas.request("GET", "/api/v1/courses")
    assert auth.seen == [(0, 0)]
    assert transport.requests[0].headers["authorization"] == "Bearer renewed"
    assert_nothing_left(canvas)


async def test_a_signature_is_made_after_queueing() -> None:
    """A call that queued longer than a signature is valid is signed when it leaves the queue."""
    auth = PartnerSignature("partner", "key", lifetime=100, renew=10)
    clock = running_clock()
    ab, transport = ab_on([reply({}), reply({})], rate=0.002, burst=1, auth=auth, clock=clock)
    await asyncio.gather(*(ab.request("GET", f"/rest/v4.1/standards?offset={n}") for n in range(2)))
    expires = [
        int(parse_qs(urlsplit(request.url).query)["auth.expires"][0])
        for request in transport.requests
    ]
    assert expires[1] - expires[0] == pytest.approx(500, abs=2)
    assert expires[1] == pytest.approx(clock.wall() + 100, abs=2)


async def test_a_retry_queues_and_spends_quota_again() -> None:
    """The second attempt takes a second token, for which it waits like every call."""
    events: list[QuotaEvent] = []
    clock = running_clock()
    quota = Scheduler(TokenBucket(0.1, 1), clock=clock, listener=events.append)
    ab, transport = ab_on([failing(503), reply({})], quota=quota, clock=clock)
    start = now()
    await ab.request("GET", "/rest/v4.1/standards")
    await asyncio.sleep(0)
    assert now() - start == pytest.approx(10, abs=0.01)
    assert [type(event) for event in events] == [Sent, Answered, Retried, Sent, Answered]
    assert ab.quota.snapshot().granted == len(transport.requests) == 2


async def test_a_retry_goes_before_new_calls_of_its_flow() -> None:
    """It returns to the head of its flow, since it has waited already."""
    ab, transport = ab_on([failing(503, retry_after="1"), *[reply({})] * 3], rate=0.1, burst=1)
    await asyncio.gather(*(ab.request("GET", f"/rest/v4.1/x/{n}") for n in range(3)))
    assert [path.partition("?")[0][-1] for path in transport.paths] == ["0", "0", "1", "2"]


async def test_errors_are_raised_above_the_throttle(caplog: pytest.LogCaptureFixture) -> None:
    """To throttle and log an error response is a response: settled, and logged with its status."""
    events: list[QuotaEvent] = []
    clock = running_clock()
    quota = Scheduler(TokenBucket(), clock=clock, listener=events.append)
    ab, _ = ab_on([reply({"errors": []}, status=404)], quota=quota, clock=clock)
    with caplog.at_level(logging.DEBUG, "aioinstructure.http"), pytest.raises(NotFound):
        await ab.request("GET", "/rest/v4.1/standards/x")
    await asyncio.sleep(0)
    assert isinstance(events[-1], Answered)
    assert "GET /rest/v4.1/standards/x -> 404" in caplog.text
    assert_nothing_left(ab)


async def test_each_attempt_is_logged_once_and_without_a_credential(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The log has number and result of each attempt; a secret in a query is removed."""
    canvas, _ = canvas_on([failing(502), reply([])])
    with caplog.at_level(logging.DEBUG, "aioinstructure.http"):
        await canvas.request("GET", "/api/v1/x", params={"client_secret": "secret-in-a-query"})
    attempts = [r.getMessage() for r in caplog.records if r.name == "aioinstructure.http"]
    assert ["-> 502" in attempts[0], "attempt 1" in attempts[0]] == [True, True]
    assert ["-> 200" in attempts[1], "attempt 2" in attempts[1]] == [True, True]
    assert "secret-in-a-query" not in caplog.text


async def test_the_log_shows_a_part_of_a_long_address(caplog: pytest.LogCaptureFixture) -> None:
    """A server chooses the address of the next page: the record is one bounded line."""
    link = f'<https://canvas.test/api/v1/courses?page=\u202e{"b" * 20_000}>; rel="next"'
    canvas, transport = canvas_on([reply([{"id": 1}], headers={"link": link}), reply([{"id": 2}])])
    with caplog.at_level(logging.DEBUG, "aioinstructure.http"):
        assert [course.id async for course in canvas.courses.list()] == [1, 2]
    assert len(transport.paths[1]) > 20_000
    attempts = [r.getMessage() for r in caplog.records if r.name == "aioinstructure.http"]
    assert len(attempts) == 2
    assert all(text.isprintable() and len(text) < 1_200 for text in attempts)


async def test_an_attempt_that_is_cancelled_or_fails_is_logged_as_such(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Attempts without a response are logged, too."""
    canvas, _ = canvas_on([reply([])], seconds=60)
    with caplog.at_level(logging.DEBUG, "aioinstructure.http"):
        task = asyncio.create_task(canvas.courses.get(1))
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert "-> cancelled in 1.0" in caplog.text
    assert "courses.get" in caplog.text


async def test_the_request_of_a_response_has_no_credential() -> None:
    """`.request` of a response and of an error is the request before authorization."""
    not_there: Any = reply({"errors": []}, status=404)
    canvas, transport = canvas_on([reply([]), not_there])
    response = await canvas.request("GET", "/api/v1/x")
    with pytest.raises(NotFound) as caught:
        await canvas.request("GET", "/api/v1/y")
    assert all("authorization" in request.headers for request in transport.requests)
    assert response.request is not None
    assert "authorization" not in response.request.headers
    assert caught.value.request is not None
    assert "authorization" not in caught.value.request.headers
