"""Canvas as a client sees it: throttle, token, operation, headers."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from functools import lru_cache
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar, Final

import orjson

from aioinstructure.simulator.canvas.course_paces import PaceService
from aioinstructure.simulator.canvas.service import CanvasCall, CanvasService, is_self
from aioinstructure.simulator.hashing import random_text
from aioinstructure.simulator.http.faults import Fault, apply_fault
from aioinstructure.simulator.http.parsing import (
    Pairs,
    conflicts,
    is_encoded,
    last,
    parse_body,
    ruby_to_i,
)
from aioinstructure.simulator.http.responses import (
    Reply,
    canvas_error,
    denied,
    not_found,
    not_simulated,
    string_ids,
    unauthenticated,
)
from aioinstructure.simulator.http.router import Router, operations
from aioinstructure.simulator.throttles import LeakyBucket, LeakyRules

if TYPE_CHECKING:
    from aioinstructure.simulator.knobs import PathNumbers
    from aioinstructure.simulator.simulator import Simulator
    from aioinstructure.wire.message import Request

__all__ = ["CanvasGateway"]

_REFUSED_COST: Final = 0.001  # the processor time of a refusal
_STRING_IDS: Final = "application/json+canvas-string-ids"


class CanvasGateway:
    """One Canvas: a leaky bucket for each token in front of the handlers.

    Args:
        simulator: Gives the knobs, the clocks, the world and the cache.

    Attributes:
        token: The access token of the simulated user.
        tokens: The state of each token: active, expired, revoked or unscoped.
    """

    name: Final = "canvas"
    is_jsonapi: ClassVar[bool] = False

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._router = Router([one for one in operations() if one.service == self.name])
        random = Random(f"{simulator.seed}:canvas")  # noqa: S311 -- not a secret
        self.token = f"7~{random_text(random, 64)}"
        self.tokens: dict[str, str] = {self.token: "active"}
        self._service = CanvasService(simulator.world, simulator.knobs)
        PaceService(self._service)
        self._buckets: dict[str, LeakyBucket] = {}

    @staticmethod
    def claims(path: str) -> bool:
        """Whether a path belongs to the service: every one that no other service claims."""
        return not path.startswith("/rest/")

    def env(self, origin: str) -> dict[str, str]:
        """The environment variables for a client."""
        return {"CANVAS_URL": origin, "CANVAS_TOKEN": self.token}

    # The throttle.

    def bucket(self, identifier: str) -> LeakyBucket:
        """The bucket of a client: "token:..." or "ip:..."."""
        bucket = self._buckets.get(identifier)
        if bucket is None:
            bucket = self._buckets[identifier] = LeakyBucket()
        return bucket

    def rules(self) -> LeakyRules:
        """The current settings of the throttle."""
        knobs = self._simulator.knobs
        return LeakyRules(
            knobs.hwm,
            knobs.maximum,
            knobs.outflow,
            knobs.throttle_enabled,
            knobs.canvas_background_cost_per_second,
        )

    async def handle(self, request: Request, path: str, pairs: Pairs, fault: Fault | None) -> Reply:
        """Throttle and answer one request."""
        simulator, knobs = self._simulator, self._simulator.knobs
        token = _token(request, pairs)
        bucket = self.bucket("ip:127.0.0.1" if token is None else f"token:{token}")
        reservation = _by_path(knobs.up_front_cost_by_path, request.path)
        if reservation is None:
            reservation = knobs.up_front_cost
        admitted = bucket.arrive(reservation, simulator.now(), self.rules())
        simulator.count(self.name, refused=not admitted)
        if not admitted:
            remaining = bucket.leave(_REFUSED_COST, reservation, simulator.now(), self.rules())
            return self._with_headers(_throttled(knobs.throttle_status), None, remaining)
        seconds = simulator.seconds(
            knobs.canvas_latency_seconds, knobs.canvas_latency_jitter_seconds
        )
        end = simulator.now() + seconds
        try:
            if seconds > 0:
                await asyncio.sleep(seconds)
            reply = await apply_fault(
                fault, lambda: self._reply(request, path, pairs, token), jsonapi=False
            )
        except asyncio.CancelledError:
            self._settle_later(request, bucket, reservation, end)
            raise
        except ConnectionResetError:
            bucket.leave(self._cost(request, 1), reservation, simulator.now(), self.rules())
            raise
        if reply.status == 501:
            simulator.count_unsimulated(self.name)
        cost = self._cost(request, reply.items)
        remaining = bucket.leave(cost, reservation, simulator.now(), self.rules())
        return self._with_headers(reply, cost, remaining)

    def _settle_later(
        self, request: Request, bucket: LeakyBucket, reservation: float, end: float
    ) -> None:
        """Refund the reservation at `end`: the server continues although the client is gone."""
        simulator, cost = self._simulator, self._cost(request, 1)

        def settle() -> None:
            bucket.leave(cost, reservation, simulator.now(), self.rules())

        left = end - simulator.now()
        if left > 0:
            asyncio.get_running_loop().call_later(left, settle)
        else:
            settle()

    def _cost(self, request: Request, items: int) -> float:
        knobs = self._simulator.knobs
        if knobs.canvas_cost is not None:
            return knobs.canvas_cost
        special = _by_path(knobs.canvas_cost_by_path, request.path)
        if special is not None:
            return special
        return knobs.canvas_cost_base + knobs.canvas_cost_per_item * items

    def _with_headers(self, reply: Reply, cost: float | None, remaining: float) -> Reply:
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

    # The answer.

    def _reply(self, request: Request, path: str, pairs: Pairs, token: str | None) -> Reply:
        """The reply to an admitted request."""
        simulator = self._simulator
        if (refusal := self._refusal(request, path, pairs, token)) is not None:
            return refusal
        if (refusal := _unreadable(request, pairs)) is not None:
            return refusal
        is_head = request.method == "HEAD"
        method = "GET" if is_head else request.method
        found = self._router.find(method, path.removesuffix(".json"))
        if found is None:
            return not_simulated(f"{method} {path}")
        operation, values = found
        origin = simulator.origin_of(request)
        accept = request.headers.get("accept", "")
        body = parse_body(request.headers.get("content-type", ""), request.body)
        today = datetime.fromtimestamp(simulator.wall(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        call = CanvasCall(operation, values, pairs, body, origin, simulator.now(), today)

        def make() -> Reply:
            reply = self._service.answer(call)
            if _STRING_IDS in accept and reply.body:
                reply.body = orjson.dumps(string_ids(orjson.loads(reply.body)))
            return reply

        if method != "GET":
            return make()
        key = (self.name, request.path, origin, _STRING_IDS in accept)
        reply = simulator.cached(key, make)
        return Reply(reply.status, b"", reply.headers, reply.items) if is_head else reply

    def _as_user(self, user: str | None) -> Reply | None:
        """The refusal of a user to act as; None for none, and for the token's user."""
        if user is None or user == "self" or is_self(user):
            return None
        number = ruby_to_i(user)
        if any(
            number == one.user_id
            for course in self._service.campus.courses
            for one in self._service.campus.students(course)
        ):
            return not_simulated("calls as another user (as_user_id)")
        return canvas_error(401, {"errors": "Invalid as_user_id"})

    def _refusal(
        self, request: Request, path: str, pairs: Pairs, token: str | None
    ) -> Reply | None:
        knobs = self._simulator.knobs
        if knobs.requires_user_agent and not request.headers.get("user-agent"):
            return Reply(403, b"", {"Content-Type": "text/plain; charset=utf-8"})
        if not path.startswith("/api/"):
            return not_found(gate=True)
        if token is None:
            return unauthenticated()
        state = self.tokens.get(token)
        if state == "active":
            matches = (re.search(pattern, request.path) for pattern in knobs.denied_paths)
            if any(matches):
                return denied(knobs.denied_status)
            return self._as_user(last(pairs, "as_user_id"))
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


def _token(request: Request, pairs: Pairs) -> str | None:
    """Return the token that selects the bucket; a token in the body does not count."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme == "Bearer" and token:
        return token.strip()
    return last(pairs, "access_token")


def _unreadable(request: Request, pairs: Pairs) -> Reply | None:
    """The refusal of a query that Rack cannot read."""
    if is_encoded(request.path.partition("?")[2]) and not conflicts(pairs):
        return None
    return Reply(400, b"", {"Content-Type": "text/html; charset=utf-8"})


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
