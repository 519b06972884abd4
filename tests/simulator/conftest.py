"""Simulators with their own clock, and callers with credentials."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import orjson
import pytest

from aioinstructure.simulator import Knobs, Simulator
from aioinstructure.simulator.abconnect.signature import sign
from aioinstructure.wire.message import Headers, Request, Response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

ORIGIN = "https://sim.example.edu"
WALL = 1_800_000_000.0


class Caller:
    """Calls a simulator in-process; its clock is `time`, or the running loop's if `virtual`."""

    def __init__(self, *, virtual: bool = False, **knobs: Any) -> None:
        self.time, self._virtual = 0.0, virtual
        self.simulator = Simulator(
            knobs=Knobs(**knobs), clock=self.now, wall=lambda: WALL + self.now()
        )

    def now(self) -> float:
        return asyncio.get_running_loop().time() if self._virtual else self.time

    async def canvas(
        self,
        path: str,
        method: str = "GET",
        *,
        body: bytes | None = None,
        token: str | None = "",
        **headers: str,
    ) -> Response:
        """Call Canvas; send the valid token unless another one or None is given."""
        token = self.simulator.canvas_token if token == "" else token
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            fields["Authorization"] = f"Bearer {token}"
        if body is not None:
            fields.setdefault("Content-Type", "application/json")
        request = Request(method, f"{ORIGIN}{path}", Headers(fields), body)
        return await self.simulator.handle(request)

    async def abconnect(self, path: str, **query: str) -> Response:
        """Call AB Connect, signed for GET; in the names of `query`, `__` stands for brackets."""
        return await self.ab("GET", path, **query)

    async def ab(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        charset: str = "",
        **query: str,
    ) -> Response:
        """Call AB Connect with any method, signed for it; `path` can be a complete URL."""
        expires = str(int(WALL + self.now()) + 60)
        pairs = [
            *(
                (name.replace("__", "[") + "]" * ("__" in name), value)
                for name, value in query.items()
            ),
            ("partner.id", self.simulator.partner_id),
            ("auth.expires", expires),
            ("auth.signature", sign(self.simulator.partner_key, f"{expires}\n\n{method}")),
        ]
        text = "&".join(f"{name}={quote(value, safe='')}" for name, value in pairs)
        url = path if path.startswith("https:") else f"{ORIGIN}/rest/v4.1{path}"
        url = f"{url}{'&' if '?' in url else '?'}{text}"
        content = body if isinstance(body, bytes) or body is None else orjson.dumps(body)
        return await self.simulator.handle(
            Request(method, url, {"Accept-Charset": charset} if charset else {}, content)
        )

    async def data(self, path: str, **query: str) -> Any:
        """Return the member `data` of a successful GET."""
        response = await self.abconnect(path, **query)
        assert response.status == 200, response.text
        return response.json()["data"]


@pytest.fixture
def caller() -> Caller:
    """A caller whose AB Connect throttle never refuses."""
    return Caller(rate=1e6, burst=1e6, wildcard_burst=1e6)


@pytest.fixture
def virtual() -> Caller:
    """A caller whose AB Connect throttle never refuses, in the running loop's time."""
    return Caller(virtual=True, rate=1e6, burst=1e6, wildcard_burst=1e6)


@pytest.fixture
def make_caller() -> Callable[..., Caller]:
    """Makes callers with the given knobs."""
    return Caller


class _JumpingLoop(asyncio.SelectorEventLoop):
    """A loop whose clock jumps to the next timer."""

    def __init__(self) -> None:
        super().__init__()
        self.jumped = 0.0

    def time(self) -> float:
        self.jumped += 1e-7  # advances slightly, or float rounding could delay a timer forever
        return self.jumped

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:  # type: ignore[attr-defined]  # private to asyncio
            self.jumped = max(self.jumped, self._scheduled[0].when())  # type: ignore[attr-defined]
        super()._run_once()  # type: ignore[misc]


@pytest.fixture
def run() -> Callable[[Callable[[], Awaitable[Any]]], Any]:
    """Returns a function that runs a coroutine function in virtual time."""

    def run(main: Callable[[], Awaitable[Any]]) -> Any:
        async def coroutine() -> Any:
            return await main()

        with asyncio.Runner(loop_factory=_JumpingLoop) as runner:
            return runner.run(coroutine())

    return run
