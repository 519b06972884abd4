"""What `course_paces` does when Canvas, or what is in front of it, refuses the pace of a course."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioinstructure.canvas import Canvas
from aioinstructure.clock import Clock
from aioinstructure.errors import DecodeError, Error, Forbidden, NotFound, SyncError, Unauthorized
from aioinstructure.sync import Checkpoint, SkippedParent, StreamReport, Sync
from aioinstructure.testing import FakeTransport, MemorySink, VirtualLoop, reply
from aioinstructure.wire.message import Request, Response

ORIGIN = "https://canvas.test"
COURSES = 60
SERVED = 10
HTML = {"content-type": "text/html"}
PAGE = b"<html><head><title>Maintenance</title></head><body>Back at 06:00.</body></html>"
THROTTLED = reply(
    body=b"403 Forbidden (Rate Limit Exceeded)\n",
    status=403,
    headers={"content-type": "text/plain; charset=utf-8", "x-rate-limit-remaining": "-12.5"},
)

DENIED: dict[str, Any] = {
    "status": "unauthorized",
    "errors": [{"message": "user not authorized to perform that action"}],
}
TRANSLATED = {
    "status": "unauthorised",
    "errors": [{"message": "user not authorised to perform that action"}],
}
MISSING = {"errors": [{"message": "The specified resource does not exist."}]}
SWITCHED_OFF = {"errors": [{"message": "An error occurred.", "error_code": "not_found"}]}


def pace_of(course: int) -> dict[str, Any]:
    return {"id": course + 1000, "course_id": course, "modules": []}


class School:
    """A Canvas with 60 courses, 30 on a page, that serves the paces of the first ten.

    Args:
        answer: What the other courses get, from the number of the course.
    """

    def __init__(self, answer: Callable[[int], Response]) -> None:
        self.answer = answer
        self.asked: list[int] = []

    def __call__(self, request: Request) -> Response:
        path, _, query = request.path.partition("?")
        if path == "/api/v1/courses":
            first = "page=2" not in query.split("&")
            ids = range(1, 31) if first else range(31, COURSES + 1)
            more = f"{ORIGIN}/api/v1/courses?page=2&per_page=30"
            return reply([{"id": each} for each in ids], next=more if first else None)
        course = int(path.split("/")[4])
        self.asked.append(course)
        if course > SERVED:
            return self.answer(course)
        return reply({"course_pace": pace_of(course), "progress": None})


async def synced(
    school: School, clock: Clock, sink: MemorySink
) -> tuple[StreamReport, SyncError | None]:
    """The report of a run of `course_paces`, and its error."""
    transport = FakeTransport([school])
    async with Canvas(ORIGIN, token="t", transport=transport, clock=clock) as canvas:
        job = Sync(sink, canvas=canvas)
        error = None
        try:
            await job.run("course_paces")
        except SyncError as caught:
            error = caught
        assert job.report is not None
        return job.report.streams[0], error


def mark_of(sink: MemorySink) -> Checkpoint:
    (mark,) = sink.checkpoints.values()
    return mark


def refusals() -> list[Any]:
    token = {"errors": [{"message": "Invalid access token."}]}
    scope = {"errors": [{"message": "Insufficient scopes on access token."}]}
    unverified = {
        "status": "unverified",
        "errors": [{"message": f"{DENIED['errors'][0]['message']} until verifying email"}],
    }
    forbidden = {"errors": [{"message": "An error occurred.", "error_code": "forbidden"}]}
    found = {
        "404 of a gateway": (reply(body=PAGE, status=404, headers=HTML), NotFound),
        "404 without a body": (reply(status=404), NotFound),
        "404 in other JSON": (reply({"message": "no Route matched"}, status=404), NotFound),
        "404 with a denial": (reply(DENIED, status=404), NotFound),
        "403 of a gateway": (reply(body=PAGE, status=403, headers=HTML), Forbidden),
        "403 without a body": (reply(status=403), Forbidden),
        "403 in other JSON": (reply({"message": "Forbidden"}, status=403), Forbidden),
        "403 of another kind": (reply(forbidden, status=403), Forbidden),
        "403 limit in JSON": (reply({"message": "Rate Limit Exceeded"}, status=403), Forbidden),
        "401 of a gateway": (reply(body=PAGE, status=401, headers=HTML), Unauthorized),
        "401 token": (reply(token, status=401), Unauthorized),
        "401 scope": (reply(scope, status=401), Unauthorized),
        "401 email": (reply(unverified, status=401), Unauthorized),
        "401 user": (reply({"errors": "Invalid as_user_id"}, status=401), Unauthorized),
        "200 in other JSON": (reply({"status": "ok"}), DecodeError),
        "200 with another id": (reply({"id": None, "error": "busy"}), DecodeError),
        "200 with null": (reply({"course_pace": None}), DecodeError),
        "200 page": (reply(body=PAGE, headers=HTML), DecodeError),
    }
    return [pytest.param(*values, id=name) for name, values in found.items()]


@pytest.mark.parametrize(("refusal", "kind"), refusals())
async def test_a_refusal_that_proves_nothing_fails_the_stream(
    clock: Clock, refusal: Response, kind: type[Error]
) -> None:
    """The rows before it are written, no course is skipped, and the next run resumes after them."""
    sink = MemorySink()
    school = School(lambda _: refusal)
    report, error = await synced(school, clock, sink)
    assert error is not None
    assert isinstance(error.__cause__, kind)
    assert (report.state, report.rows, report.skipped) == ("failed", SERVED, 0)
    assert report.skipped_parents == []
    assert mark_of(sink) == Checkpoint(error.checkpoint, False)
    assert error.checkpoint is not None

    mended = School(lambda course: reply({"course_pace": pace_of(course), "progress": None}))
    report, error = await synced(mended, clock, sink)
    assert error is None
    assert (report.state, report.rows, report.resumed) == ("done", COURSES - SERVED, True)
    assert mended.asked == list(range(SERVED + 1, COURSES + 1))
    assert len(sink.rows["course_paces"]) == COURSES
    assert mark_of(sink).done


@pytest.mark.parametrize(
    ("denial", "reason"),
    [
        (reply(DENIED, status=401), "the user is not authorized"),
        (reply(DENIED, status=403), "the user is not authorized"),
        (reply(TRANSLATED, status=401), "the user is not authorized"),
        (reply(MISSING, status=404), "the resource does not exist"),
        (reply(SWITCHED_OFF, status=404), "the resource does not exist"),
        (reply({"course_pace": {"id": None}, "progress": None}), "no pace is saved"),
    ],
    ids=["401", "403", "translated", "missing", "switched off", "not saved"],
)
async def test_what_canvas_says_is_not_there_is_skipped(
    clock: Clock, denial: Response, reason: str
) -> None:
    """The stream is done; the report counts the courses, and names the first 20 with the reason."""
    sink = MemorySink()
    report, error = await synced(School(lambda _: denial), clock, sink)
    assert error is None
    assert (report.state, report.rows, report.skipped) == ("done", SERVED, COURSES - SERVED)
    assert report.skipped_parents == [
        SkippedParent(str(course), reason) for course in range(SERVED + 1, SERVED + 21)
    ]
    assert mark_of(sink).done


async def test_a_skip_before_a_failure_is_kept(clock: Clock) -> None:
    """The report of a failed stream names what was skipped before."""
    sink = MemorySink()
    school = School(
        lambda course: reply(MISSING, status=404) if course < 15 else reply(body=PAGE, status=403)
    )
    report, error = await synced(school, clock, sink)
    assert error is not None
    assert (report.state, report.rows, report.skipped) == ("failed", SERVED, 4)
    assert [each.id for each in report.skipped_parents] == ["11", "12", "13", "14"]
    assert not mark_of(sink).done


async def test_a_rate_limit_is_waited_for(clock: Clock) -> None:
    """The text of the limit with status 403 is no refusal: the calls are sent again later."""
    refused: set[int] = set()

    def once(course: int) -> Response:
        if course not in refused:
            refused.add(course)
            return THROTTLED
        return reply({"course_pace": pace_of(course), "progress": None})

    sink = MemorySink()
    report, error = await synced(School(once), clock, sink)
    assert error is None
    assert (report.state, report.rows, report.skipped) == ("done", COURSES, 0)


async def test_a_rate_limit_that_does_not_end_is_never_done(clock: Clock) -> None:
    """The stream waits; stopped meanwhile, it keeps what was read, and resumes there."""
    sink = MemorySink()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(120):
            await synced(School(lambda _: THROTTLED), clock, sink)
    assert len(sink.rows["course_paces"]) == SERVED
    assert not mark_of(sink).done


@pytest.mark.parametrize("wrapper", ["course_pace", "pace", None])
async def test_a_pace_comes_in_a_wrapper_or_bare(clock: Clock, wrapper: str | None) -> None:
    """A form that the documentation prints is no reason to skip the pace."""

    def answer(course: int) -> Response:
        pace = pace_of(course)
        return reply(pace if wrapper is None else {wrapper: pace, "progress": None})

    sink = MemorySink()
    report, error = await synced(School(answer), clock, sink)
    assert error is None
    assert (report.rows, report.skipped) == (COURSES, 0)
    assert sink.rows["course_paces"]["1060"] == pace_of(60)


@given(
    st.sampled_from([401, 403, 404, 410]),
    st.text(),
    st.sampled_from(["text/html", "text/plain", "application/json", "application/problem+json"]),
)
def test_no_other_text_is_ever_a_skip(status: int, text: str, kind: str) -> None:
    """Any other body, of any type: the stream fails where the first one came."""
    body = text.encode("utf-8", "replace")
    refusal = reply(body=body, status=status, headers={"content-type": kind})

    async def main() -> None:
        sink = MemorySink()
        report, error = await synced(School(lambda _: refusal), Clock(), sink)
        assert error is not None
        assert (report.state, report.rows, report.skipped) == ("failed", SERVED, 0)
        assert not mark_of(sink).done

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(main())
