"""The simulator: both services, their throttles, faults and controls.

It is a test oracle: it shares no code with the client except the message types.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import deque
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from aioinstructure.simulator.abconnect.request import ABCall
from aioinstructure.simulator.abconnect.service import ABConnectService
from aioinstructure.simulator.canvas.course_paces import PaceService
from aioinstructure.simulator.canvas.service import CanvasCall, CanvasService
from aioinstructure.simulator.control import control
from aioinstructure.simulator.handler import RequestHandler
from aioinstructure.simulator.http.faults import Faults
from aioinstructure.simulator.http.parsing import (
    Pairs,
    hidden,
    parse,
    parse_body,
)
from aioinstructure.simulator.http.responses import (
    Reply,
    abconnect_error,
    canvas_error,
    denied,
    not_found,
    spelled,
    string_ids,
    unauthenticated,
)
from aioinstructure.simulator.http.router import Router, operations
from aioinstructure.simulator.knobs import Knobs
from aioinstructure.simulator.throttles import (
    BackgroundClient,
    LeakyBucket,
    LeakyRules,
    TokenBucket,
)
from aioinstructure.simulator.world import World
from aioinstructure.wire.message import Headers, Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Seen", "Simulator"]

_CACHED = 1024
_CACHED_BYTES = 65_536  # reading many large pages must not fill the memory
_HISTORY = 10_000
_STRING_IDS = "application/json+canvas-string-ids"


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
        self._clock, self._wall = clock, wall
        self._canvas_router = Router([one for one in operations() if one.service == "canvas"])
        self._abconnect_router = Router([one for one in operations() if one.service == "abconnect"])
        self.reset()

    def reset(self, seed: int | None = None) -> None:
        """Create a new world and buckets; clear faults, requests and counters. Keep the knobs."""
        self.seed = self.seed if seed is None else seed
        random = Random(f"{self.seed}:keys")  # noqa: S311 -- not a secret
        self.canvas_token = f"7~{''.join(random.choices(_ALPHABET, k=64))}"
        self.partner_id = "".join(random.choices(_ALPHABET, k=12))
        self.partner_key = "".join(random.choices(_ALPHABET, k=22))
        self.canvas_tokens: dict[str, str] = {self.canvas_token: "active"}
        """The state of each token: active, expired, revoked or unscoped."""
        self.partners: dict[str, str] = {self.partner_id: self.partner_key}
        self.world = World(self.seed, self.knobs)
        self._canvas = CanvasService(self.world, self.knobs)
        PaceService(self._canvas)
        self._abconnect = ABConnectService(self.world, self.knobs, self.partners, self.now)
        self._jitter = Random(f"{self.seed}:jitter")  # noqa: S311 -- not a secret
        self._leaky: dict[str, LeakyBucket] = {}
        self._tokens: dict[str, tuple[TokenBucket, TokenBucket, BackgroundClient]] = {}
        self._counts = {"canvas": [0, 0], "abconnect": [0, 0]}
        self._cache: dict[tuple[Any, ...], Reply] = {}
        self._number = 0
        self.faults.clear()
        self.requests.clear()

    def stats(self) -> dict[str, dict[str, int]]:
        """Count the requests that each throttle has admitted and refused."""
        return {
            name: {"served": served, "refused": refused}
            for name, (served, refused) in self._counts.items()
        }

    def env(self, origin: str) -> dict[str, str]:
        """Return the environment variables for a client that uses the simulator at `origin`."""
        return {
            "CANVAS_URL": origin,
            "CANVAS_TOKEN": self.canvas_token,
            "ABCONNECT_URL": origin,
            "ABCONNECT_PARTNER_ID": self.partner_id,
            "ABCONNECT_PARTNER_KEY": self.partner_key,
        }

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
        exchange = RequestHandler(self, request, path, parse(query))
        reply = await exchange.run()
        await self._wait(knobs.network_back_seconds, knobs.network_jitter_seconds)
        return _response(reply, request)

    # Used by the request handler.

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

    def next_id(self) -> str:
        """Return the next id for a response header; the sequence is the same in every run."""
        self._number += 1
        return f"5109{self.seed & 0xFFFF:04x}-0000-4000-8000-{self._number:012x}"

    def leaky(self, identifier: str) -> LeakyBucket:
        """Return the Canvas bucket of a client."""
        bucket = self._leaky.get(identifier)
        if bucket is None:
            bucket = self._leaky[identifier] = LeakyBucket()
        return bucket

    def leaky_rules(self) -> LeakyRules:
        """Return the current settings of the Canvas throttle."""
        knobs = self.knobs
        return LeakyRules(
            knobs.hwm,
            knobs.maximum,
            knobs.outflow,
            knobs.throttle_enabled,
            knobs.canvas_background_cost_per_second,
        )

    def tokens_left(self, partner: str) -> float:
        """Return the current level of an account's AB Connect bucket, for gauges."""
        knobs = self.knobs
        if partner not in self._tokens:
            return knobs.burst if knobs.burst_at_start is None else knobs.burst_at_start
        calls = self._tokens[partner][0]
        calls.fill(self.now(), knobs.rate, knobs.burst)
        return calls.level

    def take_tokens(self, partner: str, *, wildcard: bool) -> bool:
        """Take the tokens for an AB Connect call; return False if it is refused."""
        knobs, now = self.knobs, self.now()
        buckets = self._tokens.get(partner)
        if buckets is None:
            start = knobs.burst if knobs.burst_at_start is None else knobs.burst_at_start
            random = Random(f"{self.seed}:{partner}")  # noqa: S311 -- not a secret
            background = BackgroundClient(random)
            buckets = TokenBucket(start), TokenBucket(knobs.wildcard_burst), background
            self._tokens[partner] = buckets
        calls, wildcards, background = buckets
        background.catch_up(calls, now, knobs.rate, knobs.burst, knobs.background_calls_per_second)
        if not calls.take(now, knobs.rate, knobs.burst):
            return False
        return not wildcard or wildcards.take(now, knobs.wildcard_rate, knobs.wildcard_burst)

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

    def canvas_reply(self, request: Request, path: str, pairs: Pairs, token: str | None) -> Reply:
        """Return the Canvas reply to an admitted request."""
        if (refusal := self._canvas_refusal(request, path, token)) is not None:
            return refusal
        found = self._canvas_router.find(request.method, path)
        if found is None:
            return not_found(gate=True)
        operation, values = found
        origin = self.origin_of(request)
        accept = request.headers.get("accept", "")
        body = parse_body(request.headers.get("content-type", ""), request.body)
        call = CanvasCall(operation, values, pairs, body, origin, self.now(), self._today())

        def make() -> Reply:
            reply = self._canvas.answer(call)
            if _STRING_IDS in accept and reply.body:
                reply.body = orjson.dumps(string_ids(orjson.loads(reply.body)))
            return reply

        if request.method != "GET":
            return make()
        key = ("canvas", request.path, origin, _STRING_IDS in accept)
        return self.cached(key, make)

    def _canvas_refusal(self, request: Request, path: str, token: str | None) -> Reply | None:
        if self.knobs.requires_user_agent and not request.headers.get("user-agent"):
            return Reply(403, b"", {"Content-Type": "text/plain; charset=utf-8"})
        if not path.startswith("/api/"):
            return not_found(gate=True)
        if token is None:
            return unauthenticated()
        state = self.canvas_tokens.get(token)
        if state == "active":
            matches = (re.search(pattern, request.path) for pattern in self.knobs.denied_paths)
            return denied(self.knobs.denied_status) if any(matches) else None
        if state == "unscoped":
            return canvas_error(
                401, {"errors": [{"message": "Insufficient scopes on access token."}]}
            )
        error: dict[str, Any] = {"message": "Invalid access token."}
        if state == "expired":
            error = {"message": "Expired access token.", "expired_at": "2026-01-01T00:00:00Z"}
        elif state == "revoked":
            error = {"message": "Revoked access token."}
        return canvas_error(401, {"errors": [error]}, token_problem=True)

    def _today(self) -> str:
        return datetime.fromtimestamp(self._wall(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def abconnect_reply(self, request: Request, path: str, pairs: Pairs) -> Reply:
        """Return the AB Connect reply to an admitted request."""
        refusal = self._abconnect.refused(request.method, path, pairs, self._wall())
        if refusal is not None:
            return refusal
        found = self._abconnect_router.find(request.method, path)
        if found is None:
            return abconnect_error(404)
        operation, values = found
        origin = self.origin_of(request)
        call = ABCall(
            operation.name,
            values,
            path,
            pairs,
            _json(request.body),
            origin,
            self.now(),
            self._wall(),
        )
        if request.method != "GET":
            reply = self._abconnect.answer(call)
            self.world.version += 1
        else:
            plain = tuple(call.public)
            key = ("abconnect", path, plain, origin)
            reply = self.cached(key, lambda: self._abconnect.answer(call))
        return spelled(reply, request.headers.get("accept-charset", ""))


def _json(body: bytes | None) -> Any:
    """Decode a JSON body; None if it is invalid."""
    try:
        return orjson.loads(body or b"null")
    except orjson.JSONDecodeError:
        return None


_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"


def _response(reply: Reply, request: Request) -> Response:
    return Response(reply.status, Headers(reply.headers), reply.body, request)
