"""Following the event feed: no event is missed or repeated, and no task is left."""

from __future__ import annotations

import asyncio
import logging
from typing import Any
from urllib.parse import parse_qsl

import pytest

from aioinstructure import (
    ABConnect,
    ConnectError,
    DecodeError,
    Forbidden,
    IncompleteError,
    InputError,
    Request,
    Response,
    Unauthorized,
)
from aioinstructure.abconnect.events import Event, Follow
from aioinstructure.simulator import Simulator
from aioinstructure.testing import FakeTransport, SimulatorTransport, reply
from aioinstructure.transport.call_context import OnHead


def event(seq: int | None) -> dict[str, Any]:
    return {"type": "events", "id": f"E{seq}", "attributes": {"seq": seq}}


def ab_with(*replies: Any, **options: Any) -> tuple[ABConnect, FakeTransport]:
    transport = FakeTransport(list(replies))
    client = ABConnect(partner_id="p", partner_key="k", transport=transport, **options)
    return client, transport


def listed(*seqs: int | None) -> Response:
    return reply({"data": [event(seq) for seq in seqs], "links": {}, "meta": {"count": len(seqs)}})


def error(status: int, detail: str = "x") -> Response:
    return reply({"errors": [{"status": str(status), "detail": detail}]}, status=status)


def asked(transport: FakeTransport) -> list[str]:
    return [dict(parse_qsl(path.partition("?")[2]))["filter[events]"] for path in transport.paths]


def now() -> float:
    return asyncio.get_running_loop().time()


async def take(feed: Follow, n: int) -> list[int | None]:
    found: list[int | None] = []
    async for one in feed:
        found.append(one.seq)
        if len(found) == n:
            break
    return found


async def test_existing_and_new_events(simulator: Simulator, abconnect: ABConnect) -> None:
    """All events after the number, then each change at the next poll, despite gaps."""
    world = simulator.world
    standard = await abconnect.standards.list().first()
    assert standard is not None
    assert standard.id is not None
    guid = standard.id
    after = world.events[99].seq
    feed = Follow(abconnect, after, 60.0)
    seen: list[Event] = []

    async def consume() -> None:
        async for one in feed:
            seen.append(one)  # noqa: PERF401 - read while it grows

    task = asyncio.create_task(consume())
    await asyncio.sleep(30)
    assert [one.seq for one in seen] == [one.seq for one in world.events[100:]]
    assert feed.seq == world.events[-1].seq
    for number in range(250):
        world.edit_standard(guid, {"statement.descr": f"new {number}"})
    await asyncio.sleep(20)
    assert len(seen) == 500
    await asyncio.sleep(30)
    assert [one.seq for one in seen] == [one.seq for one in world.events[100:]]
    assert len(seen) == 750
    world.edit_standard(guid, {"level": 9})
    await asyncio.sleep(60)
    assert seen[-1].affected_properties[0].new_value == 9
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_every_poll_asks_after_the_last_number() -> None:
    """Never by offset; an idle feed costs one request per poll, at even intervals."""
    times = []

    def answer(request: Request) -> Response:
        times.append(now())
        after = int(asked(transport)[-1].removeprefix("seq gt "))
        have = [3, 4, 40] if len(times) < 4 else [3, 4, 40, 41, 977]
        return listed(*(seq for seq in have if seq > after))

    ab, transport = ab_with(answer)
    assert await take(Follow(ab, 3, poll=10), 4) == [4, 40, 41, 977]
    assert asked(transport) == ["seq gt 3", "seq gt 40", "seq gt 40", "seq gt 40"]
    assert all("offset" not in path for path in transport.paths)
    assert [round(at - times[0]) for at in times] == [0, 10, 20, 30]


async def test_no_event_is_repeated() -> None:
    """Even if the server ignores the number."""
    ab, _ = ab_with(listed(1, 2), listed(1, 2, 3))
    assert await take(Follow(ab, 0, 1.0), 3) == [1, 2, 3]


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_a_failed_poll_is_retried(status: int, caplog: pytest.LogCaptureFixture) -> None:
    """By the next poll, after the retries of the client; a warning is logged."""
    attempts = 0

    def answer(_: Request) -> Response:
        nonlocal attempts
        attempts += 1
        if attempts == 1:
            return listed(5)
        if now() < start + 100:
            return error(status)
        return listed(6, 7)

    start = now()
    ab, transport = ab_with(answer)
    with caplog.at_level(logging.WARNING, "aioinstructure.abconnect"):
        assert await take(Follow(ab, 0, poll=30), 3) == [5, 6, 7]
    assert now() - start < 200
    assert set(asked(transport)[1:]) == {"seq gt 5"}
    assert len(caplog.records) >= 2
    assert "partner" not in caplog.text


async def test_a_lost_connection_is_retried() -> None:
    """Like a server error."""
    start = now()

    def answer(_: Request) -> Response:
        if now() < start + 50:
            raise ConnectError("no route")
        return listed(1)

    ab, _ = ab_with(answer)
    assert await take(Follow(ab, 0, 20), 1) == [1]


