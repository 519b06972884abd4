"""Which calls are retried, when, and how often."""

from __future__ import annotations

import asyncio
import copy
import pickle
from email.utils import formatdate
from itertools import pairwise
from typing import Any

import pytest

from aioinstructure import (
    BadRequest,
    ClientClosed,
    ConfigurationError,
    Conflict,
    ConnectError,
    DeadlineError,
    Error,
    Forbidden,
    NotFound,
    RedirectError,
    Request,
    Response,
    ResponseError,
    ServerError,
    Throttled,
    TransportError,
    Unauthorized,
    UnknownOutcome,
    Unprocessable,
)
from aioinstructure.canvas.course_paces import CoursePace
from aioinstructure.testing import reply
from aioinstructure.transport.retry import RetryBudget, RetryPolicy
from tests.transport.rig import (
    ab_on,
    always,
    assert_nothing_left,
    bad_signature,
    canvas_on,
    failing,
    invalid_token,
    now,
    running_clock,
    throttled,
    timed,
)

PATH = "/api/v1/courses"
TRANSIENT = [failing(status) for status in (408, 500, 502, 503, 504)]
UNANSWERED: list[Error] = [
    TransportError("no complete response"),
    DeadlineError("the request timed out"),
    ConnectError("cannot connect"),
]


@pytest.mark.parametrize("failure", [*TRANSIENT, *UNANSWERED], ids=repr)
async def test_a_read_that_fails_is_tried_four_times(failure: Any) -> None:
    """Three retries, with pauses of 0 to 0.5, 1 and 2 seconds; then the error is raised."""
    times: list[float] = []
    canvas, transport = canvas_on(timed([failure] * 5, times))
    with pytest.raises(Error):
        await canvas.request("GET", PATH)
    assert len(transport.requests) == 4
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert all(gap <= 0.5 * 2**place + 0.01 for place, gap in enumerate(gaps))
    assert_nothing_left(canvas)


async def test_the_pauses_are_spread_over_all_of_their_range() -> None:
    """Full jitter: clients that failed together do not retry together."""
    firsts: list[float] = []
    for _ in range(40):
        times: list[float] = []
        canvas, _ = canvas_on(timed([failing(500), reply([])], times))
        await canvas.request("GET", PATH)
        firsts.append(times[1] - times[0])
    assert min(firsts) < 0.15
    assert max(firsts) > 0.35


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD"])
async def test_idempotent_methods_are_retried(method: str) -> None:
    """They may be sent twice."""
    canvas, transport = canvas_on([failing(503), TransportError("cut off"), reply([])])
    assert (await canvas.request(method, PATH)).status == 200
    assert [request.method for request in transport.requests] == [method] * 3


@pytest.mark.parametrize("failure", TRANSIENT, ids=repr)
async def test_a_write_is_not_retried_after_a_server_error(failure: Any) -> None:
    """It may have taken effect: the error is raised after one attempt."""
    canvas, transport = canvas_on([failure])
    with pytest.raises((ServerError, BadRequest)):
        await canvas.request("POST", PATH, json={"a": 1})
    assert len(transport.requests) == 1


async def test_a_failed_write_may_have_happened() -> None:
    """5xx to a POST says so; 5xx to a GET does not."""
    canvas, _ = canvas_on([failing(502), *[failing(502)] * 4])
    with pytest.raises(ServerError) as write:
        await canvas.request("POST", PATH)
    with pytest.raises(ServerError) as read:
        await canvas.request("GET", PATH)
    assert (write.value.may_have_happened, read.value.may_have_happened) == (True, False)


async def test_an_unanswered_write_is_an_unknown_outcome() -> None:
    """It is raised after one attempt, with the request that was sent."""
    canvas, transport = canvas_on([UnknownOutcome("no response")])
    with pytest.raises(UnknownOutcome) as caught:
        await canvas.course_paces.create(1, exclude_weekends=True)
    assert len(transport.requests) == 1
    assert caught.value.request is not None
    assert caught.value.request.path == "/api/v1/courses/1/course_pacing"
    assert_nothing_left(canvas)


