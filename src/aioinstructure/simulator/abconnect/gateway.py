"""AB Connect as a client sees it: throttle, signature, operation, headers."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar, Final

import orjson

from aioinstructure.simulator.abconnect.request import ABCall
from aioinstructure.simulator.abconnect.service import ABConnectService, is_wildcard
from aioinstructure.simulator.hashing import random_text
from aioinstructure.simulator.http.faults import Fault, apply_fault
from aioinstructure.simulator.http.parsing import Pairs, first
from aioinstructure.simulator.http.responses import Reply, abconnect_error, spelled
from aioinstructure.simulator.http.router import Router, operations
from aioinstructure.simulator.throttles import BackgroundClient, TokenBucket

if TYPE_CHECKING:
    from aioinstructure.simulator.simulator import Simulator
    from aioinstructure.wire.message import Request

__all__ = ["ABConnectGateway"]


class ABConnectGateway:
    """One AB Connect: two token buckets for each account in front of the handlers.

    Args:
        simulator: Gives the knobs, the clocks, the world and the cache.

    Attributes:
        partner_id: The account of the simulated publisher.
        partner_key: Its key.
        partners: The keys of all accounts, by their ids.
    """

    name: Final = "abconnect"
    is_jsonapi: ClassVar[bool] = True

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._router = Router([one for one in operations() if one.service == self.name])
        random = Random(f"{simulator.seed}:abconnect")  # noqa: S311 -- not a secret
        self.partner_id = random_text(random, 12)
        self.partner_key = random_text(random, 22)
        self.partners: dict[str, str] = {self.partner_id: self.partner_key}
        self._service = ABConnectService(
            simulator.world, simulator.knobs, self.partners, simulator.now
        )
        self._buckets: dict[str, tuple[TokenBucket, TokenBucket, BackgroundClient]] = {}

    @staticmethod
    def claims(path: str) -> bool:
        """Whether a path belongs to the service."""
        return path.startswith("/rest/")

    def env(self, origin: str) -> dict[str, str]:
        """The environment variables for a client."""
        return {
            "ABCONNECT_URL": origin,
            "ABCONNECT_PARTNER_ID": self.partner_id,
            "ABCONNECT_PARTNER_KEY": self.partner_key,
        }

    # The throttle.

    def tokens_left(self, partner: str) -> float:
        """The current level of an account's bucket, for gauges."""
        knobs = self._simulator.knobs
        if partner not in self._buckets:
            return self._start()
        calls = self._buckets[partner][0]
        calls.fill(self._simulator.now(), knobs.rate, knobs.burst)
        return calls.level

    def _start(self) -> float:
        knobs = self._simulator.knobs
        return knobs.burst if knobs.burst_at_start is None else knobs.burst_at_start

    def _take(self, partner: str, *, wildcard: bool) -> bool:
        """Take the tokens for a call; False if it is refused."""
        knobs, now = self._simulator.knobs, self._simulator.now()
        buckets = self._buckets.get(partner)
        if buckets is None:
            random = Random(f"{self._simulator.seed}:{partner}")  # noqa: S311 -- not a secret
            background = BackgroundClient(random)
            buckets = TokenBucket(self._start()), TokenBucket(knobs.wildcard_burst), background
            self._buckets[partner] = buckets
        calls, wildcards, background = buckets
        background.catch_up(calls, now, knobs.rate, knobs.burst, knobs.background_calls_per_second)
        if not calls.take(now, knobs.rate, knobs.burst):
            return False
        return not wildcard or wildcards.take(now, knobs.wildcard_rate, knobs.wildcard_burst)

    async def handle(self, request: Request, path: str, pairs: Pairs, fault: Fault | None) -> Reply:
        """Throttle and answer one request."""
        simulator, knobs = self._simulator, self._simulator.knobs
        partner = first(pairs, "partner.id") or ""
        admitted = self._take(partner, wildcard=is_wildcard(pairs))
        simulator.count(self.name, refused=not admitted)
        if not admitted:
            reply = abconnect_error(429)
            if knobs.abconnect_retry_after is not None:
                reply.headers["Retry-After"] = str(knobs.abconnect_retry_after)
            return self._with_headers(reply)
        base, jitter = knobs.abconnect_latency_seconds, knobs.abconnect_latency_jitter_seconds
        if (seconds := simulator.seconds(base, jitter)) > 0:
            await asyncio.sleep(seconds)
        reply = await apply_fault(fault, lambda: self._reply(request, path, pairs), jsonapi=True)
        while reply.later is not None:  # long polls: the server delays the response
            await asyncio.sleep(reply.seconds)
            reply = reply.later()
        return self._with_headers(reply)

    def _with_headers(self, reply: Reply) -> Reply:
        headers = {
            "Cache-Control": "no-store, no-cache, must-revalidate",
            "Pragma": "no-cache",
            "Access-Control-Allow-Origin": "*",
            "X-Amzn-RequestId": self._simulator.next_id(),
            **reply.headers,
        }
        return Reply(reply.status, reply.body, headers, reply.items)

    # The answer.

    def _reply(self, request: Request, path: str, pairs: Pairs) -> Reply:
        """The reply to an admitted request."""
        simulator = self._simulator
        refusal = self._service.refused(request.method, path, pairs, simulator.wall())
        if refusal is not None:
            return refusal
        found = self._router.find(request.method, path)
        if found is None:
            return abconnect_error(404)
        operation, values = found
        origin = simulator.origin_of(request)
        call = ABCall(
            operation.name,
            values,
            path,
            pairs,
            _json(request.body),
            origin,
            simulator.now(),
            simulator.wall(),
        )
        if request.method != "GET":
            reply = self._service.answer(call)
            simulator.world.version += 1
        else:
            key = (self.name, path, tuple(call.public), origin)
            reply = simulator.cached(key, lambda: self._service.answer(call))
        return spelled(reply, request.headers.get("accept-charset", ""))


def _json(body: bytes | None) -> Any:
    """Decode a JSON body; None if it is invalid."""
    try:
        return orjson.loads(body or b"null")
    except orjson.JSONDecodeError:
        return None
