"""Models as users handle them: from JSON and back, equality and hash."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime
from typing import Any, Literal

import orjson
import pytest
from attrs import define, field
from hypothesis import given
from hypothesis import strategies as st

from aioinstructure import DecodeError, Id, Model
from aioinstructure.abconnect.standards import Standard
from aioinstructure.canvas.courses import Course
from aioinstructure.canvas.modules import Module


@define
class Member(Model):
    """A part of a team."""

    id: Id | None = None
    name: str | None = None
    joined_at: datetime | None = None


@define
class Team(Model):
    """A model of a user's own."""

    id: Id | None = None
    name: str | None = None
    kind: Literal["open", "closed"] | str | None = None
    members: list[Member] = field(factory=list)


@define
class Anonymous(Model):
    """A model whose objects have no id."""

    name: str | None = None


@define
class Guide(Model):
    """A model that is identified by its GUID."""

    guid: str | None = None
    name: str | None = None


TEAM: dict[str, Any] = {
    "id": 5,
    "name": None,
    "kind": "new",
    "members": [
        {"id": 1, "joined_at": "2026-01-02T03:04:05Z", "badge": [1]},
        {"id": 2, "joined_at": "2026-01-02T03:04:05+02:00"},
    ],
    "colour": {"r": 255},
    "size": None,
}


# --- from JSON and back ---------------------------------------------------------------------------


def test_unknown_fields_are_in_extra_and_are_written_back() -> None:
    """At every depth, unchanged, null included."""
    team = Team.from_dict(TEAM)
    assert team.extra == {"colour": {"r": 255}, "size": None}
    assert team.members[0].extra == {"badge": [1]}
    assert team.to_dict() == TEAM
    assert orjson.loads(team.to_json()) == TEAM


def test_a_model_is_read_from_its_own_dict() -> None:
    """Equal to the first one, and written the same."""
    team = Team.from_dict(TEAM)
    again = Team.from_dict(team.to_dict())
    assert again == team
    assert again.to_json() == team.to_json()
    assert Team.from_dict(orjson.loads(team.to_json())) == team


def test_the_data_is_not_changed() -> None:
    """Nor does a change of the model change it."""
    before = copy.deepcopy(TEAM)
    team = Team.from_dict(TEAM)
    team.extra["more"] = 1
    team.members.clear()
    assert before == TEAM


def test_json_is_plain_text() -> None:
    """It can be stored; datetimes are ISO 8601, characters are not escaped."""
    team = Team(id=1, name="é", members=[Member(joined_at=datetime(2026, 1, 2, tzinfo=UTC))])
    text = team.to_json()
    assert isinstance(text, str)
    assert '"é"' in text
    assert '"joined_at":"2026-01-02T00:00:00Z"' in text


def test_models_of_both_services_are_written_as_they_came() -> None:
    """Models of the library are like those of a user."""
    course = {"id": 1, "name": "A", "new_field": [1], "created_at": "2026-01-02T03:04:05Z"}
    assert Course.from_dict(course).to_dict() == course
    standard = Standard.from_dict({"id": "A", "type": "standards", "attributes": {"level": 2}})
    assert (standard.id, standard.level) == ("A", 2)
    assert Standard.from_dict(standard.to_dict()) == standard


def test_a_subclass_is_made_by_its_own_from_dict() -> None:
    """The class that is asked, not its base."""

    @define
    class Squad(Team):
        """A team of another kind."""

        rank: int | None = None

    found = Squad.from_dict({"id": 1, "rank": 2})
    assert type(found) is Squad
    assert found.rank == 2
    assert Squad.from_dict({"id": 1}) != Team.from_dict({"id": 1})


@pytest.mark.parametrize(
    ("data", "where"),
    [
        ({"members": 5}, "$.members"),
        ({"members": {}}, "$.members"),
        ({"members": [{}, 5]}, "$.members[1]"),
    ],
)
def test_a_wrong_shape_is_a_decode_error_with_the_path(data: Any, where: str) -> None:
    """The message names the model and the place."""
    with pytest.raises(DecodeError, match="Team") as caught:
        Team.from_dict(data)
    assert [path.rpartition(" @ ")[2] for path in caught.value.paths] == [where]
    assert where in str(caught.value)
    assert caught.value.response is None


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=6), _JSON, max_size=5))
def test_any_other_json_survives(data: dict[str, Any]) -> None:
    """Fields that the model does not know are kept whatever they hold."""
    data = {key: value for key, value in data.items() if key != "name"}
    anonymous = Anonymous.from_dict(data)
    assert anonymous.extra == data
    assert orjson.loads(anonymous.to_json()) == data


# --- equality and hash ----------------------------------------------------------------------------


def test_objects_with_the_same_id_have_the_same_hash() -> None:
    """Also where their other fields differ: a set holds both, since they are not equal."""
    old, new = Team(id=5, name="old"), Team(id=5, name="new")
    assert hash(old) == hash(new)
    assert old != new
    assert {old, new, Team(id=5, name="old")} == {old, new}


def test_equal_objects_have_the_same_hash() -> None:
    """Whether the server sent them or your code made them."""
    sent, made = Team.from_dict({"id": 5, "name": "x"}), Team(id=5, name="x")
    assert sent == made
    assert hash(sent) == hash(made)
    assert len({sent, made}) == 1


def test_what_the_server_did_not_send_does_not_make_a_difference() -> None:
    """Null and absent are equal; unknown fields are compared."""
    assert Team.from_dict({"id": 5, "name": None}) == Team.from_dict({"id": 5})
    assert Team.from_dict({"id": 5, "more": 1}) != Team.from_dict({"id": 5})


def test_another_model_with_the_same_id_is_another_object() -> None:
    """The type is part of equality and of the hash."""
    course: Model = Course(id=5)
    assert course != Module(id=5)
    assert len({course, Module(id=5)}) == 2


@pytest.mark.parametrize(
    "found", [Anonymous(name="x"), Team(), Team(name="x"), Course(), Guide()], ids=repr
)
def test_an_object_without_an_id_cannot_be_hashed(found: Model) -> None:
    """The message names the model."""
    with pytest.raises(TypeError, match=f"a {type(found).__name__} without an id cannot be hashed"):
        hash(found)


def test_a_guid_is_an_id() -> None:
    """AB Connect has models that have nothing else."""
    assert hash(Guide(guid="A", name="x")) == hash(Guide(guid="A", name="y"))


def test_an_id_of_zero_is_an_id() -> None:
    """An object with id 0 can be hashed like all others."""
    assert hash(Team(id=0)) == hash(Team(id=0, name="x"))


def test_a_model_is_copied_and_pickled() -> None:
    """With what the server sent: the copy is written the same."""
    team = Team.from_dict(TEAM)
    for again in (copy.copy(team), copy.deepcopy(team), pickle.loads(pickle.dumps(team))):  # noqa: S301 - pickled here
        assert again == team
        assert again.to_dict() == TEAM
        assert again.fields_set == team.fields_set


def test_a_deep_copy_shares_nothing() -> None:
    """A change of the copy does not change the original."""
    team = Team.from_dict(TEAM)
    other = copy.deepcopy(team)
    other.members[0].name = "x"
    other.extra["colour"]["r"] = 0
    assert team.to_dict() == TEAM


@pytest.mark.parametrize("data", [None, [1], "abc", 5, [("id", 1)]])
def test_from_dict_takes_a_mapping_only(data: Any) -> None:
    """Anything else is a DecodeError, as where a server sends it."""
    with pytest.raises(DecodeError, match="Course"):
        Course.from_dict(data)
