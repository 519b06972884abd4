"""The client of Canvas LMS: its options, and one annotation for each namespace."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self, Unpack

from aioinstructure._public import public
from aioinstructure._types import Id
from aioinstructure.auth.credentials import BearerToken
from aioinstructure.client import Client
from aioinstructure.config import (
    ClientOptions,
    check_options,
    checked_origin,
    components_of,
    from_environment,
)
from aioinstructure.errors import ConfigurationError
from aioinstructure.paging.pagers import LinkHeaderPager, Pager
from aioinstructure.quota import CostBucket
from aioinstructure.wire.params import checked_segment

if TYPE_CHECKING:
    from aioinstructure.canvas.accounts import AccountsAPI
    from aioinstructure.canvas.course_paces import CoursePacesAPI
    from aioinstructure.canvas.courses import CoursesAPI
    from aioinstructure.canvas.modules import ModulesAPI
    from aioinstructure.canvas.progress import ProgressAPI

__all__ = ["Canvas"]


@public
class Canvas(Client):
    """A client for Canvas that uses one access token.

    Args:
        url: The origin, such as "https://canvas.example.edu"; a trailing "/api/v1" is accepted.
        token: The access token.
        options: See `aioinstructure.config.ClientOptions`.

    Raises:
        ConfigurationError: No credential, or a URL that is not a safe origin.

    Example:
        async with Canvas("https://canvas.example.edu", "...") as canvas:
            async for course in canvas.courses.list():
                print(course.name)
    """

    _pager: ClassVar[Pager] = LinkHeaderPager("/api/", safe_url_length=3_000)

    accounts: AccountsAPI
    course_paces: CoursePacesAPI
    courses: CoursesAPI
    modules: ModulesAPI
    progress: ProgressAPI

    def __init__(
        self, url: str, token: str | None = None, **options: Unpack[ClientOptions]
    ) -> None:
        check_options("Canvas", options, ("url", "token"))
        origin = checked_origin(
            url, allow_http=options.get("allow_http", False), bases=("/api/v1",)
        )
        auth = options.get("auth")
        if (token is None) == (auth is None):
            raise ConfigurationError("Canvas needs either token= or auth=, not both")
        components = components_of(origin, auth or BearerToken(token or ""), CostBucket, options)
        super().__init__(origin, components, options.get("deadline"))

    @classmethod
    def from_env(cls, **options: Unpack[ClientOptions]) -> Self:
        """Create a client from CANVAS_URL and CANVAS_TOKEN; options as for `Canvas`.

        Raises:
            ConfigurationError: One of them is not set.
        """
        url, token = from_environment("CANVAS_URL", "CANVAS_TOKEN")
        return cls(url, token, **options)

    def as_user(self, user_id: Id) -> Self:
        """A view that acts as another user, if the token's user has the permission to masquerade.

        Source: the page on masquerading of the Canvas developer portal.
        """
        return self._view(_fixed_query=(("as_user_id", checked_segment("user_id", user_id)),))
