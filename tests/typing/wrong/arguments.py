"""Arguments that a call does not take: each marked line is an error. Never run.

See test_typing.py for the marks.
"""

# pyright: standard

from __future__ import annotations

from datetime import datetime

from aioinstructure import ABConnect, Canvas, RetryPolicy
from aioinstructure.abconnect import F
from aioinstructure.abconnect.traversal.relations import Crosswalk
from aioinstructure.canvas.courses import Course
from aioinstructure.quota import Scheduler, TokenBucket
from aioinstructure.simulator import Simulator
from aioinstructure.sync import Sync, plan_of, sql
from aioinstructure.testing import FakeTransport, MemorySink, abconnect_of, canvas_of, reply


def clients(canvas: Canvas) -> None:
    Canvas()  # expect: call-arg | reportCallIssue
    Canvas("https://x", tokn="y")  # expect: call-arg | reportCallIssue
    Canvas("https://x", token=5)  # expect: arg-type | reportArgumentType
    Canvas("https://x", token="y", timeout="60")  # expect: arg-type | reportArgumentType
    Canvas("https://x", token="y", quota=canvas)  # expect: arg-type | reportArgumentType
    Canvas("https://x", token="y", retry=5)  # expect: arg-type | reportArgumentType
    Canvas("https://x", token="y", deadlin=2.0)  # expect: call-arg | reportCallIssue
    Canvas.from_env(tokn="x")  # expect: call-arg | reportCallIssue
    Canvas.from_env(token="x")  # expect: call-arg | reportCallIssue
    Canvas.from_env(deadline="2")  # expect: arg-type | reportArgumentType
    ABConnect(partner="x")  # expect: call-arg | reportCallIssue
    ABConnect("x", "y")  # expect: call-arg | reportCallIssue
    ABConnect(partner_id="x", partner_key=b"y")  # expect: arg-type | reportArgumentType
    ABConnect.from_env(partner_id="x")  # expect: call-arg | reportCallIssue
    RetryPolicy(attempt=2)  # expect: call-arg | reportCallIssue
    Scheduler(TokenBucket(brst=5))  # expect: call-arg | reportCallIssue


def views(canvas: Canvas) -> None:
    canvas.with_options(lane="fast")  # expect: arg-type | reportArgumentType
    canvas.with_options(lane="Bulk")  # expect: arg-type | reportArgumentType
    canvas.with_options(deadline="2")  # expect: arg-type | reportArgumentType
    canvas.with_options(weigth=2)  # expect: call-arg | reportCallIssue
    canvas.with_options("bulk")  # expect: call-arg | reportCallIssue
    canvas.with_options(flow=["tenant-7"])  # expect: arg-type | reportArgumentType
    canvas.as_user()  # expect: call-arg | reportCallIssue
    canvas.quota.set_rate("10")  # expect: arg-type | reportArgumentType


async def canvas_calls(canvas: Canvas, course: Course) -> None:
    await canvas.courses.get()  # expect: call-arg | reportCallIssue
    await canvas.courses.get(1.5)  # expect: arg-type | reportArgumentType
    await canvas.courses.get(None)  # expect: arg-type | reportArgumentType
    await canvas.courses.get(course)  # expect: arg-type | reportArgumentType
    await canvas.courses.get(1, ["term"])  # expect: call-arg | reportCallIssue
    await canvas.courses.get(1, includ=["term"])  # expect: call-arg | reportCallIssue
    canvas.courses.list(include=["terms"])  # expect: list-item | reportArgumentType
    canvas.courses.list(include="term")  # expect: arg-type | reportArgumentType
    canvas.courses.list(state=["open"])  # expect: list-item | reportArgumentType
    canvas.courses.list(enrollment_type="pupil")  # expect: arg-type | reportArgumentType
    canvas.courses.list(page_size="50")  # expect: arg-type | reportArgumentType
    canvas.courses.list(per_page=50)  # expect: call-arg | reportCallIssue
    canvas.course_paces.contexts(1)  # expect: call-arg | reportCallIssue
    canvas.course_paces.contexts(1, type="class")  # expect: arg-type | reportArgumentType
    await canvas.course_paces.update(1, 2, exclude_weekends=None)  # expect: arg-type | reportArgumentType
    await canvas.course_paces.update(1, 2, end_date="2026-06-30")  # expect: arg-type | reportArgumentType
    await canvas.progress.wait(1, 60)  # expect: call-arg | reportCallIssue
    canvas.accounts.courses(1, starts_before="2026-06-30")  # expect: arg-type | reportArgumentType
    await canvas.courses.list().take()  # expect: call-arg | reportCallIssue
    await canvas.courses.list().take("5")  # expect: arg-type | reportArgumentType


