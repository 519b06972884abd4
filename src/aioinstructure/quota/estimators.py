"""What the headers of Canvas tell of its limits beyond the level. Pure.

Every answer tells the server's count at its end: capacity - remaining. Between two answers the
count moves by what happened in between, and each of the limits leaves its own trace:

- The reservation: an end gives it back, a start takes it. While the caller starts nothing, two
  answers in a row differ by exactly one reservation, less the leak, plus the cost that is told.
- The leak: modulo the reservation, whatever starts and ends drops out, and what remains is cost
  that is told, and leak. What others spend of the token shows as a smaller leak, which is what
  the caller has to live with anyway.
- The capacity: a lone call on an idle token finds all of it. If the same remaining shows again
  although time has passed in which it should have risen, it is as high as it gets.
"""

from __future__ import annotations

import statistics
from bisect import insort
from collections import deque

from attrs import define, field

__all__ = ["Capacity", "Drops", "Leak", "Ramp", "Route"]

RECENT = 2.0
"""Seconds after which two answers in a row are too far apart to be compared."""

SMALLEST = 8.0
"""The smallest reservation that can be told from costs and leak, in units."""


@define(eq=False)
class Drops:
    """Finds a reservation from changes of the count that one call explains.

    Args:
        enough: How many samples there must be; twice as many are kept.
    """

    enough: int = 3
    _drops: deque[float] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._drops = deque(maxlen=2 * self.enough)

    def note(self, drop: float) -> float | None:
        """Note a change; return the reservation once four of five samples agree."""
        if drop < SMALLEST:
            return None
        self._drops.append(drop)
        if len(self._drops) < self.enough:
            return None
        middle = statistics.median(self._drops)
        agreeing = sum(abs(sample - middle) <= 0.08 * middle for sample in self._drops)
        return middle if agreeing >= 0.8 * len(self._drops) else None


@define(eq=False)
class Ramp:
    """Finds the reservation from a token's first calls: those in flight explain the count.

    Args:
        count: What the count would be without them.
    """

    count: float = 0.0
    _since: float = 0.0
    _samples: list[float] | None = None

    def begin(self, count: float, now: float) -> None:
        """Start from a moment with nothing in flight."""
        self.count, self._since = count, now

    def note(
        self, told: float, in_flight: int, now: float, *, leak: float, usual: float
    ) -> float | None:
        """Note a header; return the reservation once enough samples agree on it.

        A call of ours that has not arrived yet, or has ended while its answer is on the way, makes
        a sample smaller, so the largest value counts on which two of five agree. What others have
        in flight makes samples larger, but seldom the same. Less than the usual, which lets more
        calls go, is believed only if half of the samples agree on it, and three at least.
        """
        samples = self._samples = self._samples or []
        insort(samples, (told - self.count + leak * (now - self._since)) / in_flight)
        for value in reversed(samples):
            if value < SMALLEST:  # on a slow network calls are on their way, most of the time
                break
            agreeing = sum(abs(sample - value) <= 0.05 * abs(value) for sample in samples)
            least, share = (2, 0.4) if value > 0.95 * usual else (3, 0.5)
            if agreeing >= max(least, share * len(samples)):
                return value
        return None


@define(eq=False)
class Route:
    """What is known of one route.

    Args:
        cost: The running average of what a call costs, in units; None before the first.
        reservation: What the server reserves for it; None if that is the usual.
    """

    cost: float | None = None
    reservation: float | None = None
    drops: Drops | None = None

    def charge(self, cost: float) -> None:
        """Note what a call was charged."""
        self.cost = cost if self.cost is None else self.cost + 0.2 * (cost - self.cost)


@define(eq=False)
class Leak:
    """Finds the leak that is left for us, from counts modulo the reservation."""

    _seconds: float = 0.0
    _units: float = 0.0
    _good: int = 0
    _bad: int = 0

    def note(self, loss: float, seconds: float, *, leak: float, reservation: float) -> float | None:
        """Note how much the count lost beside the costs; return the leak after eight seconds.

        A loss that is no multiple of the reservation beside the leak was disturbed by something
        unknown. When there are many of those the reservation is wrong, and nothing is learned.
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
    """Finds a capacity below the one believed, from lone calls."""

    _remaining: float | None = None
    _at: float = 0.0
    _serial: int = 0
    _rise: float = 0.0

    def note(
        self, serial: int, remaining: float, cost: float, now: float, *, leak: float
    ) -> float | None:
        """Note what a call saw that was alone; return the capacity if it has ceased to rise.

        Only the call right after the last one noted tells: what others cost is not known here.
        """
        before, at, last = self._remaining, self._at, self._serial
        rise = leak * (now - at)
        self._remaining, self._at, self._serial = remaining, now, serial
        if before is None or serial != last + 1 or abs(remaining - before) > 1.0 + cost:
            self._rise = 0.0
            return None
        self._rise += rise - cost
        return max(before, remaining) if self._rise > 10.0 else None
