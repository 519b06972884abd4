"""The testing tools: virtual time, the fake transport and clients for the simulator."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aioinstructure import (
    Canvas,
    ConnectError,
    NotFound,
    Request,
    TransportError,
    UnknownOutcome,
)
from aioinstructure.simulator import Fault, Simulator
from aioinstructure.testing import (
    FakeTransport,
    SimulatorTransport,
    VirtualLoop,
    abconnect_of,
    canvas_of,
    reply,
    virtual_clock,
)
from aioinstructure.wire.message import Headers


@pytest.fixture
def loop() -> Iterator[VirtualLoop]:
    loop = VirtualLoop()
    yield loop
    loop.close()


# --- virtual time --------------------------------------------------------------------------------


def test_the_clock_jumps_to_the_next_timer(loop: VirtualLoop) -> None:
    """Ten minutes of sleeping take no time; timers fire in order, each at its time."""
    fired: list[tuple[str, float]] = []
    started = loop.time()

    def note(name: str) -> None:
        fired.append((name, loop.time() - started))

    async def main() -> None:
        for name, delay in (("late", 600.0), ("early", 0.5), ("middle", 60.0)):
            loop.call_later(delay, note, name)
        await asyncio.sleep(600.1)

    real = time.perf_counter()
    loop.run_until_complete(main())
    assert (time.perf_counter() - real) * 20 < loop.time() - started
    assert [name for name, _ in fired] == ["early", "middle", "late"]
    assert [at for _, at in fired] == pytest.approx([0.5, 60, 600], abs=1e-4)


def test_ten_minutes_of_many_tasks_take_a_fraction_of_them(loop: VirtualLoop) -> None:
    """Twenty tasks that wake up every second."""

    async def ticks() -> int:
        ends, count = loop.time() + 600, 0
        while loop.time() < ends:
            await asyncio.sleep(1.0)
            count += 1
        return count

    async def main() -> list[int]:
        return list(await asyncio.gather(*(ticks() for _ in range(20))))

    real = time.perf_counter()
    counts = loop.run_until_complete(main())
    assert (time.perf_counter() - real) * 20 < 600
    assert all(599 <= count <= 601 for count in counts)


def test_the_clock_creeps(loop: VirtualLoop) -> None:
    """Each iteration of the loop takes a little time, so that busy waiting ends."""

    async def main() -> int:
        ends, turns = loop.time() + 1e-5, 0
        while loop.time() < ends:
            await asyncio.sleep(0)
            turns += 1
        return turns

    assert 50 < loop.run_until_complete(main()) < 200


def test_sleep_zero_does_not_advance_the_clock(loop: VirtualLoop) -> None:
    """Ready callbacks run before the clock jumps."""

    async def main() -> float:
        loop.call_later(100, lambda: None)
        start = loop.time()
        for _ in range(1000):
            await asyncio.sleep(0)
        return loop.time() - start

    assert loop.run_until_complete(main()) < 0.01


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1e5), min_size=1, max_size=20))
def test_every_sleep_lasts_as_long_as_it_says(delays: list[float]) -> None:
    """Never less, and longer only by the 100 ns of a few iterations, for any delays."""
    loop = VirtualLoop()

    async def one(delay: float) -> float:
        start = loop.time()
        await asyncio.sleep(delay)
        return loop.time() - start - delay

    async def main() -> list[float]:
        return list(await asyncio.gather(*map(one, delays)))

    try:
        late = loop.run_until_complete(main())
    finally:
        loop.close()
    assert all(-1e-6 <= seconds < 1e-3 for seconds in late)


def test_no_jump_while_an_executor_works(loop: VirtualLoop) -> None:
    """A timeout of thirty seconds does not fire while a thread works briefly."""

    async def main() -> str:
        async with asyncio.timeout(30):
            await loop.run_in_executor(None, time.sleep, 0.05)
            return "done"

    start = loop.time()
    assert loop.run_until_complete(main()) == "done"
    assert 0.04 < loop.time() - start < 30
    loop.run_until_complete(loop.shutdown_default_executor())


def test_to_thread_holds_the_clock_until_it_fails(loop: VirtualLoop) -> None:
    """An error in the thread ends the hold: time jumps again."""

    async def main() -> float:
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(lambda: 1 // 0)
        start = loop.time()
        await asyncio.sleep(1_000)
        return loop.time() - start

    real = time.perf_counter()
    assert loop.run_until_complete(main()) == pytest.approx(1_000)
    assert (time.perf_counter() - real) * 20 < 1_000
    loop.run_until_complete(loop.shutdown_default_executor())


def test_no_jump_while_an_executor_is_shut_down(loop: VirtualLoop) -> None:
    """Python 3.12 and newer wait for its threads with a timeout of five minutes."""
    pool = ThreadPoolExecutor()
    loop.set_default_executor(pool)
    loop.call_later(30, lambda: None)
    pool.submit(time.sleep, 0.1)
    start = loop.time()
    loop.run_until_complete(loop.shutdown_default_executor())
    assert loop.time() - start < 30


def test_a_closed_executor_does_not_hold_the_clock(loop: VirtualLoop) -> None:
    """If the executor refuses the call, time jumps again."""

    async def main() -> None:
        await loop.shutdown_default_executor()
        with pytest.raises(RuntimeError):
            await loop.run_in_executor(None, print)
        await asyncio.sleep(1_000)

    real = time.perf_counter()
    loop.run_until_complete(main())
    assert (time.perf_counter() - real) * 20 < 1_000


def test_no_jump_in_a_hold(loop: VirtualLoop) -> None:
    """While an unknown thread works there is no jump; then the clock has advanced by real time."""
    done = threading.Event()

    async def main() -> bool:
        loop.call_later(30, lambda: None)
        with loop.hold():
            thread = threading.Timer(0.05, done.set)
            thread.start()
            while not done.is_set():  # noqa: ASYNC110 - the test needs the iterations
                await asyncio.sleep(0)
            before = loop.time()
        assert 0.04 < loop.time() - before < 30
        thread.join()
        return loop.time() < 1_030

    assert loop.run_until_complete(main())


def test_a_timer_in_a_hold_does_not_fire_before_its_time(loop: VirtualLoop) -> None:
    """The clock jumps to the timer only after the hold has ended."""
    fired: list[bool] = []

    async def main() -> None:
        loop.call_later(10, fired.append, True)
        with loop.hold():
            timer = threading.Timer(0.12, loop.call_soon_threadsafe, [lambda: None])
            timer.start()
            await loop.run_in_executor(None, timer.join)
            assert not fired
        await asyncio.sleep(10)
        assert fired

    loop.run_until_complete(main())
    loop.run_until_complete(loop.shutdown_default_executor())


def test_a_thread_can_wake_a_loop_that_has_nothing_to_jump_to(loop: VirtualLoop) -> None:
    """Without any timer the loop waits for an external event."""

    async def main() -> str:
        future: asyncio.Future[str] = loop.create_future()
        threading.Timer(0.02, loop.call_soon_threadsafe, [future.set_result, "woken"]).start()
        return await future

    assert loop.run_until_complete(main()) == "woken"


def test_wall_time_follows_the_loop(loop: VirtualLoop) -> None:
    """It starts on 1 January 2026 by default."""
    clock = virtual_clock(loop)
    other = virtual_clock(loop, wall=5.0)
    loop.run_until_complete(asyncio.sleep(100))
    assert clock.wall() == pytest.approx(1_767_225_700, abs=0.01)
    assert other.wall() == pytest.approx(105, abs=0.01)


# --- the fake transport --------------------------------------------------------------------------


async def test_the_example_of_the_module_runs() -> None:
    """The code in the docstring of `aioinstructure.testing`."""
    transport = FakeTransport([reply([{"id": 1, "name": "Algebra"}])])
    async with Canvas("https://canvas.test", token="t", transport=transport) as canvas:
        assert [course.name async for course in canvas.courses.list()] == ["Algebra"]
    assert transport.requests[0].path == "/api/v1/courses?per_page=100"
    assert transport.paths == ["/api/v1/courses?per_page=100"]
    assert transport.closed


async def test_responses_errors_and_functions_in_order() -> None:
    """A function gets the request; as the last reply it serves all further requests."""
    transport = FakeTransport(
        [
            reply({"n": 1}),
            ConnectError("refused"),
            lambda request: reply({"path": request.path}),
            lambda _: reply({"rest": True}),
        ]
    )
    request = Request("GET", "https://canvas.test/x")
    assert (await transport.send(request)).json() == {"n": 1}
    with pytest.raises(ConnectError):
        await transport.send(request)
    assert (await transport.send(request)).json() == {"path": "/x"}
    for _ in range(5):
        assert (await transport.send(request)).json() == {"rest": True}


async def test_a_request_without_a_reply_fails_the_test() -> None:
    """The error names the method and path."""
    transport = FakeTransport([])
    with pytest.raises(AssertionError, match="no reply left for GET /x"):
        await transport.send(Request("GET", "https://canvas.test/x"))


async def test_replies_may_be_delayed() -> None:
    """In loop time; `on_head` is called when the response comes."""
    transport = FakeTransport([reply([])], seconds=5)
    heads: list[tuple[int, Headers]] = []
    start = asyncio.get_running_loop().time()
    await transport.send(Request("GET", "https://x.test/"), lambda *head: heads.append(head))
    assert asyncio.get_running_loop().time() - start == pytest.approx(5)
    assert heads[0][0] == 200


def test_replies() -> None:
    """JSON, bytes, an empty body, other headers, a next page."""
    answer = reply({"a": 1}, status=201, headers={"X-Request-Cost": "1"}, next="https://x.test/2")
    assert (answer.status, orjson.loads(answer.body)) == (201, {"a": 1})
    assert answer.request_cost == 1
    assert answer.headers["link"] == '<https://x.test/2>; rel="next"'
    assert reply(body=b"raw").body == b"raw"
    assert reply(None).body == b"null"
    assert reply().body == reply(status=204).body == b""
    assert reply([]).headers["content-type"].startswith("application/json")


# --- the simulator -------------------------------------------------------------------------------


async def test_clients_of_the_simulator() -> None:
    """They use its credentials and accept all client options."""
    simulator = Simulator()
    async with canvas_of(simulator, deadline=5) as canvas, abconnect_of(simulator) as ab:
        assert (await canvas.courses.get(1)).id == 1
        with pytest.raises(NotFound):
            await ab.standards.get("00000000-0000-1000-8000-000000000000")
    assert simulator.stats()["canvas"]["served"] == 1
    assert simulator.stats()["abconnect"]["served"] == 1


async def test_a_connection_that_the_simulator_closes() -> None:
    """A read is a TransportError; a write may have happened: UnknownOutcome."""
    simulator = Simulator()
    simulator.faults.add([Fault(kind="close", count=2)])
    transport = SimulatorTransport(simulator)
    with pytest.raises(TransportError):
        await transport.send(Request("GET", "https://canvas.test/api/v1/courses"))
    with pytest.raises(UnknownOutcome):
        await transport.send(
            Request("POST", "https://canvas.test/api/v1/courses", idempotent=False)
        )
    await transport.close()
