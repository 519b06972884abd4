"""The deadline of a call: what it covers, and which error is raised when it passes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from attrs import define

from aioinstructure import (
    Canvas,
    ConnectError,
    DeadlineError,
    DeadlineExceeded,
    QuotaError,
    Request,
    Response,
    RetryPolicy,
    ServerError,
    Throttled,
    TransportError,
    Unauthorized,
    UnknownOutcome,
)
from aioinstructure.testing import reply
from tests.transport.rig import (
    ab_on,
    always,
    assert_nothing_left,
    canvas_on,
    failing,
    invalid_token,
    now,
    throttled,
    timers,
)

PATH = "/rest/v4.1/standards"


async def test_a_queue_that_is_too_long_is_reported_before_anything_is_sent() -> None:
    """QuotaError at once, with the seconds until the call would be sent."""
    ab, transport = ab_on([always(reply({}))], rate=0.1, burst=1)
    await ab.request("GET", PATH)
    start = now()
    with pytest.raises(QuotaError) as caught:
        await ab.with_options(deadline=5).request("GET", PATH)
    assert now() - start < 0.001
    assert caught.value.wait == pytest.approx(10, abs=0.1)
    assert len(transport.requests) == 1
    assert_nothing_left(ab)


async def test_a_deadline_that_passes_in_the_queue_is_a_quota_error() -> None:
    """A call that was overtaken gets the seconds that it would still have to wait."""
    ab, transport = ab_on([always(reply({}))], rate=0.1, burst=1)
    await ab.request("GET", PATH)
    bulk = ab.with_options(lane="bulk", deadline=25)
    waiting = asyncio.create_task(bulk.request("GET", PATH))
    await asyncio.sleep(0.1)
    start = now()
    urgent = [asyncio.create_task(ab.request("GET", f"{PATH}?offset={n}")) for n in range(3)]
    with pytest.raises(QuotaError) as caught:
        await waiting
    assert now() - start == pytest.approx(24.9, abs=0.1)
    assert caught.value.wait > 0
    await asyncio.gather(*urgent)
    assert len(transport.requests) == 4
    assert_nothing_left(ab)


async def test_a_retry_that_cannot_be_queued_in_time_raises_the_real_error() -> None:
    """After an attempt its error is raised; `.wait` is the time until another attempt."""
    ab, transport = ab_on([failing(503)], rate=0.01, burst=1, deadline=20)
    start = now()
    with pytest.raises(ServerError) as caught:
        await ab.request("GET", PATH)
    assert caught.value.wait == pytest.approx(100, abs=1)
    assert now() - start < 1
    assert len(transport.requests) == 1
    assert_nothing_left(ab)


async def test_a_deadline_that_passes_between_attempts_raises_the_real_error() -> None:
    """Overtaken in the queue before the second attempt: the error of the first is raised."""
    ab, _ = ab_on(
        [ConnectError("refused"), always(reply({}))], rate=0.1, burst=1, deadline=12, seconds=0.1
    )
    call = asyncio.create_task(ab.with_options(lane="bulk").request("POST", PATH))
    await asyncio.sleep(0.05)
    patient = ab.with_options(deadline=99)
    others = [asyncio.create_task(patient.request("GET", f"{PATH}?offset={n}")) for n in range(3)]
    with pytest.raises(ConnectError) as caught:
        await call
    assert caught.value.wait is not None
    await asyncio.gather(*others)
    assert_nothing_left(ab)


async def test_a_pause_that_would_pass_the_deadline_is_not_started() -> None:
    """Retry-After beyond it: the error is raised at once."""
    canvas, _ = canvas_on([failing(503, retry_after="100")], deadline=10)
    start = now()
    with pytest.raises(ServerError) as caught:
        await canvas.request("GET", "/api/v1/x")
    assert now() - start < 1
    assert caught.value.wait == 100


async def test_time_out_in_flight_of_a_read() -> None:
    """DeadlineError after exactly the deadline, with the request."""
    canvas, _ = canvas_on([reply([])], seconds=60, deadline=10)
    start = now()
    with pytest.raises(DeadlineError) as caught:
        await canvas.request("GET", "/api/v1/x")
    assert now() - start == pytest.approx(10, abs=0.01)
    assert caught.value.request is not None
    assert caught.value.request.path == "/api/v1/x"
    assert_nothing_left(canvas)


async def test_time_out_in_flight_of_a_write() -> None:
    """It may have taken effect, and the error says so."""
    canvas, _ = canvas_on([reply({})], seconds=60, deadline=10)
    with pytest.raises(UnknownOutcome, match="the write may have taken effect"):
        await canvas.course_paces.create(1, exclude_weekends=True)
    assert_nothing_left(canvas)


async def test_time_out_in_flight_of_a_second_attempt() -> None:
    """The attempt in flight decides, not the one before."""
    replies: list[Any] = [TransportError("cut off"), reply([])]
    canvas, transport = canvas_on(replies, seconds=8, deadline=10)
    with pytest.raises(DeadlineError):
        await canvas.request("GET", "/api/v1/x")
    assert len(transport.requests) == 2


async def test_attempts_share_the_deadline() -> None:
    """All attempts together have ten seconds, not each of them."""
    canvas, transport = canvas_on([always(failing(500))], seconds=4, deadline=10)
    start = now()
    with pytest.raises((ServerError, DeadlineError)):
        await canvas.request("GET", "/api/v1/x")
    assert now() - start <= 10.01
    assert len(transport.requests) in (2, 3)


async def test_the_consumers_time_between_pages_does_not_count() -> None:
    """Each page has its own deadline, however long the caller works on the items."""

    def page(request: Request) -> Response:
        more = "page=3" not in request.path
        number = 3 if not more else 2 if "page=2" in request.path else 1
        url = f"https://canvas.test/api/v1/courses?page={number + 1}"
        return reply([{"id": number}], next=url if more else None)

    canvas, _ = canvas_on([page], seconds=3, deadline=5)
    found = []
    async for course in canvas.courses.list():
        found.append(course.id)
        await asyncio.sleep(1_000)
    assert found == [1, 2, 3]


async def test_no_timer_is_left_behind() -> None:
    """A call that ended in time has cancelled its timers."""
    canvas, _ = canvas_on([reply([]), failing(503), reply([])], deadline=1_000)
    before = timers()
    await canvas.request("GET", "/api/v1/x")
    await canvas.request("GET", "/api/v1/x")
    await asyncio.sleep(0)
    assert timers() <= before


@define
class Slow:
    """A credential whose renewal fails with its own timeout."""

    def authorize(self, request: Request, now: float) -> Request:
        return request

    def needs_refresh(self, now: float) -> bool:
        return True

    async def refresh(self) -> None:
        raise TimeoutError("the token endpoint")

    def invalidate(self) -> bool:
        return False


async def test_another_timeout_is_not_the_deadline() -> None:
    """A TimeoutError of a credential is raised unchanged, not as a lack of quota."""
    canvas, _ = canvas_on([], auth=Slow(), deadline=10)
    with pytest.raises(TimeoutError, match="the token endpoint"):
        await canvas.request("GET", "/api/v1/x")


@define
class Hanging:
    """A credential whose n-th renewal never ends."""

    patience: int
    renewals: int = 0

    def authorize(self, request: Request, now: float) -> Request:
        return request

    def needs_refresh(self, now: float) -> bool:
        return True

    async def refresh(self) -> None:
        self.renewals += 1
        if self.renewals > self.patience:
            await asyncio.sleep(1_000)

    def invalidate(self) -> bool:
        return True


async def test_a_renewal_that_hangs_before_anything_was_sent() -> None:
    """Nothing was sent: a QuotaError that says so. The renewal ends by itself."""
    canvas, transport = canvas_on([], auth=Hanging(0), deadline=10)
    with pytest.raises(QuotaError, match="not sent within 10 s"):
        await canvas.request("GET", "/api/v1/x")
    assert transport.requests == []
    await asyncio.sleep(1_000)
    assert_nothing_left(canvas)


async def test_a_renewal_that_hangs_after_a_refusal() -> None:
    """The refusal is raised, and `.wait` shows that the quota was not the cause."""
    canvas, transport = canvas_on([invalid_token()], auth=Hanging(1), deadline=10)
    start = now()
    with pytest.raises(Unauthorized) as caught:
        await canvas.request("GET", "/api/v1/x")
    assert now() - start == pytest.approx(10, abs=0.01)
    assert caught.value.wait is not None
    assert caught.value.wait < 1
    assert len(transport.requests) == 1
    await asyncio.sleep(1_000)
    assert_nothing_left(canvas)


async def test_a_deadline_holds_for_every_view_of_a_client() -> None:
    """The client's deadline is the default of its views."""
    canvas, _ = canvas_on([always(reply([]))], seconds=60, deadline=10)
    view: Canvas = canvas.with_options(lane="bulk")
    with pytest.raises(DeadlineError):
        await view.request("GET", "/api/v1/x")
    await canvas.with_options(deadline=61).request("GET", "/api/v1/x")


