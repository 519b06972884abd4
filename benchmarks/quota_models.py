"""Servers, networks, callers and an oracle in virtual time, for scenarios.py.

The servers are written from the documented algorithms, not from our simulator or replica: the leaky
bucket of Canvas adds 50 on arrival, refuses at 600, and adds cost - 50 at the end, whether or not
anyone still listens; AB Connect has an account's bucket and one for wildcards.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from aioinstructure._types import Lane
from aioinstructure.quota import Cost, Outcome, Scheduler, TokenBucket
from aioinstructure.testing import VirtualLoop
from aioinstructure.wire.quota_report import QuotaReport

Draw: TypeAlias = float | Callable[[random.Random], float]
"""A number with 30 % to each side, or a distribution."""


def heavy(rng: random.Random) -> float:
    """A cost with a heavy tail, from 0.1 to 12 units."""
    return min(12.0, 0.1 * rng.paretovariate(1.1))


def slow(rng: random.Random) -> float:
    """A latency with a heavy tail: its median is 0.25 s."""
    return 0.25 * rng.lognormvariate(0.0, 1.0)


@dataclass
class Bucket:
    """The leaky bucket of one token."""

    capacity: float = 600.0
    leak: float = 10.0
    reservation: float = 50.0
    count: float = 0.0
    touched: float | None = None

    def add(self, units: float, now: float) -> float:
        """Leak, add, and keep the count between 0 and 200 above the capacity."""
        self.count = min(self.capacity + 200.0, max(0.0, self.level(now) + units))
        self.touched = now
        return self.count

    def level(self, now: float) -> float:
        """The count, without adding anything."""
        past = 0.0 if self.touched is None else max(0.0, now - self.touched)
        return max(0.0, self.count - self.leak * past)


@dataclass
class Answer:
    """What came back: whether the call was served, its cost, and the header."""

    served: bool
    cost: float
    remaining: float


@dataclass
class CanvasWorld:
    """A bucket behind a network, and what the clients have spent."""

    rng: random.Random
    bucket: Bucket = field(default_factory=Bucket)
    delay: tuple[float, float] = (0.005, 0.005)  # each way: fixed, and the mean of the rest
    cost: Draw = 0.3
    latency: Draw = 0.3
    refusal: tuple[float, float] = (0.01, 0.01)  # seconds until a refusal is sent
    headers: bool = True
    spent: list[tuple[float, Any, float]] = field(default_factory=list)
    refused: list[tuple[float, Any]] = field(default_factory=list)
    start: float = field(default_factory=lambda: asyncio.get_running_loop().time())
    stalled_until: float = 0.0

    @property
    def now(self) -> float:
        """Seconds since the start."""
        return asyncio.get_running_loop().time() - self.start

    def draw(self, of: Draw) -> float:
        """A number of a distribution."""
        return of(self.rng) if callable(of) else of * self.rng.uniform(0.7, 1.3)

    def cross(self) -> float:
        """Seconds on the network, one way."""
        fixed, rest = self.delay
        return fixed + (self.rng.expovariate(1 / rest) if rest else 0.0)

    def send(
        self,
        who: Any,
        cost: Draw | None = None,
        latency: Draw | None = None,
        watch: Callable[[str], None] = lambda _: None,
    ) -> asyncio.Future[Answer]:
        """Send a request. The server works on it whether or not someone waits."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()
        charge = self.draw(self.cost if cost is None else cost)
        seconds = self.draw(self.latency if latency is None else latency)

        def arrive() -> None:
            reserved = self.bucket.reservation
            full = self.bucket.add(reserved, loop.time()) >= self.bucket.capacity
            watch("arrived")
            if full:
                self.refused.append((self.now, who))
                wait = self.rng.uniform(*self.refusal)
                loop.call_later(wait, end, Answer(False, 0.001, 0.0), reserved)
            else:
                wait = max(0.0, self.stalled_until - self.now) + seconds
                loop.call_later(wait, end, Answer(True, charge, 0.0), reserved)

        def end(found: Answer, reserved: float) -> None:
            level = self.bucket.add(found.cost - reserved, loop.time())
            found.remaining = self.bucket.capacity - level
            watch("ended")
            if found.served:
                self.spent.append((self.now, who, found.cost))
            loop.call_later(self.cross(), deliver, found)

        def deliver(found: Answer) -> None:
            if not answer.done():
                answer.set_result(found)

        loop.call_later(self.cross(), arrive)
        return answer

    def units(self, who: Any = None, since: float = 0.0, until: float = 1e9) -> float:
        """What was spent."""
        return sum(
            cost for at, name, cost in self.spent if since <= at < until and who in (None, name)
        )

    def served(self, who: Any = None, since: float = 0.0) -> int:
        """How many calls were served."""
        return sum(at >= since and who in (None, name) for at, name, _ in self.spent)

    def refusals(self, who: Any = None) -> int:
        """How many calls were refused."""
        return sum(who in (None, name) for _, name in self.refused)

    def at(self, seconds: float, **limits: float) -> None:
        """Change limits of the bucket at a time."""

        def change() -> None:
            for name, value in limits.items():
                setattr(self.bucket, name, value)

        asyncio.get_running_loop().call_later(seconds, change)


