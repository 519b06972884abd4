"""The client of Canvas LMS."""

from __future__ import annotations

import ssl as tls
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qsl

from attrs import evolve

from aioinstructure._types import Id
from aioinstructure.auth.credentials import BearerToken, Credential
from aioinstructure.client import Client
from aioinstructure.clock import Clock
from aioinstructure.config import checked_origin, from_environment, http_transport
from aioinstructure.errors import ConfigurationError, InputError
from aioinstructure.paging.cursor import Place
from aioinstructure.quota import CostBucket, Scheduler
from aioinstructure.transport.call_context import Transport
from aioinstructure.wire.links import next_by_header
from aioinstructure.wire.message import Request, Response
from aioinstructure.wire.params import path_segment

if TYPE_CHECKING:
    import aiohttp

    from aioinstructure.canvas.accounts import AccountsAPI
    from aioinstructure.canvas.course_paces import CoursePacesAPI
    from aioinstructure.canvas.courses import CoursesAPI
    from aioinstructure.canvas.modules import ModulesAPI
    from aioinstructure.canvas.progress import ProgressAPI

__all__ = ["Canvas"]


class Canvas(Client):
    """A Canvas account, seen through one access token.

    Args:
        url: The origin, such as "https://canvas.example.edu".
        token: The access token.
        auth: Another way to sign in, instead of `token`.
        quota: The scheduler of another client with the same token, to share one budget.
        session: An aiohttp session to use; it stays yours and open.
        user_agent: Names your program; Canvas refuses calls without any, so ours is the default.
        timeout: Seconds for one attempt on the network, queueing not included.
        ssl: A context with your own authorities.
        proxy: The URL of a proxy.
        trust_env: Read proxies from the environment.
        allow_http: Allow plain http to other hosts than loopback; warns.
        deadline: Seconds for a whole call; see `with_options`.
        transport: Something else than HTTP, such as `aioinstructure.testing.FakeTransport`.
        clock: Other sources of time.

    Raises:
        ConfigurationError: No credential, or a URL that is no safe origin.

    Example:
        async with Canvas("https://canvas.example.edu", token="...") as canvas:
            async for course in canvas.courses.list():
                print(course.name)
    """

    accounts: AccountsAPI
    course_paces: CoursePacesAPI
    courses: CoursesAPI
    modules: ModulesAPI
    progress: ProgressAPI

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        auth: Credential | None = None,
        quota: Scheduler | None = None,
        session: aiohttp.ClientSession | None = None,
        user_agent: str | None = None,
        timeout: float = 60.0,
        ssl: tls.SSLContext | None = None,
        proxy: str | None = None,
        trust_env: bool = False,
        allow_http: bool = False,
        deadline: float | None = None,
        transport: Transport | None = None,
        clock: Clock | None = None,
    ) -> None:
        origin = checked_origin(url, allow_http=allow_http)
        if (token is None) == (auth is None):
            raise ConfigurationError("Canvas needs a token or an auth, one of the two")
        clock = clock or Clock()
        super().__init__(
            origin,
            auth or BearerToken(token or ""),
            quota or Scheduler(CostBucket(), clock=clock, name=origin),
            transport
            or http_transport(
                session=session,
                user_agent=user_agent,
                timeout=timeout,
                ssl=ssl,
                proxy=proxy,
                trust_env=trust_env,
            ),
            clock=clock,
            deadline=deadline,
        )

    @classmethod
    def from_env(cls, **options: Any) -> Self:
        """A client by CANVAS_URL and CANVAS_TOKEN; options as for `Canvas`.

        Raises:
            ConfigurationError: One of them is not set.
        """
        return cls(
            from_environment("CANVAS_URL"), token=from_environment("CANVAS_TOKEN"), **options
        )

    def as_user(self, user_id: Id) -> Self:
        """A view that acts as another user, with the right to (masquerading).

        Source: the page on masquerading of the Canvas developer portal.
        """
        path_segment("user_id", user_id)
        return self._view(evolve(self._options, as_user=user_id))

    def _request(
        self, method: str, path: str, body: bytes | None, route: str, idempotent: bool
    ) -> Request:
        user = self._options.as_user
        # Next links repeat the query, so that the parameter is there already on later pages.
        if user is not None and not _users_in(path):
            escaped = path_segment("user_id", user)
            path = f"{path}{'&' if '?' in path else '?'}as_user_id={escaped}"
        return super()._request(method, path, body, route, idempotent)

    def _check_user(self, place: Place) -> None:
        # What counts is the query, which is sent as it is; the cursor is untrusted.
        users = {place.as_user, *_users_in(place.path)} - {None}
        mine = self._options.as_user
        if {str(user) for user in users} != ({str(mine)} if mine is not None else set()):
            raise InputError("the cursor belongs to another as_user")

    def _next(self, request: Request, response: Response, body: Any) -> Request | None:
        return next_by_header(request, response)

    def _total(self, body: Any) -> int | None:
        total = body.get("total_entries") if isinstance(body, dict) else None
        return total if isinstance(total, int) else None


def _users_in(path: str) -> list[str]:
    """The users that a path with its query masquerades as."""
    if "as_user_id" not in path:
        return []
    return [value for name, value in parse_qsl(path.partition("?")[2]) if name == "as_user_id"]
