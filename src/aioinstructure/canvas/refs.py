"""SIS ids, which Canvas accepts in place of its own ids."""

from __future__ import annotations

from aioinstructure._public import public
from aioinstructure.errors import InputError

__all__ = ["Sis"]


@public
class Sis:
    """SIS ids in place of Canvas ids: `canvas.courses.get(Sis.course("CS/101.11é"))`.

    The id is escaped when it is sent: pass it exactly as in the student information system.
    Source: the page on object ids of the Canvas developer portal.
    """

    @staticmethod
    def course(sis_id: str) -> str:
        """A course by its SIS id."""
        return _prefixed("sis_course_id", sis_id)

    @staticmethod
    def user(sis_id: str) -> str:
        """A user by their SIS id."""
        return _prefixed("sis_user_id", sis_id)

    @staticmethod
    def login(login_id: str) -> str:
        """A user by their login id, case-insensitive."""
        return _prefixed("sis_login_id", login_id)

    @staticmethod
    def account(sis_id: str) -> str:
        """An account by its SIS id."""
        return _prefixed("sis_account_id", sis_id)

    @staticmethod
    def section(sis_id: str) -> str:
        """A section by its SIS id."""
        return _prefixed("sis_section_id", sis_id)

    @staticmethod
    def term(sis_id: str) -> str:
        """An enrollment term by its SIS id."""
        return _prefixed("sis_term_id", sis_id)

    @staticmethod
    def group(sis_id: str) -> str:
        """A group by its SIS id."""
        return _prefixed("sis_group_id", sis_id)


def _prefixed(prefix: str, sis_id: str) -> str:
    if not isinstance(sis_id, str) or not sis_id.strip():
        raise InputError(f"a {prefix} must be non-empty text, not {sis_id!r}")
    return f"{prefix}:{sis_id}"
