"""No secret of a client is in anything that leaves the library, whatever the server sends back."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import pickle
import traceback
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager
from typing import Any
from urllib.parse import quote, unquote

import pytest

from aioinstructure import ABConnect, Canvas, ConfigurationError, Error, RetryPolicy
from aioinstructure.auth.credentials import BearerToken
from aioinstructure.quota import Scheduler, TokenBucket
from aioinstructure.transport.http import HttpTransport
from aioinstructure.transport.proxy import Proxy
from aioinstructure.wire.message import Request, Response
from aioinstructure.wire.redact import Secrets
from tests.transport.rig import KEY, TOKEN

pytestmark = pytest.mark.real_loop

Serve = Callable[[Any], AbstractAsyncContextManager[str]]
PASSWORD = "hunter2/+"
PROXY_USER = "someone"


def texts_of(error: BaseException) -> Iterator[str]:
    """All that an error shows: texts, pickle, and the locals of each frame of its chain.

    Frames of the tests are left out: they hold what they have sent.
    """
    yield "".join(traceback.format_exception(error))
    seen: list[BaseException] = []
    left: list[BaseException | None] = [error]
    while left:
        each = left.pop()
        if each is None or each in seen:
            continue
        seen.append(each)
        left += (each.__cause__, each.__context__)
        yield from (str(each), repr(each), repr(each.args), repr(vars(each)))
        for frame, _ in traceback.walk_tb(each.__traceback__):
            if "/tests/" not in frame.f_code.co_filename:
                yield repr(frame.f_locals)
    response = getattr(error, "response", None)
    if response is not None:
        yield repr((response, dict(response.headers), response.body, response.request))
    if isinstance(error, Error):
        yield pickle.dumps(error).decode("latin-1")


def forms_of(*secrets: str) -> set[str]:
    found = set(secrets)
    for secret in secrets:
        found |= {quote(secret, safe=""), base64.b64encode(secret.encode()).decode().rstrip("=")}
    return found


def signature_in(head: bytes) -> list[str]:
    """The signature of a request, as it was sent and decoded."""
    for pair in head.split(b"\r\n")[0].split(b" ")[1].partition(b"?")[2].decode().split("&"):
        name, _, value = pair.partition("=")
        if name == "auth.signature":
            return [value, unquote(value)]
    return []


class Echo:
    """Answers with what it has received, in one of several forms."""

    def __init__(self, form: str) -> None:
        self.form = form
        self.heads: list[bytes] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.heads.append(head)
        bare = signature_in(head)[-1] if signature_in(head) else TOKEN
        writer.write(self.answer(bare))
        await writer.drain()
        if self.form == "reset":
            writer.transport.abort()

    def answer(self, bare: str) -> bytes:
        head = b"HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: %d\r\n%s\r\n"
        status, fields, body = b"500 Oops", "Content-Type: application/json\r\n", ""
        match self.form:
            case "status line":
                return f"NO HTTP {bare}\r\n\r\n".encode()
            case "cut":
                return f'HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n["{bare}'.encode()
            case "nothing" | "reset":
                return b""
            case "page" | "value":
                status, body = b"200 OK", BODIES[self.form](bare)
            case "link":
                status, body = b"200 OK", '[{"id":1}]'
                fields += f'Link: <//user@{bare}/{bare}>; rel="next"\r\n'
            case "location":
                status, fields = b"302 Found", f"Location: https://{bare}.example/\r\n"
            case "request id":
                fields += f"X-Request-Context-Id: {bare}\r\n"
            case _:
                body = BODIES[self.form](bare)
        return head % (status, len(body), fields.encode()) + body.encode()


BODIES: dict[str, Callable[[str], str]] = {
    "json": lambda bare: json.dumps({"errors": [{"message": f"no {bare} here"}]}),
    "escaped json": lambda bare: json.dumps({"message": bare}).replace("/", "\\/"),
    "base64": lambda bare: json.dumps({"errors": base64.b64encode(bare.encode()).decode()}),
    "encoded": lambda bare: json.dumps({"message": quote(bare, safe="")}),
    "html": lambda bare: f"<title>{bare}</title>",
    "page": lambda bare: f"<title>{bare}</title>",
    "value": lambda bare: json.dumps([{"id": 1, "start_at": [bare]}, bare]),
}
FORMS = [*BODIES, "link", "location", "request id", "status line", "cut", "nothing", "reset"]


@pytest.mark.parametrize("service", ["canvas", "abconnect"])
@pytest.mark.parametrize("form", FORMS)
async def test_an_echo_shows_nothing(
    served: Serve, caplog: pytest.LogCaptureFixture, service: str, form: str
) -> None:
    """Texts, reprs, logs, pickles, and what a traceback shows with the locals of its frames."""
    caplog.set_level(logging.DEBUG)
    server = Echo(form)
    options: Any = {
        "retry": RetryPolicy(base=0.0),
        "quota": Scheduler(TokenBucket(1000, 1000)),
    }
    async with served(server) as origin:
        client: Canvas | ABConnect
        call: Coroutine[Any, Any, Any]
        if service == "canvas":
            client = Canvas(origin, token=TOKEN, **options)
            call = client.courses.list().collect()
        else:
            client = ABConnect(partner_id="partner", partner_key=KEY, base_url=origin, **options)
            call = client.standards.list().collect()
        with pytest.raises(Error) as caught:
            await call
        await client.close()
    signatures = [form for head in server.heads for form in signature_in(head)]
    assert signatures or service == "canvas"
    secrets = forms_of(TOKEN, KEY, *signatures)
    for text in (*texts_of(caught.value), caplog.text, repr(client)):
        assert not [secret for secret in secrets if secret in text]


async def test_a_deadline_shows_nothing(served: Serve) -> None:
    """The cancellation that ends the attempt has frames of the HTTP library."""

    async def hang(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with served(hang) as origin, Canvas(origin, token=TOKEN, deadline=0.05) as canvas:
        with pytest.raises(Error) as caught:
            await canvas.request("GET", "/api/v1/x")
    for text in texts_of(caught.value):
        assert TOKEN not in text
    cause = caught.value.__cause__
    while cause is not None:
        assert cause.__traceback__ is None
        cause = cause.__cause__ or cause.__context__


async def test_a_cancellation_shows_nothing(served: Serve) -> None:
    """A program may log it with its frames."""

    async def hang(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with served(hang) as origin, Canvas(origin, token=TOKEN) as canvas:
        task = asyncio.create_task(canvas.request("GET", "/api/v1/x"))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
    for text in texts_of(caught.value):
        assert TOKEN not in text


async def test_the_header_of_another_credential_is_removed(served: Serve) -> None:
    """What a credential of the caller has added to the request is known from the request."""

    class ApiKey(BearerToken):
        def authorize(self, request: Request, now: float) -> Request:
            del now
            headers = request.headers.with_field("x-api-key", "k-123456789")
            return request.at(f"{request.url}?sig=s%2B123456789", headers)

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = b"k-123456789 s+123456789 s%2b123456789"
        writer.write(b"HTTP/1.1 500 Oops\r\nConnection: close\r\nContent-Length: 37\r\n\r\n" + body)

    retry = RetryPolicy(attempts=1)
    async with served(echo) as origin, Canvas(origin, auth=ApiKey("x"), retry=retry) as canvas:
        with pytest.raises(Error) as caught:
            await canvas.request("GET", "/api/v1/x")
    assert str(caught.value).endswith("... ... ...")
    assert not any("123456789" in text for text in texts_of(caught.value))


# --- proxies -------------------------------------------------------------------------------


def proxy_at(origin: str) -> str:
    return origin.replace("//", f"//{PROXY_USER}:{quote(PASSWORD, safe='')}@")


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 407 %s\r\nX-Request-Id: %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        b"HTTP/1.1 502 %s\r\nX-Request-Id: %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        b"HTTP/1.1 %s\r\n%s\r\n\r\n",
        b"",
    ],
    ids=["407", "502", "garbage", "nothing"],
)
@pytest.mark.parametrize("target", ["https://canvas.test", "http://127.0.0.1:9"])
async def test_a_proxy_that_echoes_its_password_shows_nothing(
    served: Serve, caplog: pytest.LogCaptureFixture, answer: bytes, target: str
) -> None:
    """In CONNECT, and where the proxy reads the request itself; the proxy is named."""
    caplog.set_level(logging.DEBUG)
    heads: list[bytes] = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        heads.append(head)
        (line,) = [line for line in head.split(b"\r\n") if line.lower().startswith(b"proxy-auth")]
        coded = line.rpartition(b" ")[2]
        writer.write(answer % (coded, PASSWORD.encode()) if answer else b"")

    async with served(proxy) as origin:
        options: Any = {"retry": RetryPolicy(base=0.0), "proxy": proxy_at(origin)}
        async with Canvas(target, token=TOKEN, **options) as canvas:
            with pytest.raises(Error) as caught:
                await canvas.request("GET", "/api/v1/x")
    coded = base64.b64encode(f"{PROXY_USER}:{PASSWORD}".encode()).decode()
    assert coded.encode() in heads[0]
    for text in (*texts_of(caught.value), caplog.text, repr(canvas)):
        for secret in (PASSWORD, quote(PASSWORD, safe=""), coded, TOKEN):
            assert secret not in text
    if answer.startswith(b"HTTP/1.1 407"):
        assert f"proxy {origin.partition('//')[2]} refused" in str(caught.value)
        assert len(heads) == 1


@pytest.mark.parametrize(
    "url",
    [
        f"user:{PASSWORD}@proxy.test:3128",
        f"http://user:{PASSWORD}@proxy.test:notaport",
        f"http://user:{PASSWORD}@proxy.test:99999",
        f"http://user:{PASSWORD}@",
        f"socks5://user:{PASSWORD}@proxy.test",
        f"http://user:{PASSWORD}@[::1",
        f"http://user:{PASSWORD}@proxy.test:0",
        f"http://user:{PASSWORD}@pro xy.test\r\n",
        "",
        5,
    ],
)
def test_a_proxy_that_is_no_url(url: Any) -> None:
    """An error when the client is made, without the URL."""
    for make in (
        lambda: Canvas("https://canvas.test", token=TOKEN, proxy=url),
        lambda: Proxy.of(url),
    ):
        with pytest.raises(ConfigurationError, match="the proxy must be a URL") as caught:
            make()
        shown = "".join(traceback.format_exception(caught.value))
        assert PASSWORD not in str(caught.value)
        assert PASSWORD not in shown.partition("ConfigurationError")[2]


def test_the_repr_of_a_transport_shows_no_password() -> None:
    """Nor does that of the proxy."""
    url = f"http://{PROXY_USER}:{quote(PASSWORD, safe='')}@proxy.test:3128"
    for shown in (repr(HttpTransport(proxy=url)), repr(Proxy.of(url))):
        assert PROXY_USER not in shown
        assert "hunter2" not in shown


# --- the values ----------------------------------------------------------------------------


def test_secrets_are_found_in_all_their_forms() -> None:
    """As they are, percent-encoded in both cases, in base64, in a JSON string."""
    secret = "7~a/b+c=d e"
    secrets = Secrets.of(secret)
    for form in (
        *(secret, quote(secret, safe=""), quote(secret, safe="").lower()),
        *(quote(secret, safe="~"), secret.replace("/", "\\/")),
        base64.b64encode(secret.encode()).decode(),
    ):
        assert secrets.removed(f"<{form}>").replace("=>", ">") == "<...>"  # padding may stay
        assert secrets.are_in(form)
    assert not secrets.are_in("7~a/b")
    assert "7~a" not in repr(secrets)


def test_a_short_value_is_no_secret() -> None:
    """It would be found in bodies by chance."""
    assert Secrets.of("", "token", "1234567").forms == ()
    assert Secrets.of("12345678").are_in("a 12345678 b")


def test_a_response_without_secrets_is_the_same_object() -> None:
    """Nothing is copied on the usual way."""
    response = Response(200, {"x": "y"}, b"[1]")
    assert Secrets.of("a-secret-token").removed_from(response) is response
