"""How a field of a model differs from its annotation: its name in JSON, and which model it has."""

from __future__ import annotations

import keyword
from collections.abc import Mapping
from typing import Any, Final

import attrs
from attrs import field, frozen

__all__ = ["ByTag", "renamed", "wire_name", "wire_name_of"]

_WIRE: Final = "aioinstructure.wire_name"


def renamed(name: str) -> Any:
    """A field whose name in JSON is no name in Python, such as "content-type"; None by default.

    Example:
        content_type: str | None = renamed("content-type")
    """
    return field(default=None, metadata={_WIRE: name})


def wire_name(name: str) -> str:
    """Return the vendor's name of a field: without the underscore that a Python keyword needs."""
    return name[:-1] if name.endswith("_") and keyword.iskeyword(name[:-1]) else name


def wire_name_of(attribute: attrs.Attribute[Any]) -> str:
    """Return the vendor's name of an attribute of a model."""
    return str(attribute.metadata.get(_WIRE) or wire_name(attribute.name))


@frozen(eq=False)
class ByTag:
    """Says which of several models an object is, by a value beside it or in it.

    Example:
        entry: Annotated[Item | Stimulus | None, ByTag("entry_type", {"Item": Item, ...})] = None

    Attributes:
        name: The key of the tag, which is looked up in the object, then in the one that holds it.
        models: The model of each tag. An object with another tag stays a dict.
    """

    name: str
    models: Mapping[str, Any]

    def model_of(self, value: Mapping[str, Any], parent: Mapping[str, Any]) -> Any:
        """The model of an object; None if no tag says it."""
        tag = value.get(self.name, parent.get(self.name))
        return self.models.get(tag) if isinstance(tag, str) else None
