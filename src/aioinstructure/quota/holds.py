"""Limits of single endpoints: their own 429 holds their route, and nothing else. Pure.

Some operations of Canvas have a limit besides the bucket, such as queries of page views. A refusal
holds the calls of its route for as long as the server says, at least a second; if it says nothing,
for 1, 2, 4 s and so on, up to 60. Then one call asks, and the others follow once it was served. In
the queue, a held route is a secondary bucket with the name `route:` and the route.
"""

from __future__ import annotations

import math
from typing import Final

from attrs import define, evolve, field

from aioinstructure.quota.limiter import Cost
from aioinstructure.quota.pause import RefusalPause

__all__ = ["RouteHolds"]

SHORTEST: Final = 1.0
"""The shortest hold, in seconds."""

LONGEST: Final = 60.0
"""The longest hold of a refusal without a Retry-After, in seconds."""

_PREFIX: Final = "route:"


@define
class RouteHolds:
    """The routes that are held, each with its pause."""

    _holds: dict[str, RefusalPause] = field(factory=dict[str, RefusalPause], init=False)
    _refusals: dict[str, int] = field(factory=dict[str, int], init=False)

    def cost_of(self, cost: Cost) -> Cost:
        """The cost of a call as it is queued: a call of a held route waits for its hold."""
        name = _PREFIX + cost.key
        if name in self._holds:
            return cost if cost.bucket == name else evolve(cost, bucket=name)
        return evolve(cost, bucket="") if cost.bucket.startswith(_PREFIX) else cost

    def wait(self, bucket: str, now: float) -> float:
        """Seconds until a call of a held route may be sent."""
        hold = self._holds.get(bucket)
        return 0.0 if hold is None else hold.wait(now)

    def left(self, bucket: str, now: float) -> float:
        """Seconds that are left of a hold."""
        hold = self._holds.get(bucket)
        return 0.0 if hold is None else hold.left(now)

    def sent(self, bucket: str, now: float) -> None:
        """Record that a call was sent."""
        if (hold := self._holds.get(bucket)) is not None:
            hold.sent(now)

    def refused(self, key: str, sent_at: float, now: float, retry_after: float | None) -> None:
        """Record that an endpoint refused a call by a limit of its own."""
        name = _PREFIX + key
        hold = self._holds.get(name)
        if hold is None:
            hold = self._holds[name] = RefusalPause(first=math.inf, longest=math.inf)
            self._refusals[name] = 0
        if retry_after is None:
            retry_after = min(LONGEST, 2.0 ** min(self._refusals[name], 10))
        self._refusals[name] += sent_at > hold.began
        hold.refused(sent_at, now, max(SHORTEST, retry_after))

    def ended(self, bucket: str, sent_at: float, *, answered: bool) -> bool:
        """Record the end of another call of the route; return whether its hold is lifted."""
        hold = self._holds.get(bucket)
        if hold is None:
            return False
        hold.ended(sent_at, answered=answered)
        if hold.refusals:
            return False
        del self._holds[bucket], self._refusals[bucket]
        return True
