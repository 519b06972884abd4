"""The base of every object that a server sends, and back to JSON. Knows no service and no converter."""

from __future__ import annotations

import keyword
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, ClassVar

import attrs
from attrs import define, field, frozen

__all__ = ["Model", "to_json", "wire_name"]


@frozen
class _KeySet:
    """What a tuple of keys means for a model; shared by all objects that came with these keys."""

    names: frozenset[str]
    unknown: tuple[str, ...]
    containers: tuple[tuple[str, str], ...]


_NULL = _KeySet(frozenset(), (), ())
"""The shape of a model that stands where null was sent."""


@define
class Model:
    """The base of every object that a server sends.

    Attributes:
        extra: What the server sent and the model has no field for, as it came.
        json_type: The `type` that tells this model from others, where one of several may come.
    """

    json_type: ClassVar[str] = ""

    extra: dict[str, Any] = field(factory=dict, init=False, repr=False)
    _shape: _KeySet | None = field(default=None, init=False, repr=False, eq=False)
    _nulls: tuple[str, ...] = field(default=(), init=False, repr=False, eq=False)

    @classmethod
    def reshape(cls, data: dict[str, Any]) -> dict[str, Any]:
        """The object as the fields want it; for bodies that wrap or scatter them."""
        return data

    @property
    def fields_set(self) -> frozenset[str]:
        """Names of the fields that the server sent, null ones too; all of them if it did not."""
        if self._shape is not None:
            return self._shape.names
        return frozenset(_public_names(type(self)))

    def is_empty(self) -> bool:
        """Whether nothing of it was sent: every field has its default."""
        return not self.fields_set

    def to_dict(self) -> dict[str, Any]:
        """What the server sent, by its own names, as JSON types; null where it sent null.

        Fields that were never sent are left out unless you have set them since. Datetimes are
        ISO 8601 with the offset they came with.
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
                out[wire_name(name)] = to_json(value)
        return out | self.extra

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
        # attrs writes a repr of every field; Canvas's courses have sixty, most of them not sent.
        cls.__repr__ = Model.__repr__  # type: ignore[method-assign]  # the same one, inherited


_OWN = frozenset({"extra", "_shape", "_nulls"})


def _public_names(cls: type[Model]) -> Iterator[str]:
    return (a.name for a in attrs.fields(cls) if a.name not in _OWN)


def _default(attribute: attrs.Attribute[Any]) -> Any:
    default: Any = attribute.default
    return default.factory() if hasattr(default, "factory") else default


def wire_name(name: str) -> str:
    """The vendor's name of a field: without the underscore that a Python keyword needs."""
    return name[:-1] if name.endswith("_") and keyword.iskeyword(name[:-1]) else name


def to_json(value: Any) -> Any:
    """A field's value as JSON types."""
    if isinstance(value, Model):
        out = value.to_dict()
        return None if value._shape is _NULL and not out else out
    if isinstance(value, list | tuple):
        return [to_json(inner) for inner in value]
    if isinstance(value, dict):
        return {key: to_json(inner) for key, inner in value.items()}
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else value
