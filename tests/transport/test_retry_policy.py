"""RetryPolicy: which values it takes, which statuses it retries, and how a client is given one."""

from __future__ import annotations

import random
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from aioinstructure import BadRequest, Error, InputError, NotFound, RetryPolicy, ServerError
from aioinstructure.testing import reply
from tests.transport.rig import ab_on, assert_nothing_left, canvas_on, failing, now

PATH = "/api/v1/courses"
FLOATS = ("base", "longest", "budget_share", "budget_reserve", "budget_most")
TRANSIENT = [status for status in (408, *range(500, 600)) if status not in (501, 505)]


# --- its values -----------------------------------------------------------------------------------


@pytest.mark.parametrize("attempts", [0, -1, 1.0, 2.5, True, False, "3", None, float("inf")])
def test_attempts_are_an_integer_of_1_or_more(attempts: Any) -> None:
    """The message names the field and the value."""
    with pytest.raises(InputError) as caught:
        RetryPolicy(attempts=attempts)
    assert str(caught.value) == f"attempts must be an integer of 1 or more, not {attempts!r}"


@pytest.mark.parametrize("name", FLOATS)
@pytest.mark.parametrize(
    "value", [-1, -0.1, float("nan"), float("inf"), -float("inf"), True, False, "1", None, [1]]
)
def test_every_number_is_finite_and_not_negative(name: str, value: Any) -> None:
    """The message names the field and the value; True is no number."""
    with pytest.raises(InputError) as caught:
        RetryPolicy(**{name: value})
    assert str(caught.value) == f"{name} must be a finite number of 0 or more, not {value!r}"


@pytest.mark.parametrize("name", FLOATS)
@pytest.mark.parametrize("value", [0, 0.0, 3, 0.25])
def test_zero_and_whole_numbers_are_accepted(name: str, value: float) -> None:
    """Zero turns a pause or the budget off."""
    assert getattr(RetryPolicy(**{name: value}), name) == value  # type: ignore[arg-type]  # not attempts


def test_a_changed_copy_is_checked_too() -> None:
    """A policy is a value: equal, hashable, and never invalid."""
    policy = RetryPolicy(attempts=2)
    assert policy == evolve(RetryPolicy(), attempts=2)
    assert hash(policy) == hash(RetryPolicy(attempts=2))
    with pytest.raises(InputError, match="base must be"):
        evolve(policy, base=-1.0)


@given(
    st.floats(0, 1e9),
    st.floats(0, 1e9),
    st.integers(1, 10**6),
    st.integers(0, 2**32),
)
def test_a_pause_is_within_its_bounds(base: float, longest: float, retry: int, seed: int) -> None:
    """From 0 to the longest pause, whatever the number of the retry."""
    pause = RetryPolicy(base=base, longest=longest).pause(retry, random.Random(seed))  # noqa: S311 - jitter
    assert 0 <= pause <= longest


# --- statuses -------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", TRANSIENT)
async def test_a_transient_status_is_retried(status: int) -> None:
    """408, and every 5xx except 501 and 505: also those of proxies, such as 507, 520 and 524."""
    canvas, transport = canvas_on([failing(status), reply([])])
    assert (await canvas.request("GET", PATH)).status == 200
    assert len(transport.requests) == 2
    assert_nothing_left(canvas)


@pytest.mark.parametrize("status", [501, 505])
async def test_a_request_that_the_server_never_serves_is_not_retried(status: int) -> None:
    """Not implemented, or an HTTP version that it does not speak."""
    canvas, transport = canvas_on([failing(status)])
    with pytest.raises(ServerError) as caught:
        await canvas.request("GET", PATH)
    assert caught.value.status == status
    assert len(transport.requests) == 1


@pytest.mark.parametrize("status", [400, 404, 405, 409, 410, 411, 413, 415, 418, 422, 451])
async def test_a_refused_request_is_not_retried(status: int) -> None:
    """The same request would be refused again."""
    canvas, transport = canvas_on([failing(status)])
    with pytest.raises(Error):
        await canvas.request("GET", PATH)
    assert len(transport.requests) == 1


# --- the option of a client -----------------------------------------------------------------------


async def test_one_attempt_sends_once() -> None:
    """`retry=RetryPolicy(attempts=1)` for both clients: the first error is raised."""
    once = RetryPolicy(attempts=1)
    canvas, to_canvas = canvas_on([failing(503)], retry=once)
    ab, to_ab = ab_on([failing(503)], retry=once)
    with pytest.raises(ServerError):
        await canvas.courses.get(1)
    with pytest.raises(ServerError):
        await ab.request("GET", "/rest/v4.1/standards")
    assert (len(to_canvas.requests), len(to_ab.requests)) == (1, 1)


@pytest.mark.parametrize("attempts", [1, 2, 3, 6])
async def test_a_client_makes_as_many_attempts_as_its_policy_says(attempts: int) -> None:
    """Its views too: they have no policy of their own."""
    policy = RetryPolicy(attempts=attempts, budget_reserve=100)
    canvas, transport = canvas_on([failing(408)] * 20, retry=policy)
    for client in (canvas, canvas.with_options(lane="bulk"), canvas.as_user(5)):
        transport.requests.clear()
        with pytest.raises(BadRequest):
            await client.request("GET", PATH)
        assert len(transport.requests) == attempts


async def test_without_a_base_a_retry_does_not_wait() -> None:
    """The pause is random from 0 to the base."""
    canvas, transport = canvas_on([failing(500)] * 3 + [reply([])], retry=RetryPolicy(base=0))
    start = now()
    await canvas.request("GET", PATH)
    assert len(transport.requests) == 4
    assert now() - start < 0.001  # virtual time


async def test_without_a_budget_nothing_is_retried() -> None:
    """Neither a reserve nor a share: the first error is raised."""
    policy = RetryPolicy(budget_reserve=0, budget_share=0)
    canvas, transport = canvas_on([failing(500)], retry=policy)
    with pytest.raises(ServerError):
        await canvas.request("GET", PATH)
    assert len(transport.requests) == 1


async def test_one_attempt_still_waits_for_quota() -> None:
    """A throttle is no failure: the call goes back to the queue."""
    refusal = reply(status=429, body=b"", headers={"retry-after": "2"})
    canvas, transport = canvas_on([refusal, reply({"id": 1})], retry=RetryPolicy(attempts=1))
    assert (await canvas.courses.get(1)).id == 1
    assert len(transport.requests) == 2


async def test_none_is_the_policy_of_the_library() -> None:
    """As if the option was left out: four attempts."""
    canvas, transport = canvas_on([failing(500)] * 5, retry=None)
    with pytest.raises(ServerError):
        await canvas.request("GET", PATH)
    assert len(transport.requests) == RetryPolicy().attempts == 4


async def test_a_policy_does_not_repeat_what_must_not_be_repeated() -> None:
    """More attempts are for calls that may be repeated only."""
    canvas, transport = canvas_on([failing(500)], retry=RetryPolicy(attempts=9))
    with pytest.raises(ServerError):
        await canvas.request("POST", PATH, json={"a": 1})
    assert len(transport.requests) == 1
    canvas, transport = canvas_on([reply(status=404)], retry=RetryPolicy(attempts=9))
    with pytest.raises(NotFound):
        await canvas.courses.get(1)
    assert len(transport.requests) == 1