async def test_a_write_is_retried_if_it_was_certainly_not_sent() -> None:
    """Without a connection it cannot have arrived."""
    canvas, transport = canvas_on([ConnectError("refused"), ConnectError("refused"), reply({})])
    assert (await canvas.request("POST", PATH)).status == 200
    assert len(transport.requests) == 3


async def test_a_post_declared_idempotent_is_retried() -> None:
    """`idempotent=True` by the caller, or by an endpoint such as the one that cancels a job."""
    canvas, transport = canvas_on([failing(503), reply({}), failing(503), reply({"id": 1})])
    await canvas.request("POST", PATH, idempotent=True)
    await canvas.progress.cancel(1)
    assert len(transport.requests) == 4


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 422, 418, 501, 505])
async def test_permanent_errors_are_not_retried(status: int) -> None:
    """The server would respond with the same error again."""
    canvas, transport = canvas_on([reply({"errors": [{"message": "no"}]}, status=status)])
    with pytest.raises(Error):
        await canvas.request("GET", PATH)
    assert len(transport.requests) == 1


async def test_retry_after_in_seconds_replaces_the_backoff() -> None:
    """Even if it is longer than any pause."""
    times: list[float] = []
    canvas, _ = canvas_on(timed([failing(503, retry_after="30"), reply([])], times))
    await canvas.request("GET", PATH)
    assert times[1] - times[0] == pytest.approx(30, abs=0.01)


async def test_retry_after_as_a_date_replaces_the_backoff() -> None:
    """The other form is relative to the wall clock."""
    clock = running_clock()
    times: list[float] = []
    date = formatdate(clock.wall() + 45, usegmt=True)
    canvas, _ = canvas_on(timed([failing(503, retry_after=date), reply([])], times), clock=clock)
    await canvas.request("GET", PATH)
    assert times[1] - times[0] == pytest.approx(45, abs=1.01)


async def test_a_retry_after_of_zero_is_valid() -> None:
    """It means at once, without jitter."""
    times: list[float] = []
    canvas, _ = canvas_on(timed([failing(503, retry_after="0"), reply([])], times))
    await canvas.request("GET", PATH)
    assert times[1] - times[0] < 0.001


async def test_the_budget_limits_retries() -> None:
    """A server that always fails gets 20 % and ten more requests than calls, not four times."""
    canvas, transport = canvas_on([always(failing(500))])
    for _ in range(100):
        with pytest.raises(ServerError):
            await canvas.request("GET", PATH)
    assert 125 <= len(transport.requests) <= 130


async def test_views_share_the_budget() -> None:
    """Many views of one client do not increase the number of retries."""
    canvas, transport = canvas_on([always(failing(500))])
    for number in range(100):
        with pytest.raises(ServerError):
            await canvas.with_options(flow=number).request("GET", PATH)
    assert len(transport.requests) <= 130


def test_the_budget_is_bounded() -> None:
    """It never exceeds a hundred retries."""
    budget = RetryBudget(RetryPolicy())
    for _ in range(10_000):
        budget.earn()
    assert sum(budget.spend() for _ in range(1_000)) == 100


async def test_throttles_never_spend_the_budget() -> None:
    """After thirty refusals all retries for failures are still available."""
    refused = [throttled(retry_after="1") for _ in range(30)]
    canvas, transport = canvas_on([*refused, reply([]), *[failing(500)] * 12])
    await canvas.request("GET", PATH)
    assert len(transport.requests) == 31
    for _ in range(3):
        with pytest.raises(ServerError):
            await canvas.request("GET", PATH)
    assert len(transport.requests) == 31 + 3 * 4
    assert canvas.quota.snapshot().throttles == 30


async def test_a_throttle_waits_in_the_queue_for_as_long_as_it_takes() -> None:
    """Without a deadline a refused call is sent again until it is accepted."""
    canvas, transport = canvas_on([*[throttled("-150")] * 5, reply([])])
    start = now()
    assert (await canvas.request("GET", PATH)).status == 200
    assert len(transport.requests) == 6
    assert now() - start >= 5 * 20 * 0.9  # from -150 to 50, by 10 a second, five times
    assert_nothing_left(canvas)


