"""Faults: their effects, matching and counts, before or after the throttle."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from aioinstructure.simulator import Fault, Simulator
from aioinstructure.wire.message import Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.simulator.conftest import Caller


def add(caller: Caller, **facts: Any) -> None:
    caller.simulator.faults.add([Fault(**facts)])


async def test_matching_and_counts(caller: Caller) -> None:
    """Method, path, a number of requests to skip and a number to affect."""
    add(caller, kind="status", status=503, method="GET", path="/courses/5$", skip=1, count=2)
    other = await caller.canvas("/api/v1/courses/6")
    statuses = [(await caller.canvas("/api/v1/courses/5")).status for _ in range(4)]
    assert (other.status, statuses) == (200, [200, 503, 503, 200])


@pytest.mark.parametrize(
    ("body", "kind", "text"),
    [
        ("json", "application/json; charset=utf-8", '"error_code":"bad_gateway"'),
        ("html", "text/html", "<h1>Bad Gateway</h1>"),
        ("empty", "", ""),
    ],
)
async def test_bodies_of_a_status(caller: Caller, body: str, kind: str, text: str) -> None:
    """Errors have a JSON body, an HTML body or none."""
    add(caller, kind="status", status=502, body=body, retry_after="7")
    response = await caller.canvas("/api/v1/courses")
    assert response.status == 502
    assert response.headers.get("content-type", "") == kind
    assert text in response.text
    assert ("retry-after" in response.headers) is (body != "") or body == ""


async def test_gateway_is_before_the_throttle(caller: Caller) -> None:
    """A response of a load balancer costs no quota and has no Canvas headers."""
    add(caller, kind="status", status=504, body="html", stage="gateway")
    add(caller, kind="status", status=500)
    first = await caller.canvas("/api/v1/courses")
    assert first.request_cost is None
    assert caller.simulator.stats()["canvas"]["served"] == 0
    second = await caller.canvas("/api/v1/courses")
    assert second.status == 500
    assert second.request_cost is not None
    assert caller.simulator.stats()["canvas"]["served"] == 1


async def test_modified_responses(caller: Caller) -> None:
    """Truncated, invalid JSON, another type, invalid or foreign links, redirected."""
    good = await caller.canvas("/api/v1/courses")
    add(caller, kind="truncated")
    cut = await caller.canvas("/api/v1/courses")
    assert good.body.startswith(cut.body)
    with pytest.raises(ValueError, match=r"."):
        cut.json()
    add(caller, kind="invalid_json")
    with pytest.raises(ValueError, match="Expecting"):
        (await caller.canvas("/api/v1/courses")).json()
    add(caller, kind="wrong_shape")
    assert (await caller.canvas("/api/v1/courses")).json() == {"unexpected": True}
    add(caller, kind="bad_link")
    assert (await caller.canvas("/api/v1/courses")).headers["link"].startswith("<<not")
    add(caller, kind="foreign_next", location="https://evil.example")
    assert "<https://evil.example/" in (await caller.canvas("/api/v1/courses")).headers["link"]
    add(caller, kind="redirect", location="https://login.example/")
    moved = await caller.canvas("/api/v1/courses")
    assert (moved.status, moved.headers["location"]) == (302, "https://login.example/")
    assert (await caller.canvas("/api/v1/courses")).body == good.body


async def test_abconnect_links_are_in_the_body(caller: Caller) -> None:
    """In AB Connect the next link in the body is replaced; errors follow JSON:API."""
    add(caller, kind="foreign_next", location="https://evil.example")
    links = (await caller.abconnect("/standards")).json()["links"]
    assert links["next"].startswith("https://evil.example/")
    add(caller, kind="status", status=503)
    error = (await caller.abconnect("/standards")).json()["errors"][0]
    assert error == {"status": "503", "title": "Service Unavailable", "detail": None}


async def test_close(caller: Caller) -> None:
    """In-process, a dropped connection is a ConnectionResetError; the cost is charged."""
    caller.simulator.knobs.canvas_cost = 20.0
    add(caller, kind="close")
    with pytest.raises(ConnectionResetError):
        await caller.canvas("/api/v1/courses")
    assert caller.simulator.canvas.bucket(f"token:{caller.simulator.canvas_token}").count == 20.0


def test_hang_and_delay(run: Callable[..., Any]) -> None:
    """A hanging request gets no response, a delayed one a late response."""

    async def main() -> tuple[bool, float]:
        simulator = Simulator()
        headers = {"Authorization": f"Bearer {simulator.canvas_token}"}
        request = Request("GET", "https://sim/api/v1/users/self", headers)
        simulator.faults.add([Fault(kind="hang"), Fault(kind="delay", seconds=3.0)])
        hung = False
        try:
            async with asyncio.timeout(1000):
                await simulator.handle(request)
        except TimeoutError:
            hung = True
        loop = asyncio.get_running_loop()
        begin = loop.time()
        assert (await simulator.handle(request)).status == 200
        return hung, round(loop.time() - begin, 2)

    assert run(main) == (True, 3.0)


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"kind": "nonsense"},
        {"kind": "status", "nonsense": 1},
        {"kind": "status", "path": "("},
        {"kind": "status", "body": "xml"},
        {"kind": "status", "count": "2"},
        {"kind": "truncated", "stage": "gateway"},
    ],
)
def test_mistakes(facts: dict[str, Any]) -> None:
    """An invalid fault is refused when it is created."""
    with pytest.raises(ValueError, match=r"."):
        Fault.from_dict(facts)
