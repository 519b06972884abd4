"""Collections of standards and assets: named filters, not JSON:API objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.simulator.conftest import ORIGIN

if TYPE_CHECKING:
    from tests.simulator.conftest import Caller

KINDS = pytest.mark.parametrize("kind", ["standard_collections", "asset_collections"])


async def make(caller: Caller, kind: str, name: str, **more: Any) -> dict[str, Any]:
    response = await caller.ab("POST", f"/{kind}", {"data": {"name": name, **more}})
    assert response.status == 201
    return dict(response.json()["data"])


@KINDS
async def test_collection_lifecycle(caller: Caller, kind: str) -> None:
    """Create, read, change, delete; the members are not in attributes."""
    filters = {"root": {"state": "checked", "collections": []}}
    made = await make(caller, kind, "Grade 5", filters=filters)
    assert set(made) == {"guid", "name", "filters", "advanced_search"}
    path = f"/{kind}/{made['guid'].lower()}"
    body = (await caller.abconnect(path)).json()
    assert body["data"] == made
    assert body["links"]["self"] == f"{ORIGIN}/rest/v4.1/{kind}/{made['guid']}"
    fields = {f"fields__{kind}": "name"}
    assert await caller.data(path, **fields) == {"name": "Grade 5"}
    change = {"data": {"name": "Grade 6", "advanced_search": {"a": 1}, "guid": "ignored"}}
    changed = await caller.ab("PATCH", path, change)
    assert changed.json()["data"] == {**made, "name": "Grade 6", "advanced_search": {"a": 1}}
    gone = await caller.ab("DELETE", path)
    assert (gone.status, list(gone.json())) == (200, ["meta"])
    for method in ("GET", "DELETE"):
        assert (await caller.ab(method, path)).status == 404
    assert (await caller.ab("PATCH", path, change)).status == 404


@KINDS
async def test_credentials_of_collections(caller: Caller, kind: str) -> None:
    """The knob that repeats credentials applies here too; a bad query creates nothing."""
    caller.simulator.knobs.echo_credentials = True
    response = await caller.ab("POST", f"/{kind}", {"data": {"name": "x"}})
    link = response.json()["links"]["self"]
    assert link.startswith(f"{ORIGIN}/rest/v4.1/{kind}/{response.json()['data']['guid']}?")
    assert "auth.signature=" in link
    bad = {f"fields__{kind}": "nonsense"}
    assert (await caller.ab("POST", f"/{kind}", {"data": {"name": "y"}}, **bad)).status == 400
    assert len(await caller.data(f"/{kind}")) == 1


@KINDS
async def test_lists_of_collections(caller: Caller, kind: str) -> None:
    """Find by exact name, by part of the name in any case, by filter; sort and page."""
    other = "asset_collections" if kind == "standard_collections" else "standard_collections"
    await make(caller, other, "Algebra")
    for name in ("Algebra", "algebra 2", "Biology"):
        await make(caller, kind, name)

    async def names(**query: str) -> list[str]:
        return [one["name"] for one in await caller.data(f"/{kind}", **query)]

    assert await names(collection_name="Algebra") == ["Algebra"]
    assert set(await names(search_collection_name="ALG")) == {"Algebra", "algebra 2"}
    by_name = {f"sort__{kind}": "-name"}
    assert await names(**by_name) == ["algebra 2", "Biology", "Algebra"]
    assert await names(**by_name, limit="1", offset="1") == ["Biology"]
    assert await names(**{f"filter__{kind}": "name eq 'Biology'"}) == ["Biology"]
    assert await names(**{f"filter__{kind}": "query('bio')"}) == ["Biology"]
    meta = (await caller.abconnect(f"/{kind}", limit="0")).json()["meta"]
    assert meta["count"] == 3
    for name in ("filter", "sort", "fields"):
        value = "size eq 1" if name == "filter" else "size"
        assert (await caller.abconnect(f"/{kind}", **{f"{name}__{kind}": value})).status == 400


@KINDS
@pytest.mark.parametrize(
    ("data", "status", "pointer"),
    [
        ({"name": "Taken"}, 409, "/data/name"),
        ({"filters": {}}, 422, "/data/name"),
        ({"name": " "}, 422, "/data/name"),
        ({"name": "x", "filters": []}, 422, "/data/filters"),
        ({"name": "x", "advanced_search": 1}, 422, "/data/advanced_search"),
        ([], 400, "/data"),
    ],
)
async def test_bad_collections(
    caller: Caller, kind: str, data: Any, status: int, pointer: str
) -> None:
    """The error points to the mistake; a change to a used name is 422, not 409."""
    await make(caller, kind, "Taken")
    response = await caller.ab("POST", f"/{kind}", {"data": data})
    [error] = response.json()["errors"]
    assert (response.status, error["source"]) == (status, {"pointer": pointer})
    other = await make(caller, kind, "Other")
    taken = await caller.ab("PATCH", f"/{kind}/{other['guid']}", {"data": {"name": "Taken"}})
    assert taken.status == 422