@pytest.mark.parametrize(
    "replies",
    [
        [throttled(retry_after="30")],
        [failing(503, retry_after="30")],
        [ConnectError("refused")] * 60,
        [failing(503)] * 60,
    ],
    ids=["throttled", "503", "refused", "503 without an end"],
)
async def test_whatever_a_missed_deadline_ends_in_is_one_error(replies: list[Any]) -> None:
    """The last error is also a DeadlineExceeded, with the wait if it is known."""
    patient = RetryPolicy(attempts=60, budget_reserve=60)
    canvas, _ = canvas_on(replies, deadline=3, retry=patient)
    with pytest.raises(DeadlineExceeded) as caught:
        await canvas.request("GET", "/api/v1/x")
    assert isinstance(caught.value, TimeoutError)
    assert isinstance(caught.value, Throttled | ServerError | ConnectError)
    assert 0 < (caught.value.wait or 30) <= 30
    assert int(caught.value.retry_after_header) >= 1


async def test_an_unanswered_write_that_ends_a_deadline() -> None:
    """UnknownOutcome, which is also a DeadlineExceeded without a wait."""
    canvas, _ = canvas_on([reply({})], seconds=10, deadline=1)
    with pytest.raises(UnknownOutcome) as caught:
        await canvas.request("POST", "/api/v1/x", json={})
    assert isinstance(caught.value, DeadlineExceeded)
    assert caught.value.wait is None


async def test_an_error_of_retries_that_are_used_up_is_no_missed_deadline() -> None:
    """There was time left."""
    canvas, _ = canvas_on([failing(503)] * 4, deadline=60)
    with pytest.raises(ServerError) as caught:
        await canvas.request("GET", "/api/v1/x")
    assert not isinstance(caught.value, DeadlineExceeded)
