"""What a converter does for an object of a model, by the keys that were sent. Independent of cattrs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import field, frozen

from aioinstructure.conversion.dates import is_written_back
from aioinstructure.conversion.model import KeySet, Model, Sent

__all__ = ["Plan", "Plans", "TaggedField", "keep_sent", "read_tagged"]

_KEY_SETS_KEPT = 512


def read_tagged(model: Model, data: Mapping[str, Any], fields: Sequence[TaggedField]) -> None:
    """Read the fields whose model is chosen by a tag."""
    for each in fields:
        if (raw := data[each.wire]) is not None:
            setattr(model, each.name, each.read(raw, data))


def keep_sent(model: Model, data: Mapping[str, Any], dates: Sequence[tuple[str, str]]) -> None:
    """Keep what was sent for the dates that are not written back in the same form."""
    sent: dict[str, Sent] = {}
    for wire, name in dates:
        raw, value = data[wire], getattr(model, name)
        if not is_written_back(value, raw):
            sent[name] = Sent(raw, value.copy() if isinstance(value, list | dict) else value)
    if sent:
        model.__sent__ = sent


@frozen
class TaggedField:
    """A field whose model is chosen by a tag: its key, its name, and what reads it."""

    wire: str
    name: str
    read: Callable[[Any, Any], Any]


@frozen
class Plan:
    """What is to be done for the objects of a model that have the same keys."""

    keys: KeySet
    dates: tuple[tuple[str, str], ...]
    tagged: tuple[TaggedField, ...]


@frozen
class Plans:
    """The plans of a model, by the keys that were sent."""

    fields: Mapping[str, str]
    containers: Mapping[str, str]
    dates: Mapping[str, str]
    tagged: Mapping[str, TaggedField]
    known: dict[tuple[str, ...], Plan] = field(factory=dict[tuple[str, ...], "Plan"], init=False)

    def make(self, keys: tuple[str, ...]) -> Plan:
        """Make the plan for the keys of an object, in their order."""
        if len(self.known) >= _KEY_SETS_KEPT:
            self.known.clear()
        fields, containers = self.fields, self.containers
        dates = tuple((key, self.dates[key]) for key in keys if key in self.dates)
        tagged = tuple(self.tagged[key] for key in keys if key in self.tagged)
        known = KeySet(
            names=frozenset(fields[key] for key in keys if key in fields),
            unknown=tuple(key for key in keys if key not in fields),
            containers=tuple((key, containers[key]) for key in keys if key in containers),
        )
        plan = self.known[keys] = Plan(known, dates, tagged)
        return plan
