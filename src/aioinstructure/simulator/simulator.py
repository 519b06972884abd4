"""The simulator: both services, their throttles, faults and controls.

It is a test oracle: it shares no code with the client except the message types.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from aioinstructure.simulator.control import control
from aioinstructure.simulator.handler import SERVICES, handle
from aioinstructure.simulator.http.faults import Faults
from aioinstructure.simulator.http.parsing import (
    hidden,
    parse,
)
from aioinstructure.simulator.http.responses import (
    Reply,
)
from aioinstructure.simulator.knobs import Knobs
from aioinstructure.simulator.world import World
from aioinstructure.wire.message import Headers, Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from aioinstructure.simulator.abconnect.gateway import ABConnectGateway
    from aioinstructure.simulator.canvas.gateway import CanvasGateway

__all__ = ["Seen", "Simulator"]

_CACHED = 1024
_CACHED_BYTES = 65_536  # reading many large pages must not fill the memory
_HISTORY = 10_000


class Seen(NamedTuple):
    """A received request: the raw path and query, with credentials masked."""

    method: str
    path: str


class Simulator:
    """Canvas and AB Connect in one process.

    Args:
        seed: Determines the world, the credentials, the jitter and the background client's calls.
        knobs: The settings of both servers; can be changed while the simulator runs.
        clock: Seconds, for buckets, jobs and predictions; default: the running loop's time.
        wall: Unix seconds, for signatures and dates.
    """

    def __init__(
        self,
        *,
        seed: int = 1,
        knobs: Knobs | None = None,
        clock: Callable[[], float] | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.knobs = knobs if knobs is not None else Knobs()
        self.faults = Faults()
        self.requests: deque[Seen] = deque(maxlen=_HISTORY)
        self.seed = seed
        self._clock = clock
        self.wall = wall
        self.reset()

    def reset(self, seed: int | None = None) -> None:
        """Create a new world and buckets; clear faults, requests and counters. Keep the knobs."""
        self.seed = self.seed if seed is None else seed
        self.world = World(self.seed, self.knobs)
        self._jitter = Random(f"{self.seed}:jitter")  # noqa: S311 -- not a secret
        self._counts = {name: [0, 0, 0] for name in SERVICES}
        self._cache: dict[tuple[Any, ...], Reply] = {}
        self._number = 0
        self.faults.clear()
        self.requests.clear()
        self.services = {name: make(self) for name, make in SERVICES.items()}

    @property
    def canvas(self) -> CanvasGateway:
        """The simulated Canvas: its token, and the states of all tokens."""
        return cast("CanvasGateway", self.services["canvas"])

    @property
    def abconnect(self) -> ABConnectGateway:
        """The simulated AB Connect: its account, and the keys of all accounts."""
        return cast("ABConnectGateway", self.services["abconnect"])

    @property
    def canvas_token(self) -> str:
        """The access token of the simulated user of Canvas."""
        return self.canvas.token

    @property
    def partner_id(self) -> str:
        """The simulated account of AB Connect."""
        return self.abconnect.partner_id

    @property
    def partner_key(self) -> str:
        """The key of that account."""
        return self.abconnect.partner_key

    def stats(self) -> dict[str, dict[str, int]]:
        """Count the requests that each throttle has admitted and refused.

        `unsimulated` counts those that the simulator has no answer for.
        """
        return {
            name: dict(zip(("served", "refused", "unsimulated"), counts, strict=True))
            for name, counts in self._counts.items()
        }

    def env(self, origin: str) -> dict[str, str]:
        """Return the environment variables for a client that uses the simulator at `origin`."""
        found: dict[str, str] = {}
        for name in sorted(self.services, reverse=True):
            found |= self.services[name].env(origin)
        return found

    async def handle(self, request: Request) -> Response:
        """Handle one request.

        If the caller cancels it, the server still finishes it at the time it would have.

        Raises:
            ConnectionResetError: A fault closed the connection.
        """
        target = request.path
        path, _, query = target.partition("?")
        if path.startswith("/_control/"):
            return _response(control(self, request, path), request)
        self.requests.append(Seen(request.method, hidden(target)))
        knobs = self.knobs
        await self._wait(knobs.network_out_seconds, knobs.network_jitter_seconds)
        reply = await handle(self, request, path, parse(query))
        await self._wait(knobs.network_back_seconds, knobs.network_jitter_seconds)
        return _response(reply, request)

    # Used by the services.

    def now(self) -> float:
        """The simulator's clock."""
        return self._clock() if self._clock is not None else asyncio.get_running_loop().time()

    def seconds(self, base: float, jitter: float) -> float:
        """Return `base` plus a uniformly distributed part of `jitter`."""
        return base + self._jitter.random() * jitter if jitter > 0 else base

    async def _wait(self, base: float, jitter: float) -> None:
        if base > 0 or jitter > 0:
            await asyncio.sleep(self.seconds(base, jitter))

    def count(self, service: str, *, refused: bool) -> None:
        """Count a request that reached a throttle."""
        self._counts[service][refused] += 1

    def count_unsimulated(self, service: str) -> None:
        """Count a request that was answered with 501."""
        self._counts[service][2] += 1

    def next_id(self) -> str:
        """Return the next id for a response header; the sequence is the same in every run."""
        self._number += 1
        return f"5109{self.seed & 0xFFFF:04x}-0000-4000-8000-{self._number:012x}"

    def origin_of(self, request: Request) -> str:
        """Return the origin that links use."""
        if self.knobs.public_origin:
            return self.knobs.public_origin
        scheme, _, rest = request.url.partition("://")
        return f"{scheme}://{rest.partition('/')[0].partition('?')[0]}"

    def cached(self, key: tuple[Any, ...], make: Callable[[], Reply]) -> Reply:
        """Return a reply from the cache or make it. A change of world or knobs invalidates it."""
        full_key = (*key, self.knobs.version, self.world.version)
        reply = self._cache.get(full_key)
        if reply is None:
            reply = make()
            if reply.cacheable and len(reply.body) <= _CACHED_BYTES:
                if len(self._cache) >= _CACHED:
                    self._cache.clear()
                self._cache[full_key] = reply
        return reply


def _response(reply: Reply, request: Request) -> Response:
    return Response(reply.status, Headers(reply.headers), reply.body, request)
