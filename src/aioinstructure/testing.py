"""What tests of your own program need: a fake transport, virtual time and the simulator.

    async def test_my_sync():
        transport = FakeTransport([reply([{"id": 1, "name": "Algebra"}])])
        async with Canvas("https://canvas.test", token="t", transport=transport) as canvas:
            assert [course.name async for course in canvas.courses.list()] == ["Algebra"]
        assert transport.requests[0].path == "/api/v1/courses?per_page=100"

Virtual time jumps to the next timer, so that ten minutes of throttled calls take milliseconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import selectors
import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import orjson
from attrs import define, evolve, field

from aioinstructure._types import UNSET
from aioinstructure.abconnect import ABConnect
from aioinstructure.canvas import Canvas
from aioinstructure.clock import Clock
from aioinstructure.errors import Error
from aioinstructure.simulator import Simulator
from aioinstructure.sync import Checkpoint, Row
from aioinstructure.transport.exchange import OnHead
from aioinstructure.transport.http import USER_AGENT
from aioinstructure.wire.message import Request, Response
from aioinstructure.wire.verdict import unanswered

__all__ = [
    "FakeTransport",
    "MemorySink",
    "SimulatorTransport",
    "VirtualLoop",
    "abconnect_of",
    "canvas_of",
    "reply",
    "virtual_clock",
]

Reply: TypeAlias = "Response | Error | Callable[[Request], Response]"


def reply(
    json: Any = UNSET,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    next: str | None = None,  # noqa: A002 - the relation's own name
) -> Response:
    """An answer for a `FakeTransport`.

    Args:
        json: The body, if `body` is not given; without either it is empty.
        status: The status.
        headers: More header fields.
        body: The body in bytes.
        next: The URL of the next page, for the Link header.
    """
    fields = {"content-type": "application/json; charset=utf-8", **(headers or {})}
    if next is not None:
        fields["link"] = f'<{next}>; rel="next"'
    if body is None:
        body = b"" if json is UNSET else orjson.dumps(json)
    return Response(status, fields, body)


def _listed(replies: Iterable[Reply]) -> list[Reply]:
    return list(replies)


@define(eq=False)
class FakeTransport:
    """Answers from a list, and keeps what was sent.

    Args:
        replies: In order: answers, errors of ours to raise, or functions of the request. A last
            one that is a function serves all further requests.
        seconds: How long each answer takes, in loop time.

    Attributes:
        requests: What was sent, credential included.
        closed: Whether it was closed.
    """

    _replies: list[Reply] = field(converter=_listed)
    seconds: float = 0.0
    requests: list[Request] = field(factory=list, init=False)
    closed: bool = field(default=False, init=False)

    async def send(self, request: Request, on_head: OnHead | None = None) -> Response:
        """See Transport."""
        self.requests.append(request)
        if not self._replies:
            raise AssertionError(f"no reply is left for {request.method} {request.path}")
        is_rest = len(self._replies) == 1 and callable(self._replies[0])
        answer = self._replies[0] if is_rest else self._replies.pop(0)
        await asyncio.sleep(self.seconds)
        if isinstance(answer, Error):
            raise answer
        if callable(answer):
            answer = answer(request)
        if on_head is not None:
            on_head(answer.status, answer.headers)
        return answer

    async def close(self) -> None:
        """See Transport."""
        self.closed = True

    @property
    def paths(self) -> list[str]:
        """Path and query of what was sent, in order."""
        return [request.path for request in self.requests]


@define(eq=False)
class SimulatorTransport:
    """Hands requests to a simulator in the same process, without a socket."""

    simulator: Simulator

    async def send(self, request: Request, on_head: OnHead | None = None) -> Response:
        """See Transport."""
        if "user-agent" not in request.headers:  # as over HTTP
            request = evolve(request, headers=request.headers.with_field("user-agent", USER_AGENT))
        try:
            answer = await self.simulator.handle(request)
        except ConnectionResetError as error:
            raise unanswered(request, str(error)) from error
        if on_head is not None:
            on_head(answer.status, answer.headers)
        return answer

    async def close(self) -> None:
        """See Transport."""


@define(eq=False)
class MemorySink:
    """A sink of `aioinstructure.sync` that keeps everything in dictionaries.

    Attributes:
        rows: By stream, then by id: the JSON.
        checkpoints: By source and stream.
        writes: How many rows each write had, in order.
        closed: How often it was closed.
    """

    rows: dict[str, dict[str, Any]] = field(factory=dict, init=False)
    checkpoints: dict[tuple[str, str], Checkpoint] = field(factory=dict, init=False)
    writes: list[int] = field(factory=list, init=False)
    closed: int = field(default=0, init=False)

    async def open(self, streams: Sequence[str]) -> None:
        """See Sink."""
        for stream in streams:
            self.rows.setdefault(stream, {})

    async def checkpoint(self, source: str, stream: str) -> Checkpoint | None:
        """See Sink."""
        return self.checkpoints.get((source, stream))

    async def write(
        self, source: str, stream: str, rows: Sequence[Row], checkpoint: Checkpoint
    ) -> None:
        """See Sink."""
        self.rows[stream].update((row.id, row.data) for row in rows)
        self.checkpoints[source, stream] = checkpoint
        self.writes.append(len(rows))

    async def close(self) -> None:
        """See Sink."""
        self.closed += 1


# --- virtual time -----------------------------------------------------------------------------

_CREEP = 1e-7


class _Selector(selectors.DefaultSelector):
    """Looks for I/O without waiting, and lets the clock jump instead."""

    def __init__(self, jump: Callable[[float], bool]) -> None:
        super().__init__()
        self._jump = jump

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if timeout is not None and self._jump(timeout):
            return []
        # Something outside of the loop is at work, or nothing is left to jump to: really wait.
        return super().select(timeout if timeout is None else min(timeout, 0.05))


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next timer instead of waiting for it.

    Each turn creeps by 100 ns, since code that waits until a time that float rounding never
    reaches would hang otherwise. The clock stands while an executor works, and in `hold()`.
    """

    def __init__(self) -> None:
        self._now = 1000.0
        self._held = 0
        super().__init__(_Selector(self._jump))

    def time(self) -> float:
        """Virtual seconds."""
        return self._now

    def _jump(self, seconds: float) -> bool:
        if self._held:
            return False
        self._now += seconds
        return True

    def _run_once(self) -> None:
        self._now += _CREEP
        super()._run_once()  # type: ignore[misc]  # not in the stubs; its only override point

    @contextlib.contextmanager
    def hold(self) -> Generator[None]:
        """Do not jump: a thread is at work that the loop does not see."""
        self._held += 1
        start = time.monotonic()
        try:
            yield
        finally:
            self._held -= 1
            self._now += time.monotonic() - start

    def run_in_executor(  # type: ignore[override]  # typed as Any: only handed on
        self, executor: Any, func: Any, *args: Any
    ) -> asyncio.Future[Any]:
        """As usual, with the clock held until it is done."""
        with contextlib.ExitStack() as stack:
            stack.enter_context(self.hold())
            future = super().run_in_executor(executor, func, *args)
            held = stack.pop_all()
        future.add_done_callback(lambda _: held.close())
        return future


def virtual_clock(loop: VirtualLoop, *, wall: float = 1_767_225_600.0) -> Clock:
    """A clock by a virtual loop, whose wall time starts at `wall` (1 January 2026)."""
    start = loop.time()
    return Clock(wall=lambda: wall + loop.time() - start, hold=loop.hold)


# --- the simulator ----------------------------------------------------------------------------


def canvas_of(simulator: Simulator, **options: Any) -> Canvas:
    """A client of the simulator's Canvas, in the same process; options as for `Canvas`."""
    return Canvas(
        "https://canvas.test",
        token=simulator.canvas_token,
        transport=SimulatorTransport(simulator),
        **options,
    )


def abconnect_of(simulator: Simulator, **options: Any) -> ABConnect:
    """A client of the simulator's AB Connect, in the same process; options as for `ABConnect`."""
    return ABConnect(
        partner_id=simulator.partner_id,
        partner_key=simulator.partner_key,
        base_url="https://abconnect.test",
        transport=SimulatorTransport(simulator),
        **options,
    )
