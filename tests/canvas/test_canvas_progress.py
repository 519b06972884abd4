"""Canvas jobs: reading, cancelling, and waiting for their end."""

from __future__ import annotations

import asyncio
import warnings
from itertools import pairwise
from typing import Any

import pytest

from aioinstructure import (
    Canvas,
    InputError,
    NotFound,
    ProgressFailed,
    Request,
)
from aioinstructure.canvas.progress import Progress
from aioinstructure.simulator import Knobs, Simulator
from aioinstructure.testing import FakeTransport, canvas_of, reply


def job(state: str | None, **more: Any) -> Any:
    return reply({"id": 42, "workflow_state": state, **more})


def canvas_with(*replies: Any) -> tuple[Canvas, FakeTransport]:
    transport = FakeTransport(list(replies))
    return Canvas("https://canvas.test", token="t", transport=transport), transport


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_wait_polls_until_the_job_has_completed() -> None:
    """Through all pending states; the last Progress is returned."""
    canvas, transport = canvas_with(
        job("queued", completion=None),
        job("running", completion=12.5),
        job("waiting_for_external_tool"),
        job("completed", completion=100, results={"n": 1}),
    )
    progress = await canvas.progress.wait(42)
    assert (progress.id, progress.completion, progress.results) == (42, 100.0, {"n": 1})
    assert not progress.pending
    assert transport.paths == ["/api/v1/progress/42"] * 4


async def test_a_job_that_has_ended_is_polled_once() -> None:
    """Without a pause before or after."""
    canvas, transport = canvas_with(job("completed"))
    start = now()
    await canvas.progress.wait(42, timeout=0)
    assert now() - start < 0.01
    assert len(transport.requests) == 1


async def test_the_pauses_grow() -> None:
    """From 0.5 to 10 seconds: a job of an hour takes fewer than 380 polls."""
    times: list[float] = []

    def answer(_: Request) -> Any:
        times.append(now())
        return job("running" if times[-1] - times[0] < 3_600 else "completed")

    canvas, _ = canvas_with(answer)
    await canvas.progress.wait(42)
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert gaps[0] == pytest.approx(0.5, abs=0.01)
    assert all(later > earlier - 0.01 for earlier, later in pairwise(gaps))
    assert gaps[-1] == pytest.approx(10, abs=0.3)
    assert len(times) < 380


@pytest.mark.parametrize("state", ["failed", "canceled", "on_fire", "", None])
async def test_every_other_final_state_is_a_failure(state: str | None) -> None:
    """Including undocumented states, instead of waiting forever."""
    canvas, _ = canvas_with(job("running"), job(state, message="Unexpected error, ID: 7"))
    with pytest.raises(ProgressFailed, match="Unexpected error") as caught:
        await canvas.progress.wait(42)
    assert isinstance(caught.value.progress, Progress)
    assert caught.value.progress.workflow_state == state


async def test_a_failure_without_a_message() -> None:
    """The message has only the state."""
    canvas, _ = canvas_with(job("failed", message=None))
    with pytest.raises(ProgressFailed, match=r"progress 42 ended as failed$"):
        await canvas.progress.wait(42)


async def test_a_job_that_does_not_end_in_time() -> None:
    """ProgressFailed at the timeout, after a last poll, with the last state seen."""
    times: list[float] = []

    def answer(_: Request) -> Any:
        times.append(now())
        return job("running", completion=float(len(times)))

    canvas, _ = canvas_with(answer)
    start = now()
    with pytest.raises(ProgressFailed, match=r"still running after 60 s") as caught:
        await canvas.progress.wait(42, timeout=60)
    assert now() - start == pytest.approx(60, abs=0.1)
    assert caught.value.progress.completion == len(times)
    assert times[-1] - start == pytest.approx(60, abs=0.1)


@pytest.mark.parametrize("timeout", [-1, float("nan"), float("inf"), True, False, "5"])
async def test_an_invalid_timeout(timeout: Any) -> None:
    """Refused before anything is sent."""
    canvas, transport = canvas_with()
    with pytest.raises(InputError):
        await canvas.progress.wait(42, timeout=timeout)
    assert transport.requests == []


