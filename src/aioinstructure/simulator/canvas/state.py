"""The state of Canvas: courses, modules, people, paces, jobs. Independent of HTTP and JSON.

Courses and paces are created at the start. The content of a course is generated at the first
access, from a random stream of its own, so the order of access does not matter.
"""

from __future__ import annotations

from random import Random

from attrs import define, field, frozen

from aioinstructure.simulator.canvas.vocabulary import (
    COURSES,
    FIRST_NAMES,
    ITEM_TYPES,
    LAST_NAMES,
    MODULES,
    TERMS,
    TIME_ZONES,
)

__all__ = ["ROOT_ACCOUNT", "SELF_USER", "CanvasState", "Course", "Item", "Job", "Module", "Pace"]

ROOT_ACCOUNT = 1
SELF_USER = 7
_PACED = {"Assignment", "Discussion", "Quiz"}


@frozen
class Section:
    """A section of a course."""

    id: int
    name: str
    sis_id: str


@frozen
class Student:
    """A student in a course; the enrollment id differs from the user id."""

    user_id: int
    enrollment_id: int
    name: str
    section_id: int


@frozen
class Item:
    """A module item.

    Args:
        kind: The type in the modules API, such as "Quiz".
        points: None if the item is not graded, and so cannot be paced.
    """

    id: int
    module_id: int
    position: int
    title: str
    kind: str
    content_id: int
    points: float | None
    published: bool
    indent: int

    @property
    def paced(self) -> bool:
        """Whether a pace assigns a due date to it."""
        return self.points is not None and self.kind in _PACED


@frozen
class Module:
    """A module and its items, in order."""

    id: int
    position: int
    name: str
    published: bool
    sequential: bool
    items: tuple[Item, ...]


@define
class Course:
    """A course. `role` is the role of the token's user."""

    id: int
    name: str
    code: str
    sis_id: str
    term: int
    state: str
    role: str
    zone: int
    teachers: tuple[tuple[int, str], ...]
    sections: tuple[Section, ...]
    students: int
    account_id: int = ROOT_ACCOUNT

    @property
    def concluded(self) -> bool:
        """Whether the course is completed."""
        return self.state == "completed"


@define
class Pace:
    """A course pace; without a section or user it is the primary pace of its course."""

    id: int
    course_id: int
    section_id: int | None = None
    user_id: int | None = None
    state: str = "active"
    exclude_weekends: bool = True
    skip_days: list[str] = field(factory=lambda: ["sat", "sun"])
    hard_end_dates: bool = False
    end_date: str | None = None
    weighting: dict[str, int] = field(factory=dict[str, int])
    calendar_days: int = 0
    durations: dict[int, int] = field(factory=dict[int, int])  # module item -> days
    created_at: str = "2026-07-20T15:04:05Z"
    updated_at: str = "2026-08-03T16:20:00Z"
    published_at: str | None = "2026-08-03T16:20:04Z"
    job_id: int | None = None

    @property
    def primary(self) -> bool:
        """Whether it applies to the complete course."""
        return self.section_id is None and self.user_id is None


@define
class Job:
    """A Progress. `started` is a time of the simulator's clock; None until it is started."""

    id: int
    tag: str
    context_type: str
    context_id: int
    user_id: int | None
    created_at: str
    started: float | None = None
    state: str = ""  # set once it no longer depends on the clock
    message: str | None = None

    def read(self, now: float, seconds: float) -> tuple[str, float]:
        """Return the state and completion in percent. It is queued for the first tenth."""
        if self.state:
            return self.state, 100.0 if self.state == "completed" else 0.0
        if self.started is None:
            return "queued", 0.0
        done = 1.0 if seconds <= 0 else (now - self.started) / seconds
        if done >= 1.0:
            self.state = "completed"
            return "completed", 100.0
        if done < _QUEUED:
            return "queued", 0.0
        return "running", float(int(done * 100))


_QUEUED = 0.1


