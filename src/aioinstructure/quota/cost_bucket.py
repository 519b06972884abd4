"""The cost quota of Canvas: a replica of its leaky bucket. Pure: every method receives the time.

The server keeps a count for each token. A call adds 50 on arrival and is refused if the count is
then 600 or more. At the end of the call the server takes the 50 back and adds the cost, which is
the CPU and database seconds that it took. The count, reservations included, leaks 10 a second, and
stays between 0 and 800. Each response reports the cost and 600 - count, after its own refund. All
four numbers differ between installations, clients and paths: 600, 10 and 50 are the initial values.

The replica does the same sums: +50 when a call is sent, cost - 50 when its response arrives, and
the leak all the time. A call may be sent while more than a margin is left: a reservation and 10 if
no one else uses the token, two reservations if others do. Others are noticed when headers report
more than the replica.

- A header above the replica raises it at once. A header is late by half a round trip, so a lower
  one is believed slowly (2 s), and only down to the highest header of the last 10 s plus a cushion.
  This matters most on a slow network, where the replica holds reservations of calls that have not
  arrived, or whose response is on its way. With 95 ms each way they are a third of all; the rate is
  0.84 of the bound without this rule and 0.97 with it, at two refusals in ten minutes at most
  (twelve seeds). A refusal that no reservation explains widens the cushion.
- Above three quarters of the capacity, calls are spaced by 0.9 of the time in which the leak makes
  up for one. Bunched calls make the server's count swing by 100 units and more; evenly spaced ones
  keep it steady, closer to the limit.
- Slow start: the first call of an unknown token is sent alone, then each response allows one more
  in parallel, up to the politeness limit. The counts that they report give the reservation. After
  5 s with nothing in flight the window restarts at 4: limits may have changed.
- The expected cost of a call is learned by route. A call that is expected to cost more than is left
  waits, even though the server would accept it: it would fill the bucket for all.
- A refusal proves that the reported remaining is no more than the reservation, and that the bucket
  is full. The replica adopts the report; calls then wait (reservation - remaining) / leak seconds,
  less if calls in flight return their reservations before.
- Without headers a call is charged the seconds that it took: CPU time cannot be more.
"""

from __future__ import annotations

import math

from attrs import define, field

from aioinstructure.errors import InputError
from aioinstructure.quota.estimators import (
    RECENT,
    Capacity,
    Leak,
    Ramp,
)
from aioinstructure.quota.learned_limits import Limits
from aioinstructure.quota.limiter import (
    Cost,
    LimiterState,
    Ticket,
    number_or_none,
    positive,
)
from aioinstructure.wire.quota_report import NO_REPORT, QuotaReport

__all__ = ["CostBucket"]

LOWER = 2.0
"""The time constant with which a lower header is believed, in seconds."""

PEAK = 10.0
"""The time constant with which the highest header is forgotten, in seconds."""

SHARED_PEAK = 1.5
"""The same when others use the token, whose peaks do not predict the next ones."""

CUSHION = 1.8
"""The initial distance of the replica above the highest header, in reservations."""

WIDER = 0.5
"""How much the distance grows after each refusal that no reservation explains."""

WIDEST = 3.0
"""The maximum distance."""

CALM = 300.0
"""The time constant with which the distance shrinks again, in seconds."""

PACED = 0.75
"""The share of the capacity above which calls are spaced."""

PACE = 0.9
"""Their spacing, as a share of the time in which the leak makes up for one call."""

SHARE = 1.5
"""Reservations left free when others use the token; grows with the cushion."""

STALE = 5.0
"""Seconds with nothing in flight after which the server may have changed."""

RAMP = 20
"""The number of first calls of a token from which its reservation is learned."""

RESTART = 4
"""Concurrent calls after such a pause, until the first response."""

BELIEVABLE = 20.0
"""A header above this multiple of the configured capacity is not believed."""

ROUNDING = 1e-9
"""Seconds that count as no wait: float sums may never quite reach their due time."""

EPSILON = 1e-6
"""Seconds added to a wait, so that float rounding does not make it too short."""