async def test_a_throttled_write_is_retried() -> None:
    """A refusal for lack of quota means that nothing was done."""
    canvas, transport = canvas_on([throttled(), reply({})])
    await canvas.request("POST", PATH)
    assert len(transport.requests) == 2


async def test_the_old_status_of_a_throttle_is_known() -> None:
    """Self-hosted Canvas sends 403 with the same text; a 403 in JSON is a missing permission."""
    old = reply(
        status=403,
        headers={"content-type": "text/plain; charset=utf-8", "x-rate-limit-remaining": "1.0"},
        body=b"403 Forbidden (Rate Limit Exceeded)\n",
    )
    denied = reply({"errors": [{"message": "Rate Limit Exceeded, said a page"}]}, status=403)
    canvas, transport = canvas_on([old, reply([]), denied])
    await canvas.request("GET", PATH)
    with pytest.raises(Forbidden):
        await canvas.request("GET", PATH)
    assert len(transport.requests) == 3
    assert canvas.quota.snapshot().throttles == 1


async def test_throttled_is_raised_when_the_deadline_passes() -> None:
    """The last refusal, with the seconds that another attempt would have to wait."""
    ab, transport = ab_on([always(reply({"errors": []}, status=429))], deadline=30)
    start = now()
    with pytest.raises(Throttled) as caught:
        await ab.request("GET", "/rest/v4.1/standards")
    assert now() - start <= 30.01
    assert len(transport.requests) > 1
    assert caught.value.wait is not None
    assert caught.value.wait > 0
    assert_nothing_left(ab)


async def test_throttled_is_raised_at_once_if_retry_after_passes_the_deadline() -> None:
    """Waiting would be useless; `.wait` is how long it would take."""
    canvas, transport = canvas_on([throttled(retry_after="60")], deadline=30)
    start = now()
    with pytest.raises(Throttled) as caught:
        await canvas.request("GET", PATH)
    assert now() - start < 1
    assert len(transport.requests) == 1
    assert caught.value.wait == 60
    assert caught.value.retry_after == 60


async def test_a_retry_after_within_the_deadline_is_respected() -> None:
    """The complete client is paused, and the call succeeds."""
    times: list[float] = []
    canvas, _ = canvas_on(timed([throttled(retry_after="20"), reply([])], times), deadline=30)
    await canvas.request("GET", PATH)
    assert times[1] - times[0] >= 20


@pytest.mark.parametrize(
    "headers", [{}, {"x-request-cost": "0.2", "x-rate-limit-remaining": "590"}]
)
async def test_a_limit_of_one_endpoint_does_not_spin(headers: dict[str, str]) -> None:
    """A 429 in JSON that is not from the bucket is retried with growing pauses."""
    error = {"error": "Page Views rate limit exceeded. Please wait and try again."}
    limited = reply(error, status=429, headers=headers)
    canvas, transport = canvas_on([always(limited)], deadline=60)
    with pytest.raises(Throttled) as caught:
        await canvas.request("POST", "/api/v1/users/1/page_views/query")
    assert len(transport.requests) < 40
    assert caught.value.errors == [error["error"]]


OWN_LIMIT = {"x-request-cost": "0.1", "x-rate-limit-remaining": "590"}


def limited(retry_after: str | None = None) -> Any:
    """The 429 of an endpoint."""
    pause = {} if retry_after is None else {"retry-after": retry_after}
    return reply({"error": "slow down"}, status=429, headers=OWN_LIMIT | pause)


@pytest.mark.parametrize(
    ("retry_after", "least", "most"), [("30", 2, 3), (None, 5, 7), ("0", 30, 62)]
)
async def test_a_limit_of_one_endpoint_is_respected(
    retry_after: str | None, least: int, most: int
) -> None:
    """As long as it says; without that for 1, 2, 4 s and so on; never less than a second."""
    canvas, transport = canvas_on([always(limited(retry_after))], deadline=60)
    with pytest.raises(Throttled):
        await canvas.request("GET", "/api/v1/users/1/page_views")
    assert least <= len(transport.requests) <= most


