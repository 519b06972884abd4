"""The cost quota of Canvas: a replica of its leaky bucket. Pure: every method receives the time.

The server keeps a count for each token. A call adds 50 on arrival and is refused if the count is
then 600 or more. At the end of the call, whether or not anyone still listens, the server takes the
50 back and adds the cost, which is the CPU and database seconds that it took. The count leaks 10 a
second, reservations included, and stays between 0 and 800. Each response reports the cost and
remaining = 600 - count, after its own refund. All four numbers differ between installations and
paths: 600, 10 and 50 are the initial values (spec of the throttle: Canvas's request_throttle.rb).

Model. The count consists of `held`, the reservations of calls that are out, and `rest`, everything
else. The rest falls by the leak, to -held at least (the count is not negative), and grows by the
cost of each response. The headroom is R = capacity - rest - held.

Correction. A header gives the error e = R - remaining. If e > 0 there is less than assumed, and the
rest grows by 0.6 e; by all of it in the first 20 responses, when nothing is known. If e < 0, the
rest falls by 0.02 |e| only: the replica holds reservations of calls that have not arrived or whose
response is on its way, and one header is one look at a count that swings. Calls that were sent in
the last 20 ms cannot be in the header, and are left out. The surprise v is the mean of |e| over 3 s.

Other clients of the token. A second sum counts only the own calls, by the same rules. It follows
the headers with a time constant of 30 s, so that a changed limit is forgotten. The mean difference
over 10 s is what others spend: beside a client that spends 5 units a second it is 150. The company
p = (difference - v / 2) / 30 is between 0 (alone) and 1.

Law. A call is sent when R is more than

    u + z (10 + min(v, 50) + 5 (1 + p) sqrt(leak r) + 0.1 p u x) + m,   at most 0.9 capacity

with u the reservation; r the own spending in units a second, by grants at the expected cost, over
3 s; x the own calls out, over 3 s; z = (capacity - u) / 700 between 0.1 and 1, so that a small
bucket has a small margin. Lower lanes leave u more for 10 s after an interactive call.

- Whoever spends more needs more headroom. All clients see one headroom, so that equal spending is
  the only point of rest, whoever came first. It costs no throughput: while less than the leak is
  spent the count falls, R grows, and so does the spending. The root keeps a margin when eight
  clients share the leak. The term with x makes cheap, long calls fair.
- A call that was given up keeps its reservation until 1.5 usual latencies of its route after it
  was sent. Then the server has ended it too, and the usual cost is charged.
- A refusal is a header, and m grows by 25, once for all calls that met the same full bucket; it
  fades over 30 s. There is no pause.
- On a slow network (v above 25) calls that are sent in bunches arrive in bunches, and the count
  swings by some 200. There, calls are spaced by 0.9 of the time in which the leak makes up for
  one, 0.2 s at most, unless two reservations are free. With 80 ms and 30 ms exponential each way
  that is 0.93 of what a client could send that knows the count, and 0.73 without.
- Slow start: of an unknown token, the first two calls go alone, for 1 s at most. Then each
  response and each second opens the window by one, up to the politeness limit. After 5 s with
  nothing out it restarts at 4. Interactive calls count only interactive ones against it.
- The capacity grows with a larger remaining. It shrinks when two lone calls in a row show exactly
  the same remaining: the count stands at 0. Reservation and leak are not learned: what differs is
  part of the rest, and the headers correct that.
- Without headers a call is charged its seconds: CPU time cannot be more.
"""

from __future__ import annotations

import heapq
import math

from attrs import define, field

from aioinstructure.errors import InputError
from aioinstructure.quota.limiter import (
    Cost,
    Learned,
    LimiterState,
    Ticket,
    number_or_none,
    positive,
)
from aioinstructure.quota.routes import Routes
from aioinstructure.wire.quota_report import NO_REPORT, QuotaReport

__all__ = ["CostBucket"]

UP = 0.6
"""The share of an error that raises the rest: the server has less than assumed."""

DOWN = 0.02
"""The share of an error that lowers it."""

RECENT = 0.02
"""Seconds after a call was sent in which no header contains it."""

EARLY = 20
"""Responses whose errors raise the rest in full."""

