"""All settings and quirks of both servers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import Attribute, asdict, define, field, fields_dict

from aioinstructure.simulator.licence import FEATURES

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Knobs", "PathNumbers"]

PathNumbers: TypeAlias = tuple[tuple[str, float], ...]
"""Pairs of a regular expression, searched in the path with its query, and a number."""


def _pairs(value: Any) -> PathNumbers:
    """Accept JSON (lists of two elements) as well as tuples."""
    return tuple((_pattern(pattern), float(number)) for pattern, number in value)


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(str(text) for text in value)


def _features(value: Any) -> tuple[str, ...]:
    """Reject unknown names: a misspelled one would leave everything licensed."""
    names = _texts(value)
    if unknown := sorted(set(names) - set(FEATURES)):
        raise ValueError(
            f"unknown features: {', '.join(unknown)}; expected some of {', '.join(FEATURES)}"
        )
    return names


def _patterns(value: Any) -> tuple[str, ...]:
    return tuple(_pattern(text) for text in value)


def _pattern(text: Any) -> str:
    """Compile an expression now, so that a mistake does not fail in the next request."""
    try:
        return re.compile(str(text)).pattern
    except re.error as error:
        raise ValueError(f"invalid regular expression {text!r}: {error}") from error


def _kinds(value: Any) -> dict[str, str]:
    kinds = {str(name): str(kind) for name, kind in dict(value).items()}
    if wrong := set(kinds.values()) - {"ordinal", "without_count", "bookmark"}:
        raise ValueError(
            f"paging must be ordinal, without_count or bookmark, not {', '.join(sorted(wrong))}"
        )
    return kinds


def _turned(knobs: Knobs, attribute: Attribute[Any], value: Any) -> Any:
    """Convert a new value, and count the change so that cached replies are dropped."""
    converter = _CONVERTERS.get(attribute.name)
    if converter is not None:
        value = converter(value)
    object.__setattr__(knobs, "version", knobs.version + 1)
    return value


@define(kw_only=True, on_setattr=_turned)
class Knobs:
    """Settings of the simulated servers and of the world.

    All can be changed while requests run, and apply to the next request; the sizes of the world
    apply at the next `reset`. Seconds are those of the simulator's clock. The defaults are the
    documented values, and every latency is 0.

    Names that start with `abconnect_`, `rate`, `burst`, `wildcard_`, `background_`,
    `unlicensed_`, `echo_` and `prediction_` belong to AB Connect, `network_` to both services,
    sizes to the world, the rest to Canvas.
    """

    # The cost quota of Canvas.
    hwm: float = 600.0
    maximum: float = 800.0
    outflow: float = 10.0  # units per second
    up_front_cost: float = 50.0
    up_front_cost_by_path: PathNumbers = field(default=(), converter=_pairs)
    throttle_enabled: bool = True
    throttle_status: int = 429  # 403 on older and self-hosted servers
    canvas_cost: float | None = None  # a fixed cost instead of base and items
    canvas_cost_base: float = 0.15
    canvas_cost_per_item: float = 0.0035
    canvas_cost_by_path: PathNumbers = field(default=(), converter=_pairs)
    canvas_background_cost_per_second: float = 0.0  # of a background client with the same token
    quota_headers: bool = True
    scientific_cost: bool = False

    # Canvas responses.
    canvas_latency_seconds: float = 0.0
    canvas_latency_jitter_seconds: float = 0.0
    per_page_default: int = 10
    per_page_maximum: int = 100  # 50 on older servers
    paging: dict[str, str] = field(
        factory=dict[str, str], converter=_kinds
    )  # operation name -> kind
    last_link: bool = True  # False: the total of numbered lists is unknown
    endless_next: bool = True  # pages after the last one still have a next link
    link_header_name: str = "Link"  # in the case to send; applies over TCP only
    public_origin: str = ""  # used in links of both services instead of the request's
    denied_status: int = 401  # 403 on servers with the newer flag
    denied_paths: tuple[str, ...] = field(default=(), converter=_patterns)
    requires_user_agent: bool = False
    course_pacing: bool = True
    progress_seconds: float = 1.0  # from queued to completed

    # AB Connect.
    rate: float = 5.0  # calls per second
    burst: float = 25.0
    burst_at_start: float | None = None  # None: full
    wildcard_rate: float = 2.0
    wildcard_burst: float = 2.0
    background_calls_per_second: float = 0.0  # of a background client with the same key
    abconnect_retry_after: int | None = None
    unlicensed_relations: tuple[str, ...] = field(default=(), converter=_texts)
    unlicensed_features: tuple[str, ...] = field(default=(), converter=_features)
    echo_credentials: bool = False  # links.self repeats the authentication parameters
    prediction_seconds: float = 0.0  # from the request until the set is ready
    prediction_inline_seconds: float = 30.0  # how long the request itself waits for it
    prediction_expires_seconds: float = 86_400.0
    abconnect_latency_seconds: float = 0.0
    abconnect_latency_jitter_seconds: float = 0.0

    # Network delays: before the throttle (out) and before the client gets the response (back).
    network_out_seconds: float = 0.0
    network_back_seconds: float = 0.0
    network_jitter_seconds: float = 0.0

    # The world, from the next reset.
    courses: int = 40
    modules_per_course: int = 12
    items_per_module: int = 8
    students_per_course: int = 24
    standards: int = 5_000
    events: int = 600
    assets: int = 60
    asset_types: tuple[str, ...] = field(
        default=("Lesson", "Assessment Item", "Video", "Example Assets"), converter=_texts
    )

    version: int = field(default=0, init=False, eq=False, repr=False)

    def update(self, **changes: Any) -> None:
        """Change several knobs at once.

        Raises:
            ValueError: A name is unknown or a value is invalid; nothing was changed.
        """
        known = fields_dict(type(self))
        unknown = sorted(set(changes) - (set(known) - {"version"}))
        if unknown:
            raise ValueError(f"unknown knobs: {', '.join(unknown)}")
        for name, value in changes.items():
            _check(name, value, getattr(self, name))
        for name, value in changes.items():
            setattr(self, name, value)

    def to_dict(self) -> dict[str, Any]:
        """Return all knobs as JSON-compatible values."""
        return asdict(self, filter=lambda attribute, _: attribute.name != "version")


_OPTIONAL = {"canvas_cost": float, "burst_at_start": float, "abconnect_retry_after": int}


def _check(name: str, value: Any, present: Any) -> None:
    """Check the type now: a wrong one would only fail in a later request."""
    if name in _OPTIONAL:
        if value is None:
            return
        expected: type = _OPTIONAL[name]
    else:
        expected = type(present)
    if expected is float:
        fits = isinstance(value, int | float) and not isinstance(value, bool)
    elif expected is int:
        fits = isinstance(value, int) and not isinstance(value, bool)
    elif expected is tuple:
        fits = isinstance(value, list | tuple)
    else:
        fits = isinstance(value, expected)
    if not fits:
        raise ValueError(f"{name} must be of type {expected.__name__}, not {value!r}")
    if (converter := _CONVERTERS.get(name)) is not None:
        try:
            converter(value)
        except TypeError as error:
            raise ValueError(f"invalid value for {name}: {value!r}") from error


_CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "paging": _kinds,
    "up_front_cost_by_path": _pairs,
    "canvas_cost_by_path": _pairs,
    "denied_paths": _patterns,
    "unlicensed_relations": _texts,
    "unlicensed_features": _features,
    "asset_types": _texts,
}