class CanvasState:
    """All data of Canvas."""

    def __init__(self, seed: int, *, courses: int, modules: int, items: int, students: int) -> None:
        self._seed, self._modules, self._items = seed, modules, items
        random = Random(f"{seed}:campus")  # noqa: S311 -- not a secret
        self.courses = [_course(random, index, students) for index in range(courses)]
        self.by_id = {course.id: course for course in self.courses}
        self.by_sis = {course.sis_id: course for course in self.courses}
        self.paces: dict[int, Pace] = {
            course.id: Pace(course.id, course.id) for course in self.courses
        }
        self._section_paces(random)
        self.next_pace = max(self.paces, default=0) + 1
        self.jobs: dict[int, Job] = {
            number: Job(
                number, "course_batch_update", "Account", 1, SELF_USER, "2026-11-02T09:00:00Z"
            )
            for number in range(40, 45)
        }
        self.next_job = 1000
        self._held: dict[int, tuple[Module, ...]] = {}
        self._people: dict[int, tuple[Student, ...]] = {}

    def _section_paces(self, random: Random) -> None:
        number = len(self.courses) + 1000
        for course in self.courses:
            for section in course.sections[1:]:
                if random.random() < 0.4:
                    self.paces[number] = Pace(number, course.id, section_id=section.id)
                    number += 1

    def modules(self, course: Course) -> tuple[Module, ...]:
        """Return the modules of a course, in order."""
        held = self._held.get(course.id)
        if held is None:
            random = Random(f"{self._seed}:modules:{course.id}")  # noqa: S311 -- not a secret
            count = max(1, self._modules + random.randint(-2, 2)) if self._modules else 0
            held = tuple(
                _module(random, course.id, position, self._items)
                for position in range(1, count + 1)
            )
            self._held[course.id] = held
        return held

    def students(self, course: Course) -> tuple[Student, ...]:
        """Return the students of a course, by enrollment."""
        people = self._people.get(course.id)
        if people is None:
            random = Random(f"{self._seed}:students:{course.id}")  # noqa: S311 -- not a secret
            people = tuple(
                Student(
                    course.id * 1000 + 10_000_000 + number,
                    course.id * 1000 + 50_000_000 + number,
                    _person(random),
                    random.choice(course.sections).id,
                )
                for number in range(course.students)
            )
            self._people[course.id] = people
        return people

    def pace_of(self, course: Course, section_id: int | None, user_id: int | None) -> Pace | None:
        """Return the pace of a course, or of its section or user; None if there is none."""
        for pace in self.paces.values():
            if pace.course_id != course.id or pace.state == "deleted":
                continue
            if (pace.section_id, pace.user_id) == (section_id, user_id):
                return pace
        return None

    def add_job(self, pace: Pace, now: float, created_at: str) -> Job:
        """Start a job that publishes a pace; cancel a running one."""
        old = self.jobs.get(pace.job_id) if pace.job_id is not None else None
        if old is not None and old.state == "":
            old.state = "canceled"
        job = Job(
            self.next_job, "course_pace_publish", "CoursePace", pace.id, None, created_at, now
        )
        self.jobs[job.id] = job
        self.next_job += 1
        pace.job_id = job.id
        return job

    def duration(self, pace: Pace, item: Item) -> int:
        """Return the days for an item under a pace."""
        return pace.durations.get(item.id, 1 + item.id % 4)


def _person(random: Random) -> str:
    return f"{random.choice(FIRST_NAMES)} {random.choice(LAST_NAMES)}"


def _course(random: Random, index: int, students: int) -> Course:
    number = index + 1
    title, short = COURSES[index % len(COURSES)]
    period = 1 + index // len(COURSES) % 7
    term = random.choice((0, 1, 2, 2, 2))
    name, code = TERMS[term][0], TERMS[term][1]
    sis_id = {0: "CS/101.11", 1: "CS/101.11é"}.get(index, f"{short}-{number:04}-P{period}-{code}")
    state = "completed" if term == 0 else random.choice(("available",) * 8 + ("unpublished",))
    if index % 37 == 36:
        state = "deleted"
    sections = tuple(
        Section(number * 100 + place, f"{title}, Section {place}", f"{sis_id}-S{place}")
        for place in range(1, random.randint(1, 3) + 1)
    )
    return Course(
        id=number,
        name=f"{title}, Period {period} ({name})",
        code=f"{short}-{period}",
        sis_id=sis_id,
        term=term,
        state=state,
        role="student" if index % 10 == 9 else "teacher",
        zone=random.randrange(len(TIME_ZONES)),
        teachers=tuple(
            (100 + number * 2 + place, _person(random)) for place in range(random.randint(1, 2))
        ),
        sections=sections,
        students=max(0, students + random.randint(-6, 6)) if students else 0,
    )


def _module(random: Random, course_id: int, position: int, items: int) -> Module:
    module_id = course_id * 1000 + position
    count = max(1, items + random.randint(-2, 2)) if items else 0
    topic = MODULES[(position - 1) % len(MODULES)]
    return Module(
        id=module_id,
        position=position,
        name=f"Module {position}: {topic}",
        published=random.random() < 0.9,
        sequential=random.random() < 0.2,
        items=tuple(_item(random, module_id, place, topic) for place in range(1, count + 1)),
    )


def _item(random: Random, module_id: int, position: int, topic: str) -> Item:
    # The first items cycle through the types, so that each course has all of them.
    kind = ITEM_TYPES[(module_id + position) % len(ITEM_TYPES)]
    graded = kind in {"Assignment", "Quiz"} or (kind == "Discussion" and random.random() < 0.5)
    points = random.choice((5.0, 10.0, 12.5, 20.0, 100.0)) if graded else None
    number = module_id * 100 + position
    return Item(
        id=number,
        module_id=module_id,
        position=position,
        title=f"{topic}: {kind.lower()} {position}",
        kind=kind,
        content_id=0 if kind in {"SubHeader", "ExternalUrl"} else number + 7,
        points=points,
        published=random.random() < 0.9,
        indent=random.choice((0, 0, 1)),
    )
