"""The path of one request through throttle, faults and service."""

from __future__ import annotations

import asyncio
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from aioinstructure.simulator.abconnect.service import is_wildcard
from aioinstructure.simulator.http.faults import Fault, apply_to_body, failure
from aioinstructure.simulator.http.parsing import Pairs, first, last
from aioinstructure.simulator.http.responses import Reply, abconnect_error

if TYPE_CHECKING:
    from collections.abc import Callable

    from aioinstructure.simulator.knobs import PathNumbers
    from aioinstructure.simulator.simulator import Simulator
    from aioinstructure.simulator.throttles import LeakyBucket
    from aioinstructure.wire.message import Request

__all__ = ["RequestHandler"]

_REFUSED_COST = 0.001  # the processor time of a refusal


class RequestHandler:
    """The path of one request through throttle, faults and service."""

    def __init__(self, simulator: Simulator, request: Request, path: str, pairs: Pairs) -> None:
        self._simulator, self._request = simulator, request
        self._path, self._pairs = path, pairs

    async def run(self) -> Reply:
        """Return the reply, with the headers of its service."""
        abconnect = self._path.startswith("/rest/")
        fault = self._simulator.faults.take(self._request.method, self._request.path)
        if fault is not None and fault.stage == "gateway":
            reply = await self._faulty(fault, abconnect=abconnect, serve=None)
            if reply is not None:
                return reply
            fault = None
        return await (self._abconnect(fault) if abconnect else self._canvas(fault))

    async def _faulty(
        self, fault: Fault, *, abconnect: bool, serve: Callable[[], Reply] | None
    ) -> Reply | None:
        """Apply a fault. Without `serve`, None means that the request continues."""
        if fault.kind == "delay":
            await asyncio.sleep(fault.seconds)
        elif fault.kind == "hang":
            await asyncio.get_running_loop().create_future()
        elif fault.kind == "close":
            raise ConnectionResetError("the simulator closed the connection")
        elif (reply := failure(fault, abconnect=abconnect)) is not None:
            return reply
        return None if serve is None else apply_to_body(fault, serve())

    # Canvas.

    async def _canvas(self, fault: Fault | None) -> Reply:
        simulator, request = self._simulator, self._request
        token = _token(request, self._pairs)
        bucket = simulator.leaky("ip:127.0.0.1" if token is None else f"token:{token}")
        reservation = _by_path(simulator.knobs.up_front_cost_by_path, request.path)
        if reservation is None:
            reservation = simulator.knobs.up_front_cost
        admitted = bucket.arrive(reservation, simulator.now(), simulator.leaky_rules())
        simulator.count("canvas", refused=not admitted)
        if not admitted:
            rules = simulator.leaky_rules()
            remaining = bucket.leave(_REFUSED_COST, reservation, simulator.now(), rules)
            return self._with_canvas_headers(
                _throttled(simulator.knobs.throttle_status), None, remaining
            )
        knobs = simulator.knobs
        seconds = simulator.seconds(
            knobs.canvas_latency_seconds, knobs.canvas_latency_jitter_seconds
        )
        end = simulator.now() + seconds
        try:
            if seconds > 0:
                await asyncio.sleep(seconds)
            reply = await self._canvas_body(fault, token)
        except asyncio.CancelledError:
            self._settle_later(bucket, reservation, end)
            raise
        except ConnectionResetError:
            bucket.leave(self._cost(1), reservation, simulator.now(), simulator.leaky_rules())
            raise
        cost = self._cost(reply.items)
        remaining = bucket.leave(cost, reservation, simulator.now(), simulator.leaky_rules())
        return self._with_canvas_headers(reply, cost, remaining)

    async def _canvas_body(self, fault: Fault | None, token: str | None) -> Reply:
        def serve() -> Reply:
            return self._simulator.canvas_reply(self._request, self._path, self._pairs, token)

        if fault is None:
            return serve()
        reply = await self._faulty(fault, abconnect=False, serve=serve)
        return serve() if reply is None else reply

    def _settle_later(self, bucket: LeakyBucket, reservation: float, end: float) -> None:
        """Refund the reservation at `end`: the server continues although the client is gone."""
        simulator, cost = self._simulator, self._cost(1)

        def settle() -> None:
            bucket.leave(cost, reservation, simulator.now(), simulator.leaky_rules())

        left = end - simulator.now()
        if left > 0:
            asyncio.get_running_loop().call_later(left, settle)
        else:
            settle()

    def _cost(self, items: int) -> float:
        knobs = self._simulator.knobs
        if knobs.canvas_cost is not None:
            return knobs.canvas_cost
        special = _by_path(knobs.canvas_cost_by_path, self._request.path)
        if special is not None:
            return special
        return knobs.canvas_cost_base + knobs.canvas_cost_per_item * items

    def _with_canvas_headers(self, reply: Reply, cost: float | None, remaining: float) -> Reply:
        """Return a copy with headers: the original may be cached."""
        knobs = self._simulator.knobs
        headers = {**reply.headers, "X-Request-Context-Id": self._simulator.next_id()}
        if knobs.quota_headers:
            if cost is not None:
                headers["X-Request-Cost"] = (
                    f"{cost:e}" if knobs.scientific_cost else repr(float(cost))
                )
            headers["X-Rate-Limit-Remaining"] = repr(float(remaining))
        return Reply(reply.status, reply.body, headers, reply.items)

    # AB Connect.

    async def _abconnect(self, fault: Fault | None) -> Reply:
        simulator, knobs = self._simulator, self._simulator.knobs
        partner = first(self._pairs, "partner.id") or ""
        admitted = simulator.take_tokens(partner, wildcard=is_wildcard(self._pairs))
        simulator.count("abconnect", refused=not admitted)
        if not admitted:
            reply = abconnect_error(429)
            if knobs.abconnect_retry_after is not None:
                reply.headers["Retry-After"] = str(knobs.abconnect_retry_after)
            return self._with_abconnect_headers(reply)
        base, jitter = knobs.abconnect_latency_seconds, knobs.abconnect_latency_jitter_seconds
        if (seconds := simulator.seconds(base, jitter)) > 0:
            await asyncio.sleep(seconds)

        def serve() -> Reply:
            return simulator.abconnect_reply(self._request, self._path, self._pairs)

        faulty = await self._faulty(fault, abconnect=True, serve=serve) if fault else None
        reply = serve() if faulty is None else faulty
        while reply.later is not None:  # long polls: the server delays the response
            await asyncio.sleep(reply.seconds)
            reply = reply.later()
        return self._with_abconnect_headers(reply)

    def _with_abconnect_headers(self, reply: Reply) -> Reply:
        headers = {
            "Cache-Control": "no-store, no-cache, must-revalidate",
            "Pragma": "no-cache",
            "Access-Control-Allow-Origin": "*",
            "X-Amzn-RequestId": self._simulator.next_id(),
            **reply.headers,
        }
        return Reply(reply.status, reply.body, headers, reply.items)


def _token(request: Request, pairs: Pairs) -> str | None:
    """Return the token that selects the bucket; a token in the body does not count."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return token.strip()
    return last(pairs, "access_token")


@lru_cache(maxsize=256)
def _compiled(numbers: PathNumbers) -> tuple[tuple[re.Pattern[str], float], ...]:
    return tuple((re.compile(pattern), number) for pattern, number in numbers)


def _by_path(numbers: PathNumbers, path: str) -> float | None:
    """Return the number of the first expression that matches."""
    for pattern, number in _compiled(numbers) if numbers else ():
        if pattern.search(path):
            return number
    return None


def _throttled(status: int) -> Reply:
    words = "Forbidden" if status == 403 else "Too Many Requests"
    text = f"{status} {words} (Rate Limit Exceeded)\n"
    return Reply(status, text.encode(), {"Content-Type": "text/plain; charset=utf-8"})
