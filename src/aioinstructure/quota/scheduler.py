"""The order and time of calls: one scheduler for each origin and credential.

`acquire` waits for a turn and returns a `Lease`; the caller reports how the call ended. One method,
`_decide`, grants all calls that may be sent now. While calls wait, it is called on every arrival,
response, cancellation and timer. A call that finds an empty queue and enough quota is granted at
once. `_decide` never waits: waiters hold futures, and one timer covers the next moment at which
something can change.

- Interactive calls go before bulk ones, and bulk before background. While lower lanes run, the quota
  of one interactive call is kept free, for as long as the limiter's `reserve_seconds` says.
- Aging: one grant in 20 goes to the next call of the lower lanes that has waited longest, if that
  is more than 10 s.
- A deadline is met by the wait and the usual latency of the route. A call that cannot meet it is
  rejected on arrival, or when only that latency is left.
"""

from __future__ import annotations

import asyncio
import functools
import math
from collections.abc import Callable, Hashable

from aioinstructure._types import Lane
from aioinstructure.clock import Clock
from aioinstructure.errors import ClientClosed, InputError, QueueFull, QuotaError
from aioinstructure.quota.alarm import Alarm
from aioinstructure.quota.events import (
    Answered,
    Queued,
    QuotaEvent,
    Refused,
    Retried,
    Sent,
    Snapshot,
)  # fmt: skip
from aioinstructure.quota.holds import RouteHolds
from aioinstructure.quota.lanes import LANES, RANK, Lanes
from aioinstructure.quota.lease import Lease, Outcome
from aioinstructure.quota.limiter import ONE, Cost, Limiter, Ticket, positive
from aioinstructure.quota.pause import RefusalPause
from aioinstructure.quota.reporter import Reporter
from aioinstructure.quota.waiting import Deadlines, Waiting
from aioinstructure.wire.quota_report import QuotaReport

__all__ = ["Scheduler"]

AGED = 10.0
"""Seconds of waiting after which the next call of a lower lane may get the aging grant."""

AGING = 20
"""One grant in this many is the aging grant."""

_CLOCK = Clock()


