"""Cursors as stored text, for tests that change a part of one."""

from __future__ import annotations

from typing import Any

import orjson


def cursor_text(**changes: Any) -> str:
    """The cursor of a list of courses on its first page, with some values changed."""
    state = {
        "version": 2,
        "kind": "list",
        "origin": "https://canvas.test",
        "route": "courses.list",
        "arguments": {},
        "query": [["per_page", "100"]],
        "page": None,
        "read": 0,
        "last_ids": [],
        "body_length": 0,
        "fixed": [],
        "on_change": "raise",
    } | changes
    version, kind, origin, *payload = state.values()
    return orjson.dumps([version, kind, origin, payload]).decode()
