"""The simulator's own paths under /_control/: knobs, faults, counters. They are not throttled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from aioinstructure.simulator.coerce import listed, mapping
from aioinstructure.simulator.http.faults import Fault
from aioinstructure.simulator.http.responses import Reply, json_reply

if TYPE_CHECKING:
    from aioinstructure.simulator.simulator import Simulator
    from aioinstructure.wire.message import Request

__all__ = ["control"]


def control(simulator: Simulator, request: Request, path: str) -> Reply:
    """Answer one control call; 400 with the reason if it is invalid."""
    name = path.removeprefix("/_control/")
    try:
        if request.method == "GET":
            return _read(simulator, name)
        if request.method == "POST":
            return _write(simulator, name, orjson.loads(request.body or b"{}"))
    except (ValueError, TypeError) as error:
        return json_reply({"error": str(error)}, status=400)
    except KeyError as error:
        return json_reply({"error": f"unknown id or missing member: {error}"}, status=400)
    return json_reply({"error": "method must be GET or POST"}, status=405)


def _read(simulator: Simulator, name: str) -> Reply:
    if name == "stats":
        return json_reply(simulator.stats())
    if name == "knobs":
        return json_reply(simulator.knobs.to_dict())
    if name == "faults":
        return json_reply(
            [{"kind": fault.kind, "count": fault.count} for fault in simulator.faults.waiting]
        )
    if name == "requests":
        return json_reply([list(seen) for seen in simulator.requests])
    return json_reply({"error": f"unknown control {name!r}"}, status=404)


def _write(simulator: Simulator, name: str, body: Any) -> Reply:
    if name == "reset":
        seed = _table(body).get("seed")
        if seed is not None and not isinstance(seed, int):
            raise ValueError("seed must be an integer")
        simulator.reset(seed)
        return json_reply(simulator.stats())
    if name == "knobs":
        simulator.knobs.update(**_table(body))
        return json_reply(simulator.knobs.to_dict())
    if name == "faults":
        if (many := listed(body)) is None:
            raise ValueError("faults must be a list")
        faults = [Fault.from_dict(_table(one)) for one in many]
        simulator.faults.add(faults)
        return json_reply({"waiting": len(simulator.faults.waiting)})
    if name == "edit":
        return _edit(simulator, _table(body))
    return json_reply({"error": f"unknown control {name!r}"}, status=404)


def _edit(simulator: Simulator, body: dict[str, Any]) -> Reply:
    """Change a standard or what is delivered, and append an event.

    {"guid": ..., "changes": {...}, "change_type": ...} changes properties. With an `action`:
    "retire" (and "replaced_by"), "move" (and "parent"), "grant" and "revoke" (of a document or
    section).
    """
    world, guid, action = simulator.world, str(body["guid"]), body.get("action", "edit")
    if action == "edit":
        kind = str(body.get("change_type", "updated metadata"))
        event = world.edit_standard(guid, _table(body["changes"]), change_type=kind)
    elif action == "retire":
        event = world.retire_standard(guid, replaced_by=body.get("replaced_by"))
    elif action == "move":
        event = world.move_standard(guid, str(body["parent"]))
    elif action == "grant":
        event = world.grant(guid)
    elif action == "revoke":
        event = world.revoke(guid)
    else:
        raise ValueError(f"unknown action {action!r}")
    return json_reply({"seq": event.seq, "guid": event.guid})


def _table(value: Any) -> dict[str, Any]:
    if (members := mapping(value)) is None:
        raise TypeError("expected a JSON object")
    return members
