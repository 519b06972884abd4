"""Conversion of JSON to models and back, with cattrs. Independent of services and models.

Models are plain attrs classes; all wire details are here. Scalars of a model are not checked, so
that conversion is fast and tolerant: an id may be a number or a string, an enum may grow, a date
that cannot be read is None. Containers and models are checked, and so is a scalar that is the whole
result. After a failure the same value is converted again by a slow converter that records paths,
which become part of the DecodeError.

A member of a union is chosen by the kind of JSON: object, list, text, number, bool. Of several models,
the `type` of the object chooses, or the tag that `ByTag` names.

In addition to its fields, a model has `extra` (what the server sent without a matching field),
`fields_set` (which distinguishes absent from null) and `to_dict()` (what the server sent).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal, TypeVar, Union, get_args, get_origin

import attrs
from cattrs import Converter as CattrsConverter
from cattrs import transform_error
from cattrs.cols import list_structure_factory
from cattrs.errors import (
    AttributeValidationNote,
    BaseValidationError,
    ClassValidationError,
    StructureHandlerNotFoundError,
)
from cattrs.gen import make_dict_structure_fn, make_mapping_structure_fn, override
from cattrs.v import format_exception

from aioinstructure._text import short_repr
from aioinstructure.conversion.annotations import (
    AnnotationScope,
    hints_of,
    is_optional,
    is_plain,
    is_union,
)
from aioinstructure.conversion.dates import DateReader, has_unreadable
from aioinstructure.conversion.fields import ByTag, wire_name_of
from aioinstructure.conversion.model import NULL_KEYS, Model, field_names
from aioinstructure.conversion.plans import Plans, TaggedField, keep_sent, read_tagged
from aioinstructure.errors import DecodeError, InputError

__all__ = [
    "Converter",
    "shared_converter",
]

T = TypeVar("T")
Hook = Callable[[Any, Any], Any]


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


def _date_kinds(tp: Any) -> frozenset[type]:
    """Which of date and datetime a type is; empty if it is, or may be, something else."""
    kinds = frozenset(get_args(tp) if is_union(tp) else (tp,)) - {type(None)}
    return kinds if kinds <= {date, datetime} else frozenset()


def _holds_dates(tp: Any) -> bool:
    """Whether a type is dates, may be one, or has them in a list or dict."""
    if _date_kinds(tp):
        return True
    if is_union(tp):
        return any(map(_holds_dates, get_args(tp)))
    return get_origin(tp) in (list, dict) and _holds_dates(get_args(tp)[-1])


def _expect(kind: type, value: Any) -> None:
    if not isinstance(value, kind):
        raise TypeError(f"expected {_JSON_NAMES[kind]}, got {short_repr(value, _SHOWN)}")


def _said(error: BaseException, tp: type | None) -> str:
    """What is wrong: our own words, which show the value, or those of cattrs."""
    text = str(error)
    is_ours = isinstance(error, TypeError) and text.startswith("expected ")
    return text if is_ours else format_exception(error, tp)


def _name(tp: Any) -> str:
    return getattr(tp, "__name__", str(tp))


_SHOWN: Final = 60

_JSON_NAMES: Final[dict[type, str]] = {
    list: "a list",
    dict: "an object",
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
}

_FAILURES: Final = (
    *(BaseValidationError, TypeError, ValueError, KeyError, AttributeError),
    *(OverflowError, RecursionError),
)
"""What the conversion of a body may raise."""


def _json_kind(tp: Any) -> type | None:
    """The type of the JSON values that a member of a union is made from; None for any."""
    origin = get_origin(tp)
    if origin is Literal:
        return type(get_args(tp)[0])
    if _is_model(tp) or origin is dict:
        return dict
    if origin is list:
        return list
    if tp in (date, datetime):
        return str
    return tp if tp in _JSON_NAMES else None


def _checked_scalar(tp: Any) -> frozenset[type] | None:
    """The types of the values of a scalar that is a whole result; None if it is not checked."""
    kinds = {_json_kind(member) for member in (get_args(tp) if is_union(tp) else (tp,))}
    kinds.discard(None)
    if not is_plain(tp) or not kinds or tp in (Any, object):
        return None
    if float in kinds:
        kinds.add(int)
    return frozenset(kind for kind in (*kinds, type(None) if is_optional(tp) else None) if kind)


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
        self._dates = DateReader()
        self._hooks: dict[Any, Hook] = {}
        self._makers: dict[Any, Callable[[Any], Any]] = {}
        register = self._cattrs.register_structure_hook_factory
        register(is_union, self._either_hook)
        register(_is_model, self._model_hook)
        register(lambda tp: _origin(tp) is dict, self._dict_hook)
        register(lambda tp: _origin(tp) is list, self._list_hook)
        register(is_optional, self._optional_hook)
        register(_is_tagged, self._tagged_hook)
        register(is_plain, lambda _: _pass)
        register(lambda tp: bool(_date_kinds(tp)), lambda tp: self._dates.hook_of(_date_kinds(tp)))

    def structure(self, value: Any, tp: type[T] | Any) -> T:
        """Convert a value to a type.

        Raises:
            DecodeError: The value does not match the type; `.paths` says where.
        """
        return self.maker(tp)(value)  # type: ignore[no-any-return]  # makers are cached by type

    def maker(self, tp: Any) -> Callable[[Any], Any]:
        """Return a reusable function that does what `structure` does for one type.

        Raises:
            InputError: Nothing can be converted to the type.
        """
        try:
            return self._makers[tp]
        except KeyError:
            self._makers[tp] = made = self._maker(tp)
            return made

    def _maker(self, tp: Any) -> Callable[[Any], Any]:
        try:
            hook = self.hook(tp)
        except StructureHandlerNotFoundError as error:
            raise InputError(f"JSON cannot be converted to {tp}: {error}") from None
        # Null means an empty model inside of a model, but is an error at the top level.
        scalars = _checked_scalar(tp)
        takes_null = is_optional(tp) or (is_plain(tp) and scalars is None)
        are_dates = _holds_dates(tp)
        expected = "a value" if scalars is None else _one_of(scalars)

        def make(value: Any) -> Any:
            is_wrong = scalars is not None and type(value) not in scalars
            if is_wrong or (value is None and not takes_null):
                shown = "null" if value is None else short_repr(value, _SHOWN)
                raise DecodeError(
                    f"not a valid {_name(tp)}", paths=[f"expected {expected}, got {shown} @ $"]
                )
            try:
                found = hook(value, tp)
            except _FAILURES as error:
                raise self._explain(value, tp, error) from error
            if are_dates and has_unreadable(found, value):  # no model keeps what was sent
                raise DecodeError(
                    f"not a valid {_name(tp)}",
                    paths=[f"expected dates, got {short_repr(value, _SHOWN)} @ $"],
                )
            return found

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
        if isinstance(error, RecursionError):
            return DecodeError(f"not a valid {name}", paths=["nested too deep @ $"])
        if self._is_detailed and isinstance(error, BaseValidationError):
            return DecodeError(
                f"not a valid {name}", paths=transform_error(error, format_exception=_said)
            )
        if not self._is_detailed:
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

    def _either_hook(self, tp: Any) -> Hook:
        """A union whose members are of different kinds of JSON."""
        members = get_args(tp)
        by_kind: dict[type, list[Any]] = {}
        for member in members:
            if (kind := _json_kind(member)) is not None:
                by_kind.setdefault(kind, []).append(member)
            elif not is_plain(member):
                raise InputError(f"JSON cannot be converted to {member}, a member of {tp}")
        hooks = {kind: self._hook_of_kind(kind, found) for kind, found in by_kind.items()}
        takes_scalars = any(is_plain(member) for member in members)
        takes_all = any(member in (Any, object) for member in members)
        expected = _one_of(by_kind)

        def either(value: Any, _: Any) -> Any:
            hook = hooks.get(type(value))
            if hook is not None:
                return hook(value, tp)
            if takes_all or (takes_scalars and not isinstance(value, dict | list)):
                return value  # as everywhere in models, scalars are not checked
            raise TypeError(f"expected {expected}, got {short_repr(value, _SHOWN)}")

        return either

    def _hook_of_kind(self, kind: type, members: list[Any]) -> Hook:
        if len(members) == 1 and members[0] not in (date, datetime):
            (member,) = members
            hook = self.hook(member)
            return lambda value, _: hook(value, member)
        if kind is dict:
            return self._tagged_hook(Union[tuple(members)])  # noqa: UP007 - known at run time only
        kinds = frozenset(member for member in members if member in (date, datetime))
        if not kinds:
            return _pass
        read = self._dates.hook_of(kinds)

        def text(value: Any, _: Any) -> Any:
            found = read(value, None)
            return value if found is None and not are_dates else found

        are_dates = len(kinds) == len(members)
        return text

    def _tagged_hook(self, tp: Any) -> Hook:
        members = get_args(tp) or (tp,)
        if len(members) > 1 and not _is_tagged(tp):
            raise InputError(f"an object cannot be told to be one of {tp}: use ByTag")
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
        fields = {wire_name_of(getattr(attrs.fields(cls), name)): name for name in field_names(cls)}
        dates = {wire: name for wire, name in fields.items() if _holds_dates(hints[name])}
        tagged = self._tagged_fields(fields, hints)
        stock: Any = make_dict_structure_fn(
            tp,
            self._cattrs,
            _cattrs_detailed_validation=self._is_detailed,
            _cattrs_use_linecache=False,
            **_overrides(fields, tagged),
        )
        containers = {
            wire: name
            for wire, name in fields.items()
            if not is_plain(hints[name]) and not is_optional(hints[name])
        }
        plans = Plans(fields, containers, dates, tagged)
        known_plans = plans.known
        reshape, reader = cls.reshape, self._dates

        def structure(value: Any, _: Any) -> Any:
            if value is None:
                empty: Any = stock({}, cls)
                empty.__keys__ = NULL_KEYS
                return empty
            _expect(dict, value)
            data = reshape(value)
            keys = tuple(data)
            plan = known_plans.get(keys) or plans.make(keys)
            unusual = reader.unusual
            made = stock(data, cls)
            made.__keys__ = known = plan.keys
            if known.unknown:
                made.extra = {key: data[key] for key in known.unknown}
            if known.containers and (
                nulls := [name for wire, name in known.containers if data[wire] is None]
            ):
                made.__nulls__ = tuple(nulls)
            if reader.unusual != unusual:
                keep_sent(made, data, plan.dates)
            if plan.tagged:
                read_tagged(made, data, plan.tagged)
            return made

        return structure

    def _tagged_fields(
        self, fields: Mapping[str, str], hints: Mapping[str, Any]
    ) -> dict[str, TaggedField]:
        """The fields whose model is chosen by a tag, by their keys."""
        return {
            wire: TaggedField(wire, name, self._tag_reader(name, tag))
            for wire, name in fields.items()
            if get_origin(hints[name]) is Annotated
            for tag in hints[name].__metadata__
            if isinstance(tag, ByTag)
        }

    def _tag_reader(self, name: str, tag: ByTag) -> Callable[[Any, Any], Any]:
        def read(value: Any, parent: Mapping[str, Any]) -> Any:
            model = tag.model_of(value, parent) if isinstance(value, dict) else None
            if model is None:
                return value
            try:
                return self.hook(model)(value, model)
            except _FAILURES as error:
                if self._is_detailed:
                    raise _in_field(error, name, model) from error
                raise

        return read


def _in_field(error: Exception, name: str, model: Any) -> ClassValidationError:
    """The error with the name of its field, as cattrs notes it."""
    note = AttributeValidationNote(f"Structuring attribute {name}", name, model)
    error.__notes__ = [*getattr(error, "__notes__", ()), note]
    return ClassValidationError(f"While structuring {name}", [error], model)  # pyright: ignore[reportCallIssue]  # its own __new__ takes the class


def _overrides(fields: Mapping[str, str], late: Mapping[str, TaggedField]) -> dict[str, Any]:
    """What cattrs must do otherwise than by the names and types of a class."""
    found = {}
    for wire, name in fields.items():
        if wire in late:
            found[name] = override(rename=wire, struct_hook=_pass)
        elif wire != name:
            found[name] = override(rename=wire)
    return found


def _one_of(kinds: Collection[type]) -> str:
    names = sorted(_JSON_NAMES[kind] for kind in kinds if kind in _JSON_NAMES)
    return " or ".join(names)
