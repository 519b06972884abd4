"""Conversion of JSON to models and back, with cattrs. Independent of services and models.

Models are plain attrs classes; all wire details are here. Scalars are not checked, so that
conversion is fast and tolerant: an id may be a number or a string, an enum may grow. Containers
and models are checked. After a failure the same value is converted again by a slow converter that
records paths, which become part of the DecodeError.

In addition to its fields, a model has `extra` (what the server sent without a matching field),
`fields_set` (which distinguishes absent from null) and `to_dict()` (what the server sent).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any, TypeVar, Union, get_args, get_origin

import attrs
from cattrs import Converter as CattrsConverter
from cattrs import transform_error
from cattrs.cols import list_structure_factory
from cattrs.errors import BaseValidationError
from cattrs.gen import make_dict_structure_fn, make_mapping_structure_fn, override

from aioinstructure.conversion.annotations import (
    AnnotationScope,
    hints_of,
    is_optional,
    is_plain,
    is_union,
)
from aioinstructure.conversion.model import NULL_KEYS, KeySet, Model, field_names, wire_name
from aioinstructure.errors import DecodeError

__all__ = [
    "Converter",
    "shared_converter",
]

T = TypeVar("T")
Hook = Callable[[Any, Any], Any]

_KEY_SETS_KEPT = 512


# --- hooks ------------------------------------------------------------------------------------


def _origin(tp: Any) -> Any:
    return get_origin(tp)


def _is_model(tp: Any) -> bool:
    """Whether a type is a model, or a generic model with its types: `Relationship[Standard]`."""
    cls = get_origin(tp) or tp
    return isinstance(cls, type) and issubclass(cls, Model)


def _is_tagged(tp: Any) -> bool:
    """Whether a type is a union of models that are distinguished by their `json_type`."""
    return is_union(tp) and all(_is_model(member) and member.json_type for member in get_args(tp))


def _pass(value: Any, _: Any) -> Any:
    return value


def _to_datetime(value: Any, _: Any) -> Any:
    """Parse ISO 8601; without an offset the time is UTC, as in AB Connect."""
    if isinstance(value, datetime):
        return value
    moment = datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _to_either(value: Any, _: Any) -> Any:
    """Return a date if no time of day was sent, else a datetime."""
    is_date = isinstance(value, str) and len(value) == len("2026-01-31")
    return _to_date(value, date) if is_date else _to_datetime(value, datetime)


def _to_date(value: Any, _: Any) -> date:
    return value if isinstance(value, date) else date.fromisoformat(value)


def _expect(kind: type, value: Any) -> None:
    if not isinstance(value, kind):
        raise TypeError(f"expected {_JSON_NAMES[kind]}, got {value!r:.60}")


def _name(tp: Any) -> str:
    return getattr(tp, "__name__", str(tp))


_JSON_NAMES: dict[type, str] = {list: "a list", dict: "an object"}


@functools.cache
def shared_converter(*, detailed: bool = False) -> Converter:
    """Return the converter that all clients share: a model takes tens of milliseconds at first use.

    It caches only what depends on types, which no client can change.
    """
    return Converter(detailed=detailed)


class Converter:
    """Converts parsed JSON to models, and caches what it derives from types.

    See `shared_converter`.

    Args:
        detailed: Collect all errors with their paths; ten times slower, for the second attempt.
    """

    def __init__(self, *, detailed: bool = False) -> None:
        self._cattrs = CattrsConverter(detailed_validation=detailed)
        self._is_detailed = detailed
        self._hooks: dict[Any, Hook] = {}
        self._makers: dict[Any, Callable[[Any], Any]] = {}
        register = self._cattrs.register_structure_hook_factory
        register(_is_model, self._model_hook)
        register(lambda tp: _origin(tp) is dict, self._dict_hook)
        register(lambda tp: _origin(tp) is list, self._list_hook)
        register(is_optional, self._optional_hook)
        register(_is_tagged, self._tagged_hook)
        register(is_plain, lambda _: _pass)
        register(lambda tp: tp is datetime, lambda _: _to_datetime)
        register(lambda tp: tp is date, lambda _: _to_date)
        register(lambda tp: set(get_args(tp)) == {date, datetime}, lambda _: _to_either)

    def structure(self, value: Any, tp: type[T] | Any) -> T:
        """Convert a value to a type.

        Raises:
            DecodeError: The value does not match the type; `.paths` says where.
        """
        return self.maker(tp)(value)  # type: ignore[no-any-return]  # makers are cached by type

    def maker(self, tp: Any) -> Callable[[Any], Any]:
        """Return a reusable function that does what `structure` does for one type."""
        try:
            return self._makers[tp]
        except KeyError:
            self._makers[tp] = made = self._maker(tp, self.hook(tp))
            return made

    def _maker(self, tp: Any, hook: Hook) -> Callable[[Any], Any]:
        # Null means an empty model inside of a model, but is an error at the top level.
        takes_null = is_optional(tp) or is_plain(tp)

        def make(value: Any) -> Any:
            if value is None and not takes_null:
                raise DecodeError(
                    f"not a valid {_name(tp)}", paths=["expected a value, got null @ $"]
                )
            try:
                return hook(value, tp)
            except (BaseValidationError, TypeError, ValueError, KeyError, AttributeError) as error:
                raise self._explain(value, tp, error) from error

        return make

    def hook(self, tp: Any) -> Hook:
        """Return the function that structures a type; it may raise any conversion error."""
        try:
            return self._hooks[tp]
        except KeyError:
            self._hooks[tp] = made = self._cattrs.get_structure_hook(tp)
            return made

    def _explain(self, value: Any, tp: Any, error: Exception) -> DecodeError:
        name = _name(tp)
        if self._is_detailed:
            paths = (
                transform_error(error)
                if isinstance(error, BaseValidationError)
                else [f"{error} @ $"]
            )
            return DecodeError(f"not a valid {name}", paths=paths)
        try:
            shared_converter(detailed=True).structure(value, tp)
        except DecodeError as detailed:
            return detailed
        return DecodeError(f"not a valid {name}", paths=[f"{error} @ $"])

    # Factories, called once per type.

    def _optional_hook(self, tp: Any) -> Hook:
        inner: Any = Union[tuple(m for m in get_args(tp) if m is not type(None))]  # noqa: UP007 - the members are known at run time only
        # An included object of AB Connect may have another type than its relationship declares.
        is_kind = _is_model(inner) and inner.json_type
        hook = self._tagged_hook(inner) if is_kind else self.hook(inner)

        def optional(value: Any, _: Any) -> Any:
            return None if value is None else hook(value, inner)

        return optional

    def _tagged_hook(self, tp: Any) -> Hook:
        members = get_args(tp) or (tp,)
        hooks: dict[str | None, tuple[Hook, Any]] = {
            member.json_type: (self.hook(member), member) for member in members
        }
        if len(members) == 1:
            hooks[None] = hooks[tp.json_type]  # the object has no type

        def tagged(value: Any, _: Any) -> Any:
            _expect(dict, value)
            kind = value.get("type")
            key = None if kind is None else str(kind).lower()
            hook, member = hooks.get(key, (_pass, None))
            return hook(value, member)  # an unknown type is returned unchanged

        return tagged

    def _list_hook(self, tp: Any) -> Hook:
        (inner,) = get_args(tp)
        # Use cattrs's hook, since its detailed form adds the index to the path of an error.
        stock = None if is_plain(inner) else list_structure_factory(tp, self._cattrs)

        def listed(value: Any, _: Any) -> Any:
            if value is None:
                return []
            _expect(list, value)
            return value if stock is None else stock(value, tp)

        return listed

    def _dict_hook(self, tp: Any) -> Hook:
        _, inner = get_args(tp)
        stock: Any = None
        if not is_plain(inner):
            stock = make_mapping_structure_fn(
                tp, self._cattrs, detailed_validation=self._is_detailed
            )

        def mapped(value: Any, _: Any) -> Any:
            if value is None:
                return {}
            _expect(dict, value)
            return value if stock is None else stock(value, tp)

        return mapped

    def _model_hook(self, tp: Any) -> Hook:
        cls: type[Model] = get_origin(tp) or tp
        if cls is tp and (parameters := getattr(cls, "__parameters__", ())):
            generic: Any = tp  # used without type arguments
            return self.hook(generic[(Any,) * len(parameters)])
        hints = hints_of(cls, cls.__module__)
        attrs.resolve_types(cls, globalns={}, localns=AnnotationScope(cls, cls.__module__))  # type: ignore[arg-type]  # passed to eval, which takes any mapping
        names = {name: wire_name(name) for name in field_names(cls)}
        renamed = {name: override(rename=wire) for name, wire in names.items() if name != wire}
        stock: Any = make_dict_structure_fn(
            tp,
            self._cattrs,
            _cattrs_detailed_validation=self._is_detailed,
            _cattrs_use_linecache=False,
            **renamed,  # type: ignore[arg-type]  # cattrs takes overrides as keywords
        )
        fields = {wire: name for name, wire in names.items()}
        containers = {
            wire: name
            for name, wire in names.items()
            if not is_plain(hints[name]) and not is_optional(hints[name])
        }
        reshape = cls.reshape
        key_sets: dict[tuple[str, ...], KeySet] = {}

        def structure(value: Any, _: Any) -> Any:
            if value is None:
                empty: Any = stock({}, cls)
                empty.__keys__ = NULL_KEYS
                return empty
            _expect(dict, value)
            data = reshape(value)
            keys = tuple(data)
            known = key_sets.get(keys)
            if known is None:
                if len(key_sets) >= _KEY_SETS_KEPT:
                    key_sets.clear()
                known = key_sets[keys] = _key_set(keys, fields, containers)
            made = stock(data, cls)
            made.__keys__ = known
            if known.unknown:
                made.extra = {key: data[key] for key in known.unknown}
            if known.containers and (
                nulls := [name for wire, name in known.containers if data[wire] is None]
            ):
                made.__nulls__ = tuple(nulls)
            return made

        return structure


def _key_set(
    keys: tuple[str, ...], fields: Mapping[str, str], containers: Mapping[str, str]
) -> KeySet:
    return KeySet(
        names=frozenset(fields[key] for key in keys if key in fields),
        unknown=tuple(key for key in keys if key not in fields),
        containers=tuple((key, containers[key]) for key in keys if key in containers),
    )
