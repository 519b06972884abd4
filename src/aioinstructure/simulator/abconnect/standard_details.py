"""Optional properties of standards: addenda, legends, extensions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aioinstructure.simulator.hashing import hash_mix

if TYPE_CHECKING:
    from aioinstructure.simulator.abconnect.publication_plan import Slot

__all__ = ["extensions", "legends", "statement"]

_LEAST = 3  # the upper levels are titles and have none
_ADDENDA = (
    ("Given a range of tasks,", "before"),
    ("Tasks are limited to those of the grade.", "after"),
    ("Include at least two methods.", "after"),
)
_LEGENDS = (("*", "Assessed statewide"), ("+", "Additional content"), ("m", "Modeling standard"))


def statement(index: int, slot: Slot) -> dict[str, Any]:
    """Return the statement; its combined form includes the addendum."""
    if slot.level < _LEAST or hash_mix(index + 301) % 17:
        return {"descr": slot.text, "combined_descr": slot.text, "addendums": []}
    text, position = _ADDENDA[hash_mix(index + 302) % len(_ADDENDA)]
    both = (text, slot.text) if position == "before" else (slot.text, text)
    addendum = {"descr": text, "position": position, "seq": 10, "add_context": "Y"}
    return {"descr": slot.text, "combined_descr": " ".join(both), "addendums": [addendum]}


def legends(index: int, slot: Slot) -> list[dict[str, Any]]:
    """Return the legend of a symbol at the number."""
    if slot.level < _LEAST or hash_mix(index + 303) % 23:
        return []
    symbol, text = _LEGENDS[hash_mix(index + 304) % len(_LEGENDS)]
    return [{"symbol": symbol, "symbol_position": "before", "descr": text}]


def extensions(index: int, slot: Slot, guid: str) -> list[dict[str, Any]]:
    """Return a separate remark of the authority."""
    if slot.level < _LEAST or hash_mix(index + 305) % 29:
        return []
    text = f"See the notes on grade {slot.number.partition('.')[0]} in the appendix."
    return [{"type": "reference", "guid": guid, "descr": text}]
