"""Names and titles for generated courses, modules and people."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

__all__ = [
    "COURSES",
    "FIRST_NAMES",
    "ITEM_TYPES",
    "LAST_NAMES",
    "MODULES",
    "TERMS",
    "TIME_ZONES",
    "midnight_in",
    "moment_in",
]

COURSES = (
    ("Algebra I", "ALG1"),
    ("Biology", "BIO"),
    ("World History", "WHIST"),
    ("English Language Arts, Grade 9", "ELA9"),
    ("Geometry", "GEOM"),
    ("Chemistry", "CHEM"),
    ("U.S. Government", "GOVT"),
    ("Physical Science, Grade 8", "PSCI8"),
    ("Spanish II", "SPAN2"),
    ("Mathematics, Grade 7", "MATH7"),
    ("Earth and Space Science", "EARTH"),
    ("American Literature", "AMLIT"),
    ("Computer Science Principles", "CS"),
    ("Médias et société", "MEDIA"),
)


FIRST_NAMES = (
    "Amara", "Ben", "Chloé", "Diego", "Elif", "Farid", "Grace", "Hiro", "Ines", "Jamal", "Kira",
    "Liam", "Maya", "Noah", "Olga", "Priya", "Quinn", "Rosa", "Søren", "Tariq", "Uma", "Viktor",
    "Wren", "Ximena", "Yusuf", "Zoë",
)  # fmt: skip


LAST_NAMES = (
    "Abbott", "Baptiste", "Castillo", "Dlamini", "Eriksen", "Fischer", "García", "Haddad",
    "Ivanova", "Johnson", "Kim", "Lindqvist", "Moreau", "Nguyen", "O'Brien", "Patel", "Quist",
    "Rivera", "Sato", "Thompson", "Ueda", "Varga", "Whitfield", "Yamamoto", "Zieliński",
)  # fmt: skip


TERMS = (
    ("Fall 2025", "2025FA", "2025-08-18T06:00:00Z", "2025-12-19T07:00:00Z"),
    ("Spring 2026", "2026SP", "2026-01-12T07:00:00Z", "2026-05-29T06:00:00Z"),
    ("Fall 2026", "2026FA", "2026-08-17T06:00:00Z", "2026-12-18T07:00:00Z"),
)


TIME_ZONES = (("America/Denver", "-06:00"), ("America/New_York", "-04:00"), ("Etc/UTC", "+00:00"))


MODULES = (
    "Getting Started", "Foundations", "Patterns and Models", "Sources and Evidence", "Systems",
    "Change over Time", "Measurement", "Reading Closely", "Argument and Explanation",
    "Structures", "Field Work", "Synthesis", "Project", "Review and Reflection",
)  # fmt: skip


ITEM_TYPES = (
    "Page", "Assignment", "Discussion", "Quiz", "File", "SubHeader", "ExternalUrl", "ExternalTool",
)  # fmt: skip


def _zone(zone: tuple[str, str]) -> tzinfo:
    """The time zone; where the system has no such data, its offset in winter."""
    name, offset = zone
    if name == "Etc/UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except ZoneInfoNotFoundError:
        return timezone(timedelta(hours=int(offset[:3]) - 1))


def moment_in(zone: tuple[str, str], instant: str) -> str:
    """An instant as Rails writes it in a time zone."""
    moment = datetime.fromisoformat(instant).astimezone(_zone(zone))
    return moment.isoformat().replace("+00:00", "Z")


def midnight_in(zone: tuple[str, str], day: str) -> str:
    """The start of a day in a time zone, as Rails writes it."""
    start = datetime.combine(date.fromisoformat(day), datetime.min.time(), _zone(zone))
    return start.isoformat().replace("+00:00", "Z")