@dataclass
class Ours:
    """The library's scheduler."""

    world: CanvasWorld
    scheduler: Scheduler

    async def call(
        self,
        who: Any = "we",
        *,
        cost: Draw | None = None,
        latency: Draw | None = None,
        key: str = "list",
        lane: Lane = "interactive",
        deadline: float | None = None,
        give_up: float | None = None,
    ) -> None:
        """Make one call; it is given up `give_up` seconds after it was sent."""
        loop, again = asyncio.get_running_loop(), False
        at = None if deadline is None else loop.time() + deadline
        while True:
            lease = await self.scheduler.acquire(Cost(key), lane=lane, deadline=at, again=again)
            answer = self.world.send(who, cost, latency)
            try:
                if give_up is not None:
                    await asyncio.wait([answer], timeout=give_up)
                    if not answer.done():
                        return
                found = await answer
                headers = self.world.headers
                report = QuotaReport(
                    cost=found.cost if headers and found.served else None,
                    remaining=found.remaining if headers else None,
                )
                lease.end(Outcome.ANSWERED if found.served else Outcome.REFUSED, report)
            finally:
                lease.end(Outcome.UNANSWERED)
            if found.served:
                return
            again = True


@dataclass
class Oracle:
    """Knows the server's count. First in, first out, 24 in flight."""

    world: CanvasWorld
    limit: int = 24
    _queue: deque[asyncio.Future[None]] = field(default_factory=deque)
    _out: int = 0
    _on_the_way: int = 0
    _timer: asyncio.TimerHandle | None = None

    async def call(self, who: Any = "we", **options: Any) -> None:
        """Make one call."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        self._grant()
        await turn
        try:
            await self.world.send(who, **options, watch=self._watch)
        finally:
            self._out -= 1
            self._grant()

    def _watch(self, what: str) -> None:
        self._on_the_way -= what == "arrived"
        self._grant()

    def _excess(self) -> float:
        bucket = self.world.bucket
        level = bucket.level(asyncio.get_running_loop().time())
        return level + bucket.reservation * (self._on_the_way + 1) - bucket.capacity

    def _grant(self) -> None:
        while self._queue and self._out < self.limit and self._excess() < 0:
            turn = self._queue.popleft()
            if not turn.done():
                self._out += 1
                self._on_the_way += 1
                turn.set_result(None)
        if self._timer is not None:
            self._timer.cancel()
        if self._queue and self._out < self.limit:
            wait = max(0.002, self._excess() / self.world.bucket.leak + 1e-6)
            self._timer = asyncio.get_running_loop().call_later(min(wait, 0.5), self._grant)


@dataclass
class Workers:
    """A fixed width, with exponential backoff after a refusal: what most programs do."""

    world: CanvasWorld
    width: int
    before: Callable[[], Awaitable[Any]] | None = None
    _gate: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._gate = asyncio.Semaphore(self.width)

    async def call(self, who: Any = "we", **options: Any) -> None:
        """Make one call, again after each refusal."""
        pause = 1.0
        while True:
            async with self._gate:
                if self.before is not None:
                    await self.before()
                if (await self.world.send(who, **options)).served:
                    return
            await asyncio.sleep(pause * self.world.rng.uniform(0.5, 1.0))
            pause = min(30.0, 2 * pause)


Caller: TypeAlias = Ours | Oracle | Workers
"""A client: makes one call, again until it is served."""


async def saturate(
    client: Caller, callers: int, seconds: float, who: Any = "we", **options: Any
) -> None:
    """Keep some callers busy for some time."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds

    async def caller() -> None:
        while loop.time() < end:
            await client.call(who, **options)

    await for_seconds(seconds, *(caller() for _ in range(callers)))


