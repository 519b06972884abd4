"""Clients with a fake transport in virtual time, and checks for leftovers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from aioinstructure import ABConnect, Canvas
from aioinstructure.clock import Clock
from aioinstructure.errors import Error
from aioinstructure.quota import Scheduler, TokenBucket
from aioinstructure.testing import (
    FakeTransport,
    VirtualLoop,
    reply,
    virtual_clock,
)
from aioinstructure.wire.message import Request, Response

TOKEN = "7~a-token-that-must-stay-secret"
KEY = "a-partner-key-that-must-stay-secret"

Reply = Response | Error | Callable[[Request], Response]


def now() -> float:
    """Loop time."""
    return asyncio.get_running_loop().time()


def running_clock() -> Clock:
    """A clock of the running virtual loop."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return virtual_clock(loop)


def canvas_on(
    replies: Iterable[Reply], *, seconds: float = 0.0, **options: Any
) -> tuple[Canvas, FakeTransport]:
    """A Canvas client with the given responses, and its transport."""
    transport = FakeTransport(list(replies), seconds)
    options.setdefault("clock", running_clock())
    if "auth" not in options:
        options["token"] = TOKEN
    return Canvas("https://canvas.test", transport=transport, **options), transport


def ab_on(
    replies: Iterable[Reply],
    *,
    seconds: float = 0.0,
    rate: float = 5.0,
    burst: float = 24.0,
    **options: Any,
) -> tuple[ABConnect, FakeTransport]:
    """An AB Connect client with the given responses, and its transport."""
    transport = FakeTransport(list(replies), seconds)
    clock = options.setdefault("clock", running_clock())
    options.setdefault("quota", Scheduler(TokenBucket(rate, burst), clock=clock))
    if "auth" not in options:
        options |= {"partner_id": "partner", "partner_key": KEY}
    return ABConnect(base_url="https://ab.test", transport=transport, **options), transport


def timed(replies: Iterable[Reply], times: list[float]) -> list[Reply]:
    """The responses; each records when it was requested."""

    def noting(response: Reply) -> Callable[[Request], Response]:
        def give(request: Request) -> Response:
            times.append(now())
            if isinstance(response, Error):
                raise response
            return response(request) if callable(response) else response

        return give

    return [noting(response) for response in replies]


def always(response: Response) -> Callable[[Request], Response]:
    """A last response, for all further requests."""
    return lambda _: response


def failing(status: int, **headers: str) -> Response:
    """A response of a load balancer, without any header of the service."""
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return reply(
        status=status, headers={"content-type": "text/html", **fields}, body=b"<h1>no</h1>"
    )


def throttled(remaining: str | None = "1.5", **headers: str) -> Response:
    """The refusal of Canvas for lack of quota."""
    fields = {"content-type": "text/plain; charset=utf-8"}
    if remaining is not None:
        fields["x-rate-limit-remaining"] = remaining
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    return reply(status=429, headers=fields, body=b"429 Too Many Requests (Rate Limit Exceeded)\n")


def invalid_token() -> Response:
    """The response of Canvas to an unknown token."""
    return reply(
        {"errors": [{"message": "Invalid access token."}]},
        status=401,
        headers={"www-authenticate": 'Bearer realm="canvas-lms"'},
    )


def bad_signature() -> Response:
    """The response of AB Connect to an invalid signature."""
    detail = "Signature is not authorized."
    return reply(
        {"errors": [{"status": "401", "title": "Unauthorized", "detail": detail}]}, status=401
    )


def timers() -> int:
    """The number of pending timers of the loop."""
    loop: Any = asyncio.get_running_loop()
    return sum(not handle.cancelled() for handle in loop._scheduled)  # noqa: SLF001 - asyncio has no public way


def assert_nothing_left(client: Canvas | ABConnect) -> None:
    """No lease, no waiter and no task except the test's own."""
    shot = client.quota.snapshot()
    assert shot.in_flight == 0
    assert not any(shot.queued.values())
    assert asyncio.all_tasks() == {asyncio.current_task()}
