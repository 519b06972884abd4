"""Async, typed client for Canvas LMS and AB Connect that stays within their limits.

The public names are loaded on first use. Models are in the module of their page, such as
`aioinstructure.canvas.courses`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aioinstructure import _logging
from aioinstructure._lazy import lazy
from aioinstructure._version import __version__ as __version__

if TYPE_CHECKING:
    from aioinstructure._types import UNSET as UNSET
    from aioinstructure._types import Id as Id
    from aioinstructure._types import Lane as Lane
    from aioinstructure._types import Opt as Opt
    from aioinstructure.abconnect.client import ABConnect as ABConnect
    from aioinstructure.canvas.client import Canvas as Canvas
    from aioinstructure.canvas.refs import Sis as Sis
    from aioinstructure.clock import Clock as Clock
    from aioinstructure.conversion.model import Model as Model
    from aioinstructure.errors import BadRequest as BadRequest
    from aioinstructure.errors import ClientClosed as ClientClosed
    from aioinstructure.errors import ConfigurationError as ConfigurationError
    from aioinstructure.errors import Conflict as Conflict
    from aioinstructure.errors import ConnectError as ConnectError
    from aioinstructure.errors import DeadlineError as DeadlineError
    from aioinstructure.errors import DeadlineExceeded as DeadlineExceeded
    from aioinstructure.errors import DecodeError as DecodeError
    from aioinstructure.errors import Error as Error
    from aioinstructure.errors import Forbidden as Forbidden
    from aioinstructure.errors import GraphQLError as GraphQLError
    from aioinstructure.errors import IncompleteError as IncompleteError
    from aioinstructure.errors import InputError as InputError
    from aioinstructure.errors import NotFound as NotFound
    from aioinstructure.errors import OriginError as OriginError
    from aioinstructure.errors import ProgressFailed as ProgressFailed
    from aioinstructure.errors import QueueFull as QueueFull
    from aioinstructure.errors import QuotaError as QuotaError
    from aioinstructure.errors import RedirectError as RedirectError
    from aioinstructure.errors import ResponseError as ResponseError
    from aioinstructure.errors import ServerError as ServerError
    from aioinstructure.errors import SignatureError as SignatureError
    from aioinstructure.errors import SyncError as SyncError
    from aioinstructure.errors import Throttled as Throttled
    from aioinstructure.errors import TransportError as TransportError
    from aioinstructure.errors import Unauthorized as Unauthorized
    from aioinstructure.errors import UnknownOutcome as UnknownOutcome
    from aioinstructure.errors import Unprocessable as Unprocessable
    from aioinstructure.paging.cursor import Cursor as Cursor
    from aioinstructure.paging.paginator import Paginator as Paginator
    from aioinstructure.paging.reading_options import BadItem as BadItem
    from aioinstructure.paging.result_page import ResultPage as ResultPage
    from aioinstructure.transport.retry import RetryPolicy as RetryPolicy
    from aioinstructure.wire.message import Request as Request
    from aioinstructure.wire.message import Response as Response

_MODULES = {
    "ABConnect": "abconnect.client",
    "BadRequest": "errors",
    "Canvas": "canvas.client",
    "ClientClosed": "errors",
    "Clock": "clock",
    "ConfigurationError": "errors",
    "Conflict": "errors",
    "ConnectError": "errors",
    "Cursor": "paging.cursor",
    "DeadlineError": "errors",
    "DeadlineExceeded": "errors",
    "DecodeError": "errors",
    "Error": "errors",
    "Forbidden": "errors",
    "GraphQLError": "errors",
    "Id": "_types",
    "IncompleteError": "errors",
    "InputError": "errors",
    "Lane": "_types",
    "Model": "conversion.model",
    "NotFound": "errors",
    "Opt": "_types",
    "OriginError": "errors",
    "Paginator": "paging.paginator",
    "ProgressFailed": "errors",
    "QueueFull": "errors",
    "QuotaError": "errors",
    "RedirectError": "errors",
    "Request": "wire.message",
    "Response": "wire.message",
    "ResponseError": "errors",
    "BadItem": "paging.reading_options",
    "ResultPage": "paging.result_page",
    "RetryPolicy": "transport.retry",
    "ServerError": "errors",
    "SignatureError": "errors",
    "Sis": "canvas.refs",
    "SyncError": "errors",
    "Throttled": "errors",
    "TransportError": "errors",
    "UNSET": "_types",
    "Unauthorized": "errors",
    "UnknownOutcome": "errors",
    "Unprocessable": "errors",
}

if not TYPE_CHECKING:
    __all__, __getattr__, __dir__ = lazy(globals(), _MODULES)

_logging.configure()
