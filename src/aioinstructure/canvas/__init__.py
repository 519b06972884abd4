"""Canvas LMS: the client, its resources and their models, loaded on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aioinstructure._lazy import lazy

if TYPE_CHECKING:
    from aioinstructure.canvas.client import Canvas
    from aioinstructure.canvas.course_paces import (
        AppliedPace,
        CoursePace,
        CoursePaceModule,
        CoursePaceModuleItem,
        PaceContext,
        PaceItemChange,
        PaceSection,
        PaceStudent,
    )
    from aioinstructure.canvas.courses import (
        BlueprintRestriction,
        CalendarLink,
        Course,
        CourseInclude,
        CourseProgress,
        CourseState,
        EnrollmentState,
        EnrollmentType,
        OneCourseInclude,
        Term,
    )
    from aioinstructure.canvas.modules import (
        CompletionRequirement,
        ContentDetails,
        LockInfo,
        Module,
        ModuleItem,
    )
    from aioinstructure.canvas.progress import Progress
    from aioinstructure.canvas.refs import Sis

__all__ = [
    "AppliedPace",
    "BlueprintRestriction",
    "CalendarLink",
    "Canvas",
    "CompletionRequirement",
    "ContentDetails",
    "Course",
    "CourseInclude",
    "CoursePace",
    "CoursePaceModule",
    "CoursePaceModuleItem",
    "CourseProgress",
    "CourseState",
    "EnrollmentState",
    "EnrollmentType",
    "LockInfo",
    "Module",
    "ModuleItem",
    "OneCourseInclude",
    "PaceContext",
    "PaceItemChange",
    "PaceSection",
    "PaceStudent",
    "Progress",
    "Sis",
    "Term",
]

_FILES = {
    "client": ["Canvas"],
    "course_paces": [
        "AppliedPace",
        "CoursePace",
        "CoursePaceModule",
        "CoursePaceModuleItem",
        "PaceContext",
        "PaceItemChange",
        "PaceSection",
        "PaceStudent",
    ],
    "courses": [
        "BlueprintRestriction",
        "CalendarLink",
        "Course",
        "CourseInclude",
        "CourseProgress",
        "CourseState",
        "EnrollmentState",
        "EnrollmentType",
        "OneCourseInclude",
        "Term",
    ],
    "modules": [
        "CompletionRequirement",
        "ContentDetails",
        "LockInfo",
        "Module",
        "ModuleItem",
    ],
    "progress": ["Progress"],
    "refs": ["Sis"],
}

__getattr__, __dir__ = lazy(globals(), _FILES)
