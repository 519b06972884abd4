"""Predictions: request, wait, read, store; and the clarifier."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import parse_qsl

import orjson
import pytest

from aioinstructure import (
    ABConnect,
    DeadlineError,
    DecodeError,
    InputError,
    NotFound,
    ProgressFailed,
    QuotaError,
    Request,
    Response,
    UnknownOutcome,
    Unprocessable,
)
from aioinstructure.abconnect import F
from aioinstructure.abconnect.concepts import Concept
from aioinstructure.abconnect.standards import Standard
from aioinstructure.simulator import Simulator
from aioinstructure.testing import FakeTransport, reply

ID = "AAAAAAAA-0000-4000-8000-000000000000"
QUEUED = "BBBBBBBB-0000-4000-8000-000000000000"
SET = "CCCCCCCC-0000-4000-8000-000000000000"


def ab_with(*replies: Any) -> tuple[ABConnect, FakeTransport]:
    transport = FakeTransport(list(replies))
    return ABConnect(partner_id="p", partner_key="k", transport=transport), transport


def query(path: str) -> dict[str, str]:
    """Return the query without the parameters of the signature."""
    pairs = parse_qsl(path.partition("?")[2])
    return {n: v for n, v in pairs if not n.startswith(("auth.", "partner."))}


def status(
    code: str | None, link: str | None = f"https://x.test/rest/v4.1/predictions/{SET}"
) -> Any:
    relationships = {} if link is None else {"predictions": {"links": {"related": link}}}
    attributes = {"code": code, "status": "so it is"}
    data = {"type": "queue-status", "id": QUEUED, "attributes": attributes}
    return reply({"data": {**data, "relationships": relationships}}, status=202)


async def an_asset(ab: ABConnect) -> str:
    """Return the id of a new asset of sixth grade mathematics."""
    asset = await ab.assets.create(
        client_id="new",
        asset_type="Lesson",
        grades=[{"code": "6"}],
        subjects=[{"code": "MATH"}],
    )
    assert asset.id is not None
    return asset.id


async def test_the_request() -> None:
    """It has the documented shape, with the subject directly below the relationships."""
    ab, transport = ab_with(status("complete"))
    focus: Any = [{"type": "document", "id": SET}]
    found = await ab.predictions.create(ID, algorithm="crosswalk", subject="standards", focus=focus)
    assert (found.id, found.code, found.predictions_id) == (QUEUED, "complete", SET)
    (request,) = transport.requests
    assert orjson.loads(request.body or b"") == {
        "data": {
            "attributes": {"algorithm": "crosswalk"},
            "relationships": {"type": "standards", "id": ID, "focus": focus},
        }
    }
    assert query(request.path) == {"fields[queue-status]": "code,status,predictions"}


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        (f"https://x.test/rest/v4.1/predictions/{SET}?fields=a", SET),
        (f"https://x.test/rest/v4.1/predictions/{SET}/", SET),
        ("", None),
        (None, None),
    ],
)
async def test_the_id_of_the_set_comes_from_its_link(
    link: str | None, expected: str | None
) -> None:
    """It is sent nowhere else."""
    ab, _ = ab_with(status("complete", link))
    assert (await ab.predictions.create(ID)).predictions_id == expected


async def test_a_prediction_that_is_complete_at_once(
    abconnect: ABConnect, simulator: Simulator
) -> None:
    """One request to create, one to read; nothing is stored until it is committed."""
    asset = await an_asset(abconnect)
    before = len(simulator.requests)
    found = await abconnect.predictions.run(asset)
    assert len(simulator.requests) - before == 2
    assert found.algorithm == "confidence"
    assert found.asset.ids == [asset]
    assert found.date_expires_utc is not None
    assert found.date_requested_utc is not None
    assert found.date_requested_utc < found.date_expires_utc
    assert found.standards.data
    assert found.standards.data[0].meta["disposition"] == "predicted"
    assert isinstance(found.standards.data[0].meta["score"], str)
    assert await abconnect.assets.alignments(asset).collect() == []
    assert found.id is not None
    await abconnect.predictions.commit(found.id)
    stored = await abconnect.assets.alignments(asset).collect()
    listed = await abconnect.predictions.standards(found.id, fields=["statement"]).collect()
    assert {one.id for one in stored} == {one.id for one in listed}
    assert len(listed) >= len(found.standards.ids)
    assert {one.meta["disposition"] for one in stored} == {"predicted"}
    topics = await abconnect.predictions.topics(found.id, fields=["descr"]).collect()
    assert {one.id for one in topics} == {one.id async for one in abconnect.assets.topics(asset)}


async def test_a_prediction_that_takes_a_while(abconnect: ABConnect, simulator: Simulator) -> None:
    """A hundred seconds take a few long polls, and no extra time."""
    asset = await an_asset(abconnect)
    simulator.knobs.update(prediction_seconds=100.0, prediction_inline_seconds=30.0)
    loop = asyncio.get_running_loop()
    start, before = loop.time(), len(simulator.requests)
    found = await abconnect.predictions.run(asset)
    assert loop.time() - start == pytest.approx(100, abs=1)
    asked = [seen.path for seen in simulator.requests][before:]
    assert len(asked) == 5  # one create, three polls, one read
    assert [query(path).get("max_wait") for path in asked] == [None, "25", "25", "25", None]
    assert found.standards.ids


async def test_a_prediction_that_is_not_complete_in_time(
    abconnect: ABConnect, simulator: Simulator
) -> None:
    """ProgressFailed has the last status, from which the caller can continue."""
    asset = await an_asset(abconnect)
    simulator.knobs.update(prediction_seconds=100.0, prediction_inline_seconds=1.0)
    loop = asyncio.get_running_loop()
    start = loop.time()
    with pytest.raises(ProgressFailed, match="pending after 40 s") as caught:
        await abconnect.predictions.run(asset, timeout=40)
    assert 38 <= loop.time() - start <= 40
    assert caught.value.progress.code == "pending"
    await asyncio.sleep(62)
    later = await abconnect.predictions.queue_status(caught.value.progress.id)
    assert (later.code, later.status) == ("complete", "The predictions are ready.")
    assert later.predictions_id is not None
    assert (await abconnect.predictions.get(later.predictions_id)).standards.ids


async def test_a_server_without_long_polling() -> None:
    """It is polled once a second, not in a busy loop."""
    ready = reply({"data": {"type": "predictions", "id": SET}})
    ab, transport = ab_with(*(status("pending") for _ in range(6)), status("complete"), ready)
    loop = asyncio.get_running_loop()
    start = loop.time()
    assert (await ab.predictions.run(ID)).id == SET
    assert loop.time() - start == pytest.approx(5, abs=0.1)
    assert len(transport.requests) == 8


async def test_an_unexpected_end() -> None:
    """An unknown code, or no link to the set, is an error."""
    ab, _ = ab_with(status("failed"))
    with pytest.raises(ProgressFailed, match="ended as failed"):
        await ab.predictions.run(ID)
    ab, _ = ab_with(status("complete", None))
    with pytest.raises(DecodeError, match="no link to the predictions"):
        await ab.predictions.run(ID)


class Late(FakeTransport):
    """Takes the given seconds for each response in turn."""

    def __init__(self, *answers: tuple[float, Any]) -> None:
        super().__init__([answer for _, answer in answers])
        self.waits = [seconds for seconds, _ in answers]

    async def send(self, request: Request, on_head: Any = None) -> Response:
        self.seconds = self.waits.pop(0)
        return await super().send(request, on_head)


def late_ab(*answers: tuple[float, Any], **options: Any) -> tuple[ABConnect, Late]:
    transport = Late(*answers)
    return ABConnect(partner_id="p", partner_key="k", transport=transport, **options), transport


NEVER = 1e6
READY = reply({"data": {"type": "predictions", "id": SET}})


async def test_a_request_that_is_never_answered() -> None:
    """UnknownOutcome at the timeout, since the prediction may be in the queue."""
    ab, transport = late_ab((NEVER, status("complete")))
    loop = asyncio.get_running_loop()
    start = loop.time()
    with pytest.raises(UnknownOutcome, match="POST /rest/v4"):
        await ab.predictions.run(ID, timeout=20)
    assert loop.time() - start == pytest.approx(20, abs=0.01)
    assert [one.method for one in transport.requests] == ["POST"]
    await asyncio.sleep(0)
    assert len(asyncio.all_tasks()) == 1


async def test_a_late_answer_leaves_less_time_to_wait() -> None:
    """The polls have the remaining time; the status allows to continue later."""
    ab, transport = late_ab((13, status("pending")), (NEVER, status("complete")))
    loop = asyncio.get_running_loop()
    start = loop.time()
    with pytest.raises(ProgressFailed, match="pending after 20 s") as caught:
        await ab.predictions.run(ID, timeout=20)
    assert loop.time() - start == pytest.approx(20, abs=0.01)
    assert caught.value.progress.id == QUEUED
    assert query(transport.paths[1])["max_wait"] == "6"
    ab, transport = late_ab((13, status("pending")), (3, status("complete")), (3, READY))
    assert (await ab.predictions.run(ID, timeout=20)).id == SET


async def test_a_set_that_is_never_read() -> None:
    """The error has its id, so that it can be read later."""
    ab, transport = late_ab((13, status("complete")), (NEVER, READY))
    loop = asyncio.get_running_loop()
    start = loop.time()
    with pytest.raises(ProgressFailed, match="not read within 20 s") as caught:
        await ab.predictions.run(ID, timeout=20)
    assert loop.time() - start == pytest.approx(20, abs=0.01)
    assert (caught.value.progress.code, caught.value.progress.predictions_id) == ("complete", SET)
    assert len(transport.requests) == 2


async def test_a_request_without_quota_in_time() -> None:
    """QuotaError has the seconds to wait; nothing was sent."""
    ab, transport = late_ab((0, reply({"data": []})))
    ab.quota.set_rate(0.01, burst=1)
    await ab.topics.list().first()
    with pytest.raises(QuotaError) as caught:
        await ab.predictions.run(ID, timeout=20)
    assert caught.value.wait == pytest.approx(100, abs=1)
    assert len(transport.requests) == 1


async def test_a_deadline_of_the_client_is_for_each_request(
    abconnect: ABConnect, simulator: Simulator
) -> None:
    """Long polls end before that deadline; the complete operation may take longer."""
    asset = await an_asset(abconnect)
    simulator.knobs.update(prediction_seconds=30.0, prediction_inline_seconds=1.0)
    before = len(simulator.requests)
    quick = abconnect.with_options(deadline=10)
    assert (await quick.predictions.run(asset, timeout=60)).standards.ids
    asked = [seen.path for seen in simulator.requests][before:]
    assert [query(path).get("max_wait") for path in asked] == [None, *["9"] * 4, None]
    ab, _ = late_ab((0, status("pending")), (NEVER, status("complete")), deadline=10)
    with pytest.raises(DeadlineError):  # not the timeout of the complete operation
        await ab.predictions.run(ID, timeout=60)


@pytest.mark.parametrize("timeout", [-1, 0, float("nan"), "5", True])
async def test_a_timeout_is_a_number_of_seconds_above_zero(timeout: Any) -> None:
    """Other values are refused before anything is sent."""
    ab, transport = ab_with()
    with pytest.raises(InputError, match="timeout"):
        await ab.predictions.run(ID, timeout=timeout)
    assert transport.requests == []


async def test_a_crosswalk_for_a_standard(abconnect: ABConnect, simulator: Simulator) -> None:
    """It predicts assets aligned to counterparts, with the number of steps."""
    aligned = await abconnect.assets.list(fields=["alignments"]).collect()
    ids = {ref.id for one in aligned for ref in one.alignments.data}
    found = None
    for guid in sorted(filter(None, ids)):
        peers = await abconnect.standards.related(guid, "crosswalks").take(1)
        for peer in peers:
            found = await abconnect.predictions.run(
                peer.id or "", subject="standards", algorithm="crosswalk"
            )
            assert found.standard.ids == [peer.id]
        if found is not None and found.assets.data:
            break
    assert found is not None
    assert found.algorithm == "crosswalk"
    assert found.assets.data
    assert {ref.meta["steps"] for ref in found.assets.data} <= {1, 2}
    assert found.id is not None
    assets = await abconnect.predictions.assets(found.id, fields=["title"]).collect()
    assert {one.id for one in assets} >= set(found.assets.ids)


async def test_confidence_is_for_assets_only(abconnect: ABConnect) -> None:
    """The service refuses standards; unknown ids and values are refused too."""
    standard = await abconnect.standards.list().first()
    assert standard is not None
    with pytest.raises(Unprocessable, match="confidence"):
        await abconnect.predictions.create(standard.id or "", subject="standards")
    with pytest.raises(Unprocessable, match=ID):
        await abconnect.predictions.run(ID)
    wrong: Any = "guess"
    with pytest.raises(InputError):
        await abconnect.predictions.create(ID, algorithm=wrong)
    with pytest.raises(NotFound):
        await abconnect.predictions.get(SET)
    with pytest.raises(NotFound):
        await abconnect.predictions.commit(SET)


async def test_a_set_with_included_standards(abconnect: ABConnect) -> None:
    """Included standards are in `.resource`, with the requested fields."""
    found = await abconnect.predictions.run(await an_asset(abconnect))
    complete = await abconnect.predictions.get(
        found.id or "", include=["standards"], standard_fields=["statement"]
    )
    first = complete.standards.data[0].resource
    assert isinstance(first, Standard)
    assert first.statement.descr


async def test_the_clarifier(abconnect: ABConnect) -> None:
    """At most five of each, with the objects included; decided ones are not returned again."""
    asset = await an_asset(abconnect)
    asked = await abconnect.clarifier.get(
        asset, standard_fields=["statement"], concept_fields=["descr"]
    )
    assert 0 < len(asked.clarification_standards.data) <= 5
    assert 0 < len(asked.clarification_concepts.data) <= 5
    first = asked.clarification_standards.data[0]
    assert isinstance(first.resource, Standard)
    assert isinstance(asked.clarification_concepts.data[0].resource, Concept)
    assert first.resource.statement.descr
    await abconnect.assets.add_alignments(asset, accepted=[first.id or ""])
    again = await abconnect.clarifier.get(asset, include=[])
    assert first.id not in again.clarification_standards.ids
    narrowed = await abconnect.clarifier.get(asset, standards=F.level == 99)
    assert narrowed.clarification_standards.data == []
