"""The simulator over TCP. Only this module of the simulator uses aiohttp."""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING

from aiohttp import web

from aioinstructure.wire.message import Headers, Request

if TYPE_CHECKING:
    from aioinstructure.simulator.simulator import Simulator
    from aioinstructure.wire.message import Response

__all__ = ["Server", "start"]

_SPELLED = {
    "www-authenticate": "WWW-Authenticate",
    "x-amzn-requestid": "X-Amzn-RequestId",
}


class Server:
    """A listening simulator. `origin` is its address, such as http://127.0.0.1:8400."""

    def __init__(self, runner: web.ServerRunner, origin: str) -> None:
        self._runner = runner
        self.origin = origin

    async def close(self) -> None:
        """Stop listening and close open connections."""
        await self._runner.cleanup()


async def start(simulator: Simulator, *, host: str = "127.0.0.1", port: int = 0) -> Server:
    """Listen on a loopback address; port 0 selects a free port.

    Raises:
        ValueError: The host is not loopback. Anyone who can connect can change the knobs.
    """
    if not _loopback(host):
        raise ValueError(f"the simulator listens on loopback only, not on {host}")
    front = _Front(simulator)
    # No access log and no aiohttp routing: raw paths reach the simulator unchanged.
    runner = web.ServerRunner(web.Server(front.exchange, access_log=None), shutdown_timeout=0.1)
    await runner.setup()
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        await web.SockSite(runner, listener, backlog=1024).start()
    except OSError:
        listener.close()
        await runner.cleanup()
        raise
    shown = f"[{host}]" if family == socket.AF_INET6 else host
    return Server(runner, f"http://{shown}:{listener.getsockname()[1]}")


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _Front:
    """Adapter between aiohttp's messages and those of the simulator."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._names: dict[str, str] = dict(_SPELLED)

    async def exchange(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read() if request.body_exists else None
        message = Request(
            request.method,
            f"http://{request.host}{request.raw_path}",
            Headers((name, value) for name, value in request.headers.items()),
            body,
        )
        try:
            response = await self._simulator.handle(message)
        except ConnectionResetError:
            return await self._break_off(request)
        return self._answer(response)

    def _answer(self, response: Response) -> web.Response:
        answer = web.Response(status=response.status, body=response.body)
        headers = answer.headers
        if "content-type" not in response.headers:
            headers.popall("Content-Type", None)
        for name, value in response.headers.items():
            headers[self._spelled(name)] = value
        return answer

    def _spelled(self, name: str) -> str:
        """Return a header name in the servers' case, which the messages do not keep."""
        if name == "link":
            return self._simulator.knobs.link_header_name
        spelled = self._names.get(name)
        if spelled is None:
            spelled = self._names[name] = "-".join(part.capitalize() for part in name.split("-"))
        return spelled

    @staticmethod
    async def _break_off(request: web.BaseRequest) -> web.StreamResponse:
        """Send the headers and part of the body, then drop the connection."""
        answer = web.StreamResponse(headers={"Content-Type": "application/json; charset=utf-8"})
        answer.content_length = 4096
        await answer.prepare(request)
        await answer.write(b'[{"id":')
        if request.transport is not None:
            request.transport.abort()
        return answer