async def test_a_limit_of_one_endpoint_holds_all_of_its_calls_and_no_others() -> None:
    """Fifty calls wait for it; one asks when it has passed, and then the others go."""
    seen: list[tuple[float, str]] = []
    start = now()

    def answer(request: Any) -> Any:
        seen.append((now() - start, request.path))
        is_held = "page_views" in request.path and now() - start < 40
        return limited("30") if is_held else reply([])

    canvas, _ = canvas_on([answer] * 200, seconds=0.1)
    calls = [asyncio.create_task(canvas.request("GET", "/api/v1/page_views")) for _ in range(50)]
    await asyncio.sleep(2)
    before = len(seen)
    for _ in range(20):
        await canvas.request("GET", PATH)
    assert now() - start < 10
    await asyncio.gather(*calls)
    held = [at for at, path in seen if "page_views" in path]
    assert before <= 13  # those that were sent before the first answer
    assert len(held) <= before + 1 + 50
    assert 59 < sorted(held)[before + 1] < 64


async def test_a_limit_of_one_endpoint_that_lasts_too_long_ends_the_call() -> None:
    """Above `max_retry_after`, Throttled at once; the next call asks again."""
    canvas, transport = canvas_on([limited("301"), limited("301"), reply([])])
    for _ in range(2):
        with pytest.raises(Throttled) as caught:
            await canvas.request("GET", PATH)
        assert caught.value.retry_after == 301
    await canvas.request("GET", PATH)
    assert len(transport.requests) == 3


async def test_a_403_with_a_retry_after_is_a_limit() -> None:
    """Not a missing permission."""
    refusal = reply({"message": "wait"}, status=403, headers=OWN_LIMIT | {"retry-after": "5"})
    canvas, transport = canvas_on([refusal, reply([])])
    start = now()
    await canvas.request("GET", PATH)
    assert 5 <= now() - start < 6
    assert len(transport.requests) == 2


async def test_a_limit_of_one_endpoint_says_nothing_about_the_bucket() -> None:
    """A call with a reported cost has passed the bucket: other calls are not delayed."""
    headers = {"x-request-cost": "0.2", "x-rate-limit-remaining": "590"}
    limited = reply({"error": "slow down"}, status=429, headers=headers)

    canvas, _ = canvas_on([limited, reply([])])
    await canvas.request("GET", PATH)
    shot = canvas.quota.snapshot()
    assert shot.throttles == 0
    assert shot.level > 500


async def test_a_refused_signature_is_renewed_once() -> None:
    """A clock may have been set: the second attempt has another signature."""
    clock = running_clock()
    ab, transport = ab_on([bad_signature(), reply({})], seconds=2, clock=clock)
    await ab.request("GET", "/rest/v4.1/standards")
    first, second = transport.paths
    assert first != second
    assert first.count("auth.signature=") == second.count("auth.signature=") == 1


async def test_a_second_refusal_of_the_credential_is_raised() -> None:
    """The credential is renewed once per call."""
    ab, transport = ab_on([always(bad_signature())])
    with pytest.raises(Unauthorized, match="Signature is not authorized"):
        await ab.request("GET", "/rest/v4.1/standards")
    assert len(transport.requests) == 2
    assert_nothing_left(ab)


async def test_a_write_is_retried_with_a_renewed_credential() -> None:
    """A 401 means that nothing was done."""
    ab, transport = ab_on([bad_signature(), reply({})])
    await ab.request("POST", "/rest/v4.1/assets", json={})
    assert len(transport.requests) == 2


@pytest.mark.parametrize("is_token_error", [True, False])
async def test_a_refused_token_is_final(is_token_error: bool) -> None:
    """A token cannot be renewed, and a missing permission needs no new one."""
    denied = reply({"errors": [{"message": "user not authorized"}]}, status=401)
    canvas, transport = canvas_on([invalid_token() if is_token_error else denied])
    with pytest.raises(Unauthorized):
        await canvas.request("GET", PATH)
    assert len(transport.requests) == 1