class Scheduler:
    """Grants calls as the limiter allows, in fair order.

    A scheduler belongs to the event loop that uses it. When that loop is gone (closed, or no longer
    running) the next one takes over, and waiters of the old one are dropped.

    Args:
        limiter: The replica of the server's limit; used by no other scheduler.
        clock: The source of loop time.
        name: For snapshots and the log, such as the origin. Never a credential.
        max_queue: The maximum number of waiting calls in each lane.
        listener: Called with every event, in the next iteration of the loop.
    """

    def __init__(
        self,
        limiter: Limiter,
        *,
        clock: Clock = _CLOCK,
        name: str = "",
        max_queue: int = 100_000,
        listener: Callable[[QuotaEvent], None] | None = None,
    ) -> None:
        if max_queue < 0:
            raise InputError(f"max_queue must be 0 or more, not {max_queue!r}")
        self._limiter = limiter
        self._clock = clock
        self._max_queue = max_queue
        self._reporter = Reporter(name, listener)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lanes: Lanes[Waiting] | None = None
        self._alarm: Alarm | None = None  # idle schedulers need none
        self._deadlines: Deadlines | None = None
        self._interactive_at = -math.inf
        self._aged = 0
        self._blocked = len(LANES)
        self._in_flight = self._throttles = self._granted = 0
        self._pause = RefusalPause()
        self._holds: RouteHolds | None = None

    @property
    def is_reported(self) -> bool:
        """Whether responses report the quota; see `Limiter.is_reported`."""
        return self._limiter.is_reported

    async def acquire(
        self,
        cost: Cost = ONE,
        *,
        lane: Lane = "interactive",
        flow: Hashable = None,
        weight: float = 1.0,
        deadline: float | None = None,
        again: bool = False,
        owner: object = None,
    ) -> Lease:
        """Wait for a turn.

        Cancellation loses nothing: a turn that was granted at the same moment is refunded.

        Args:
            cost: What the call takes from the quota.
            lane: Its urgency.
            flow: Its flow; the flows of a lane take turns.
            weight: The share of the flow, relative to the other flows of its lane.
            deadline: The loop time by which it must have its response.
            again: Whether this is a retry, which goes to the head of its flow.
            owner: For whom it waits; see `dismiss`.

        Raises:
            QuotaError: The call would not have its response by the deadline. Nothing was sent.
            QueueFull: The queue is full.
            InputError: The cost can never be granted; the lane or the weight is invalid.
            ClientClosed: Another running event loop uses this scheduler, or the owner was dismissed.
        """
        self._check(cost, lane, weight)
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._bind_loop(loop)
        now = self._read_clock()
        if self._holds is not None:
            cost = self._holds.cost_of(cost)
        if lane == "interactive":
            self._interactive_at = now
        if self._lanes is None and self._is_free(cost, lane, now, deadline):
            return self._grant(cost, lane, now, now)
        waiter = Waiting(cost, lane, flow, weight, now, owner)
        self._queue(waiter, now, deadline, again)
        if waiter.lease is not None:
            return waiter.lease
        future: asyncio.Future[Lease] = loop.create_future()
        waiter.future = future
        if deadline is not None and deadline < math.inf:
            self._expire_at(waiter, now, deadline - self._limiter.latency(cost))
        try:
            return await future
        except asyncio.CancelledError:
            if waiter.lease is not None:
                waiter.lease.end(Outcome.UNSENT)
            else:
                self._forget(waiter)
            raise

    def wait_estimate(self, cost: Cost = ONE, lane: Lane = "interactive") -> float:
        """Estimate the seconds that a call of a new flow would wait now."""
        self._limiter.check(cost)
        return self._predict(cost, lane, object(), 1.0, self._time())

    def snapshot(self) -> Snapshot:
        """Return the current state."""
        now = self._time()
        reading = self._limiter.read(now)
        return Snapshot(
            name=self._reporter.name,
            level=reading.level,
            capacity=reading.capacity,
            rate=reading.rate,
            blocked=self._pause.left(now),
            in_flight=self._in_flight,
            queued={lane: self._lanes.count(lane) if self._lanes else 0 for lane in LANES},
            throttles=self._throttles,
            granted=self._granted,
            wait=self._predict(ONE, "interactive", object(), 1.0, now),
            learned=dict(reading.learned),
        )

    def __repr__(self) -> str:
        return f"<Scheduler {self.snapshot()}>"

    def set_rate(self, rate: float, burst: float | None = None) -> None:
        """Change rate (tokens per second) and burst (tokens); waiting calls keep waiting.

        Raises:
            InputError: The limiter is not a token bucket, a number is not above 0, or a queued call
                needs more tokens than the new burst.
        """
        waiters = self._lanes.all() if self._lanes else ()
        if burst is not None and any(waiter.cost.units > burst for waiter in waiters):
            raise InputError(f"a queued call needs more than {burst} tokens at once")
        now = self._time()
        self._limiter.set_rate(rate, burst, now)
        self._decide(now)

    def reset(self) -> None:
        """Start again with a new bucket on the server, as after an OAuth refresh; waiters stay."""
        now = self._time()
        self._limiter.reset(now)
        self._pause = RefusalPause()
        self._decide(now)

    def _bind_loop(self, loop: asyncio.AbstractEventLoop) -> None:
        """Adopt `loop`; calls that remain from the old one will never end."""
        old, waiters = self._loop, self._lanes
        if old is not None:
            if old.is_running():
                raise ClientClosed(
                    "the scheduler belongs to another event loop that is still running"
                )
            self._lanes = None
            self._blocked = len(LANES)
            self._silence()
            self._end_deadlines()
            self._deadlines = None
            self._in_flight = 0
            self._interactive_at = -math.inf
            if waiters and not old.is_closed():
                for waiter in waiters.all():
                    waiter.fail(ClientClosed("another event loop took over the scheduler"))
        self._loop = loop
        self._pause.ended(math.inf, answered=False)
        self._limiter.begin(self._clock.monotonic(), fresh=old is None)

    def _time(self) -> float:
        """The time of the loop; outside of a loop, time does not pass."""
        try:
            if self._loop is None:
                self._bind_loop(asyncio.get_running_loop())
            return self._read_clock()
        except RuntimeError:
            return self._limiter.now

    def _read_clock(self) -> float:
        """The time of the loop. It may be much later than the timer that should have come before."""
        now = self._clock.monotonic()
        if self._alarm is not None and self._alarm.is_late(now):
            self._limiter.leap(now)
        return now

    def _check(self, cost: Cost, lane: str, weight: float) -> None:
        self._limiter.check(cost)
        if weight != 1.0:
            positive("weight", weight)
        if lane not in RANK:
            raise InputError(f"lane must be one of {', '.join(LANES)}, not {lane!r}")

    def _is_free(self, cost: Cost, lane: Lane, now: float, deadline: float | None) -> bool:
        """Whether a call may be sent at once when none waits, without the queue."""
        limiter = self._limiter
        if cost.bucket and self._bucket_wait(cost.bucket, now) > 0:
            return False
        reserve = lane != "interactive" and self._reserves(now)
        urgent = lane == "interactive"
        if limiter.wait(cost, now, urgent=urgent, reserve=reserve) > 0 or self._pause.wait(now) > 0:
            return False
        return deadline is None or now <= deadline

    def _queue(self, waiter: Waiting, now: float, deadline: float | None, again: bool) -> None:
        """Put a call into its lane, and grant it if it is its turn."""
        cost, lane = waiter.cost, waiter.lane
        lanes = self._lanes = self._lanes or Lanes()
        is_full = (size := lanes.count(lane)) >= self._max_queue and not again
        wait = 0.0
        if is_full or deadline is not None:
            wait = self._predict(cost, lane, waiter.flow, waiter.weight, now)
        if is_full and wait > 0:
            raise QueueFull(f"the queue is full: {size} {lane} calls are waiting", wait=wait)
        if deadline is not None:
            latency = self._limiter.latency(cost) if wait > 0 else 0.0
            if now + wait + latency > deadline:
                raise QuotaError(
                    f"the call would wait {wait:.1f} s for the quota, and its response usually"
                    f" takes {latency:.1f} s: longer than its deadline",
                    wait=wait,
                )
        lanes.add(waiter, first=again)
        if lanes.in_bucket or RANK[lane] < self._blocked:
            self._decide(now)
        if waiter.lease is None and self._reporter.listener is not None:
            self._emit((Retried if again else Queued)(cost.key, lane))

    def dismiss(self, owner: object) -> None:
        """End the waiting of all calls of an owner, such as a client that is closed."""
        lanes = self._lanes
        if lanes is None:
            return
        for waiter in list(lanes.all()):
            if waiter.owner is owner and waiter.is_waiting:
                lanes.remove(waiter, granted=False)
                waiter.fail(ClientClosed("the client was closed"))
        self._decide(self._time())

    def _expire_at(self, waiter: Waiting, now: float, at: float) -> None:
        """Reject a waiter at a time, if it still waits."""
        if self._deadlines is None and self._loop is not None:
            read = self._clock.monotonic
            self._deadlines = Deadlines(self._loop, read, self._expire)
        if self._deadlines is not None:
            self._deadlines.add(waiter, now, at)

    def _expire(self, waiter: Waiting) -> None:
        """Reject a waiter whose deadline has come."""
        now = self._read_clock()
        wait = self._predict(waiter.cost, waiter.lane, waiter.flow, waiter.weight, now)
        self._forget(waiter)
        waiter.fail(
            QuotaError("the call was queued until its deadline left no time for it", wait=wait)
        )

    def _forget(self, waiter: Waiting) -> None:
        if self._lanes is not None and self._lanes.remove(waiter, granted=False):
            self._decide(self._read_clock())

    def _decide(self, now: float) -> None:
        """Grant all calls that may be sent now, and set the timer for the next change."""
        lanes = self._lanes
        while lanes is not None and lanes.size:
            waiter, wait = self._choose(lanes, now)
            if waiter is None or wait > 0:
                self._blocked = RANK[waiter.lane] if waiter else len(LANES)
                self._alarm = self._alarm or Alarm(self._tick)
                self._alarm.set(self._loop, now, wait)
                return
            lanes.remove(waiter, granted=True)
            lease = waiter.lease = self._grant(waiter.cost, waiter.lane, waiter.since, now)
            if waiter.future is not None and not waiter.future.done():
                waiter.future.set_result(lease)
        self._blocked = len(LANES)
        self._lanes = None
        self._silence()
        self._end_deadlines()

    def _choose(self, lanes: Lanes[Waiting], now: float) -> tuple[Waiting | None, float]:
        """The next call, and the seconds until something can change."""
        limiter = self._limiter
        blocked: frozenset[str] = frozenset()
        unblocked = math.inf
        for bucket in lanes.in_bucket:
            if (wait := self._bucket_wait(bucket, now)) > 0:
                blocked |= {bucket}
                unblocked = min(unblocked, wait)
        chosen = None
        if self._aged >= AGING - 1:
            chosen = self._aged_waiter(lanes, now, blocked)
            if chosen is None:
                self._aged = 0  # look again 20 grants later
        reserve = False
        if chosen is None:
            chosen = lanes.first(blocked)
            if chosen is None:
                return None, unblocked
            reserve = chosen.lane != "interactive" and self._reserves(now)
        urgent = chosen.lane == "interactive"
        wait = limiter.wait(chosen.cost, now, urgent=urgent, reserve=reserve)
        if self._pause.refusals:
            wait = max(wait, self._pause.wait(now))
        return chosen, min(wait, unblocked) if wait > 0 else wait

    def _bucket_wait(self, bucket: str, now: float) -> float:
        wait = self._limiter.bucket_wait(bucket, now)
        return wait if self._holds is None else max(wait, self._holds.wait(bucket, now))

    def _aged_waiter(
        self, lanes: Lanes[Waiting], now: float, blocked: frozenset[str]
    ) -> Waiting | None:
        """The call of the lower lanes that the aging grant goes to."""
        heads = [waiter for lane in LANES[1:] if (waiter := lanes.head(lane, blocked))]
        oldest = min(heads, key=lambda waiter: waiter.since, default=None)
        return oldest if oldest is not None and now - oldest.since > AGED else None

    def _reserves(self, now: float) -> bool:
        self._interactive_at = min(self._interactive_at, now)  # the clock may have gone back
        return now - self._interactive_at <= self._limiter.reserve_seconds

    def _grant(self, cost: Cost, lane: Lane, since: float, now: float) -> Lease:
        self._granted += 1
        self._in_flight += 1
        aged = lane != "interactive" and now - since > AGED
        self._aged = 0 if aged else self._aged + 1
        if self._reporter.listener is not None:
            self._emit(Sent(cost.key, lane, max(0.0, now - since)))
        if self._pause.refusals:
            self._pause.sent(now)
        if self._holds is not None:
            self._holds.sent(cost.bucket, now)
        ticket = self._limiter.take(cost, now, urgent=lane == "interactive")
        return Lease(functools.partial(self._end, ticket, lane, self._loop))

    def _predict(self, cost: Cost, lane: Lane, flow: Hashable, weight: float, now: float) -> float:
        """Estimate the seconds that a call would wait if it arrived now."""
        ahead = ahead_in_bucket = 0.0
        if self._lanes is not None and self._lanes.size:
            ahead = self._lanes.ahead(lane, flow, weight)
            if cost.bucket:
                ahead_in_bucket = self._lanes.ahead_in_bucket(lane, cost.bucket, ahead)
        reserve = lane != "interactive" and self._reserves(now)
        wait = self._limiter.forecast(
            cost,
            now,
            ahead=ahead,
            ahead_in_bucket=ahead_in_bucket,
            urgent=lane == "interactive",
            reserve=reserve,
        )
        if self._holds is not None:
            wait = max(wait, self._holds.left(cost.bucket, now))
        return max(wait, self._pause.left(now))

    def _tick(self) -> None:
        now = self._read_clock()
        self._silence()
        self._decide(now)

    def _silence(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _end_deadlines(self) -> None:
        if self._deadlines is not None:
            self._deadlines.close()

    def _end(
        self,
        ticket: Ticket,
        lane: Lane,
        loop: asyncio.AbstractEventLoop | None,
        outcome: Outcome,
        report: QuotaReport,
    ) -> None:
        """Record how a call ended."""
        if loop is not self._loop:
            return  # another loop has taken over and counts this call as lost
        now = self._time()
        self._in_flight -= 1
        if outcome is Outcome.REFUSED:
            self._note_refusal(ticket, lane, now, report)
        else:
            self._settle(ticket, lane, outcome, report, now)
        if self._limiter.pending_changes:
            self._reporter.learned(self._limiter.pending_changes, self._loop)
        if self._lanes is not None and self._lanes.size:
            self._decide(now)

    def _settle(
        self, ticket: Ticket, lane: Lane, outcome: Outcome, report: QuotaReport, now: float
    ) -> None:
        """Record the end of a call that the bucket did not refuse."""
        is_answer = outcome is Outcome.ANSWERED or outcome is Outcome.LIMITED
        if self._pause.refusals:
            self._pause.ended(ticket.at, answered=is_answer)
        if self._holds is not None or outcome is Outcome.LIMITED:
            self._note_limit(ticket, outcome, now, report)
        if is_answer:
            self._limiter.settle(ticket, now, report)
            if self._reporter.listener is not None:
                took = max(0.0, now - ticket.at)
                self._emit(Answered(ticket.cost.key, lane, took, report))
        elif outcome is Outcome.UNANSWERED:
            self._limiter.abandon(ticket, now)
        else:
            self._limiter.refund(ticket, now)
            self._granted -= 1

    def _note_limit(
        self, ticket: Ticket, outcome: Outcome, now: float, report: QuotaReport
    ) -> None:
        """Let the calls of a route wait while its endpoint refuses them by a limit of its own."""
        key, bucket = ticket.cost.key, ticket.cost.bucket
        if outcome is Outcome.LIMITED:
            holds = self._holds = self._holds or RouteHolds()
            holds.refused(key, ticket.at, now, report.retry_after)
            self._requeue(key)
        elif self._holds is not None:
            answered = outcome is Outcome.ANSWERED
            if self._holds.ended(bucket, ticket.at, answered=answered):
                self._requeue(key)

    def _requeue(self, key: str) -> None:
        """Queue the calls of a route again, in their order, after its hold began or was lifted."""
        if self._lanes is not None and self._holds is not None:
            self._lanes.change_costs(key, self._holds.cost_of)

    def _note_refusal(self, ticket: Ticket, lane: Lane, now: float, report: QuotaReport) -> None:
        self._throttles += 1
        self._limiter.refused(ticket, now, report)
        self._pause.refused(ticket.at, now, report.retry_after)
        self._reporter.refused(ticket.cost.key, lane, report, self._throttles)
        waiting = self._lanes.size if self._lanes else 0
        self._reporter.pausing(self._pause.left(now), report.retry_after, waiting, now)
        self._emit(Refused(ticket.cost.key, lane, report))

    def _emit(self, event: QuotaEvent) -> None:
        self._reporter.emit(event, self._loop)