MEMORY = 3.0
"""The time constant of surprise, spending and calls out, in seconds."""

OTHERS = 10.0
"""The time constant of what others spend, in seconds."""

FORGET = 30.0
"""The time constant with which the own sum follows the headers, in seconds."""

COMPANY = 30.0
"""Units of others' spending, beyond half of the surprise, that count as full company."""

CLEARANCE = 10.0
"""Units of headroom beyond a reservation that are always left."""

UNSURE = 50.0
"""The most units that surprise adds to the margin."""

SLOPE = 5.0
"""Seconds: the margin is this times the root of leak and own spending; twice beside others."""

CROWD = 0.1
"""Reservations of margin for each own call out, beside others."""

FULL_MARGIN = 700.0
"""Units of capacity beyond a reservation at which the margin has its full size."""

CAUTION = 25.0
"""Units that a refusal adds to the margin."""

FADE = 30.0
"""The time constant with which they fade, in seconds."""

SLOW = 25.0
"""The surprise above which calls are spaced; in full at twice as much."""

PACE = 0.9
"""The spacing, as a share of the time in which the leak makes up for one call."""

LONGEST_PACE = 0.2
"""The longest spacing, in seconds."""

LATE = 1.5
"""Usual latencies after which an abandoned call has ended on the server."""

UNKNOWN_LATENCY = 0.3
"""The latency of a route before its first response, in seconds."""

ALONE = 1.0
"""Seconds after the first call within which the first two go alone; half for interactive ones,
after each of the two."""

STALE = 5.0
"""Seconds with nothing out after which the server may have changed."""

RESTART = 4.0
"""Concurrent calls after such a pause."""

BELIEVABLE = 20.0
"""A header above this multiple of the configured capacity is not believed."""

SHORTEST = 1e-3
"""The shortest wait in seconds: whatever it waits for changes gradually."""


def _toward(value: float, target: float, seconds: float, constant: float) -> float:
    """The value after it has followed a target for some time."""
    return target + (value - target) * math.exp(-seconds / constant)