async def test_an_error_of_a_poll_ends_the_wait() -> None:
    """A job that no longer exists raises NotFound."""
    canvas, _ = canvas_with(job("running"), reply({"errors": []}, status=404))
    with pytest.raises(NotFound):
        await canvas.progress.wait(42)


async def test_all_waits_of_a_client_are_spaced_together() -> None:
    """Fifty jobs at once: four polls a second across views, and every job gets its turn."""
    times: list[float] = []
    polls: dict[str, int] = {}

    def answer(request: Request) -> Any:
        times.append(now())
        polls[request.path] = polls.get(request.path, 0) + 1
        return job("completed" if polls[request.path] == 3 else "running")

    canvas, _ = canvas_with(answer)
    clients = [canvas, canvas.with_options(lane="bulk"), canvas.as_user(7)]
    await asyncio.gather(*(clients[n % 3].progress.wait(n) for n in range(50)))
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert len(times) == 150
    assert min(gaps) > 0.2
    assert times[-1] - times[0] == pytest.approx(149 * 0.25, abs=3)


async def test_two_clients_do_not_wait_for_each_other() -> None:
    """Each client has its own spacing."""
    one, _ = canvas_with(job("completed"))
    two, _ = canvas_with(job("completed"))
    start = now()
    await asyncio.gather(one.progress.wait(1), two.progress.wait(2))
    assert now() - start < 0.01


async def test_spacing_does_not_outlast_a_timeout() -> None:
    """Two hundred waits end at their timeout, not fifty seconds later."""
    canvas, _ = canvas_with(lambda _: job("running"))
    start = now()
    ends = await asyncio.gather(
        *(canvas.progress.wait(n, timeout=10) for n in range(200)), return_exceptions=True
    )
    assert all(isinstance(end, ProgressFailed) for end in ends)
    # The rest is quota: two hundred polls in the last second go through the scheduler.
    assert now() - start < 40


async def test_cancelling_a_wait_frees_its_turn() -> None:
    """A cancelled wait does not delay the next one."""
    canvas, transport = canvas_with(lambda _: job("completed"))
    await canvas.progress.wait(0)
    tasks = [asyncio.create_task(canvas.progress.wait(n)) for n in range(1, 10)]
    await asyncio.sleep(0.01)
    for task in tasks[:-1]:
        task.cancel()
    start = now()
    await tasks[-1]
    assert now() - start < 0.3
    assert len(transport.requests) == 2
    await asyncio.gather(*tasks, return_exceptions=True)


def test_a_client_waits_on_one_event_loop_after_another() -> None:
    """The spacing of the first loop is not used on the second, and no warning is raised."""
    transport = FakeTransport([lambda _: job("completed")])
    canvas = Canvas("https://canvas.test", token="t", transport=transport)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for number in range(3):
            asyncio.run(canvas.progress.wait(number))
    assert len(transport.requests) == 3


async def test_cancelling_a_job() -> None:
    """An idempotent POST, with or without a message."""
    canvas, transport = canvas_with(job("failed"), job("failed"))
    await canvas.progress.cancel(42)
    progress = await canvas.progress.cancel(42, message="enough")
    assert progress.workflow_state == "failed"
    assert [request.body for request in transport.requests] == [None, b'{"message":"enough"}']
    assert all(request.idempotent for request in transport.requests)


async def test_the_job_of_a_pace_in_the_simulator() -> None:
    """An update starts a publication; the wait ends with it."""
    simulator = Simulator(knobs=Knobs(progress_seconds=30))
    async with canvas_of(simulator) as canvas:
        pace = await canvas.course_paces.update(5, 5, exclude_weekends=False)
        assert pace.progress is not None
        assert pace.progress.pending
        start = now()
        assert pace.progress.id is not None
        done = await canvas.progress.wait(pace.progress.id, timeout=60)
        assert done.completion == 100
        assert 29 < now() - start < 45
        with pytest.raises(ProgressFailed) as caught:
            await canvas.progress.wait(
                (await canvas.progress.cancel(42, message="stop")).id or 42, timeout=1
            )
        assert caught.value.progress.message == "stop"
