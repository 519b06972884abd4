"""Operations as declared stubs, routes and bound calls. Knows no service and sends nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aioinstructure._lazy import lazy

if TYPE_CHECKING:
    from aioinstructure.endpoints.lookup import route_of as route_of
    from aioinstructure.endpoints.lookup import routes_of as routes_of

_MODULES = {
    "route_of": "endpoints.lookup",
    "routes_of": "endpoints.lookup",
}

if not TYPE_CHECKING:
    __all__, __getattr__, __dir__ = lazy(globals(), _MODULES)
