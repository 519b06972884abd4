"""Every type that an operation returns can be converted, and gives back what came.

The bodies are those that the vendors print, and one for each operation, made from its type. They
are changed at random places, in the ways in which servers differ from their documentation.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioinstructure import ABConnect, Canvas, DecodeError
from aioinstructure.abconnect.standards import Standard
from aioinstructure.canvas.course_paces import CoursePace
from aioinstructure.conversion.converter import Converter
from aioinstructure.conversion.model import Model
from aioinstructure.endpoints.lookup import routes_of
from tests.bodies import body_of

CONVERTER = Converter()
ROUTES = {route.name: route for client in (Canvas, ABConnect) for route in routes_of(client)}
RECORDED = Path(__file__).parents[1] / "data" / "recorded"


def recorded(name: str) -> Any:
    return json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))


BODIES: dict[str, tuple[type[Model], Any]] = {
    "pace": (CoursePace, recorded("course_pace")),
    "standard": (Standard, recorded("standard_with_all_fields")),
    "three fields": (Standard, recorded("standard_with_three_fields")),
}
for route in ROUTES.values():
    if isinstance(route.returns, type) and issubclass(route.returns, Model):
        BODIES[route.returns.__name__] = (route.returns, body_of(route.returns))

ODD: list[Any] = [
    *(None, "", "text", "2013-01-23", "20201-08-26T04:59:59Z", "2013-01-23T23:59:00.5-0700"),
    *(0, -1, 1.5, 2**64, 10**30, True, False, "1"),
]


@pytest.mark.parametrize("name", ROUTES)
def test_every_result_has_a_converter(name: str) -> None:
    """It is made when the library is tested, not when a user calls the operation."""
    returns = ROUTES[name].returns
    if returns is not None:
        assert callable(CONVERTER.maker(returns))


def scalars(value: Any) -> Iterator[str]:
    """The scalars in a body, and the names of the empty containers."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from scalars(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from scalars(inner)
    elif value is not None:
        yield json.dumps(value)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Each object or list with each of its keys or indices."""
    if isinstance(value, dict | list):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from places(value[key])


def mutated(body: Any, seed: int, choices: list[Any], *, scalars_only: bool) -> Any:
    """A copy with up to four odd values, missing or new keys, or keys in another order."""
    rng, body = random.Random(seed), copy.deepcopy(body)  # noqa: S311 - which places
    for _ in range(rng.randint(1, 4)):
        found = [
            (parent, key)
            for parent, key in places(body)
            if not scalars_only or not isinstance(parent[key], dict | list)
        ]
        parent, key = rng.choice(found)
        kind = rng.randrange(4) if isinstance(parent, dict) else 0
        if kind == 0:
            parent[key] = copy.deepcopy(rng.choice(choices))
        elif kind == 1 and key not in ("type", "data", "attributes"):
            del parent[key]
        elif kind == 2:
            parent[f"new_{key}"] = {"as": ["it", "came"]}
        else:
            items = list(parent.items())
            parent.clear()
            parent.update(rng.sample(items, len(items)))
        if not body:
            break
    return body


@pytest.mark.parametrize("name", BODIES)
@given(seed=st.integers(0, 2**32))
def test_odd_scalars_are_written_back(name: str, seed: int) -> None:
    """No scalar is lost; of a flat body `to_dict` is what came."""
    tp, body = BODIES[name]
    sent = mutated(body, seed, ODD, scalars_only=True)
    made: Model = CONVERTER.structure(sent, tp)
    written = made.to_dict()
    if tp.reshape(copy.deepcopy(sent)) == sent:
        assert written == sent
    else:
        left = list(scalars(written))
        wrappers = {"links", "meta"}
        data = sent if "data" not in sent else {**sent, **dict.fromkeys(wrappers)}
        assert not [each for each in scalars(data) if each not in left]
    again: Model = CONVERTER.structure(written, tp)
    assert again.to_dict() == written
    assert json.loads(made.to_json()) == written


@pytest.mark.parametrize("name", BODIES)
@given(seed=st.integers(0, 2**32))
def test_containers_of_another_kind_are_decode_errors(name: str, seed: int) -> None:
    """Or kept, where the type allows anything; never another exception."""
    tp, body = BODIES[name]
    choices = [*ODD, [], {}, [[]], [None], {"a": {}}, [{"id": 1}]]
    sent = mutated(body, seed, choices, scalars_only=False)
    made: Model | DecodeError
    try:
        made = CONVERTER.structure(sent, tp)
    except DecodeError as error:
        made = error
    assert made.paths if isinstance(made, DecodeError) else json.loads(made.to_json()) is not None
    assert len(repr(made)) < 100_000
