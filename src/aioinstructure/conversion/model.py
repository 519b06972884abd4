"""The base of every object that a server sends, and back to JSON. Knows no service."""

from __future__ import annotations

import keyword
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any, ClassVar, Self

import attrs
import orjson
from attrs import define, field, frozen

__all__ = ["NULL_KEYS", "KeySet", "Model", "field_names", "json_value", "wire_name"]


@frozen
class KeySet:
    """What a tuple of keys means for a model; shared by all objects that came with these keys.

    Attributes:
        names: The fields that were sent.
        unknown: The keys that the model has no field for.
        containers: The keys of lists and objects, each with its field.
    """

    names: frozenset[str]
    unknown: tuple[str, ...]
    containers: tuple[tuple[str, str], ...]


NULL_KEYS = KeySet(frozenset(), (), ())
"""The keys of a model in whose place null was sent."""


@define
class Model:
    """The base of every object that a server sends.

    A model with an id can be hashed, by its type and id.

    Attributes:
        extra: What the server sent and the model has no field for, unchanged.
        json_type: The `type` that tells this model from others, where one of several may come.
    """

    json_type: ClassVar[str] = ""

    extra: dict[str, Any] = field(factory=dict, init=False, repr=False)
    _keys: KeySet | None = field(default=None, init=False, repr=False, eq=False)
    _nulls: tuple[str, ...] = field(default=(), init=False, repr=False, eq=False)

    @classmethod
    def reshape(cls, data: dict[str, Any]) -> dict[str, Any]:
        """The object as the fields need it; for bodies that wrap or scatter them."""
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """A model from parsed JSON, as `to_dict` returns it.

        Raises:
            DecodeError: It is not what the model says; `.paths` name the places.
        """
        from aioinstructure.conversion.converter import shared_converter  # noqa: PLC0415 - it imports this module

        return shared_converter().structure(dict(data), cls)

    @property
    def fields_set(self) -> frozenset[str]:
        """Names of the fields that the server sent, null ones too; all of them if it did not."""
        return frozenset(field_names(type(self))) if self._keys is None else self._keys.names

    def is_empty(self) -> bool:
        """Whether nothing of it was sent: every field has its default."""
        return not self.fields_set

    def to_dict(self) -> dict[str, Any]:
        """What the server sent, by its own names, as JSON types; null where it sent null.

        Fields that were never sent are left out unless you have set them since. Datetimes are
        ISO 8601 with the offset that they came with.
        """
        out: dict[str, Any] = {}
        sent = self.fields_set
        for attribute in attrs.fields(type(self)):
            name = attribute.name
            if name in _OWN:
                continue
            value = getattr(self, name)
            if name in self._nulls and value == _default(attribute):
                out[wire_name(name)] = None
            elif name in sent or value != _default(attribute):
                out[wire_name(name)] = json_value(value)
        return out | self.extra

    def to_json(self) -> str:
        """The text of `to_dict` as JSON."""
        return orjson.dumps(self.to_dict()).decode()

    def __sent__(self, keys: KeySet, extra: dict[str, Any], nulls: tuple[str, ...]) -> None:
        """Note what a converter has made this from."""
        self._keys = keys
        if extra:
            self.extra = extra
        if nulls:
            self._nulls = nulls

    def __json__(self) -> dict[str, Any] | None:
        """As `to_dict`, or None where null was sent and nothing was set since."""
        out = self.to_dict()
        return None if self._keys is NULL_KEYS and not out else out

    def __hash__(self) -> int:
        found = getattr(self, "id", None) or getattr(self, "guid", None)
        if found is None:
            raise TypeError(f"a {type(self).__name__} without an id cannot be hashed")
        return hash((type(self), found))

    def __repr__(self) -> str:
        shown = (
            f"{attribute.name}={value!r}"
            for attribute in attrs.fields(type(self))
            if attribute.name not in _OWN
            and (value := getattr(self, attribute.name)) != _default(attribute)
        )
        return f"{type(self).__name__}({', '.join(shown)})"

    @classmethod
    def __attrs_init_subclass__(cls) -> None:
        # attrs would write a repr of every field (Canvas's courses have sixty, most of them not
        # sent), and no hash beside its __eq__.
        cls.__repr__ = Model.__repr__  # type: ignore[method-assign]  # the same one, inherited
        cls.__hash__ = Model.__hash__  # type: ignore[method-assign]  # the same one, inherited


_OWN = frozenset({"extra", "_keys", "_nulls"})


def field_names(cls: type[Model]) -> Iterator[str]:
    """The names of a model's fields, in order."""
    return (a.name for a in attrs.fields(cls) if a.name not in _OWN)


def _default(attribute: attrs.Attribute[Any]) -> Any:
    default: Any = attribute.default
    return default.factory() if hasattr(default, "factory") else default


def wire_name(name: str) -> str:
    """The vendor's name of a field: without the underscore that a Python keyword needs."""
    return name[:-1] if name.endswith("_") and keyword.iskeyword(name[:-1]) else name


def json_value(value: Any) -> Any:
    """A field's value as JSON types."""
    if isinstance(value, Model):
        return value.__json__()
    if isinstance(value, list | tuple):
        return [json_value(inner) for inner in value]
    if isinstance(value, dict):
        return {key: json_value(inner) for key, inner in value.items()}
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else value
