"""The base of all Canvas namespaces.

A page of the documentation is a module beside this one, with such a class, and one annotation in
`Canvas` (`client.py`) whose name is that of the module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aioinstructure.endpoints.declare import Namespace

if TYPE_CHECKING:
    from aioinstructure.canvas.client import Canvas  # noqa: F401 - named in the base below

__all__ = ["CanvasNamespace"]


class CanvasNamespace(Namespace["Canvas"]):
    """The operations of one page of the Canvas documentation."""