async def test_a_retried_delete_that_finds_nothing_has_succeeded() -> None:
    """The first one got no response, so it deleted the object."""
    gone = reply({"errors": [{"message": "The specified resource does not exist."}]}, status=404)
    canvas, transport = canvas_on([TransportError("cut off"), gone, gone])
    assert await canvas.course_paces.delete(1, 5) == CoursePace()
    assert len(transport.requests) == 2
    with pytest.raises(NotFound):
        await canvas.course_paces.delete(1, 6)


@pytest.mark.parametrize("first", [failing(503), ConnectError("refused")], ids=repr)
async def test_a_retried_delete_after_an_error_response_finds_nothing(first: Any) -> None:
    """A server that failed, or was never reached, is no sign of a deletion."""
    canvas, _ = canvas_on([first, reply({}, status=404)])
    with pytest.raises(NotFound):
        await canvas.course_paces.delete(1, 5)


def may_have_happened(error: Error) -> bool:
    """What an error says about a write."""
    assert isinstance(error, TransportError | ResponseError)
    return error.may_have_happened


MAY_HAVE_ARRIVED = [
    TransportError("cut off"),
    DeadlineError("the request timed out"),
    failing(408),
    failing(500),
    failing(504),
]
SAYS_SO: dict[str, tuple[Any, type[TransportError | ResponseError]]] = {
    "400": (failing(400), BadRequest),
    "401": (invalid_token(), Unauthorized),
    "403": (failing(403), Forbidden),
    "409": (failing(409), Conflict),
    "422": (failing(422), Unprocessable),
    "302": (failing(302, location="/login"), RedirectError),
    "throttled": (throttled(retry_after="600"), Throttled),
    "501": (failing(501), ServerError),
    "no connection": (ConnectError("refused"), UnknownOutcome),
    "closed": (ClientClosed("the client is closed"), UnknownOutcome),
    "bad setting": (ConfigurationError("no such header"), UnknownOutcome),
    "another origin": (failing(302, location="https://elsewhere.test/"), UnknownOutcome),
}


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "POST"])
@pytest.mark.parametrize("first", MAY_HAVE_ARRIVED, ids=repr)
@pytest.mark.parametrize("name", SAYS_SO)
async def test_no_later_error_denies_that_a_write_may_have_arrived(
    name: str, first: Any, method: str
) -> None:
    """Whatever ends the call, its error has `may_have_happened`; a copy of it has too."""
    last, kind = SAYS_SO[name]
    canvas, transport = canvas_on([first, *[last] * 3], deadline=60)
    with pytest.raises(kind) as caught:
        await canvas.request(method, PATH, idempotent=True)
    assert type(caught.value).__name__ == kind.__name__
    assert len(transport.requests) > 1
    for error in (caught.value, copy.copy(caught.value), pickle.loads(pickle.dumps(caught.value))):  # noqa: S301 - pickled here
        assert may_have_happened(error)
    assert_nothing_left(canvas)


@pytest.mark.parametrize("first", MAY_HAVE_ARRIVED, ids=repr)
@pytest.mark.parametrize("name", SAYS_SO)
async def test_a_read_never_happens(name: str, first: Any) -> None:
    """The errors of a read are not changed by earlier attempts."""
    last, kind = SAYS_SO[name]
    canvas, _ = canvas_on([first, *[last] * 3], deadline=60)
    with pytest.raises(Error) as caught:
        await canvas.request("GET", PATH)
    assert not getattr(caught.value, "may_have_happened", False)
    assert isinstance(caught.value, kind) or kind is UnknownOutcome
    assert not isinstance(caught.value, UnknownOutcome)


async def test_the_first_lost_attempt_is_not_forgotten() -> None:
    """However many attempts failed to connect, or were refused, after it."""
    lost: list[Any] = [TransportError("cut off"), *[throttled()] * 5, *[ConnectError("no")] * 3]
    canvas, transport = canvas_on(lost)
    with pytest.raises(UnknownOutcome, match="earlier attempt") as caught:
        await canvas.request("PUT", PATH)
    assert len(transport.requests) == 9
    assert type(caught.value.__cause__) is ConnectError


