"""The docstring of an endpoint: what its author wrote, and what its route says."""

from __future__ import annotations

from collections.abc import Iterator

from aioinstructure.endpoints.route import Parameter, Route

__all__ = ["documentation"]

_PLACES = {
    "path": "in the path",
    "query": "in the query, as {}",
    "body": "in the body, as {}",
    "page_size": "items on a page, at most; by default as many as the service allows",
    "on_change": 'what to do if the list changes while it is read: "raise", or "restart"',
}


def documentation(route: Route, source: str) -> str:
    """The docstring of an operation, for `help()`.

    Args:
        route: The operation.
        source: The vendor's page; "" for none.
    """
    parts = [route.doc, f"Request: {route.method} {route.path}"]
    if route.parameters:
        parts.append("\n".join(["Args:", *(_parameter(route, each) for each in route.parameters)]))
    parts.append("\n".join(["Raises:", *_errors(route)]))
    if source:
        parts.append(f"Source: {source}")
    return "\n\n".join(part for part in parts if part)


def _parameter(route: Route, parameter: Parameter) -> str:
    place = _PLACES[parameter.where].format(route.sent_name(parameter))
    text = f"    {parameter.name}: {place}."
    if parameter.where in ("query", "body") and parameter.allowed is not None:
        values = ", ".join(sorted(map(str, parameter.allowed)))
        text += f" {'Any of' if parameter.many else 'One of'} {values}."
    return text


def _errors(route: Route) -> Iterator[str]:
    yield "    InputError: An argument is invalid. Nothing is sent."
    yield "    QuotaError: The call would have to wait longer than its deadline. Nothing is sent."
    yield "    ResponseError: The service refuses the call; NotFound, Forbidden and others."
    if route.paginated:
        yield "    IncompleteError: The list changed while it was read."
    elif route.method != "GET" or not route.idempotent:
        yield "    UnknownOutcome: The connection failed, and the call may have been carried out."
    yield "    TransportError: No response came, after all retries."
    yield "    DecodeError: The response is not what the model says."
