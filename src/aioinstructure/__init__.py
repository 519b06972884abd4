"""Async, typed client for Canvas LMS and AB Connect that stays within their limits.

The public names, loaded on first use; models stand in `aioinstructure.canvas` and
`aioinstructure.abconnect`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aioinstructure._lazy import lazy
from aioinstructure._version import __version__

if TYPE_CHECKING:
    from aioinstructure._types import (
        UNSET,
        Id,
        Lane,
        Opt,
    )
    from aioinstructure.abconnect import ABConnect
    from aioinstructure.canvas import Canvas
    from aioinstructure.canvas.refs import Sis
    from aioinstructure.clock import Clock
    from aioinstructure.conversion.model import Model
    from aioinstructure.errors import (
        BadRequest,
        ClientClosed,
        ConfigurationError,
        Conflict,
        ConnectError,
        DeadlineError,
        DecodeError,
        Error,
        Forbidden,
        GraphQLError,
        IncompleteError,
        InputError,
        NotFound,
        OriginError,
        ProgressFailed,
        QueueFull,
        QuotaError,
        RedirectError,
        ResponseError,
        ServerError,
        SignatureError,
        SyncError,
        Throttled,
        TransportError,
        Unauthorized,
        UnknownOutcome,
        Unprocessable,
    )
    from aioinstructure.paging.cursor import Cursor
    from aioinstructure.paging.paginator import Paginator
    from aioinstructure.paging.result_page import ResultPage
    from aioinstructure.wire.message import Request, Response

_FILES = {
    "_types": ["UNSET", "Id", "Lane", "Opt"],
    "abconnect": ["ABConnect"],
    "canvas": ["Canvas"],
    "canvas.refs": ["Sis"],
    "clock": ["Clock"],
    "conversion.model": ["Model"],
    "errors": [
        "BadRequest",
        "ClientClosed",
        "ConfigurationError",
        "Conflict",
        "ConnectError",
        "DeadlineError",
        "DecodeError",
        "Error",
        "Forbidden",
        "GraphQLError",
        "IncompleteError",
        "InputError",
        "NotFound",
        "OriginError",
        "ProgressFailed",
        "QueueFull",
        "QuotaError",
        "RedirectError",
        "ResponseError",
        "ServerError",
        "SignatureError",
        "SyncError",
        "Throttled",
        "TransportError",
        "Unauthorized",
        "UnknownOutcome",
        "Unprocessable",
    ],
    "paging.cursor": ["Cursor"],
    "paging.paginator": ["Paginator"],
    "paging.result_page": ["ResultPage"],
    "wire.message": ["Request", "Response"],
}

__all__ = [
    "UNSET",
    "ABConnect",
    "BadRequest",
    "Canvas",
    "ClientClosed",
    "Clock",
    "ConfigurationError",
    "Conflict",
    "ConnectError",
    "Cursor",
    "DeadlineError",
    "DecodeError",
    "Error",
    "Forbidden",
    "GraphQLError",
    "Id",
    "IncompleteError",
    "InputError",
    "Lane",
    "Model",
    "NotFound",
    "Opt",
    "OriginError",
    "Paginator",
    "ProgressFailed",
    "QueueFull",
    "QuotaError",
    "RedirectError",
    "Request",
    "Response",
    "ResponseError",
    "ResultPage",
    "ServerError",
    "SignatureError",
    "Sis",
    "SyncError",
    "Throttled",
    "TransportError",
    "Unauthorized",
    "UnknownOutcome",
    "Unprocessable",
    "__version__",
]


__getattr__, __dir__ = lazy(globals(), _FILES)