@pytest.mark.parametrize("name", ["400", "401", "403", "409", "422", "throttled"])
async def test_a_write_that_was_refused_has_not_happened(name: str) -> None:
    """Without an earlier attempt that may have arrived, a refusal is certain."""
    last, kind = SAYS_SO[name]
    canvas, _ = canvas_on([ConnectError("refused"), last], deadline=60)
    with pytest.raises(kind) as caught:
        await canvas.request("PUT", PATH)
    assert not may_have_happened(caught.value)


async def test_a_write_that_was_never_sent_has_not_happened() -> None:
    """ConnectError four times is still ConnectError."""
    canvas, _ = canvas_on([ConnectError("refused")] * 4)
    with pytest.raises(ConnectError) as caught:
        await canvas.request("PUT", PATH)
    assert not caught.value.may_have_happened


async def test_a_deadline_in_a_pause_remembers_a_lost_attempt() -> None:
    """The attempts after the lost one have no connection, and no time is left for another."""

    def refuse(_: Request) -> Response:
        raise ConnectError("refused")

    patient = RetryPolicy(attempts=50, budget_reserve=50)
    canvas, _ = canvas_on([TransportError("cut off"), refuse], retry=patient, deadline=5)
    with pytest.raises(UnknownOutcome) as caught:
        await canvas.request("PUT", PATH)
    assert caught.value.wait is not None


class Renewed:
    """A credential whose refreshes end as given, one for each attempt."""

    def __init__(self, ends: list[Error | None]) -> None:
        self.ends = ends

    def needs_refresh(self, now: float) -> bool:
        return True

    async def refresh(self) -> None:
        if (failure := self.ends.pop(0)) is not None:
            raise failure

    def invalidate(self) -> bool:
        return False

    def authorize(self, request: Request, now: float) -> Request:
        return request


TOKEN_REQUEST = Request("POST", "https://canvas.test/login/oauth2/token", idempotent=False)


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (ConnectError("refused", request=TOKEN_REQUEST), UnknownOutcome),
        (ConfigurationError("no refresh token"), UnknownOutcome),
        (TransportError("cut off"), TransportError),
        (Unauthorized(Response(401, request=TOKEN_REQUEST)), Unauthorized),
    ],
    ids=repr,
)
async def test_a_refresh_that_fails_after_a_lost_write_does_not_deny_it(
    failure: Error, kind: type[TransportError | ResponseError]
) -> None:
    """The error is about another request; the write may have arrived all the same."""
    canvas, _ = canvas_on([TransportError("cut off")], auth=Renewed([None, *[failure] * 3]))
    with pytest.raises(kind) as caught:
        await canvas.request("PUT", PATH)
    assert may_have_happened(caught.value)


async def test_a_lost_refresh_is_not_a_lost_write() -> None:
    """The token request may have arrived; the write was not sent."""
    lost = TransportError("cut off", request=TOKEN_REQUEST)
    canvas, _ = canvas_on([failing(409)], auth=Renewed([lost, None]))
    with pytest.raises(Conflict) as caught:
        await canvas.request("PUT", PATH)
    assert not caught.value.may_have_happened


async def test_another_exception_is_not_caught() -> None:
    """A bug of a credential or a transport is raised unchanged, and leaves no lease behind."""

    def broken(_: object) -> Any:
        raise ZeroDivisionError

    canvas, transport = canvas_on([broken])
    with pytest.raises(ZeroDivisionError):
        await canvas.request("GET", PATH)
    assert len(transport.requests) == 1
    assert_nothing_left(canvas)


async def test_cancelling_during_a_pause_ends_the_call() -> None:
    """No attempt follows."""
    canvas, transport = canvas_on([failing(503, retry_after="100"), reply([])])
    task = asyncio.create_task(canvas.request("GET", PATH))
    await asyncio.sleep(50)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(100)
    assert len(transport.requests) == 1
    assert_nothing_left(canvas)