@define(eq=False, kw_only=True)
class CostBucket:
    """A replica of the server's leaky bucket, corrected by its headers.

    Args:
        capacity: Units at which the server refuses calls.
        leak: Units that leave the bucket every second.
        reservation: Units that the server reserves for a call that it has started.
        max_in_flight: The maximum number of concurrent calls, however cheap, out of politeness.
    """

    capacity: float = 600.0
    leak: float = 10.0
    reservation: float = 50.0
    max_in_flight: int = 24
    reserve_seconds: float = field(default=10.0, init=False)
    is_reported: bool = field(default=True, init=False)
    pending_changes: list[Learned] = field(factory=list[Learned], init=False)
    now: float = field(default=0.0, init=False)
    _configured: float = field(init=False)
    _rest: float = field(default=0.0, init=False)
    _held: float = field(default=0.0, init=False)
    _own: float = field(default=0.0, init=False)
    _surprise: float = field(default=0.0, init=False)
    _others: float = field(default=0.0, init=False)
    _spending: float = field(default=0.0, init=False)
    _crowd: float = field(default=0.0, init=False)
    _caution: float = field(default=0.0, init=False)
    _window: float = field(default=1.0, init=False)
    _out: int = field(default=0, init=False)
    _urgent_out: int = field(default=0, init=False)
    _answers: int = field(default=0, init=False)
    _serial: int = field(default=0, init=False)
    _epoch: int = field(default=0, init=False)
    _first_sent: float = field(default=math.inf, init=False)
    _sent: float = field(default=-math.inf, init=False)
    _burst_at: float = field(default=-math.inf, init=False)
    _burst: int = field(default=0, init=False)
    _ended: float = field(default=-math.inf, init=False)
    _slot: float = field(default=-math.inf, init=False)
    _header_at: float | None = field(default=None, init=False)
    _refused_at: float = field(default=-math.inf, init=False)
    _lone: tuple[int, float] | None = field(default=None, init=False)
    _abandoned: list[tuple[float, int, float, float]] | None = field(default=None, init=False)
    _routes: Routes = field(factory=Routes, init=False)

    def __attrs_post_init__(self) -> None:
        for name in ("capacity", "leak", "reservation", "max_in_flight"):
            positive(name, getattr(self, name))
        if self.reservation >= 0.9 * self.capacity:
            raise InputError("reservation must be less than 0.9 capacity, or no call is granted")
        self._configured = self.capacity

    def begin(self, now: float, *, fresh: bool) -> None:
        """Adopt the time of the loop; reservations of calls that never end leak away."""
        if fresh:
            self.now = now
        self._advance(now)
        self._epoch += 1
        self._rest, self._held = self._rest + self._held, 0.0
        self._out = self._urgent_out = 0
        self._abandoned = None

    def check(self, cost: Cost) -> None:
        """Raise InputError if the units are not a finite number above 0."""
        positive("units", cost.units)

    def wait(self, cost: Cost, now: float, *, urgent: bool = False, reserve: bool = False) -> float:
        """Seconds until the bucket can take the call; see `Limiter.wait`."""
        self._advance(now)
        if wait := self._start_wait(now, urgent=urgent):
            return wait
        need, room = self._need(reserve=reserve), self._room
        if room > need:
            ample = need + 2.0 * self.reservation
            if self._slot <= now or room >= ample:
                return 0.0
            return max(SHORTEST, min(self._slot - now, (ample - room) / self._recovery()))
        wait = (need - room) / self._recovery()
        if self._abandoned:
            wait = min(wait, self._abandoned[0][0] - now)
        return max(SHORTEST, wait)

    def bucket_wait(self, bucket: str, now: float) -> float:
        """Return 0: Canvas has no secondary bucket."""
        return 0.0

    def latency(self, cost: Cost) -> float:
        """Seconds that a call of the route usually takes; 0 if unknown."""
        return self._routes.seconds(cost.key) or 0.0

    def forecast(
        self,
        cost: Cost,
        now: float,
        *,
        ahead: float,
        ahead_in_bucket: float,
        urgent: bool = False,
        reserve: bool = False,
    ) -> float:
        """Estimate the seconds.

        Room for one call comes from the leak, or from reservations that return: one in each latency
        / (calls out). Then calls follow at the rate of leak and slots; beside others, at the own.
        """
        self._advance(now)
        seconds = self._routes.seconds() or UNKNOWN_LATENCY
        usual = max(self._routes.cost(), 0.02)
        need, room = self._need(reserve=reserve), self._room
        wait = 0.0
        if room <= need:
            missing = need - room
            wait = missing / self._recovery()
            if self._out:
                returns = math.ceil(missing / max(1.0, self.reservation - usual))
                wait = min(wait, returns * seconds / self._out)
        elif start := self._start_wait(now, urgent=urgent):
            wait = min(start, seconds / max(1, self._out))
        leak = self.leak + self._company * (max(self._spending, 0.1 * self.leak) - self.leak)
        slots = min(self.max_in_flight, (self.capacity - need) / self.reservation + 1.0)
        rate = min(leak / usual, max(1.0, slots) / seconds)
        at_once = max(0.0, min((room - need) / self.reservation, self._window - self._out))
        return wait + max(0.0, ahead - at_once) / rate

    def take(self, cost: Cost, now: float, *, urgent: bool = False) -> Ticket:
        """Reserve units for the call."""
        self._advance(now)
        if not self._out and now - self._ended > STALE:
            self._window = min(self._window, RESTART)
        expected = self._routes.cost(cost.key)
        if (spacing := PACE * min(1.0, self._surprise / SLOW - 1.0) * expected / self.leak) > 0:
            self._slot = max(self._slot, now) + min(LONGEST_PACE, spacing)
        self._out += 1
        self._urgent_out += urgent
        self._serial += 1
        if now - self._burst_at > RECENT:
            self._burst_at, self._burst = now, 0
        self._burst += 1
        self._first_sent, self._sent = min(self._first_sent, now), now
        self._held += self.reservation
        self._own += self.reservation
        self._spending += max(expected, 0.02) / MEMORY
        return Ticket(
            cost, now, self._epoch, self.reservation, expected, self._serial, is_urgent=urgent
        )

    def settle(self, ticket: Ticket, now: float, report: QuotaReport = NO_REPORT) -> None:
        """Give the reservation back, charge the cost, and correct the replica by the header."""
        if not self._end(ticket, now):
            return
        took = max(0.0, now - ticket.at)
        limit = BELIEVABLE * self._configured
        charge = number_or_none(report.cost, 0.0, limit)
        spent = took if charge is None else charge
        self._routes.note(ticket.cost.key, spent, took)
        self._answers += 1
        self._window = min(self.max_in_flight, self._window + 1.0)
        self._return(ticket.reserved, spent)
        left = number_or_none(report.remaining, -limit, limit)
        if left is not None:
            self._correct(left, now)
            self._note_lone(ticket, left)

    def abandon(self, ticket: Ticket, now: float) -> None:
        """Keep the reservation until the server has ended the call too."""
        if not self._end(ticket, now):
            return
        latency = self._routes.seconds(ticket.cost.key) or max(UNKNOWN_LATENCY, now - ticket.at)
        due = max(now, ticket.at + LATE * latency)
        self._abandoned = self._abandoned or []
        heapq.heappush(self._abandoned, (due, ticket.serial, ticket.reserved, ticket.expected))

    def refund(self, ticket: Ticket, now: float) -> None:
        """Give back the reservation of a call that was not sent."""
        if self._end(ticket, now):
            self._return(ticket.reserved, 0.0)

    def refused(self, ticket: Ticket, now: float, report: QuotaReport = NO_REPORT) -> None:
        """Believe the header, and be more careful for some time."""
        if not self._end(ticket, now):
            return
        self._return(ticket.reserved, 0.0)
        limit = BELIEVABLE * self._configured
        left = number_or_none(report.remaining, -limit, limit)
        if left is None:  # less than a reservation is left
            self._rest += max(0.0, self._room - self.reservation)
        else:
            self._correct(left, now)
        self._window = max(2.0, min(self._window, self._out))
        if ticket.at > self._refused_at:  # once for all calls that met the same full bucket
            self._refused_at = now
            self._caution = min(self.capacity / 3.0, self._caution + CAUTION)

    def set_rate(self, rate: float, burst: float | None, now: float) -> None:
        """Raise InputError: Canvas reports its limits in its headers."""
        raise InputError("only a token bucket, such as that of AB Connect, has a rate to set")

    def leap(self, now: float) -> None:
        """Start carefully again: what has leaked is unknown until the next header."""
        before = self._rest
        self._advance(now)
        self._rest = max(before, -self._held)
        self._window = min(self._window, RESTART)

    def reset(self, now: float) -> None:
        """Start again with an empty bucket on the server; the capacity that was learned is kept."""
        self._advance(now)
        self._epoch += 1
        self._rest = self._held = self._own = self._others = self._spending = self._crowd = 0.0
        self._window, self._out, self._urgent_out, self._answers = 1.0, 0, 0, 0
        self._slot, self._first_sent = -math.inf, math.inf
        self._header_at = self._lone = self._abandoned = None

    def read(self, now: float) -> LimiterState:
        """Return the state at `now`."""
        self._advance(now)
        differs = abs(self.capacity - self._configured) > 0.05 * self._configured
        return LimiterState(
            level=self._room,
            capacity=self.capacity,
            rate=self.leak,
            learned={"capacity": self.capacity} if differs else {},
        )

    @property
    def _room(self) -> float:
        return self.capacity - self._rest - self._held

    @property
    def _company(self) -> float:
        return min(1.0, max(0.0, (self._others - self._surprise / 2.0) / COMPANY))

    @property
    def _size(self) -> float:
        return min(1.0, max(0.1, (self.capacity - self.reservation) / FULL_MARGIN))

    def _need(self, *, reserve: bool) -> float:
        """The headroom that must be there before a call is sent."""
        unit, company = self.reservation, self._company
        margin = CLEARANCE + min(self._surprise, UNSURE)
        margin += SLOPE * (1.0 + company) * math.sqrt(self.leak * self._spending)
        margin += CROWD * company * unit * self._crowd
        need = unit + self._size * margin + self._caution + (unit if reserve else 0.0)
        return min(0.9 * self.capacity, need)

    def _recovery(self) -> float:
        """How fast headroom and need approach each other, in units a second, at most."""
        company = self._company
        spending = SLOPE * (1.0 + company) * math.sqrt(self.leak * self._spending) / 2.0
        crowd = CROWD * company * self.reservation * max(0.0, self._crowd - self._out)
        return self.leak + self._size * (spending + crowd) / MEMORY + self._caution / FADE

    def _start_wait(self, now: float, *, urgent: bool) -> float:
        """Seconds until the window lets another call out; 0 for now, inf for after a response."""
        if self._answers < 2 and self._out:
            patience = self._sent + ALONE / 2.0 if urgent else math.inf
            if (until := min(self._first_sent + ALONE, patience)) > now:
                return until - now
        out = self._urgent_out if urgent else self._out
        if out >= self.max_in_flight:
            return math.inf
        return 0.0 if out < self._window else max(SHORTEST, 1.0 - self._window % 1.0)

    def _advance(self, now: float) -> None:
        """Move to a time, on the way ending the abandoned calls that are due."""
        if now == self.now:
            return
        while self._abandoned and self._abandoned[0][0] <= now:
            due, _, reserved, expected = heapq.heappop(self._abandoned)
            self._flow(max(self.now, due))
            self._return(reserved, expected)
        self._flow(now)

    def _flow(self, now: float) -> None:
        elapsed = now - self.now
        self.now = now
        if not elapsed > 0:  # the clock went back: nothing has leaked, and no wait becomes longer
            self._slot, self._burst_at = min(self._slot, now), min(self._burst_at, now)
            self._sent = min(self._sent, now)
            if self._first_sent < math.inf:
                self._first_sent = min(self._first_sent, now)
            self._ended, self._refused_at = min(self._ended, now), min(self._refused_at, now)
            return
        leaked = self.leak * elapsed
        self._rest = max(-self._held, self._rest - leaked)
        self._own = max(0.0, self._own - leaked)
        kept = math.exp(-elapsed / MEMORY)
        self._spending *= kept
        self._crowd = self._out + (self._crowd - self._out) * kept
        if self._caution:
            self._caution *= math.exp(-elapsed / FADE)
        if self._out:
            self._window = min(self.max_in_flight, self._window + elapsed)

    def _end(self, ticket: Ticket, now: float) -> bool:
        """Record the end of a call; return False if it belongs to an earlier server bucket."""
        self._advance(now)
        if ticket.epoch != self._epoch:
            return False
        self._out -= 1
        self._urgent_out -= ticket.is_urgent
        self._ended = now
        return True

    def _return(self, reserved: float, spent: float) -> None:
        """Give a reservation back and charge a cost, as the server does at the end of a call."""
        self._held = max(0.0, self._held - reserved)
        self._rest = max(-self._held, self._rest + spent)
        self._own = max(0.0, self._own + spent - reserved)

    def _correct(self, left: float, now: float) -> None:
        """Move the replica toward what a header reports."""
        if left > self.capacity:
            self._set_capacity(left)
        error = self._room - left
        if error < 0 and now - self._burst_at <= RECENT:
            error = min(0.0, error + self._burst * self.reservation)
        count = self.capacity - left
        if self._header_at is not None:
            elapsed = min(OTHERS, max(0.0, now - self._header_at))
            self._surprise = _toward(self._surprise, abs(error), elapsed, MEMORY)
            self._others = _toward(self._others, count - self._own, elapsed, OTHERS)
            self._own = max(0.0, _toward(self._own, count, elapsed, FORGET))
        share = UP if error > 0 else DOWN
        if self._header_at is None or (error > 0 and self._answers <= EARLY):
            share = 1.0
        self._rest = max(-self._held, self._rest + share * error)
        self._header_at = now

    def _note_lone(self, ticket: Ticket, left: float) -> None:
        """Two lone calls in a row that see the same remaining see all of the capacity."""
        if self._out or ticket.serial != self._serial:
            return
        if self._lone == (ticket.serial - 1, left) and left < self.capacity:
            self._set_capacity(left)
            self._rest = -self._held
        self._lone = (ticket.serial, left)

    def _set_capacity(self, remaining: float) -> None:
        value = max(remaining, 1.2 * self.reservation)
        if abs(value - self.capacity) > 0.05 * self.capacity:  # what is worth a report
            self.pending_changes.append(Learned("capacity", value))
        self.capacity = value