async def for_seconds(seconds: float, *coroutines: Coroutine[Any, Any, Any]) -> None:
    """Run them for some time, and then cancel them; their errors are raised."""
    tasks = [asyncio.ensure_future(each) for each in coroutines]
    try:
        done, _ = await asyncio.wait(tasks, timeout=seconds)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


def run(scenario: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """Run a scenario in virtual time."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(scenario())
    finally:
        loop.close()


@dataclass
class TokenWorld:
    """AB Connect's buckets: the account's first, then the one for wildcards."""

    rng: random.Random
    rate: float = 5.0
    wildcard_rate: float = 2.0
    wildcard_burst: float = 2.0
    is_down: bool = False
    level: float = 25.0
    wildcard_level: float = 2.0
    touched: float | None = None
    log: list[tuple[float, Any, bool]] = field(default_factory=list)
    start: float = field(default_factory=lambda: asyncio.get_running_loop().time())

    def arrive(self, who: Any, *, wildcard: bool) -> bool:
        """Whether a call is served."""
        now = asyncio.get_running_loop().time()
        past = 0.0 if self.touched is None else now - self.touched
        self.touched = now
        self.level = min(25.0, self.level + self.rate * past)
        grown = self.wildcard_level + self.wildcard_rate * past
        self.wildcard_level = min(self.wildcard_burst, grown)
        served = not self.is_down and self.level >= 1
        if served:
            self.level -= 1
            if wildcard:
                served = self.wildcard_level >= 1
                self.wildcard_level -= served
        self.log.append((now - self.start, who, served))
        return served

    def at(self, seconds: float, **limits: Any) -> None:
        """Change something at a time."""

        def change() -> None:
            for name, value in limits.items():
                setattr(self, name, value)

        asyncio.get_running_loop().call_later(seconds, change)

    def served(self, since: float = 0.0, until: float = 1e9, who: Any = None) -> int:
        """How many calls were served."""
        return sum(ok and since <= at < until and who in (None, n) for at, n, ok in self.log)

    def refusals(self, since: float = 0.0) -> int:
        """How many calls were refused."""
        return sum(not ok and at >= since for at, _, ok in self.log)

    async def caller(
        self, scheduler: Scheduler, who: Any = "we", *, wildcard: bool = False
    ) -> None:
        """Make calls of 0.2 s without end."""
        cost = Cost("standards", bucket="wildcard" if wildcard else "")
        again = False
        while True:
            lease = await scheduler.acquire(cost, lane="bulk", again=again)
            await asyncio.sleep(0.02 + self.rng.expovariate(50))
            served = self.arrive(who, wildcard=wildcard)
            seconds = 0.2 * self.rng.uniform(0.7, 1.3) if served else 0.01
            await asyncio.sleep(seconds + 0.02 + self.rng.expovariate(50))
            lease.end(Outcome.ANSWERED if served else Outcome.REFUSED)
            again = not served


def token_client() -> Scheduler:
    """A client of AB Connect."""
    return Scheduler(TokenBucket())
