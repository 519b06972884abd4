"""`aioinstructure call`: run any operation by name and print the result as JSON lines."""

from __future__ import annotations

import types
from collections.abc import Callable, Coroutine, Sequence
from datetime import date, datetime
from typing import Any, Literal, Union, get_args, get_origin

import click

from aioinstructure._json import dumps, loads
from aioinstructure.abconnect import ABConnect
from aioinstructure.canvas import Canvas
from aioinstructure.conversion.model import json_value
from aioinstructure.endpoints.lookup import route_of, routes_of
from aioinstructure.endpoints.route import Parameter, Route
from aioinstructure.errors import InputError

__all__ = ["call"]

_CLIENTS: dict[str, type[Canvas | ABConnect]] = {"canvas": Canvas, "abconnect": ABConnect}


@click.command(
    context_settings={
        "ignore_unknown_options": True,
        "allow_extra_args": True,
        "allow_interspersed_args": False,
    }
)
@click.argument("service", type=click.Choice(list(_CLIENTS)))
@click.argument("operation", required=False)
@click.option("--max-items", type=click.IntRange(1), help="Stop a list after this many items.")
@click.pass_context
def call(
    ctx: click.Context, service: str, operation: str | None, max_items: int | None
) -> Callable[[], Coroutine[Any, Any, None]] | None:
    """Call OPERATION, such as `courses.list --include term`. Without OPERATION, list all.

    Give ids first, in order. Give other parameters as --name value; repeat the option for a list.
    The account is read from the environment: CANVAS_URL and CANVAS_TOKEN, or ABCONNECT_PARTNER_ID
    and ABCONNECT_PARTNER_KEY.
    """
    client = _CLIENTS[service]
    if operation is None:
        for route in routes_of(client):
            summary = route.doc.partition("\n")[0]
            click.echo(f"{route.name:<24} {route.method:<6} {summary}")
        return None
    try:
        found = route_of(client, operation)
    except InputError as error:
        raise click.UsageError(f"{error} (`aioinstructure call {service}` lists all)") from None
    arguments = parse(found, ctx.args)
    return lambda: _call(client, found, arguments, max_items)


async def _call(
    client_type: type[Canvas | ABConnect],
    route: Route,
    arguments: dict[str, Any],
    max_items: int | None,
) -> None:
    async with client_type.from_env() as client:
        if not route.paginated:
            found = await client.fetch(route.bind(arguments))
            if route.returns is not None:
                _echo(found)
            return
        done = 0
        async for item in client.list_pages(route.bind(arguments)):
            _echo(item)
            done += 1
            if done == max_items:
                break


def _echo(value: Any) -> None:
    click.echo(dumps(json_value(value)))


def parse(route: Route, args: Sequence[str]) -> dict[str, Any]:
    """Convert command line arguments to the arguments of a route.

    Raises:
        click.UsageError: An argument is unknown, missing, or not valid for its parameter.
    """
    parameters = {parameter.name: parameter for parameter in route.parameters}
    positional = [parameter for parameter in route.parameters if parameter.where == "path"]
    arguments: dict[str, Any] = {}
    rest = list(args)
    while rest:
        arg = rest.pop(0)
        if not arg.startswith("--"):
            if not positional:
                raise click.UsageError(f"unexpected argument {arg!r} for {route.name}")
            name, value = positional.pop(0).name, arg
        else:
            name, equals, value = arg.removeprefix("--").partition("=")
            name = name.replace("-", "_")
            if name not in parameters:
                known = ", ".join(f"--{n.replace('_', '-')}" for n in parameters)
                raise click.UsageError(
                    f"unknown option {arg!r} for {route.name}: expected one of {known}"
                )
            if not equals:
                if not rest:
                    raise click.UsageError(f"{arg} needs a value")
                value = rest.pop(0)
        _add(arguments, parameters[name], value)
    missing = [p.name for p in route.parameters if p.required and p.name not in arguments]
    if missing:
        raise click.UsageError(f"missing arguments for {route.name}: {', '.join(missing)}")
    return arguments


def _add(arguments: dict[str, Any], parameter: Parameter, text: str) -> None:
    kinds = _kinds(parameter.annotation)
    if Sequence in kinds:
        arguments.setdefault(parameter.name, []).append(_value(parameter, kinds, text))
    else:
        arguments[parameter.name] = _value(parameter, kinds, text)


def _kinds(annotation: Any) -> set[Any]:
    """The types that a parameter accepts: the members of its unions and lists."""
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType):
        return {kind for member in get_args(annotation) for kind in _kinds(member)}
    if origin is not None and origin is not Literal:
        inner = {kind for member in get_args(annotation) for kind in _kinds(member)}
        return {Sequence} | inner if issubclass(origin, Sequence) else {origin}
    return {Literal} if origin is Literal else {annotation}


def _value(parameter: Parameter, kinds: set[Any], text: str) -> Any:
    if text == "null" and type(None) in kinds:
        return None
    try:
        if bool in kinds and text in ("true", "false"):
            return text == "true"
        if int in kinds and text.isdecimal():
            return int(text)
        if datetime in kinds or date in kinds:
            return _moment(kinds, text)
    except ValueError as error:
        raise click.UsageError(f"--{parameter.name}: {error}") from error
    if kinds & {str, Literal}:
        return text
    try:
        return loads(text.encode())
    except ValueError as error:
        raise click.UsageError(f"--{parameter.name} must be JSON, got {text!r}") from error


def _moment(kinds: set[Any], text: str) -> date:
    if date in kinds and len(text) == len("2026-01-31"):
        return date.fromisoformat(text)
    return datetime.fromisoformat(text)
