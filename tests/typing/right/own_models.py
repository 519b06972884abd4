"""Models and a namespace that a user declares. Never run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from attrs import define, field

from aioinstructure import Canvas, Id, Model, Paginator
from aioinstructure.endpoints.declare import GET, Namespace


@define
class Group(Model):
    """A model that the library does not have."""

    id: int | None = None
    name: str | None = None
    members: list[str] = field(factory=list[str])


class GroupsAPI(Namespace["OwnCanvas"]):
    """Operations that the library does not have."""

    @GET("/api/v1/courses/{course_id}/groups")
    def list(
        self,
        course_id: Id,
        *,
        include: Sequence[Literal["users"]] = (),
        page_size: int | None = None,
    ) -> Paginator[Group]:
        """List the groups of a course."""
        raise NotImplementedError

    @GET("/api/v1/groups/{group_id}")
    async def get(self, group_id: Id) -> Group:
        """Read one group."""
        raise NotImplementedError


class OwnCanvas(Canvas):
    """A client with a namespace of its own."""

    groups: GroupsAPI
