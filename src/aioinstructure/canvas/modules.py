"""Modules and module items of a course. The modules of a course pace are another resource."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from attrs import define, field

from aioinstructure._types import Id
from aioinstructure.canvas._namespace import CanvasNamespace
from aioinstructure.conversion.model import Model
from aioinstructure.endpoints.declare import GET
from aioinstructure.paging.paginator import Paginator

ModuleItemType = Literal[
    "File",
    "Page",
    "Discussion",
    "Assignment",
    "Quiz",
    "SubHeader",
    "ExternalUrl",
    "ExternalTool",
]


@define
class CompletionRequirement(Model):
    """What a student must do with an item."""

    type: (
        Literal[
            "must_view",
            "must_submit",
            "must_contribute",
            "min_score",
            "min_percentage",
            "must_mark_done",
        ]
        | str
        | None
    ) = None
    min_score: float | None = None
    min_percentage: float | None = None
    completed: bool | None = None


@define
class LockInfo(Model):
    """Why an object is locked for a user."""

    asset_string: str | None = None
    unlock_at: datetime | None = None
    lock_at: datetime | None = None
    context_module: Any = None
    manually_locked: bool | None = None


@define
class ContentDetails(Model):
    """Points and dates of the content of an item, with `include=["content_details"]`."""

    points_possible: float | None = None
    due_at: datetime | None = None
    unlock_at: datetime | None = None
    lock_at: datetime | None = None
    locked_for_user: bool | None = None
    lock_explanation: str | None = None
    lock_info: LockInfo | None = None


@define
class ModuleItem(Model):
    """One item of a module."""

    id: Id | None = None
    module_id: Id | None = None
    position: int | None = None
    title: str | None = None
    indent: int | None = None
    type: ModuleItemType | str | None = None
    content_id: Id | None = None
    html_url: str | None = None
    url: str | None = None
    page_url: str | None = None
    external_url: str | None = None
    new_tab: bool | None = None
    completion_requirement: CompletionRequirement | None = None
    content_details: ContentDetails | None = None
    published: bool | None = None


@define
class Module(Model):
    """A module of a course.

    `items` is sent only with `include=["items"]`, and only if Canvas considers the module small
    enough. If `"items" in module.fields_set` is false, list the items instead.
    """

    id: Id | None = None
    name: str | None = None
    position: int | None = None
    workflow_state: str | None = None
    unlock_at: datetime | None = None
    require_sequential_progress: bool | None = None
    requirement_type: Literal["all", "one"] | str | None = None
    prerequisite_module_ids: list[Id] = field(factory=list)
    items_count: int | None = None
    items_url: str | None = None
    items: list[ModuleItem] = field(factory=list)
    state: Literal["locked", "unlocked", "started", "completed"] | str | None = None
    completed_at: datetime | None = None
    publish_final_grade: bool | None = None
    published: bool | None = None


class ModulesAPI(CanvasNamespace):
    """Modules: list and read them and their items."""

    __source__ = "https://developerdocs.instructure.com/services/canvas/resources/modules"

    @GET("/api/v1/courses/{course_id}/modules")
    def list(
        self,
        course_id: Id,
        *,
        include: Sequence[Literal["items", "content_details"]] = (),
        search_term: str | None = None,
        student_id: Id | None = None,
        page_size: int | None = None,
    ) -> Paginator[Module]:
        """List the modules of a course, in order. "content_details" also needs "items"."""
        ...

    @GET("/api/v1/courses/{course_id}/modules/{id}")
    async def get(
        self,
        course_id: Id,
        id: Id,
        *,
        include: Sequence[Literal["items", "content_details"]] = (),
        student_id: Id | None = None,
    ) -> Module:
        """Read one module."""
        ...

    @GET("/api/v1/courses/{course_id}/modules/{module_id}/items")
    def items(
        self,
        course_id: Id,
        module_id: Id,
        *,
        include: Sequence[Literal["content_details"]] = (),
        search_term: str | None = None,
        student_id: Id | None = None,
        page_size: int | None = None,
    ) -> Paginator[ModuleItem]:
        """List the items of a module, in order."""
        ...

    @GET("/api/v1/courses/{course_id}/modules/{module_id}/items/{id}")
    async def item(
        self,
        course_id: Id,
        module_id: Id,
        id: Id,
        *,
        include: Sequence[Literal["content_details"]] = (),
        student_id: Id | None = None,
    ) -> ModuleItem:
        """Read one item of a module."""
        ...
