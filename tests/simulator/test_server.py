"""The simulator over TCP: raw paths, headers, broken connections, controls."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import aiohttp
import pytest
from yarl import URL

from aioinstructure.simulator import Fault, Knobs, Simulator
from aioinstructure.simulator.abconnect.signature import sign
from aioinstructure.simulator.server import start

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Wire:
    """A simulator that listens, and a session with its token."""

    def __init__(self, simulator: Simulator, origin: str, session: aiohttp.ClientSession) -> None:
        self.simulator, self.origin, self.session = simulator, origin, session

    async def get(self, path: str) -> tuple[int, dict[str, str], bytes]:
        async with self.session.get(URL(f"{self.origin}{path}", encoded=True)) as response:
            return response.status, dict(response.headers), await response.read()

    async def post(self, path: str, value: Any) -> tuple[int, Any]:
        async with self.session.post(f"{self.origin}{path}", json=value) as response:
            return response.status, await response.json()


@contextlib.asynccontextmanager
async def listening(**knobs: Any) -> AsyncIterator[Wire]:
    simulator = Simulator(knobs=Knobs(**knobs))
    server = await start(simulator)
    headers = {"Authorization": f"Bearer {simulator.canvas_token}"}
    try:
        async with aiohttp.ClientSession(headers=headers) as session:
            yield Wire(simulator, server.origin, session)
    finally:
        await server.close()


async def test_raw_path_is_unchanged() -> None:
    """Nothing decodes or normalises the path that the client sent."""
    paths = [
        "/api/v1/courses/sis_course_id:CS%2F101%2E11",
        "/api/v1/courses/sis_course_id:CS%2f101.11%C3%A9?include[]=term&include%5B%5D=teachers",
        "/api/v1/courses?page=bookmark:WzFd&x=a+b%20c",
    ]
    async with listening() as wire:
        for path in paths:
            await wire.get(path)
        assert [seen.path for seen in wire.simulator.requests] == paths


async def test_canvas_over_tcp() -> None:
    """Status, body and the case of header names; the knob sets the case of Link."""
    async with listening(link_header_name="link") as wire:
        status, headers, body = await wire.get("/api/v1/courses?per_page=1")
        assert status == 200
        assert body.startswith(b'[{"id":1,')
        assert {"X-Request-Cost", "X-Rate-Limit-Remaining"} <= set(headers)
        async with wire.session.get(f"{wire.origin}/api/v1/courses") as response:
            raw = dict(response.raw_headers)  # names in their original case
        assert raw[b"link"].startswith(f"<{wire.origin}/api/v1/courses?page=1".encode())
        assert (await wire.get("/api/v1/courses/999"))[0] == 404


async def test_environment_is_enough() -> None:
    """The variables from env() are sufficient for a client of either service."""
    async with listening() as wire:
        env = wire.simulator.env(wire.origin)
        expires = "4102444800"
        signature = quote(sign(env["ABCONNECT_PARTNER_KEY"], expires), safe="")
        query = f"partner.id={env['ABCONNECT_PARTNER_ID']}&auth.expires={expires}"
        path = f"/rest/v4.1/standards?limit=1&{query}&auth.signature={signature}"
        assert env["ABCONNECT_URL"] == env["CANVAS_URL"] == wire.origin
        assert (await wire.get(path))[0] == 200


async def test_close_drops_the_connection_in_the_body() -> None:
    """The client gets the headers and part of the body, then the connection is closed."""
    async with listening() as wire:
        wire.simulator.faults.add([Fault(kind="close")])
        with pytest.raises(aiohttp.ClientPayloadError):
            await wire.get("/api/v1/courses")
        assert (await wire.get("/api/v1/courses"))[0] == 200


async def test_hang_ends_with_the_server() -> None:
    """A client times out on a hanging request, and the server can still be closed."""
    async with listening() as wire:
        wire.simulator.faults.add([Fault(kind="hang")])
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await wire.get("/api/v1/courses")


async def test_redirects_are_not_followed() -> None:
    """The client gets the redirect itself."""
    async with listening() as wire:
        wire.simulator.faults.add([Fault(kind="redirect", location="https://elsewhere.invalid/x")])
        url = f"{wire.origin}/api/v1/courses"
        async with wire.session.get(url, allow_redirects=False) as response:
            assert response.status == 302
            assert response.headers["Location"] == "https://elsewhere.invalid/x"


async def test_controls() -> None:
    """Knobs, faults, counters and reset; control calls are not counted."""
    async with listening() as wire:
        status, knobs = await wire.post("/_control/knobs", {"hwm": 100, "throttle_status": 403})
        assert (status, knobs["hwm"], wire.simulator.knobs.throttle_status) == (200, 100, 403)
        status, answer = await wire.post("/_control/faults", [{"kind": "status", "status": 418}])
        assert (status, answer) == (200, {"waiting": 1})
        assert (await wire.get("/api/v1/courses"))[0] == 418
        status, _, body = await wire.get("/_control/stats")
        assert body == (
            b'{"canvas":{"served":1,"refused":0,"unsimulated":0},"abconnect":{"served":0,"refused":0,"unsimulated":0}}'
        )
        status, answer = await wire.post("/_control/reset", {"seed": 2})
        assert answer["canvas"]["served"] == 0
        assert (wire.simulator.seed, wire.simulator.knobs.hwm) == (2, 100)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("knobs", {"nonsense": 1}),
        ("knobs", {"hwm": "many"}),
        ("knobs", {"hwm": 1, "denied_paths": ["("]}),
        ("knobs", {"paging": {"courses.list": "random"}}),
        ("knobs", [1]),
        ("faults", {}),
        ("faults", [{"kind": "nonsense"}]),
        ("reset", {"seed": "x"}),
        ("edit", {"guid": "unknown", "changes": {}}),
        ("edit", {}),
    ],
)
async def test_mistakes_in_controls(path: str, value: Any) -> None:
    """400 with a reason, and nothing is changed."""
    async with listening() as wire:
        status, answer = await wire.post(f"/_control/{path}", value)
        assert (status, set(answer)) == (400, {"error"})
        assert wire.simulator.knobs.hwm == 600.0


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.org", "::"])  # noqa: S104
async def test_loopback_only(host: str) -> None:
    """Other hosts are refused: anyone who can connect can change the knobs."""
    with pytest.raises(ValueError, match="loopback"):
        await start(Simulator(), host=host)


async def test_many_at_once() -> None:
    """Hundreds of concurrent requests are all answered."""
    async with listening(throttle_enabled=False) as wire:
        answers = await asyncio.gather(*(wire.get("/api/v1/courses/5") for _ in range(200)))
        assert {status for status, _, _ in answers} == {200}