async def abconnect_calls(ab: ABConnect, guid: str, moment: datetime) -> None:
    ab.standards.related(guid, "peerz")  # expect: arg-type | reportArgumentType
    ab.standards.related("peers")  # expect: call-arg | reportCallIssue
    ab.topics.related(guid, "peers")  # expect: arg-type | reportArgumentType
    ab.standards.list(include=["parents"])  # expect: list-item | reportArgumentType
    ab.standards.list(filter=F.guid == None)  # expect: arg-type | reportArgumentType
    ab.standards.list(filter=F.level)  # expect: arg-type | reportArgumentType
    ab.standards.list(filters=F.level == 1)  # expect: call-arg | reportCallIssue
    ab.standards.list(fields=[1])  # expect: list-item | reportArgumentType
    ab.standards.list(on_change="ignore")  # expect: arg-type | reportArgumentType
    await ab.standards.get(5)  # expect: arg-type | reportArgumentType
    await ab.standards.get_many([1])  # expect: list-item | reportArgumentType
    await ab.standards.facets(5)  # expect: arg-type | reportArgumentType
    await ab.assets.create(client_id="1")  # expect: call-arg | reportCallIssue
    await ab.assets.update(guid, asset_type="Lesson")  # expect: call-arg | reportCallIssue
    await ab.assets.update(guid, grades=[{"cod": "5"}])  # expect: typeddict-unknown-key | reportArgumentType
    await ab.assets.add_alignments(guid, tags=["Best"])  # expect: list-item | reportArgumentType
    await ab.assets.add_concepts(guid, centrl=[guid])  # expect: call-arg | reportCallIssue
    await ab.predictions.run(guid, algorithm="guess")  # expect: arg-type | reportArgumentType
    ab.events.follow(after="5")  # expect: arg-type | reportArgumentType
    ab.events.follow()  # expect: call-arg | reportCallIssue
    Crosswalk(ab, guid, guid, links=["peer"])  # expect: list-item | reportArgumentType


def filters(guid: str) -> None:
    print(F.level > [1])  # expect: operator | reportOperatorIssue
    print((F.level == 1) & "level eq 2")  # expect: operator | reportOperatorIssue
    print((F.level == 1) & F.seq)  # expect: operator | reportOperatorIssue
    print(F.guid.in_([guid]))  # expect: arg-type | reportArgumentType
    print(F.statement.descr.query(5))  # expect: arg-type | reportArgumentType


async def tools(canvas: Canvas, simulator: Simulator) -> None:
    canvas_of(simulator, deadlin=2.0)  # expect: call-arg | reportCallIssue
    canvas_of(simulator, token="x")  # expect: call-arg | reportCallIssue
    canvas_of(canvas)  # expect: arg-type | reportArgumentType
    abconnect_of(simulator, partner_id="x")  # expect: call-arg | reportCallIssue
    reply([], stats=200)  # expect: call-arg | reportCallIssue
    FakeTransport(["reply"])  # expect: list-item | reportArgumentType
    Sync("sqlite:///lms.db", canvas=canvas)  # expect: arg-type | reportArgumentType
    Sync(MemorySink(), canvs=canvas)  # expect: call-arg | reportCallIssue
    Sync(canvas, canvas=canvas)  # expect: arg-type | reportArgumentType
    await Sync(MemorySink(), canvas=canvas).run(["courses"])  # expect: arg-type | reportArgumentType
    await plan_of("courses", canvs=canvas)  # expect: call-arg | reportCallIssue
    sql()  # expect: call-arg | reportCallIssue


async def paths(canvas: Canvas) -> None:
    await canvas.request("/api/v1/users/self")  # expect: call-arg | reportCallIssue
    await canvas.request("GET", "/api/v1/x", params=[("a", 1)])  # expect: arg-type | reportArgumentType
    await canvas.request("PUT", "/api/v1/x", data={"a": 1})  # expect: call-arg | reportCallIssue
    canvas.paginate("/api/v1/x", model="Group")  # expect: call-overload | reportArgumentType
    canvas.paginate("/api/v1/x", page_size=5)  # expect: call-overload | reportCallIssue
    canvas.resume()  # expect: call-overload | reportCallIssue
    canvas.resume(5)  # expect: call-overload | reportArgumentType, reportCallIssue
