"""Objects per second of the converter, compared with stock cattrs, pydantic and msgspec.

Each converts the same parsed JSON on one core in the same run: a small object (a pace's module
item, 11 fields) and a large one (a Canvas course, 30 fields of 60 sent). Goal: 100,000 small
objects per second. Stock cattrs checks and converts every scalar; the library passes scalars
through and keeps unknown fields, which stock cattrs and msgspec drop.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import attrs
import cattrs
import msgspec
import pydantic

from aioinstructure.canvas.course_paces import CoursePaceModuleItem
from aioinstructure.canvas.courses import Course
from aioinstructure.conversion.converter import Converter

ROUNDS = 7
OBJECTS = 10_000

SMALL: dict[str, Any] = {
    "id": 5,
    "duration": 5,
    "course_pace_id": 5,
    "root_account_id": 5,
    "module_item_id": 5,
    "assignment_title": "Assignment 9",
    "points_possible": 10.0,
    "assignment_link": "/courses/105/modules/items/264",
    "position": 5,
    "module_item_type": "Assignment",
    "published": True,
}
LARGE: dict[str, Any] = {
    "id": 370663,
    "name": "Biology, Period 1",
    "course_code": "BIO-1",
    "workflow_state": "available",
    "uuid": "WvAHhY5FINzq5IyRIJybGeiXyFkG3SqHUPb7jZY5",
    "sis_course_id": None,
    "integration_id": None,
    "account_id": 81259,
    "root_account_id": 81259,
    "enrollment_term_id": 34,
    "grading_standard_id": 25,
    "grade_passback_setting": "nightly_sync",
    "created_at": "2012-05-01T00:00:00-06:00",
    "start_at": "2012-06-01T00:00:00-06:00",
    "end_at": "2012-09-01T00:00:00-06:00",
    "locale": "en",
    "total_students": 32,
    "calendar": {"ics": "https://canvas.example.edu/feeds/course_1.ics"},
    "default_view": "feed",
    "needs_grading_count": 17,
    "term": {"id": 1, "name": "Default Term", "start_at": "2012-06-01T00:00:00-06:00"},
    "apply_assignment_group_weights": True,
    "is_public": True,
    "is_public_to_auth_users": True,
    "public_syllabus": True,
    "public_description": "Come one, come all!",
    "storage_quota_mb": 5,
    "hide_final_grades": False,
    "license": "Creative Commons",
    "time_zone": "America/Denver",
}
SCALARS = {int: int, str: str, float: float, bool: bool}


def _kind(value: Any) -> Any:
    if isinstance(value, str) and value[4:5] == "-" and "T" in value:
        return datetime
    return type(value) if type(value) in SCALARS else Any


def _fields(sample: dict[str, Any]) -> dict[str, Any]:
    return {name: _kind(value) for name, value in sample.items()}


def peers(name: str, sample: dict[str, Any]) -> dict[str, Callable[[], Any]]:
    """A converter for the same object by each peer; nested objects stay dicts, which favours them."""
    fields = _fields(sample)
    nested = {key for key, value in sample.items() if isinstance(value, dict)}
    plain = attrs.make_class(
        f"Attrs{name}",
        {key: attrs.field(default=None, type=kind | None) for key, kind in fields.items()},
    )
    stock = cattrs.Converter(detailed_validation=False)
    stock.register_structure_hook(datetime, lambda value, _: datetime.fromisoformat(value))
    members: dict[str, Any] = {key: (kind | None, None) for key, kind in fields.items()}
    model: Any = pydantic.create_model(f"Pydantic{name}", **members)
    struct = msgspec.defstruct(
        f"Struct{name}", [(key, kind | None, None) for key, kind in fields.items()]
    )
    assert nested <= fields.keys()
    return {
        "stock cattrs": lambda: stock.structure(sample, plain),
        "pydantic": lambda: model.model_validate(sample),
        "msgspec": lambda: msgspec.convert(sample, struct),
    }


def rate(make: Callable[[], Any]) -> float:
    """Objects per second of CPU time."""
    start = time.process_time()
    for _ in range(OBJECTS):
        make()
    return OBJECTS / (time.process_time() - start)


def main() -> None:
    """Print one table for each size."""
    converter = Converter()
    for name, model, sample in (("small", CoursePaceModuleItem, SMALL), ("large", Course, LARGE)):
        hook = converter.hook(model)
        ways: dict[str, Callable[[], Any]] = {
            "aioinstructure": lambda hook=hook, sample=sample, model=model: hook(sample, model),  # type: ignore[misc]  # bound now
            **peers(name, sample),
        }
        for make in ways.values():
            make()
        rounds = [{way: rate(make) for way, make in ways.items()} for _ in range(ROUNDS)]
        ours = statistics.median(each["aioinstructure"] for each in rounds)
        print(f"{name}: {len(sample)} fields")
        for way in ways:
            median = statistics.median(each[way] for each in rounds)
            print(
                f"  {way:<14} {median:10,.0f} objects/s   aioinstructure is {ours / median:5.2f} x"
            )


if __name__ == "__main__":
    main()
