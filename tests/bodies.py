"""JSON that a server may send, made from the types of the models."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import attrs

from aioinstructure.conversion.annotations import hints_of
from aioinstructure.conversion.fields import wire_name
from aioinstructure.conversion.model import Model


def filled(tp: Any, types: Mapping[Any, Any]) -> Any:
    """A type of a generic model, with its type variables replaced."""
    parameters = getattr(tp, "__parameters__", ())
    return tp[tuple(types[each] for each in parameters)] if parameters else tp


def body_of(tp: Any, depth: int = 0) -> Any:
    """JSON that a server may send for a type, with all fields set, to a limited depth."""
    origin, inner = get_origin(tp), get_args(tp)
    if origin in (Union, UnionType):
        return body_of(next(m for m in inner if m is not type(None)), depth)
    if origin is Literal:
        return "a new value"
    if origin is list:
        return [body_of(inner[0], depth)] if depth < 3 else []
    if origin is dict:
        return {"k": body_of(inner[1], depth)} if depth < 3 else {}
    cls = origin or tp
    if isinstance(cls, type) and issubclass(cls, Model):
        hints = hints_of(cls, cls.__module__)
        types = dict(zip(getattr(cls, "__parameters__", ()), inner, strict=False))
        fields = [
            a.name for a in attrs.fields(cls) if a.name != "extra" and not a.name.startswith("_")
        ]
        if depth >= 3:
            return {}
        return {wire_name(name): body_of(filled(hints[name], types), depth + 1) for name in fields}
    known: dict[Any, Any] = {
        int: 5,
        str: "x",
        bool: True,
        float: 0.5,
        datetime: "2026-01-02T03:04:05Z",
        date: "2026-01-02",
        Any: {"any": 1},
    }
    return known[tp]
