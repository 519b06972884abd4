"""The base class of every object that a server sends. Independent of services."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, ClassVar, Self

import attrs
from attrs import define, field, frozen

from aioinstructure._json import dumps
from aioinstructure._public import public
from aioinstructure._text import short_repr
from aioinstructure.conversion.dates import has_unreadable, iso_text
from aioinstructure.conversion.fields import wire_name_of
from aioinstructure.conversion.shared import converter_for

__all__ = ["NULL_KEYS", "KeySet", "Model", "Sent", "field_names", "json_value"]


@frozen
class Sent:
    """What was sent for a field whose value is not written back in the same form.

    Attributes:
        raw: The JSON.
        value: What was made of it; None if it could not be read.
    """

    raw: Any
    value: Any


@frozen
class KeySet:
    """The keys of an object, classified for a model; shared by all objects with the same keys.

    Attributes:
        names: The fields that were sent.
        unknown: The keys that have no field.
        containers: The keys of lists and objects, each with its field.
    """

    names: frozenset[str]
    unknown: tuple[str, ...] = ()
    containers: tuple[tuple[str, str], ...] = ()


NULL_KEYS = KeySet(frozenset())
"""The keys of a model for which null was sent."""


@public
@define
class Model:
    """The base of every object that a server sends.

    A model with an id is hashable, by its type and id. Scalars are not checked: an id may be a
    number or text, and an enumeration may grow. A date that cannot be read is None; `unreadable`
    has what was sent, and `to_dict` writes it.

    Attributes:
        extra: What the server sent that has no field, unchanged.
        json_type: The `type` that identifies this model where one of several may be sent.
    """

    json_type: ClassVar[str] = ""

    extra: dict[str, Any] = field(factory=dict, init=False, repr=False)
    # Set by the converter: what the object was made from.
    __keys__: KeySet | None = field(default=None, init=False, repr=False, eq=False)
    __nulls__: tuple[str, ...] = field(default=(), init=False, repr=False, eq=False)
    __sent__: dict[str, Sent] | None = field(default=None, init=False, repr=False, eq=False)

    @classmethod
    def reshape(cls, data: dict[str, Any]) -> dict[str, Any]:
        """Return the object with the keys of the fields. Override it where the body nests them."""
        return data

    @classmethod
    def is_sent_in(cls, data: Mapping[str, Any]) -> bool:
        """Whether an object has a field of this model."""
        return any(
            wire_name_of(each) in data for each in attrs.fields(cls) if each.name not in _OWN
        )

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return a model from parsed JSON, such as the result of `to_dict`.

        Raises:
            DecodeError: The data does not match the model; `.paths` says where.
        """
        found: Self = converter_for(cls)(dict(data) if isinstance(data, Mapping) else data)
        return found

    @property
    def fields_set(self) -> frozenset[str]:
        """Names of the fields that the server sent, including null.

        All fields, if your code created the object.
        """
        return frozenset(field_names(type(self))) if self.__keys__ is None else self.__keys__.names

    @property
    def unreadable(self) -> dict[str, Any]:
        """What was sent for fields that are None, or have a None in them, since it is no date."""
        sent = self.__sent__ or {}
        return {
            name: each.raw for name, each in sent.items() if has_unreadable(each.value, each.raw)
        }

    def is_empty(self) -> bool:
        """Whether nothing was sent: every field has its default."""
        return not self.fields_set

    def to_dict(self) -> dict[str, Any]:
        """Return what the server sent, by its own names, as JSON types; null where it sent null.

        Fields that were not sent are omitted unless you have set them since. Dates are as they were
        sent; those that you have set are ISO 8601.
        """
        out: dict[str, Any] = {}
        sent = self.fields_set
        kept = self.__sent__ or {}
        for attribute in attrs.fields(type(self)):
            name = attribute.name
            if name in _OWN:
                continue
            value = getattr(self, name)
            if name in kept and value == kept[name].value:
                out[wire_name_of(attribute)] = kept[name].raw
            elif name in self.__nulls__ and value == _default(attribute):
                out[wire_name_of(attribute)] = None
            elif name in sent or value != _default(attribute):
                out[wire_name_of(attribute)] = json_value(value)
        return out | self.extra

    def to_json(self) -> str:
        """Return `to_dict` as JSON text."""
        return dumps(self.to_dict()).decode()

    def __json__(self) -> dict[str, Any] | None:
        """As `to_dict`, or None if null was sent and nothing was set since."""
        out = self.to_dict()
        return None if self.__keys__ is NULL_KEYS and not out else out

    def __hash__(self) -> int:
        found = getattr(self, "id", None)
        if found is None and (found := getattr(self, "guid", None)) is None:
            raise TypeError(f"a {type(self).__name__} without an id cannot be hashed")
        return hash((type(self), found))

    def __repr__(self) -> str:
        shown = (
            f"{attribute.name}={short_repr(value, _SHOWN)}"
            for attribute in attrs.fields(type(self))
            if attribute.name not in _OWN
            and (value := getattr(self, attribute.name)) != _default(attribute)
        )
        return f"{type(self).__name__}({', '.join(shown)})"

    @classmethod
    def __attrs_init_subclass__(cls) -> None:
        # attrs would generate a repr with all fields (Canvas courses have sixty, mostly not sent),
        # and no hash, since it generates __eq__.
        cls.__repr__ = Model.__repr__  # type: ignore[method-assign]  # the inherited method
        cls.__hash__ = Model.__hash__  # type: ignore[method-assign]  # the inherited method


_OWN = frozenset({"extra", "__keys__", "__nulls__", "__sent__"})
_SHOWN = 1_000  # the most characters of one value: a syllabus is a page of HTML


def field_names(cls: type[Model]) -> Iterator[str]:
    """Return the names of a model's fields, in order."""
    return (a.name for a in attrs.fields(cls) if a.name not in _OWN)


def _default(attribute: attrs.Attribute[Any]) -> Any:
    default: Any = attribute.default
    return default.factory() if hasattr(default, "factory") else default


def json_value(value: Any) -> Any:
    """Convert the value of a field to JSON types."""
    if isinstance(value, Model):
        return value.__json__()
    if isinstance(value, list | tuple):
        return list(map(json_value, value))
    if isinstance(value, dict):
        return {key: json_value(inner) for key, inner in value.items()}
    return iso_text(value) if isinstance(value, date) else value
