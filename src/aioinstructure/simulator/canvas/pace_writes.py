"""Changes of paces of the simulated Canvas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve

from aioinstructure.simulator.canvas.state import Course, Pace
from aioinstructure.simulator.coerce import listed, mapping, number, truth

if TYPE_CHECKING:
    from aioinstructure.simulator.canvas.pace_views import PaceViews
    from aioinstructure.simulator.canvas.service import CanvasCall, CanvasService

__all__ = ["PaceWrites"]


class PaceWrites:
    """Creates, changes, publishes and deletes paces."""

    def __init__(self, canvas: CanvasService, views: PaceViews) -> None:
        self._world, self._campus, self._views = canvas.world, canvas.campus, views

    def create(self, pace: Pace, today: str) -> Pace:
        """Give a pace an id, so that it can be saved."""
        fresh = self._campus.next_pace
        while fresh in self._campus.paces:
            fresh += 1
        self._campus.next_pace = fresh + 1
        return evolve(pace, id=fresh, created_at=today)

    def save(self, call: CanvasCall, course: Course, pace: Pace, wanted: dict[str, Any]) -> bool:
        """Change a pace, all or nothing, and start to publish it.

        Returns:
            Whether all module items in `wanted` are known.
        """
        durations = self._durations(course, pace, wanted)
        if durations is None:
            return False
        if "end_date" in wanted:
            pace.end_date = str(wanted["end_date"])[:10] if wanted["end_date"] else None
        if "exclude_weekends" in wanted:
            pace.exclude_weekends = truth(wanted["exclude_weekends"])
            pace.skip_days = ["sat", "sun"] if pace.exclude_weekends else []
        if "selected_days_to_skip" in wanted:
            pace.skip_days = [str(day) for day in listed(wanted["selected_days_to_skip"]) or ()]
        if "hard_end_dates" in wanted:
            pace.hard_end_dates = truth(wanted["hard_end_dates"])
        if (days := number(wanted.get("time_to_complete_calendar_days"))) is not None:
            pace.calendar_days = days
        for weight in listed(wanted.get("assignments_weighting")) or ():
            members = mapping(weight) or {}
            if (days := number(members.get("duration"))) is not None:
                pace.weighting[str(members.get("resource_type"))] = days
        pace.durations.update(durations)
        pace.updated_at = call.today
        self._campus.paces[pace.id] = pace
        self.publish(call, pace)
        return True

    def publish(self, call: CanvasCall, pace: Pace) -> dict[str, Any]:
        """Start a job that publishes a pace; return its Progress."""
        self._world.version += 1
        return self._views.show_job(call, self._campus.add_job(pace, call.now, call.today))

    def delete(self, pace: Pace) -> None:
        """Delete a pace."""
        pace.state = "deleted"
        self._world.version += 1

    def _durations(
        self, course: Course, pace: Pace, wanted: dict[str, Any]
    ) -> dict[int, int] | None:
        """Return days by module item, from the nested attributes; None if an id is unknown."""
        numbers = self._views.item_numbers(course, pace)
        found: dict[int, int] = {}
        for one in listed(wanted.get("course_pace_module_items_attributes")) or ():
            nested = mapping(one) or {}
            item_id = number(nested.get("module_item_id"))
            if (own := number(nested.get("id"))) is not None:
                item_id = numbers.get(own)
            if item_id not in numbers.values():
                return None
            if (days := number(nested.get("duration"))) is not None and item_id is not None:
                found[item_id] = days
        return found
