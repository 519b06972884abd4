"""The features that an account can be licensed for, independent of HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["FEATURES", "Licence"]


@frozen
class _Feature:
    """What is unavailable without it: resources are refused, the hidden names are omitted."""

    resources: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()


FEATURES = {
    "topics": _Feature(frozenset({"topics"}), frozenset({"topics"})),
    "concepts": _Feature(
        frozenset({"concepts"}),
        frozenset({"concepts", "key_ideas", "clarification_concepts", "concept_donors"}),
    ),
    "assets": _Feature(frozenset({"assets", "asset_definitions", "asset_collections"})),
    "predictions": _Feature(frozenset({"predictions"})),
    "clarifier": _Feature(frozenset({"clarifier"})),
    "crosswalks": _Feature(hidden=frozenset({"crosswalks"})),
    "relationships": _Feature(
        hidden=frozenset({"peers", "origins", "derivatives", "peer_derivatives"})
    ),
    "associations": _Feature(hidden=frozenset({"associations"})),
}
"""The features by name. Beyond the first six, which relations belong to which is a guess."""


class Licence:
    """A licence for everything except the given features and relationships.

    Args:
        features: The features that are not licensed.
        relations: Other relationships that are not licensed.
    """

    def __init__(self, features: Collection[str], relations: Collection[str]) -> None:
        gone = [FEATURES[name] for name in features]
        self._resources = {name for one in gone for name in one.resources}
        self.hidden = frozenset(name for one in gone for name in one.hidden) | set(relations)

    def refusal(self, resource: str, relation: str = "") -> str | None:
        """Return why an endpoint is refused; None if it is not."""
        if resource in self._resources:
            return _detail(resource)
        return _detail(relation) if relation in self.hidden else None


def _detail(name: str) -> str:
    # Observed responses capitalize resources, but not relations.
    known = {name for one in FEATURES.values() for name in one.resources}
    return f"This account is not licensed to access {name.capitalize() if name in known else name}"
