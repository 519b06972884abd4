"""Models of the limits of both servers, from their documentation. Independent of the client."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field


def seeded(seed: int) -> random.Random:
    """A reproducible random generator."""
    return random.Random(seed)  # noqa: S311 - not for secrets


@dataclass
class CanvasServer:
    """The leaky bucket of one access token."""

    high_water: float = 600.0
    maximum: float = 800.0
    outflow: float = 10.0
    up_front: float = 50.0
    up_front_by_key: dict[str, float] = field(default_factory=dict)
    count: float = 0.0
    touched: float | None = None
    refusals: int = 0
    admitted: int = 0
    highest: float = 0.0

    def _increment(self, delta: float, now: float) -> float:
        count, touched = self.count, now if self.touched is None else self.touched
        if count > 0 and now > touched:
            count -= self.outflow * (now - touched)
        count = max(0.0, count)
        count = min(self.maximum, max(0.0, count + delta))
        self.count, self.touched = count, now
        return count

    def price(self, key: str) -> float:
        return self.up_front_by_key.get(key, self.up_front)

    def arrive(self, now: float, key: str = "") -> tuple[bool, float]:
        """Return whether the request is accepted, and what was reserved for it."""
        reserved = self.price(key)
        count = self._increment(reserved, now)
        self.highest = max(self.highest, count)
        if count >= self.high_water:
            self.refusals += 1
            return False, reserved
        self.admitted += 1
        return True, reserved

    def finish(self, now: float, cost: float, reserved: float) -> float:
        """End a request; return the remaining units that the header reports."""
        return self.high_water - self._increment(cost - reserved, now)

    def level_at(self, now: float) -> float:
        return max(0.0, self.count - self.outflow * max(0.0, now - (self.touched or now)))


@dataclass
class TokenServer:
    """AB Connect's token bucket, with the second one for wildcards."""

    rate: float = 5.0
    capacity: float = 25.0
    level: float = 25.0
    wildcard_rate: float = 2.0
    wildcard_capacity: float = 2.0
    wildcard_level: float = 2.0
    touched: float | None = None
    refusals: int = 0
    admitted: int = 0

    def arrive(self, now: float, *, wildcard: bool = False) -> bool:
        elapsed = max(0.0, now - self.touched) if self.touched is not None else 0.0
        self.touched = now
        self.level = min(self.capacity, self.level + self.rate * elapsed)
        self.wildcard_level = min(
            self.wildcard_capacity, self.wildcard_level + self.wildcard_rate * elapsed
        )
        if self.level < 1 or (wildcard and self.wildcard_level < 1):
            self.refusals += 1
            return False
        self.level -= 1
        self.wildcard_level -= wildcard
        self.admitted += 1
        return True


@dataclass
class Network:
    """Delays in seconds, each way: a fixed part and a random one on top."""

    rng: random.Random
    fixed: float = 0.005
    jitter: float = 0.005

    def delay(self) -> float:
        return self.fixed + self.rng.random() * self.jitter

    async def cross(self) -> None:
        await asyncio.sleep(self.delay())
