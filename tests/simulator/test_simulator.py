"""Both throttles with complete requests: headers, refusals, latency, cancellation."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from aioinstructure.simulator import Knobs, Simulator
from aioinstructure.wire.message import Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.simulator.conftest import Caller


async def test_headers_of_a_single_request(caller: Caller) -> None:
    """The headers report the cost, and what remains after the refund."""
    caller.simulator.knobs.canvas_cost = 30.0
    response = await caller.canvas("/api/v1/users/self")
    assert response.headers["x-request-cost"] == "30.0"
    assert response.rate_limit_remaining == 570.0


@pytest.mark.parametrize(("status", "words"), [(429, "Too Many Requests"), (403, "Forbidden")])
async def test_refused_canvas(caller: Caller, status: int, words: str) -> None:
    """A refusal is text, has no cost, reports what remains, and is counted."""
    caller.simulator.knobs.update(throttle_status=status, canvas_cost=560.0)
    await caller.canvas("/api/v1/users/self")
    response = await caller.canvas("/api/v1/users/self")
    assert response.status == status
    assert response.text == f"{status} {words} (Rate Limit Exceeded)\n"
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert response.request_cost is None
    assert response.rate_limit_remaining == pytest.approx(39.999)
    assert "retry-after" not in response.headers
    assert caller.simulator.stats()["canvas"] == {"served": 1, "refused": 1, "unsimulated": 0}


async def test_each_token_has_its_bucket(caller: Caller) -> None:
    """A second token, even an unknown one, starts with an empty bucket."""
    caller.simulator.knobs.canvas_cost = 300.0
    await caller.canvas("/api/v1/users/self")
    other = await caller.canvas("/api/v1/users/self", token="unknown")
    assert (other.status, other.rate_limit_remaining) == (401, 300.0)


async def test_bucket_leaks_with_the_clock(caller: Caller) -> None:
    """100 units leak in ten seconds."""
    caller.simulator.knobs.canvas_cost = 300.0
    await caller.canvas("/api/v1/users/self")
    caller.time = 10.0
    caller.simulator.knobs.canvas_cost = 0.0
    response = await caller.canvas("/api/v1/users/self")
    assert response.rate_limit_remaining == 400.0


async def test_reservation_by_path(caller: Caller) -> None:
    """The first expression that matches the full path determines the reservation."""
    knobs = caller.simulator.knobs
    knobs.update(up_front_cost_by_path=[["modules", 700], ["include", 10]])
    refused = await caller.canvas("/api/v1/courses/1/modules?include[]=items")
    assert refused.status == 429
    assert (await caller.canvas("/api/v1/users/self?include[]=x")).status == 200


async def test_quirks_of_the_headers(caller: Caller) -> None:
    """The cost can be in scientific notation, or missing."""
    caller.simulator.knobs.update(scientific_cost=True, canvas_cost=0.5)
    response = await caller.canvas("/api/v1/users/self")
    assert response.headers["x-request-cost"] == "5.000000e-01"
    caller.simulator.knobs.quota_headers = False
    assert (await caller.canvas("/api/v1/users/self")).request_cost is None


async def test_cost_grows_with_items(caller: Caller) -> None:
    """A full page costs about half a unit, a small one less."""
    small = await caller.canvas("/api/v1/courses?per_page=1")
    large = await caller.canvas("/api/v1/courses?per_page=30")
    assert 0.15 <= (small.request_cost or 0) < (large.request_cost or 0) <= 0.5


async def test_disabled_throttle_still_counts(caller: Caller) -> None:
    """Without throttling the headers are still sent, with values below zero."""
    caller.simulator.knobs.update(throttle_enabled=False, canvas_cost=700.0)
    assert (await caller.canvas("/api/v1/users/self")).rate_limit_remaining == -100.0
    assert (await caller.canvas("/api/v1/users/self")).status == 200


async def test_abconnect_burst_then_429(make_caller: Callable[..., Caller]) -> None:
    """25 calls at once, then 429 with a JSON error and no Retry-After; one more each 0.2 s."""
    caller = make_caller()
    statuses = [(await caller.abconnect("/standards", limit="1")).status for _ in range(26)]
    assert statuses == [200] * 25 + [429]
    refused = await caller.abconnect("/standards", limit="1")
    assert refused.json()["errors"][0]["status"] == "429"
    assert "retry-after" not in refused.headers
    caller.time = 0.2
    assert (await caller.abconnect("/standards", limit="1")).status == 200
    assert caller.simulator.stats()["abconnect"] == {"served": 26, "refused": 2, "unsimulated": 0}


async def test_wildcards_pass_a_second_bucket(make_caller: Callable[..., Caller]) -> None:
    """Two wildcard calls at once, then one per half second; other calls are not delayed."""
    caller = make_caller()
    query = {"fields__standards": "*", "limit": "1"}
    statuses = [(await caller.abconnect("/standards", **query)).status for _ in range(3)]
    assert statuses == [200, 200, 429]
    assert (await caller.abconnect("/standards", facet_summary="*", limit="0")).status == 429
    assert (await caller.abconnect("/standards", limit="1")).status == 200
    caller.time = 0.5
    assert (await caller.abconnect("/standards", **query)).status == 200


async def test_start_level_and_retry_after(make_caller: Callable[..., Caller]) -> None:
    """A bucket can start empty, as after a restart; a refusal can have a Retry-After header."""
    caller = make_caller(burst_at_start=0.0, abconnect_retry_after=3)
    refused = await caller.abconnect("/standards")
    assert (refused.status, refused.headers["retry-after"]) == (429, "3")


def test_network_and_latency_take_virtual_time(run: Callable[..., Any]) -> None:
    """Network delays and latency add up on the loop's clock."""

    async def main() -> float:
        knobs = Knobs(
            canvas_latency_seconds=0.3, network_out_seconds=0.1, network_back_seconds=0.05
        )
        simulator = Simulator(knobs=knobs)
        headers = {"Authorization": f"Bearer {simulator.canvas_token}"}
        loop = asyncio.get_running_loop()
        begin = loop.time()
        await simulator.handle(Request("GET", "https://sim/api/v1/users/self", headers))
        return loop.time() - begin

    assert run(main) == pytest.approx(0.45, abs=1e-3)


def test_jitter_is_seeded(run: Callable[..., Any]) -> None:
    """Two simulators with one seed take equally long, one with another seed does not."""

    async def main(seed: int) -> float:
        simulator = Simulator(seed=seed, knobs=Knobs(canvas_latency_jitter_seconds=1.0))
        loop = asyncio.get_running_loop()
        begin = loop.time()
        await simulator.handle(Request("GET", "https://sim/api/v1/users/self"))
        return round(loop.time() - begin, 3)

    first, again, other = (run(lambda seed=seed: main(seed)) for seed in (1, 1, 2))
    assert first == again != other


def test_cancelled_request_continues_on_the_server(run: Callable[..., Any]) -> None:
    """If a client cancels, its reservation is refunded only when the server has finished."""

    async def main() -> tuple[float, float]:
        simulator = Simulator(knobs=Knobs(canvas_latency_seconds=2.0, canvas_cost=1.0, outflow=0.0))
        headers = {"Authorization": f"Bearer {simulator.canvas_token}"}
        request = Request("GET", "https://sim/api/v1/users/self", headers)
        task = asyncio.ensure_future(simulator.handle(request))
        await asyncio.sleep(1.0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        bucket = simulator.canvas.bucket(f"token:{simulator.canvas_token}")
        before = bucket.count
        await asyncio.sleep(1.5)
        return before, bucket.count

    assert run(main) == (50.0, 1.0)
