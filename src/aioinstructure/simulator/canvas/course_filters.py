"""Which courses a list has: the parameters that Canvas documents, and what the world knows of them.

Canvas ignores parameters that it does not know, and values that it cannot read.
Source: app/controllers/accounts_controller.rb and courses_controller.rb of instructure/canvas-lms.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from aioinstructure.simulator.canvas.state import ROOT_ACCOUNT, Course
from aioinstructure.simulator.canvas.views import enrollment_state
from aioinstructure.simulator.canvas.vocabulary import TERMS
from aioinstructure.simulator.coerce import truth
from aioinstructure.simulator.http.parsing import Pairs, last, many, ruby_to_i

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["account_courses", "own_courses", "too_short"]

_STATES = {"created": "unpublished", "claimed": "unpublished"} | {
    name: name for name in ("available", "completed", "deleted")
}
"""The states of courses in the world by the values of `state[]`."""

_ENROLLED: dict[str, Callable[[Course], bool]] = {
    "teacher": lambda course: bool(course.teachers),
    "student": lambda course: course.students > 0,
    "ta": lambda _: False,
    "observer": lambda _: False,
    "designer": lambda _: False,
}

_SORTS: dict[str, Callable[[Course], Any]] = {
    "course_name": lambda course: course.name.casefold(),
    "sis_course_id": lambda course: course.sis_id.casefold(),
    "teacher": lambda course: course.teachers[0][1].casefold() if course.teachers else "",
    "account_name": lambda course: course.account_id,
    "term": lambda course: TERMS[course.term][0],
}


def too_short(pairs: Pairs) -> bool:
    """Whether the search term has one character, which Canvas refuses."""
    return len(last(pairs, "search_term") or "xx") < 2


def own_courses(courses: Sequence[Course], pairs: Pairs) -> list[Course]:
    """The courses of the token's user."""
    wanted = _states(pairs) if many(pairs, "state") else {"unpublished", "available", "completed"}
    enrollment, kind = last(pairs, "enrollment_state"), last(pairs, "enrollment_type")
    role, role_id = last(pairs, "enrollment_role"), last(pairs, "enrollment_role_id")
    account, homeroom = last(pairs, "account_id"), last(pairs, "homeroom")
    if enrollment == "invited_or_pending":
        courses = ()
    return [
        course
        for course in courses
        if course.state in wanted - {"deleted"}
        and kind in (None, course.role)
        and (enrollment is None or enrollment == enrollment_state(course))
        and role in (None, f"{course.role.capitalize()}Enrollment")
        and (role_id is None or ruby_to_i(role_id) == (4 if course.role == "teacher" else 3))
        and (account is None or ruby_to_i(account) == course.account_id)
        and not (homeroom is not None and truth(homeroom))  # the world has none
    ]


def account_courses(courses: Sequence[Course], pairs: Pairs) -> list[Course]:
    """The courses of the account."""
    found = [course for course in courses if all(test(course) for test in _tests(pairs))]
    if (sort := last(pairs, "sort")) is not None and sort in _SORTS:
        found.sort(key=_SORTS[sort], reverse=last(pairs, "order") == "desc")
    return found


def _states(pairs: Pairs) -> set[str]:
    states = many(pairs, "state")
    if "all" in states:
        return {"unpublished", "available", "completed", "deleted"}
    return {_STATES[state] for state in states if state in _STATES}


def _tests(pairs: Pairs) -> list[Callable[[Course], bool]]:
    """One test for each parameter that was given."""
    states = _states(pairs) if many(pairs, "state") else None
    tests: list[Callable[[Course], bool]] = [
        lambda course: course.state in states if states is not None else course.state != "deleted"
    ]
    for name, has in _FLAGS.items():
        if flag := last(pairs, name):
            tests.append(_equals(has, truth(flag)))
    if kinds := many(pairs, "enrollment_type"):
        tests.append(lambda course: any(_ENROLLED.get(kind, _never)(course) for kind in kinds))
    if teachers := many(pairs, "by_teachers"):
        ids = {ruby_to_i(teacher) for teacher in teachers}
        tests.append(lambda course: any(number in ids for number, _ in course.teachers))
    if accounts := many(pairs, "by_subaccounts"):
        tests.append(lambda _: ROOT_ACCOUNT in {ruby_to_i(account) for account in accounts})
    if (term := last(pairs, "enrollment_term_id")) is not None:
        number = ruby_to_i(term)
        tests.append(lambda course: course.term + 1 == number)
    for name, place in (("starts_before", 2), ("ends_after", 3)):
        if limit := last(pairs, name):
            tests.append(_by_time(limit, place))
    if term := (last(pairs, "search_term") or "").casefold():
        tests.append(_search(term, last(pairs, "search_by") or "course"))
    return tests


def _never(_: Course) -> bool:
    return False


def _equals(has: Callable[[Course], bool], wanted: bool) -> Callable[[Course], bool]:
    return lambda course: has(course) == wanted


_FLAGS: dict[str, Callable[[Course], bool]] = {
    "published": lambda course: course.state in ("available", "completed"),
    "completed": lambda course: course.concluded,
    "with_enrollments": lambda course: course.students > 0 or bool(course.teachers),
    "blueprint": _never,
    "blueprint_associated": _never,
    "public": _never,
    "homeroom": _never,
}


def _by_time(text: str, place: int) -> Callable[[Course], bool]:
    try:
        limit = datetime.fromisoformat(text)
    except ValueError:
        return lambda _: True  # Canvas takes no notice of it
    limit = limit if limit.tzinfo else datetime.fromisoformat(f"{limit.isoformat()}Z")

    def test(course: Course) -> bool:
        moment = datetime.fromisoformat(str(TERMS[course.term][place]))
        return moment < limit if place == 2 else moment > limit

    return test


def _search(term: str, by: str) -> Callable[[Course], bool]:
    if by == "teacher":
        return lambda course: any(term in name.casefold() for _, name in course.teachers)
    return lambda course: term in f"{course.name}\0{course.code}\0{course.sis_id}".casefold()
