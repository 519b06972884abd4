"""The believed limits of a Canvas server, for a token and for each of its routes. Pure.

`estimators.py` finds a limit in the headers; this module compares it with the believed one, and
reports a difference. The count of the bucket is not known here.
"""

from __future__ import annotations

import math

from attrs import define, field

from aioinstructure.quota.estimators import Drops, Route
from aioinstructure.quota.limiter import Learned

__all__ = ["Limits"]

RELENT = 10.0
"""The time constant with which a slower leak is forgotten while the bucket is empty."""

TELL = 0.05
"""The relative change of a limit that is reported."""

ROUTES = 4_096
"""The maximum number of routes that are remembered."""


@define(eq=False, kw_only=True)
class Limits:
    """Capacity, leak and reservation, and the costs of routes.

    Args:
        capacity: Units at which the server refuses calls.
        leak: Units that leave the bucket every second.
        reservation: Units that the server reserves for a call that it has started.
    """

    capacity: float = 600.0
    leak: float = 10.0
    reservation: float = 50.0
    pending_changes: list[Learned] = field(factory=list[Learned], init=False)
    _configured: tuple[float, float, float, float] = field(init=False)
    _mean: float | None = field(default=None, init=False)
    _routes: dict[str, Route] | None = field(default=None, init=False)
    _steps: Drops | None = field(default=None, init=False)
    _learned: dict[str, float] | None = field(default=None, init=False)

    def _reservation(self, key: str) -> float:
        route = self._routes.get(key) if self._routes else None
        own = route.reservation if route else None
        return self.reservation if own is None else own

    def _expected(self, key: str) -> float:
        route = self._routes.get(key) if self._routes else None
        cost = route.cost if route else None
        return (self._mean or 0.0) if cost is None else cost

    def _route(self, key: str) -> Route:
        if self._routes is None:
            self._routes = {}
        route = self._routes.get(key)
        if route is None:
            if len(self._routes) >= ROUTES:
                del self._routes[next(iter(self._routes))]
            route = self._routes[key] = Route()
        return route

    def _charge(self, key: str, spent: float) -> None:
        """Record what a call was charged."""
        self._mean = spent if self._mean is None else self._mean + 0.05 * (spent - self._mean)
        self._route(key).charge(spent)

    def _note_step(self, step: float) -> None:
        """Learn from traffic: most responses differ by one start or one end, or not at all."""
        usual = self._configured[2]
        low, high = min(usual, self.reservation), max(usual, self.reservation)
        if not 0.55 * low < step < 1.8 * high:
            return
        steps = self._steps = self._steps or Drops(8)
        found = steps.note(step)
        if found is not None:
            self.reservation = found
            self._tell("reservation", found, self._configured[2])

    def _note_drop(self, key: str, drop: float, shared: bool) -> None:
        """While nothing starts, two responses differ by the reservation that an end gave back."""
        route = self._route(key)
        drops = route.drops = route.drops or Drops()
        found = drops.note(drop)
        if found is not None and found > self._reservation(key) and shared:
            return  # calls of other clients may have ended too
        if found is None or abs(found - self._reservation(key)) < TELL * found:
            return
        self._set_reservation(key, min(found, 0.8 * self.capacity))

    def _believe(self, key: str, value: float) -> None:
        """Adopt what the first calls showed, within limits."""
        usual = self._configured[2]
        value = min(max(usual / 2.5, value), 2.5 * usual)
        if abs(value - self._reservation(key)) > TELL * usual:
            self._set_reservation(key, value)

    def _bound_reservation(self, key: str, left: float) -> bool:
        """Raise a reservation that a refusal disproves; return False if it does not."""
        believed = self._reservation(key)
        if left >= believed:
            self._steps = None  # earlier samples are no longer valid
            self._set_reservation(key, min(max(left, 1.5 * believed), 0.8 * self.capacity))
        return left >= believed

    def _set_reservation(self, key: str, value: float) -> None:
        """Set the reservation of a route, or of all routes if none is known to differ."""
        routes = self._routes or {}
        others = [route for name, route in routes.items() if name != key]
        agree = any(
            route.reservation is not None and abs(route.reservation - value) < 0.2 * value
            for route in others
        )
        if not others or agree:
            self.reservation = value
            if key in routes:
                routes[key].reservation = None
            self._tell("reservation", value, self._configured[2])
        else:
            self._route(key).reservation = value
            self._tell(f"reservation:{key}", value, self._configured[2])

    def _set_leak(self, value: float) -> None:
        value = max(value, 0.05 * self._configured[1])
        self.leak += 0.5 * (value - self.leak)
        self._tell("leak", self.leak, self._configured[1])

    def _relent(self, elapsed: float) -> None:
        """Forget a slower leak gradually."""
        usual = self._configured[1]
        if self.leak < usual:
            self.leak += (1.0 - math.exp(-elapsed / RELENT)) * (usual - self.leak)

    def _tell(self, limit: str, value: float, configured: float) -> None:
        """Add a limit to `pending_changes` if it differs from the last reported value."""
        learned = self._learned = {} if self._learned is None else self._learned
        last = learned.get(limit, configured)
        if abs(value - last) > TELL * last:
            self.pending_changes.append(Learned(limit, value))
            learned[limit] = value
        if abs(value - configured) <= TELL * configured:
            learned.pop(limit, None)