async def test_a_poll_without_quota_is_retried(simulator: Simulator, abconnect: ABConnect) -> None:
    """A poll that would exceed the deadline of the view is left to the next one."""
    start = now()
    quick = abconnect.with_options(deadline=0.5)
    busy = [  # all different, or they would be joined into one
        asyncio.create_task(abconnect.standards.list(page_size=n + 1).first()) for n in range(100)
    ]
    await asyncio.sleep(0.1)
    first = simulator.world.events[0].seq
    assert await take(Follow(quick, 0, 5.0), 1) == [first]
    assert now() - start > 5
    await asyncio.gather(*busy)


class Flaky(SimulatorTransport):
    """Fails five times after the first response."""

    sent = 0

    async def send(self, request: Request, on_head: OnHead | None = None) -> Response:
        self.sent += 1
        return error(503) if 2 <= self.sent <= 6 else await super().send(request, on_head)


async def test_a_page_that_fails_loses_no_event(simulator: Simulator, abconnect: ABConnect) -> None:
    """Events before it were yielded; the next poll resumes after them."""
    expected = [one.seq for one in simulator.world.events[:250]]
    transport = Flaky(simulator)
    flaky = ABConnect(
        partner_id=simulator.partner_id,
        partner_key=simulator.partner_key,
        base_url="https://abconnect.test",
        transport=transport,
        clock=abconnect.clock,
    )
    assert await take(Follow(flaky, 0, 5.0), 250) == expected


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (error(401, "Signature is not authorized."), Unauthorized),
        (error(403, "not licensed"), Forbidden),
        (reply(body=b"<html>"), DecodeError),
        (listed(None), IncompleteError),
    ],
)
async def test_permanent_errors_are_raised(answer: Response, kind: type[Exception]) -> None:
    """Above all a refused credential, which must not be retried."""
    ab, transport = ab_with(lambda _: answer)
    feed = Follow(ab, 7, 1.0)
    with pytest.raises(kind):
        await take(feed, 1)
    assert len(transport.requests) <= 2
    assert feed.seq == 7
    asked_before = len(transport.requests)
    with pytest.raises(kind):  # another loop polls again, at once
        await take(feed, 1)
    assert len(transport.requests) > asked_before


async def test_resuming_by_number_or_by_another_loop() -> None:
    """A loop resumes after the last yielded event, not after the last received one."""
    ab, transport = ab_with(listed(1, 2, 3), listed(2, 3), listed(3))
    feed = Follow(ab, 0, 10)
    assert await take(feed, 1) == [1]
    assert feed.seq == 1
    assert await take(feed, 1) == [2]
    assert await take(Follow(ab, feed.seq, 10), 1) == [3]
    assert asked(transport) == ["seq gt 0", "seq gt 1", "seq gt 2"]
    assert repr(feed) == "<Follow events after 2 every 10 s>"


async def test_one_loop_at_a_time() -> None:
    """Two loops would share one number."""
    ab, _ = ab_with(listed(1, 2), listed(2), listed(3))
    feed = Follow(ab, 0, 10)
    async for _ in feed:
        with pytest.raises(InputError, match="two loops"):
            aiter(feed)
        break
    waiting = asyncio.create_task(take(feed, 2))
    await asyncio.sleep(1)
    with pytest.raises(InputError, match="two loops"):
        aiter(feed)
    assert await waiting == [2, 3]
    assert aiter(feed) is not None


async def test_waiting_for_an_event_can_be_cancelled_and_resumed() -> None:
    """A timeout around one step loses no event and adds no request."""
    ab, transport = ab_with(listed(1), listed(), listed(2))
    ab_loop = aiter(Follow(ab, 0, 60))
    start = now()
    assert aiter(ab_loop) is ab_loop
    assert (await anext(ab_loop)).seq == 1
    for _ in range(10):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(ab_loop), 5)
    assert len(transport.requests) == 1
    assert (await anext(ab_loop)).seq == 2
    assert round(now() - start) == 120
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_step_cancelled_in_flight_is_requested_again() -> None:
    """The event of the cancelled response is not lost."""
    ab, transport = ab_with(lambda _: listed(1))
    transport.seconds = 3.0
    loop = aiter(Follow(ab, 0, 60))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(loop), 1)
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert (await anext(loop)).seq == 1


async def test_leaving_the_loop_leaves_no_task(simulator: Simulator, abconnect: ABConnect) -> None:
    """A page that is being fetched ahead is cancelled at once."""
    simulator.knobs.abconnect_latency_seconds = 5.0
    assert len(await take(Follow(abconnect, 0, 60), 1)) == 1
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize("after", [-1, 1.0, "5", None, True])
def test_after_is_an_integer_of_at_least_zero(after: Any) -> None:
    """Other values are refused at once, not at the first poll."""
    ab, _ = ab_with()
    with pytest.raises(InputError, match="after"):
        Follow(ab, after)


@pytest.mark.parametrize("poll", [0, -1, float("nan"), float("inf"), True, "60", None])
def test_poll_is_a_number_of_seconds_above_zero(poll: Any) -> None:
    """A loop without a pause would use all of the quota."""
    ab, _ = ab_with()
    with pytest.raises(InputError, match="poll"):
        Follow(ab, 0, poll)
