"""Estimators of the limits of Canvas from its headers. Pure.

Every response reports the server's count at its end: capacity - remaining. Between two responses
the count changes by what happened in between, and each limit leaves its own trace:

- The reservation: an end gives it back, a start takes it. While the caller starts nothing, two
  consecutive responses differ by exactly one reservation, less the leak, plus the reported cost.
- The leak: modulo the reservation, starts and ends cancel out; what remains is the reported cost
  and the leak. What other clients spend shows as a smaller leak, which is what the caller can use.
- The capacity: a lone call on an idle token sees all of it. If the same remaining is reported again
  although it should have risen in the meantime, it is at its maximum.
"""

from __future__ import annotations

from bisect import insort
from collections import deque

from attrs import define, field

__all__ = ["Capacity", "Drops", "Leak", "Ramp", "Route"]

RECENT = 2.0
"""Seconds after which two consecutive responses are too far apart to be compared."""

SMALLEST = 8.0
"""The smallest reservation that can be distinguished from costs and leak, in units."""


@define(eq=False)
class Drops:
    """Estimates a reservation from changes of the count that one call explains.

    Args:
        enough: The minimum number of samples; twice as many are kept.
    """

    enough: int = 3
    _drops: deque[float] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._drops = deque(maxlen=2 * self.enough)

    def note(self, drop: float) -> float | None:
        """Record a change; return the reservation once four of five samples agree."""
        if drop < SMALLEST:
            return None
        self._drops.append(drop)
        if len(self._drops) < self.enough:
            return None
        import statistics  # noqa: PLC0415 - rarely needed, and slow to import

        middle = statistics.median(self._drops)
        agreeing = sum(abs(sample - middle) <= 0.08 * middle for sample in self._drops)
        return middle if agreeing >= 0.8 * len(self._drops) else None


@define(eq=False)
class Ramp:
    """Estimates the reservation from a token's first calls: those in flight explain the count.

    Args:
        count: What the count would be without them.
    """

    count: float = 0.0
    _since: float = 0.0
    _samples: list[float] | None = None

    def begin(self, count: float, now: float) -> None:
        """Start at a moment with nothing in flight."""
        self.count, self._since = count, now

    def note(
        self, told: float, in_flight: int, now: float, *, leak: float, usual: float
    ) -> float | None:
        """Record a header; return the reservation once enough samples agree on it.

        A call that has not arrived yet, or whose response is on the way, makes a sample smaller, so
        the result is the largest value on which two of five agree. Calls of other clients make
        samples larger, but rarely equal. A value below the usual one, which allows more calls, is
        believed only if half of the samples agree on it, and at least three.
        """
        samples = self._samples = self._samples or []
        insort(samples, (told - self.count + leak * (now - self._since)) / in_flight)
        for value in reversed(samples):
            if value < SMALLEST:  # on a slow network, calls are on their way most of the time
                break
            agreeing = sum(abs(sample - value) <= 0.05 * abs(value) for sample in samples)
            least, share = (2, 0.4) if value > 0.95 * usual else (3, 0.5)
            if agreeing >= max(least, share * len(samples)):
                return value
        return None


@define(eq=False)
class Route:
    """What is known about one route.

    Args:
        cost: The running average of what a call costs, in units; None before the first.
        reservation: What the server reserves for a call; None if that is the usual reservation.
    """

    cost: float | None = None
    reservation: float | None = None
    drops: Drops | None = None

    def charge(self, cost: float) -> None:
        """Record what a call was charged."""
        self.cost = cost if self.cost is None else self.cost + 0.2 * (cost - self.cost)


@define(eq=False)
class Leak:
    """Estimates the leak that is available to this client, from counts modulo the reservation."""

    _seconds: float = 0.0
    _units: float = 0.0
    _good: int = 0
    _bad: int = 0

    def note(self, loss: float, seconds: float, *, leak: float, reservation: float) -> float | None:
        """Record a loss of the count beyond the costs; return the leak after eight seconds.

        A loss that is not the leak plus a multiple of the reservation was disturbed by something
        unknown. If there are many of those the reservation is wrong, and nothing is learned.
        """
        expected = leak * seconds
        turns = round((loss - expected) / reservation)
        rest = loss - turns * reservation
        if abs(rest - expected) > 0.05 * reservation + 0.3 * expected:
            self._bad += 1
        else:
            self._good += 1
            self._seconds += seconds
            self._units += rest
        if self._seconds + 0.05 * self._bad < 8.0:
            return None
        found, steady = self._units / max(self._seconds, 1e-9), self._good > 4 * self._bad
        self._seconds = self._units = 0.0
        self._good = self._bad = 0
        return found if steady else None


@define(eq=False)
class Capacity:
    """Detects a capacity below the believed one, from lone calls."""

    _remaining: float | None = None
    _at: float = 0.0
    _serial: int = 0
    _rise: float = 0.0

    def note(
        self, serial: int, remaining: float, cost: float, now: float, *, leak: float
    ) -> float | None:
        """Record what a lone call saw; return the capacity if it no longer rises.

        Only the call directly after the last recorded one counts: the costs of others are unknown
        here.
        """
        before, at, last = self._remaining, self._at, self._serial
        rise = leak * (now - at)
        self._remaining, self._at, self._serial = remaining, now, serial
        if before is None or serial != last + 1 or abs(remaining - before) > 1.0 + cost:
            self._rise = 0.0
            return None
        self._rise += rise - cost
        return max(before, remaining) if self._rise > 10.0 else None