@define(eq=False, kw_only=True)
class CostBucket(Limits):
    """A replica of the server's leaky bucket, corrected by its headers.

    Args:
        capacity: Units at which the server refuses calls.
        leak: Units that leave the bucket every second.
        reservation: Units that the server reserves for a call that it has started.
        margin: Units that must be left before a call is sent, when no one else uses the token.
        max_in_flight: The maximum number of concurrent calls, however cheap, out of politeness.
    """

    margin: float = 60.0
    max_in_flight: int = 24
    reserve_seconds: float = field(default=10.0, init=False)
    now: float = field(default=0.0, init=False)
    _count: float = field(default=0.0, init=False)
    _in_flight: int = field(default=0, init=False)
    _pending: float = field(default=0.0, init=False)
    _window: int = field(default=1, init=False)
    _serial: int = field(default=0, init=False)
    _epoch: int = field(default=0, init=False)
    _ramp: Ramp | None = field(factory=Ramp, init=False)
    _slot: float = field(default=-math.inf, init=False)
    _ended: float = field(default=-math.inf, init=False)
    _sent: float = field(default=-math.inf, init=False)
    _told: float | None = field(default=None, init=False)
    _told_at: float = field(default=-math.inf, init=False)
    _peak: float = field(default=0.0, init=False)
    _cushion: float = field(default=CUSHION, init=False)
    _widened_at: float = field(default=-math.inf, init=False)
    _shared: float = field(default=0.0, init=False)
    _took: float | None = field(default=None, init=False)
    _shortest: float = field(default=math.inf, init=False)
    _leak: Leak | None = field(default=None, init=False)
    _idle: Capacity | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        for name in ("capacity", "leak", "reservation", "margin", "max_in_flight"):
            positive(name, getattr(self, name))
        if self.margin < self.reservation:
            raise InputError("margin must not be less than reservation, or calls are refused")
        if self.margin >= self.capacity:
            raise InputError("margin must be less than capacity, or no call is ever granted")
        spare = self.margin - self.reservation
        self._configured = (self.capacity, self.leak, self.reservation, spare)

    # -- the Limiter protocol -----------------------------------------------------------------

    def begin(self, now: float, *, fresh: bool) -> None:
        """Adopt the time of the loop; reservations of calls that never end leak away."""
        if fresh:
            self.now = now
        self._advance(now)
        self._epoch += 1
        self._in_flight, self._pending = 0, 0.0

    def check(self, cost: Cost) -> None:
        """Raise InputError if the units are not a finite number above 0."""
        positive("units", cost.units)

    def wait(self, cost: Cost, now: float, *, reserve: bool = False) -> float:
        """Seconds until the bucket can take the call; see `Limiter.wait`."""
        self._advance(now)
        if self._in_flight >= self._slots(now, reserve=reserve):
            return math.inf
        room = self.capacity - self._count - self._pending
        need = self._need(cost, reserve=reserve)
        wait = 0.0 if room > need else (need - room) / self.leak + EPSILON
        if self._count > PACED * self.capacity:
            wait = max(wait, self._slot - now)
        return wait if wait > ROUNDING else 0.0

    def bucket_wait(self, bucket: str, now: float) -> float:
        """Return 0: Canvas has no secondary bucket."""
        return 0.0

    def forecast(
        self, cost: Cost, now: float, *, ahead: float, ahead_in_bucket: int, reserve: bool = False
    ) -> float:
        """Estimate the seconds from the rate that recent cost and latency allow."""
        wait = self.wait(cost, now, reserve=reserve)
        took = self._took or 0.3
        if not math.isfinite(wait):
            wait = took / max(1, self._in_flight)
        slots = max(1.0, min(self.max_in_flight, self.capacity / self.reservation - 1))
        rate = min(self.leak / max(self._mean or 0.0, 1e-3), slots / max(took, 1e-3))
        room = self.capacity - self._count - self._need(cost, reserve=reserve)
        at_once = max(0.0, min(room / self.reservation, self._window - self._in_flight))
        return wait + max(0.0, ahead - at_once) / rate

    def take(self, cost: Cost, now: float) -> Ticket:
        """Reserve units for the call."""
        self._advance(now)
        if self._in_flight == 0:
            if self._ramp is not None:
                self._ramp.begin(self._count, now)
            if now - self._ended > STALE:
                self._window = min(self._window, RESTART)
        self._in_flight += 1
        self._serial += 1
        self._sent = now
        reserved, expected = self._reservation(cost.key), self._expected(cost.key)
        self._count += reserved
        self._pending += max(0.0, expected - reserved)
        if self._count > PACED * self.capacity:
            self._slot = max(self._slot, now) + PACE * expected / self.leak
        return Ticket(cost, now, self._epoch, reserved, expected, self._serial)

    def settle(self, ticket: Ticket, now: float, report: QuotaReport = NO_REPORT) -> None:
        """Give the reservation back, charge the cost, and learn from the headers."""
        if not self._end(ticket, now):
            return
        took = max(0.0, now - ticket.at)
        limit = BELIEVABLE * self._configured[0]
        charge = number_or_none(report.cost, 0.0, limit)
        left = number_or_none(report.remaining, -limit, limit)
        spent = took if charge is None else charge
        self._window = min(self.max_in_flight, self._window + 1)
        self._took = took if self._took is None else self._took + 0.1 * (took - self._took)
        self._shortest = min(self._shortest * 1.01, took)
        self._charge(ticket.cost.key, spent)
        # What the server reserved: headers have reported it, if it was more than the replica took.
        reserved = max(ticket.reserved, self._reservation(ticket.cost.key))
        self._count = max(0.0, self._count + spent - reserved)
        if self._ramp is not None:
            self._ramp.count += spent
        if left is not None:
            self._learn(ticket, now, left, spent)
            self._correct(now, max(0.0, self.capacity - left))

    def abandon(self, ticket: Ticket, now: float) -> None:
        """Leave the reservation to leak away."""
        self._end(ticket, now)

    def refund(self, ticket: Ticket, now: float) -> None:
        """Give back the reservation of a call that was not sent."""
        if self._end(ticket, now):
            self._count = max(0.0, self._count - ticket.reserved)

    def refused(self, ticket: Ticket, now: float, report: QuotaReport = NO_REPORT) -> None:
        """Believe the server: the bucket is full, and the reservation exceeds what remains."""
        if not self._end(ticket, now):
            return
        limit = BELIEVABLE * self._configured[0]
        left = number_or_none(report.remaining, -limit, limit)
        self._count = max(0.0, self._count - ticket.reserved)
        explained = left is not None and self._bound_reservation(ticket.cost.key, left)
        self._count = max(self._count, self.capacity - (left or 0.0))
        if explained:
            self._cushion = CUSHION
        else:
            self._peak = self.capacity
            if ticket.at > self._widened_at:  # once for all calls that met the same full bucket
                self._widened_at = now
                self._cushion = min(WIDEST, self._cushion + WIDER)
        self._told = None
        self._window = max(2, min(self._window, self._in_flight))

    def set_rate(self, rate: float, burst: float | None, now: float) -> None:
        """Raise InputError: Canvas reports its limits in its headers."""
        raise InputError("only a token bucket, such as that of AB Connect, has a rate to set")

    def reset(self, now: float) -> None:
        """Start again with an empty bucket on the server; what was learned about it is kept."""
        self._advance(now)
        self._epoch += 1
        self._count = self._peak = self._pending = 0.0
        self._in_flight = 0
        self._window = 1
        self._told = None
        self._slot = -math.inf

    def read(self, now: float) -> LimiterState:
        """Return the state at `now`."""
        self._advance(now)
        return LimiterState(
            level=self.capacity - self._count,
            capacity=self.capacity,
            rate=self.leak,
            learned=dict(self._learned or {}),
        )

    # -- the replica --------------------------------------------------------------------------

    def _advance(self, now: float) -> None:
        elapsed = now - self.now
        if elapsed == 0:
            return
        self.now = now
        if elapsed > 0:
            self._count = max(0.0, self._count - self.leak * elapsed)
        else:  # the clock went back: nothing has leaked, and no wait becomes longer
            self._slot = min(self._slot, now)
            self._told = None
            self._ended = min(self._ended, now)

    def _end(self, ticket: Ticket, now: float) -> bool:
        """Record the end of a call; return False if it belongs to an earlier server bucket."""
        self._advance(now)
        if ticket.epoch != self._epoch:
            return False
        self._in_flight -= 1
        self._ended = now
        extra = max(0.0, ticket.expected - ticket.reserved)
        self._pending = max(0.0, self._pending - extra) if self._in_flight else 0.0
        return True

    def _correct(self, now: float, told: float) -> None:
        """Move the replica to the count that a header reports: up at once, down slowly."""
        elapsed = min(1.0, max(0.0, now - self._told_at))
        self._told, self._told_at = told, now
        self._cushion += (CUSHION - self._cushion) * elapsed / CALM
        if told > self._count + 0.2 * self.reservation:
            self._shared = min(4.0, self._shared + 1.0)
        else:
            self._shared *= 0.99
        memory = SHARED_PEAK if self._is_shared() else PEAK
        self._peak = max(told, told + (self._peak - told) * math.exp(-elapsed / memory))
        if told >= self._count:
            self._count = told
            return
        above = self._count - self._peak - self._cushion * self.reservation
        if above > 0:
            self._count -= above * (1.0 - math.exp(-elapsed / LOWER))

    def _slots(self, now: float, *, reserve: bool) -> int:
        slots = self._window
        if self._in_flight == 0 and now - self._ended > STALE:
            slots = min(slots, RESTART)
        return max(1, slots - 1) if reserve and slots > 2 else slots

    def _need(self, cost: Cost, *, reserve: bool) -> float:
        """Units that must be left before a call is sent."""
        reservation, spare = self._reservation(cost.key), self._configured[3]
        blind = self._told_at == -math.inf and self._serial > 1
        wide = blind or self._is_shared()
        shared = (SHARE + self._cushion - CUSHION) * min(reservation, self.reservation)
        need = reservation + (max(shared, spare) if wide else spare)
        need = max(need, self._expected(cost.key) + spare)
        if reserve:
            need += self.reservation
        return min(need, 0.9 * self.capacity)

    def _is_shared(self) -> bool:
        """Whether other clients use the token: they raise its count, and leave less of the leak."""
        return self._shared > 2.0 or self.leak < 0.9 * self._configured[1]

    # -- learning -----------------------------------------------------------------------------

    def _learn(self, ticket: Ticket, now: float, left: float, spent: float) -> None:
        """Compare a header with the previous one."""
        self._learn_capacity(ticket, now, left, spent)
        told, elapsed = self.capacity - left, now - self._told_at
        if self._ramp is not None:
            self._learn_from_ramp(self._ramp, ticket, told, now)
        if told < self.reservation:  # no sign of other clients
            self._relent(min(1.0, max(0.0, elapsed)))
        if self._told is None or not 0.0 <= elapsed <= RECENT:
            return
        loss = self._told + spent - told
        if told > 1.0 and self._sent < self._told_at - self._shortest:
            self._note_drop(ticket.cost.key, loss - self.leak * elapsed, self._is_shared())
        if min(told, self._told) > self.reservation:
            self._note_step(abs(loss - self.leak * elapsed))
            meter = self._leak = self._leak or Leak()
            found = meter.note(loss, elapsed, leak=self.leak, reservation=self.reservation)
            if found is not None:
                self._set_leak(found)

    def _learn_capacity(self, ticket: Ticket, now: float, left: float, spent: float) -> None:
        alone = self._in_flight == 0 and ticket.serial == self._serial
        if left > self.capacity:
            self._set_capacity(left)
        elif alone and self.capacity - left > self.reservation / 5:
            idle = self._idle = self._idle or Capacity()
            found = idle.note(ticket.serial, left, spent, now, leak=self.leak)
            if found is not None:
                self._set_capacity(found)

    def _learn_from_ramp(self, ramp: Ramp, ticket: Ticket, told: float, now: float) -> None:
        if self._serial > RAMP:
            self._ramp = None
        elif self._told is not None and self._in_flight:
            usual = self._configured[2]
            found = ramp.note(told, self._in_flight, now, leak=self.leak, usual=usual)
            if found is not None and told > 1.0:
                self._believe(ticket.cost.key, found)

    def _set_capacity(self, value: float) -> None:
        """Adopt a capacity.

        With a smaller one, the remaining units stay the same. A larger one does not change the
        count, which comes from the replica's own sums, since no header was above them.
        """
        value = max(value, 1.2 * self.reservation)
        change = min(0.0, value - self.capacity)
        self._count = max(0.0, self._count + change)
        if self._ramp is not None:
            self._ramp.count += change
        self._peak = max(0.0, self._peak + change)
        if self._told is not None:
            self._told = max(0.0, self._told + value - self.capacity)
        self.capacity = value
        self._tell("capacity", value, self._configured[0])
