"""What calls usually cost and how long they take, by route. Pure."""

from __future__ import annotations

from attrs import define, field

__all__ = ["Routes"]

SHARE = 0.2
"""The share of the newest call in the averages of its route."""

OVERALL = 0.05
"""The same, in the averages of all routes."""

MOST = 4_096
"""The maximum number of routes that are remembered."""


@define(eq=False)
class _Usual:
    """Running averages: units and seconds of a call; None before the first."""

    cost: float | None = None
    seconds: float | None = None

    def note(self, cost: float, seconds: float, share: float) -> None:
        self.cost = cost if self.cost is None else self.cost + share * (cost - self.cost)
        before = self.seconds
        self.seconds = seconds if before is None else before + share * (seconds - before)


@define(eq=False)
class Routes:
    """The usual cost and latency of each route, and of all; for an unknown route those of all."""

    _all: _Usual = field(factory=_Usual, init=False)
    _routes: dict[str, _Usual] | None = field(default=None, init=False)  # most clients are idle

    def note(self, route: str, cost: float, seconds: float) -> None:
        """Record what a call cost, in units, and how long it took."""
        self._all.note(cost, seconds, OVERALL)
        routes = self._routes = {} if self._routes is None else self._routes
        usual = routes.get(route)
        if usual is None:
            if len(routes) >= MOST:
                del routes[next(iter(routes))]
            usual = routes[route] = _Usual()
        usual.note(cost, seconds, SHARE)

    def cost(self, route: str = "") -> float:
        """What a call usually costs; 0 before the first."""
        return self._of(route).cost or 0.0

    def seconds(self, route: str = "") -> float | None:
        """How long a call usually takes; None before the first."""
        return self._of(route).seconds

    def _of(self, route: str) -> _Usual:
        return (self._routes or {}).get(route, self._all)
