"""Leases: what an attempt gives back, and what stays spent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from attrs import define, field

from aioinstructure import (
    ABConnect,
    ClientClosed,
    ConnectError,
    Error,
    Request,
    TransportError,
)
from aioinstructure.quota import Scheduler, TokenBucket
from aioinstructure.testing import reply
from aioinstructure.transport.call_context import OnHead
from aioinstructure.wire.message import Headers, Response
from tests.transport.rig import (
    ab_on,
    assert_nothing_left,
    bad_signature,
    canvas_on,
    failing,
    running_clock,
    throttled,
    timers,
)

PATH = "/rest/v4.1/standards"


@define
class SlowTransport:
    """A transport whose response has its head after one second and its body after ten."""

    response: Response
    fails: Error | None = None

    async def send(self, request: Request, on_head: OnHead | None = None) -> Response:
        await asyncio.sleep(1)
        if on_head is not None:
            on_head(self.response.status, self.response.headers)
        await asyncio.sleep(9)
        if self.fails is not None:
            raise self.fails
        return self.response

    async def close(self) -> None:
        """Do nothing."""


def slow(response: Response, fails: Error | None = None) -> ABConnect:
    return ABConnect(
        partner_id="partner",
        partner_key="key",
        base_url="https://ab.test",
        transport=SlowTransport(response, fails),
        quota=Scheduler(TokenBucket(), clock=running_clock()),
    )


async def test_a_lease_ends_with_the_head_of_the_response() -> None:
    """The body may take time: no other call waits for it."""
    ab = slow(reply({}))
    task = asyncio.create_task(ab.request("GET", PATH))
    await asyncio.sleep(0.5)
    assert ab.quota.snapshot().in_flight == 1
    await asyncio.sleep(1)
    assert ab.quota.snapshot().in_flight == 0
    assert (await task).status == 200


@pytest.mark.parametrize("status", [403, 429])
async def test_a_lease_waits_for_the_body_if_the_status_is_ambiguous(status: int) -> None:
    """Only the text distinguishes a throttle from a missing permission."""
    ab = slow(reply({"errors": []}, status=status))
    task = asyncio.create_task(ab.with_options(deadline=11).request("GET", PATH))
    await asyncio.sleep(5)
    assert ab.quota.snapshot().in_flight == 1
    with pytest.raises(Error):
        await task
    assert_nothing_left(ab)


async def test_a_response_that_is_cut_off_after_its_head_is_settled_once() -> None:
    """The lease ended with the head; the failure of the body changes nothing."""
    ab = slow(reply({}), fails=TransportError("cut off"))
    with pytest.raises(TransportError):
        await ab.request("GET", PATH)
    assert ab.quota.snapshot().granted == 4
    assert_nothing_left(ab)


async def test_a_call_without_a_response_stays_spent() -> None:
    """The server has taken its token."""
    ab, transport = ab_on([TransportError("cut off")] * 4, rate=0.001, burst=8)
    with pytest.raises(TransportError):
        await ab.request("GET", PATH)
    assert len(transport.requests) == 4
    assert ab.quota.snapshot().level == pytest.approx(4, abs=0.1)
    assert_nothing_left(ab)


@pytest.mark.parametrize("error", [ConnectError("refused"), ClientClosed("closed")], ids=repr)
async def test_a_call_that_was_not_sent_is_refunded(error: Error) -> None:
    """Without a connection, the server has spent nothing."""
    ab, _ = ab_on([error] * 4, rate=0.001, burst=8)
    with pytest.raises(type(error)):
        await ab.request("GET", PATH)
    shot = ab.quota.snapshot()
    assert shot.level == pytest.approx(8, abs=0.1)
    assert shot.granted == 0
    assert_nothing_left(ab)


@define
class Refusing:
    """A credential that cannot sign."""

    def authorize(self, request: Request, now: float) -> Request:
        raise LookupError("no key")

    def needs_refresh(self, now: float) -> bool:
        return False

    async def refresh(self) -> None:
        """Do nothing."""

    def invalidate(self) -> bool:
        return False


async def test_a_call_that_could_not_be_authorized_is_refunded() -> None:
    """It never reached the transport."""
    ab, transport = ab_on([], rate=0.001, burst=8, auth=Refusing())
    with pytest.raises(LookupError):
        await ab.request("GET", PATH)
    assert transport.requests == []
    assert ab.quota.snapshot().level == pytest.approx(8, abs=0.1)
    assert_nothing_left(ab)


async def test_close_ends_the_calls_that_wait() -> None:
    """The server has asked to wait for an hour; calls of another client of the quota stay."""
    canvas, _ = canvas_on([throttled(retry_after="3600")])
    other, _ = canvas_on([reply([])], quota=canvas.quota)
    calls = [asyncio.create_task(canvas.request("GET", "/api/v1/x")) for _ in range(3)]
    stays = asyncio.create_task(other.request("GET", "/api/v1/x"))
    await asyncio.sleep(1)
    assert canvas.quota.snapshot().blocked > 50
    start = asyncio.get_running_loop().time()
    await canvas.close()
    ends = await asyncio.gather(*calls, return_exceptions=True)
    assert asyncio.get_running_loop().time() - start < 0.1
    assert all(isinstance(end, ClientClosed) for end in ends)
    assert (await stays).status == 200
    await other.close()


async def test_canvas_keeps_the_reservation_of_a_call_without_a_response() -> None:
    """Until the server has ended the call too: 1.5 usual latencies after it was sent."""
    canvas, _ = canvas_on([TransportError("cut off")] * 4, seconds=0.01)
    with pytest.raises(TransportError):
        await canvas.request("GET", "/api/v1/x")
    assert canvas.quota.snapshot().level <= 551
    await asyncio.sleep(1)
    assert canvas.quota.snapshot().level == pytest.approx(600)


async def test_the_headers_of_a_response_reach_the_quota() -> None:
    """A lower remaining is believed."""
    headers = {"x-request-cost": "3.5", "x-rate-limit-remaining": "123.5"}
    canvas, _ = canvas_on([reply([], headers=headers)])
    response = await canvas.request("GET", "/api/v1/x")
    assert (response.request_cost, response.rate_limit_remaining) == (3.5, 123.5)
    assert canvas.quota.snapshot().level == pytest.approx(123.5, abs=1)


async def test_a_refusal_is_counted_and_drains_the_replica() -> None:
    """The replica was wrong, and adopts the report."""
    canvas, _ = canvas_on([throttled("-20"), reply([])])
    task = asyncio.create_task(canvas.request("GET", "/api/v1/x"))
    await asyncio.sleep(0.01)
    shot = canvas.quota.snapshot()
    assert shot.throttles == 1
    assert shot.level <= 0
    await task


async def test_views_and_lists_have_their_own_flows() -> None:
    """A list gets its share beside many single calls of the same client."""
    ab, transport = ab_on([lambda r: reply({"data": []})], rate=1, burst=1)
    singles = [asyncio.create_task(ab.request("GET", f"{PATH}/{n}")) for n in range(20)]
    await asyncio.sleep(0.01)
    listing = asyncio.create_task(ab.standards.list().collect())
    await listing
    assert len(transport.requests) < 6
    other = ab.with_options(lane="interactive")
    start = len(transport.requests)
    await other.request("GET", PATH)
    assert len(transport.requests) - start < 6
    await asyncio.gather(*singles)


async def test_a_named_flow_is_shared_by_everything_in_it() -> None:
    """Lists and single calls of one tenant wait for each other."""
    ab, transport = ab_on([lambda r: reply({"data": []})], rate=1, burst=1)
    tenant = ab.with_options(flow="tenant-7")
    singles = [asyncio.create_task(tenant.request("GET", f"{PATH}/{n}")) for n in range(20)]
    await asyncio.sleep(0.01)
    await tenant.standards.list().collect()
    assert len(transport.requests) == 21
    await asyncio.gather(*singles)


# --- cancelled at every await -------------------------------------------------------------------


@define
class Stale:
    """A credential that is stale before every call, and is renewed in a moment."""

    token: str = "Bearer x"
    renewed: int = field(default=0)

    def authorize(self, request: Request, now: float) -> Request:
        return request

    def needs_refresh(self, now: float) -> bool:
        return True

    async def refresh(self) -> None:
        await asyncio.sleep(1e-6)
        self.renewed += 1

    def invalidate(self) -> bool:
        return True


def troubled(request: Request) -> Response:
    """A page of an AB Connect list with a next page, the last page, or a single object."""
    path = request.path.partition("?")[0]
    if not path.endswith("/standards"):
        return reply({"data": {"id": "A"}})
    more = "offset" not in request.path
    links = {"next": f"https://ab.test{path}?offset=1"} if more else {}
    items = ("A", "B") if more else ("C", "D")
    return reply({"data": [{"id": each} for each in items], "links": links})


def fresh() -> ABConnect:
    """A client that queues, renews, fails twice and then succeeds, within a few iterations."""
    trouble: list[Any] = [
        failing(503, retry_after="0.000001"),
        bad_signature(),
        ConnectError("refused"),
        troubled,
    ]
    # Without the refused connection: the pause after it is random, up to half a second.
    clock = running_clock()
    ab, _ = ab_on(
        trouble[:2] + trouble[3:],
        seconds=1e-6,
        auth=Stale(),
        quota=Scheduler(TokenBucket(5e5, 1), clock=clock),
        clock=clock,
        deadline=30,
    )
    return ab


async def single(ab: ABConnect) -> None:
    await ab.request("GET", PATH)


async def listing(ab: ABConnect) -> None:
    assert len(await ab.standards.list().collect()) == 4


async def crowd(ab: ABConnect) -> None:
    await asyncio.gather(
        *(ab.standards.get(f"{n:08}-7053-11DF-8EBF-BE719DFF4B22") for n in range(3))
    )


@pytest.mark.parametrize("call", [single, listing, crowd])
async def test_cancelling_at_every_await_leaks_nothing(
    call: Callable[[ABConnect], Coroutine[Any, Any, None]],
) -> None:
    """Cancelled after iteration k of the loop, for all k: no lease, waiter, task or timer stays."""
    for turns in range(10_000):
        ab = fresh()
        before = timers()
        task = asyncio.create_task(call(ab))
        for _ in range(turns):
            await asyncio.sleep(0)
        if task.done():
            await task
            break
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(2e-6)  # a renewal goes on, and ends by itself
        for _ in range(3):
            await asyncio.sleep(0)
        assert_nothing_left(ab)
        assert timers() <= before, turns
        # The next call finds the quota unchanged.
        assert ab.quota.wait_estimate() < 1e-4
    else:
        raise AssertionError("the call never ended")
    assert turns > 20


def test_repeated_header_fields_are_joined() -> None:
    """In any case of their names."""
    assert Headers([("Link", "<a>"), ("link", "<b>")])["LINK"] == "<a>, <b>"
