"""Canvas LMS: the client and its ids. Models are in the module of their page: `canvas.courses.Course`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aioinstructure._lazy import lazy

if TYPE_CHECKING:
    from aioinstructure.canvas.client import Canvas as Canvas
    from aioinstructure.canvas.refs import Sis as Sis

_MODULES = {
    "Canvas": "canvas.client",
    "Sis": "canvas.refs",
}

if not TYPE_CHECKING:
    __all__, __getattr__, __dir__ = lazy(globals(), _MODULES)
