"""Clients: configuration, views, raw requests, resuming and closing."""

from __future__ import annotations

import asyncio
import ssl
import warnings
from datetime import datetime
from typing import Any

import orjson
import pytest

from aioinstructure import (
    ABConnect,
    Canvas,
    ClientClosed,
    Clock,
    ConfigurationError,
    Cursor,
    DecodeError,
    InputError,
    NotFound,
    OriginError,
    Request,
)
from aioinstructure.canvas.course_paces import CoursePace
from aioinstructure.canvas.courses import Course, CoursesAPI
from aioinstructure.endpoints.declare import DELETE, GET, PATCH, POST, PUT, Namespace
from aioinstructure.endpoints.lookup import routes_of
from aioinstructure.quota import Cost, Scheduler, TokenBucket
from aioinstructure.testing import FakeTransport, reply
from aioinstructure.wire.message import Response
from tests.paging.cursors import cursor_text

GUID = "1F9D5A8A-7053-11DF-8EBF-BE719DFF4B22"

SECRET = "secret-in-a-url"


def canvas_with(*replies: Any, **options: Any) -> tuple[Canvas, FakeTransport]:
    transport = FakeTransport(list(replies))
    return Canvas("https://canvas.test", token="t", transport=transport, **options), transport


def ab_with(*replies: Any, **options: Any) -> tuple[ABConnect, FakeTransport]:
    transport = FakeTransport(list(replies))
    client = ABConnect(partner_id="p", partner_key="k", transport=transport, **options)
    return client, transport


# --- configuration ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://canvas.example.edu", "https://canvas.example.edu"),
        ("https://canvas.example.edu/", "https://canvas.example.edu"),
        ("HTTPS://Canvas.Example.EDU:443", "https://canvas.example.edu"),
        ("https://canvas.example.edu:8443/", "https://canvas.example.edu:8443"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
        ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
        ("http://localhost:8400", "http://localhost:8400"),
        ("http://127.0.0.1:8400", "http://127.0.0.1:8400"),
        ("http://127.9.9.9", "http://127.9.9.9"),
        ("http://[::1]:8400/", "http://[::1]:8400"),
    ],
)
def test_an_origin_is_normalized(url: str, origin: str) -> None:
    """A trailing slash, capitals and the default port are removed; loopback may be plain http."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Canvas(url, token="t").origin == origin


@pytest.mark.parametrize(
    "url",
    [
        "",
        " ",
        "canvas.example.edu",
        "//canvas.example.edu",
        "ftp://canvas.example.edu",
        "https://",
        "https:///api/v1",
        "https://canvas.example.edu:port",
        "https://canvas.example.edu:99999",
        "https://canvas.example.edu/api/v2",
        "https://canvas.example.edu/rest/v4.1",
        "https://canvas.example.edu?x=1",
        "https://canvas.example.edu/?",
        "https://canvas.example.edu#top",
        "https://can vas.example.edu",
        "https://canvas.example.edu\\@evil.test",
        "https://cänvas.example.edu",
        "https://[::1",
        "https://can%76as.example.edu",
        "https://user@canvas.example.edu",
        f"https://user:{SECRET}@canvas.example.edu",
        f"ftp://user:{SECRET}@canvas.example.edu",
        f"https://user:{SECRET}@canvas.example.edu:port/x",
        f"https://canvas.example.edu/?access_token={SECRET}",
        f"https://canvas.example.edu/api#{SECRET}",
    ],
)
def test_an_invalid_origin_is_refused(url: str) -> None:
    """A path, a query, a user, garbage: refused at once, without showing a possible secret."""
    for make in (
        lambda: Canvas(url, token="t"),
        lambda: ABConnect(
            partner_id="p", partner_key="k", base_url=url.replace("/rest/v4.1", "/x")
        ),
    ):
        with pytest.raises(ConfigurationError) as caught:
            make()
        shown = f"{caught.value!r} {caught.value.__cause__!r}"
        assert SECRET not in shown


def test_a_url_that_is_none_is_missing() -> None:
    """As from an environment variable that is not set."""
    nothing: Any = None
    with pytest.raises(ConfigurationError, match="missing"):
        Canvas(nothing, token="t")


@pytest.mark.parametrize(
    "host",
    ["canvas.example.edu", "10.0.0.1", "127.0.0.1.evil.test", "localhost.evil.test", "[::2]"],
)
def test_plain_http_is_refused_off_loopback(host: str) -> None:
    """It would show the credential to everyone; `allow_http` turns the error into a warning."""
    with pytest.raises(ConfigurationError, match="plain http"):
        Canvas(f"http://{host}", token="t")
    with pytest.warns(UserWarning, match="plain http") as caught:
        Canvas(f"http://{host}", token="t", allow_http=True)
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    "url",
    [
        "https://ab.test",
        "https://ab.test/",
        "https://ab.test/rest/v4.1",
        "https://ab.test/rest/v4.1/",
    ],
)
async def test_ab_connect_takes_its_base_or_its_origin(url: str) -> None:
    """Both give the same paths."""
    ab, transport = ab_with(lambda _: reply({"data": {"id": "A"}}), base_url=url)
    await ab.request("GET", "/rest/v4.1/standards")
    await ab.standards.get(GUID)
    urls = [request.url.partition("?")[0] for request in transport.requests]
    assert urls == [
        "https://ab.test/rest/v4.1/standards",
        f"https://ab.test/rest/v4.1/standards/{GUID}",
    ]


@pytest.mark.parametrize("path", ["/rest", "/rest/v4", "/rest/v4.1/standards", "/rest/v4.10"])
def test_ab_connect_takes_no_other_path(path: str) -> None:
    """Another version is another interface."""
    with pytest.raises(ConfigurationError, match=r"or with /rest/v4\.1 after it"):
        ab_with(base_url=f"https://ab.test{path}")


def test_ab_connect_has_a_default_url() -> None:
    """Without a URL, the vendor's is used."""
    assert ab_with()[0].origin == "https://api.abconnect.instructure.com"


class Auth:
    """Another authentication method."""

    def __repr__(self) -> str:
        return "Auth()"

    def authorize(self, request: Request, now: float) -> Request:
        return request

    def needs_refresh(self, now: float) -> bool:
        return False

    async def refresh(self) -> None:
        """Do nothing."""

    def invalidate(self) -> bool:
        return False


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"token": ""},
        {"token": " \n"},
        {"token": f"{SECRET}\n"},
        {"token": f"{SECRET} x\x00"},
        {"token": f"{SECRET}é"},
        {"token": "t", "auth": Auth()},
        {"token": "t", "user_agent": ""},
        {"token": "t", "user_agent": "a\r\nX: y"},
        {"token": "t", "ssl": False},
    ],
    ids=str,
)
def test_an_invalid_canvas_configuration_is_refused(options: dict[str, Any]) -> None:
    """No credential or two, characters that a header cannot contain, unverified TLS."""
    with pytest.raises(ConfigurationError) as caught:
        Canvas("https://canvas.test", **options)
    assert SECRET not in repr(caught.value)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"partner_id": "p"},
        {"partner_key": SECRET},
        {"partner_id": "", "partner_key": SECRET},
        {"partner_id": "p", "partner_key": " "},
        {"partner_id": "p", "auth": Auth()},
        {"partner_key": SECRET, "auth": Auth()},
    ],
    ids=str,
)
def test_an_invalid_ab_connect_configuration_is_refused(options: dict[str, Any]) -> None:
    """It needs a partner with a key, or another authentication method."""
    with pytest.raises(ConfigurationError) as caught:
        ABConnect(**options)
    assert SECRET not in repr(caught.value)


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), "5", True])
@pytest.mark.parametrize("name", ["deadline", "timeout"])
def test_seconds_are_checked(name: str, seconds: Any) -> None:
    """A number above 0, for both clients."""
    with pytest.raises(InputError, match=f"{name} must be seconds above 0"):
        Canvas("https://canvas.test", token="t", **{name: seconds})


def test_another_credential_and_ssl_context_are_accepted() -> None:
    """`auth` replaces the token or the key; an SSL context is accepted."""
    context = ssl.create_default_context()
    assert Canvas("https://canvas.test", auth=Auth(), ssl=context).origin
    assert ABConnect(auth=Auth(), user_agent=" mine ").origin


def test_canvas_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """CANVAS_URL and CANVAS_TOKEN, both required; surrounding blanks are ignored."""
    monkeypatch.setenv("CANVAS_URL", " https://canvas.example.edu/ ")
    monkeypatch.setenv("CANVAS_TOKEN", "t\n")
    assert Canvas.from_env(deadline=5).origin == "https://canvas.example.edu"
    for name in ("CANVAS_TOKEN", "CANVAS_URL"):
        monkeypatch.setenv(name, "")
        with pytest.raises(ConfigurationError, match=name):
            Canvas.from_env()
        monkeypatch.undo()
        monkeypatch.setenv("CANVAS_URL", "https://canvas.example.edu")
        monkeypatch.delenv("CANVAS_TOKEN", raising=False)
        if name == "CANVAS_TOKEN":
            monkeypatch.setenv("CANVAS_TOKEN", "t")


def test_ab_connect_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Partner and key are required, the URL is not; an option overrides the variable."""
    monkeypatch.delenv("ABCONNECT_URL", raising=False)
    monkeypatch.setenv("ABCONNECT_PARTNER_ID", "p")
    monkeypatch.setenv("ABCONNECT_PARTNER_KEY", "k")
    assert ABConnect.from_env().origin == "https://api.abconnect.instructure.com"
    monkeypatch.setenv("ABCONNECT_URL", "https://ab.test/rest/v4.1")
    assert ABConnect.from_env().origin == "https://ab.test"
    assert ABConnect.from_env(base_url="https://other.test").origin == "https://other.test"
    monkeypatch.delenv("ABCONNECT_PARTNER_KEY")
    with pytest.raises(ConfigurationError, match="ABCONNECT_PARTNER_KEY"):
        ABConnect.from_env()


def test_making_a_client_needs_no_event_loop() -> None:
    """A client can be created at module level."""
    canvas, _ = canvas_with()
    assert repr(canvas) == "<Canvas https://canvas.test>"
    assert repr(canvas.courses) == "<courses of <Canvas https://canvas.test>>"


# --- views ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {"lane": "fast"},
        {"lane": ["bulk"]},
        {"flow": []},
        {"flow": ("tenant", [7])},
        {"weight": 0},
        {"weight": -1},
        {"weight": float("nan")},
        {"weight": float("inf")},
        {"weight": 10**400},
        {"weight": "2"},
        {"weight": True},
        {"deadline": 0},
        {"deadline": -1},
        {"deadline": float("nan")},
        {"deadline": 10**400},
        {"deadline": "2"},
    ],
    ids=str,
)
def test_options_are_checked_where_they_are_given(options: dict[str, Any]) -> None:
    """Not in the first call that uses them."""
    with pytest.raises(InputError):
        canvas_with()[0].with_options(**options)


async def test_views_share_quota_and_transport() -> None:
    """A view spends its client's quota; its resources send through the view."""
    canvas, transport = canvas_with(lambda _: reply({"id": 1}))
    await canvas.courses.get(1)
    bulk = canvas.with_options(lane="bulk", weight=2.5, flow="tenant-7")
    view = bulk.with_options(deadline=7)
    await view.courses.get(2)
    assert view.quota is bulk.quota is canvas.quota
    assert canvas.quota.snapshot().granted == len(transport.requests) == 2
    assert view.courses is not canvas.courses
    assert isinstance(view.courses, CoursesAPI)
    assert view.origin == canvas.origin
    assert type(view) is Canvas


async def test_closing_a_view_closes_nothing() -> None:
    """Only the client itself closes, when its block ends."""
    canvas, transport = canvas_with(lambda _: reply([]))
    async with canvas:
        async with canvas.with_options(lane="bulk") as view:
            await view.request("GET", "/x")
        await canvas.as_user(5).close()
        assert not transport.closed
        await canvas.request("GET", "/x")
    assert transport.closed


async def test_a_closed_client_sends_nothing() -> None:
    """Nor do its views and lists, whatever the transport would return; no call is queued."""
    quota = Scheduler(TokenBucket(0.001, 1))
    canvas, transport = canvas_with(lambda _: reply([{"id": 1}]), quota=quota)
    view, pages = canvas.with_options(lane="bulk"), canvas.courses.list()
    async with canvas:
        await canvas.request("GET", "/x")  # the bucket is empty for a quarter of an hour
    before = asyncio.get_running_loop().time()
    calls = (
        canvas.courses.get(1),
        view.request("GET", "/x"),
        pages.collect(),
        canvas.with_options(lane="background").courses.list().first(),
    )
    for call in calls:
        with pytest.raises(ClientClosed):
            await call
    assert asyncio.get_running_loop().time() - before < 1
    assert len(transport.requests) == 1
    await canvas.close()
    shot = quota.snapshot()
    assert shot.in_flight == sum(shot.queued.values()) == 0


async def test_a_clock_can_be_given(clock: Clock) -> None:
    """Wall and loop time can be replaced; views use the same clock."""
    canvas, _ = canvas_with(clock=clock)
    assert canvas.with_options(lane="bulk").clock is canvas.clock is clock


async def test_another_client_can_share_the_quota() -> None:
    """`quota=other.quota` gives both one bucket."""
    quota = Scheduler(TokenBucket(1, 1))
    first, _ = ab_with(lambda _: reply({}), quota=quota)
    second, _ = ab_with(lambda _: reply({}), quota=first.quota)
    await first.request("GET", "/rest/v4.1/standards")
    assert second.quota.wait_estimate() == pytest.approx(1, abs=0.01)


class District(Canvas):
    """A user's client class, with its own resource and field."""

    widgets: Widgets
    cache: dict[str, int]


class Widgets(Namespace[Any]):
    """Resources of a plug-in."""

    @GET("/api/v1/widgets/{id}")
    async def get(self, id: int) -> Course:  # type: ignore[empty-body]  # noqa: A002
        """Get a widget."""

    @DELETE("/api/v1/widgets/{id}")
    async def delete(self, id: int) -> None:  # noqa: A002
        """Delete a widget."""


async def test_a_subclass_keeps_the_resources_and_may_add_some() -> None:
    """Attributes that are not resources are not changed, also in views."""
    transport = FakeTransport([lambda _: reply({"id": 3})])
    district = District("https://canvas.test", token="t", transport=transport)
    district.cache = {"x": 1}
    assert (await district.courses.get(3)).id == 3
    assert (await district.with_options(lane="bulk").widgets.get(3)).id == 3
    assert district.as_user(1).cache == {"x": 1}
    names = {route.name for route in routes_of(District)}
    added = {"widgets.get", "widgets.delete"}
    assert names == {route.name for route in routes_of(Canvas)} | added


def test_an_unknown_attribute_is_an_error() -> None:
    """With a suggestion."""
    canvas, _ = canvas_with()
    with pytest.raises(
        AttributeError, match="Canvas has no attribute 'coarses', did you mean 'courses'"
    ):
        _ = canvas.coarses  # type: ignore[attr-defined]  # an intentional typing mistake


# --- as_user -------------------------------------------------------------------------------------


async def test_as_user_adds_the_parameter_once_on_every_page() -> None:
    """Canvas repeats the query in its next links, so later pages already have it."""

    def page(request: Request) -> Any:
        more = f"{request.url}&page=2" if "page=2" not in request.path else None
        return reply([{"id": 1}], next=more)

    canvas, transport = canvas_with(page)
    mine = canvas.as_user(7)
    assert len(await mine.courses.list().collect()) == 2
    await mine.request("GET", "/api/v1/x")
    await mine.request("GET", "/api/v1/x?not_as_user_id=1")
    await mine.as_user("sis_user_id:a b").request("GET", "/api/v1/x", params={"a": 1})
    await canvas.request("GET", "/api/v1/x")
    assert transport.paths == [
        "/api/v1/courses?per_page=100&as_user_id=7",
        "/api/v1/courses?per_page=100&page=2&as_user_id=7",
        "/api/v1/x?as_user_id=7",
        "/api/v1/x?not_as_user_id=1&as_user_id=7",
        "/api/v1/x?a=1&as_user_id=sis_user_id%3Aa%20b",
        "/api/v1/x",
    ]


@pytest.mark.parametrize("user", ["", -1, True, None, 1.5])
def test_as_user_checks_its_user(user: Any) -> None:
    """Like every id."""
    with pytest.raises(InputError):
        canvas_with()[0].as_user(user)


# --- raw requests -----------------------------------------------------------------------------


async def test_a_raw_request_is_encoded_like_the_rest() -> None:
    """Lists and dicts for Rails, None omitted, the body as JSON."""
    canvas, transport = canvas_with(lambda _: reply({"ok": True}))
    params = {"a": [1, 2], "b": {"c": "x y"}, "d": None, "e": True}
    response = await canvas.request("get", "/api/v1/new", params=params)
    await canvas.request("POST", "/api/v1/new?x=1", params={"y": 2}, json={"z": None})
    assert response.json() == {"ok": True}
    assert transport.paths == [
        "/api/v1/new?a%5B%5D=1&a%5B%5D=2&b%5Bc%5D=x%20y&e=true",
        "/api/v1/new?x=1&y=2",
    ]
    assert [request.method for request in transport.requests] == ["GET", "POST"]
    assert transport.requests[1].body == b'{"z":null}'
    assert transport.requests[0].headers["accept"] == "application/json"
    assert "content-type" not in transport.requests[0].headers


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "api/v1/x"),
        ("GET", "//evil.test/x"),
        ("GET", "https://evil.test/x"),
        ("GET", ""),
        ("GET", "/a b"),
        ("GET", "/é"),
        ("GET", "/a#b"),
        ("GET", "/a\r\nHost: evil.test"),
        ("GET", "/a\x00"),
        ("GET", "/a\x7f"),
        ("GET /x", "/y"),
        ("", "/y"),
        ("GÉT", "/y"),
        (None, "/y"),
        (5, "/y"),
        ("GET", None),
        ("GET", b"/y"),
    ],
)
async def test_an_invalid_raw_request_is_refused(method: Any, path: Any) -> None:
    """Before anything is sent: nothing is corrected, and nothing can be injected."""
    canvas, transport = canvas_with()
    with pytest.raises(InputError):
        await canvas.request(method, path)
    assert transport.requests == []


@pytest.mark.parametrize(
    "options",
    [
        {"params": "a=1"},
        {"params": [("a", 1)]},
        {"params": {"a": object()}},
        {"params": {"a": datetime(2026, 1, 1)}},  # noqa: DTZ001 - naive
        {"params": {"a": float("nan")}},
        {"json": {"a": datetime(2026, 1, 1)}},  # noqa: DTZ001
        {"json": {"a": {"b": [object()]}}},
    ],
)
async def test_invalid_values_of_a_raw_request_are_refused(options: dict[str, Any]) -> None:
    """As in every other call."""
    canvas, transport = canvas_with()
    with pytest.raises(InputError):
        await canvas.request("PUT", "/api/v1/x", **options)
    assert transport.requests == []


async def test_names_of_a_raw_request_may_be_numbers() -> None:
    """They are keys of a mapping, sent as they print."""
    canvas, transport = canvas_with(reply({}))
    params: Any = {1: {2: "x"}}
    await canvas.request("GET", "/x", params=params)
    assert transport.paths == ["/x?1%5B2%5D=x"]


async def test_a_raw_request_raises_response_errors() -> None:
    """Like all calls."""
    canvas, _ = canvas_with(reply({"errors": [{"message": "no such thing"}]}, status=404))
    with pytest.raises(NotFound, match="no such thing"):
        await canvas.request("GET", "/api/v1/new")


# --- bodies --------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 204])
@pytest.mark.parametrize("verb", ["delete", "update", "create"])
async def test_a_write_may_have_an_empty_response(verb: str, status: int) -> None:
    """It is done: the result is an empty model, None or an empty list, by its type."""
    canvas, _ = canvas_with(reply(status=status))
    arguments = (1,) if verb == "create" else (1, 2)
    assert await getattr(canvas.course_paces, verb)(*arguments) == CoursePace()


class Results(Namespace[Any]):
    """Operations with results that are no model."""

    @POST("/api/v1/a")
    async def maybe(self) -> CoursePace | None:
        """None if nothing was sent."""

    @PUT("/api/v1/a")
    async def many(self) -> list[CoursePace]:  # type: ignore[empty-body]  # a stub
        """A list."""

    @GET("/api/v1/a")
    async def text(self) -> str:  # type: ignore[empty-body]  # a stub
        """Text."""

    @GET("/api/v1/b")
    async def data(self) -> bytes:  # type: ignore[empty-body]  # a stub
        """A file."""

    @GET("/api/v1/c")
    async def flag(self) -> bool:  # type: ignore[empty-body]  # a stub
        """Yes or no."""

    @PATCH("/api/v1/c")
    async def count(self) -> int:  # type: ignore[empty-body]  # a stub
        """A number."""


class Office(Canvas):
    """A client of it."""

    results: Results


def office_with(*replies: Any) -> tuple[Office, FakeTransport]:
    transport = FakeTransport(list(replies))
    return Office("https://o.test", token="t", transport=transport), transport


CSV = {"content-type": "text/csv; charset=iso-8859-1"}


@pytest.mark.parametrize(
    ("operation", "given", "result"),
    [
        ("maybe", reply(status=204), None),
        ("maybe", reply(None), None),
        ("many", reply(status=204), []),
        ("text", reply(body=b"id;caf\xe9", headers=CSV), "id;café"),
        ("text", reply(body=b"<p>x</p>", headers={"content-type": "text/html"}), "<p>x</p>"),
        ("text", reply("plain"), "plain"),
        ("data", reply(body=b"\x00\xff", headers={"content-type": "image/png"}), b"\x00\xff"),
        ("data", reply({"a": 1}), b'{"a":1}'),
        ("data", reply(), b""),
        ("flag", reply(True), True),
        ("count", reply(5), 5),
    ],
)
async def test_results_that_are_no_model(operation: str, given: Response, result: Any) -> None:
    """Text by its charset, or in JSON; a file as it came; null and nothing where that may come."""
    office, transport = office_with(given)
    assert await getattr(office.results, operation)() == result
    accepts = transport.requests[0].headers["accept"]
    assert accepts == ("*/*" if operation in ("text", "data") else "application/json")


@pytest.mark.parametrize(
    ("operation", "given"),
    [
        ("text", reply({"a": 1})),
        ("text", reply(5)),
        ("flag", reply("false")),
        ("flag", reply(None)),
        ("flag", reply(0)),
        ("count", reply(5.7)),
        ("count", reply(status=204)),
    ],
)
async def test_a_result_of_another_type_is_an_error(operation: str, given: Response) -> None:
    """It is not converted."""
    office, _ = office_with(given)
    with pytest.raises(DecodeError, match="expected"):
        await getattr(office.results, operation)()


async def test_an_operation_without_a_result_ignores_the_body() -> None:
    """It returns None, whatever the body."""
    transport = FakeTransport([reply(status=204), reply({"id": 1}), reply(body=b"gone")])
    district = District("https://canvas.test", token="t", transport=transport)
    for _ in range(3):
        assert await district.widgets.delete(1) is None  # type: ignore[func-returns-value]


async def test_an_unexpected_empty_body_is_a_decode_error() -> None:
    """The message says that it is empty."""
    canvas, _ = canvas_with(reply(), reply(), reply(status=204))
    for call in (canvas.courses.get(1), canvas.courses.list().collect()):
        with pytest.raises(DecodeError, match="an empty body"):
            await call


@pytest.mark.parametrize("body", [b"[1,", b"\xff\xfe", b"while(1)", b"NaN,"])
async def test_a_body_that_is_not_json(body: bytes) -> None:
    """DecodeError shows size and type, and has the response."""
    canvas, _ = canvas_with(reply(body=body, headers={"content-type": "text/plain"}))
    with pytest.raises(DecodeError, match=f"{len(body)} bytes of text/plain") as caught:
        await canvas.courses.get(1)
    assert caught.value.response is not None
    assert caught.value.response.body == body


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"errors": [{"message": "not here"}, {"message": "nor there"}]}, "not here; nor there"),
        ({"errors": "no"}, "no"),
        ({"status": "unauthenticated", "errors": [{"message": "sign in"}]}, "sign in"),
        ({"status": "unauthenticated"}, '{"status":"unauthenticated"}'),
        ({}, "{}"),
    ],
)
async def test_a_success_that_is_a_refusal(body: Any, says: str) -> None:
    """DecodeError with what the server says, for a read. A write is done, whatever it shows."""
    canvas, _ = canvas_with(*[reply(body)] * 2)
    with pytest.raises(DecodeError) as caught:
        await canvas.courses.get(1)
    assert str(caught.value) == f"the response has no Course: {says}"
    assert caught.value.response is not None
    assert (await canvas.course_paces.update(1, 2, exclude_weekends=True)).id is None


@pytest.mark.parametrize("value", [None, [], "x", 5, [{"id": 1}]])
async def test_a_body_of_another_shape(value: object) -> None:
    """DecodeError with the response, for any other type of value."""
    canvas, _ = canvas_with(reply(value))
    with pytest.raises(DecodeError) as caught:
        await canvas.courses.get(1)
    assert caught.value.response is not None


@pytest.mark.parametrize("following", [5, ["x"], True, {"href": 5}])
async def test_an_invalid_next_link(following: Any) -> None:
    """Stopping there would truncate the list; the error has the response, like all."""
    body = {"data": [{"id": "A"}], "links": {"next": following}}
    ab, transport = ab_with(reply(body))
    with pytest.raises(DecodeError, match=r"\$\.links\.next") as caught:
        await ab.standards.list().collect()
    assert caught.value.response is not None
    assert caught.value.response.json() == body
    assert len(transport.requests) == 1


async def test_a_list_that_leaves_its_base_is_not_followed() -> None:
    """A next link outside of the base path of AB Connect is an error."""
    base = "https://api.abconnect.instructure.com"
    for path in ("/rest/v4.10/standards", "/admin", "/rest/v4.1"):
        ab, transport = ab_with(reply({"data": [{"id": "A"}], "links": {"next": f"{base}{path}"}}))
        with pytest.raises(OriginError, match=r"outside of /rest/v4\.1/"):
            await ab.standards.list().collect()
        assert len(transport.requests) == 1


# --- resuming ------------------------------------------------------------------------------------


async def test_a_cursor_resumes_in_another_client() -> None:
    """Its text is enough: the page is requested again, and items read before are skipped."""
    items = [{"id": number} for number in range(4)]

    def page(request: Request) -> Any:
        at = 2 if "page=2" in request.path else 0
        return reply(
            items[at : at + 2], next=None if at else "https://canvas.test/api/v1/courses?page=2"
        )

    canvas, _ = canvas_with(page)
    pages = canvas.courses.list()
    texts = [str(pages.cursor) async for _ in pages]
    for done, text in enumerate(texts, 1):
        other, _ = canvas_with(page)
        rest = [course.id async for course in other.resume(text)]
        assert rest == list(range(done, 4))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "null",
        "nonsense",
        cursor_text(version=1),
        cursor_text(version=3),
        cursor_text(version=True),
        cursor_text(kind="path"),
        cursor_text(kind="document_tree"),
        cursor_text(origin="https://other.test"),
        cursor_text(route="courses.nothing"),
        cursor_text(route="nothing.list"),
        cursor_text(route=""),
        cursor_text(route="courses.get", arguments={"id": "1"}),
        cursor_text(arguments={"id": "1"}),
        cursor_text(route="modules.list", arguments={}),
        cursor_text(route="modules.list", arguments={"course_id": ".."}),
        cursor_text(route="modules.list", arguments={"course_id": ""}),
        cursor_text(query=[["access_token", "stolen"]]),
        cursor_text(query=[["as_user_id", "5"]]),
        cursor_text(query=[["unknown", "5"]]),
        cursor_text(query=[["per_page", 5]]),
        cursor_text(query=[["per_page", ["", "a"]]]),
        cursor_text(query={"per_page": "5"}),
        cursor_text(page="/api/v1/users"),
        cursor_text(page="/api/v1/courses/../users"),
        cursor_text(page="//evil.test/api/v1/courses"),
        cursor_text(page="@evil.test/api/v1/courses"),
        cursor_text(page="/api/v1/courses?a b"),
        cursor_text(page="/api/v1/courses?a\r\nHost: evil.test"),
        cursor_text(page="/api/v1/courses#x"),
        cursor_text(page="/api/v1/courses?access_token=stolen"),
        cursor_text(page="/api/v1/courses?access%5Ftoken=stolen"),
        cursor_text(page="/api/v1/courses?as_user_id=5"),
        cursor_text(page="/api/v1/courses?as%5Fuser%5Fid=5"),
        cursor_text(page="/api/v1/courses?%61s_user_id=7"),
        cursor_text(page="/api/v1/courses?per_page=1;as_user_id=7"),
        cursor_text(page="/api/v1/courses?as_user_id[]=7"),
        cursor_text(page="/api/v1/courses?as_user_id="),
        cursor_text(fixed=[["as_user_id", "5"]]),
        cursor_text(read=-1),
        cursor_text(read=1.5),
        cursor_text(read=2**63),
        cursor_text(last_ids=[None]),
        cursor_text(last_ids=list(range(9))),
        cursor_text(on_change="restart"),
        cursor_text(on_change=None),
    ],
)
async def test_a_cursor_is_untrusted(text: str) -> None:
    """Another version, origin, endpoint or user, or an invalid path: nothing is sent."""
    canvas, transport = canvas_with()
    with pytest.raises(InputError):
        await canvas.resume(text)
    assert transport.requests == []


async def test_a_cursor_of_a_masqueraded_list_needs_the_same_user() -> None:
    """In any notation of the id; the parameter is sent once."""
    canvas, transport = canvas_with(lambda _: reply([]))
    cursor = canvas.as_user(7).courses.list().cursor
    fixed = [["as_user_id", "7"]]
    later = cursor_text(fixed=fixed, page="/api/v1/courses?page=2")
    for text in (cursor, Cursor(later)):
        for user in (7, "7"):
            await canvas.as_user(user).resume(text).collect()
        for other in (canvas, canvas.as_user(8)):
            with pytest.raises(InputError, match="the cursor was made"):
                await other.resume(text)
    assert all(path.count("as_user_id=7") == 1 for path in transport.paths)
    assert len(transport.requests) == 4


async def test_ab_connect_has_no_masquerading() -> None:
    """A cursor with a user was not made by this client."""
    ab, _ = ab_with()
    fixed = [["as_user_id", "5"]]
    text = cursor_text(origin=ab.origin, route="standards.list", query=[], fixed=fixed)
    with pytest.raises(InputError, match="the cursor was made"):
        await ab.resume(text)


# --- costs ---------------------------------------------------------------------------------------


class RecordingBucket(TokenBucket):
    """A token bucket that records the costs it is asked for."""

    def check(self, cost: Cost) -> None:
        self.costs = [*getattr(self, "costs", []), cost]
        super().check(cost)


async def test_calls_pass_their_route_to_the_quota() -> None:
    """Costs are learned by route; a path without an operation is one, with its ids left out."""
    bucket = RecordingBucket()
    canvas, _ = canvas_with(lambda _: reply([]), quota=Scheduler(bucket))
    await canvas.courses.list().collect()
    await canvas.request("GET", "/api/v1/x")
    assert [cost.key for cost in bucket.costs] == ["courses.list", "/api/*/x"]


# --- bodies and headers of raw requests -----------------------------------------------------------


async def test_a_raw_request_may_have_a_form_and_headers() -> None:
    """The form says what it is; headers are added, and replace those of the client."""
    canvas, transport = canvas_with(lambda _: reply({}))
    await canvas.request(
        "POST",
        "/api/v1/x",
        form={"course[name]": "A b", "tags": [1, 2]},
        headers={"Accept": "application/json+canvas-string-ids", "X-Trace": "7"},
    )
    (request,) = transport.requests
    assert request.body == b"course%5Bname%5D=A%20b&tags%5B%5D=1&tags%5B%5D=2"
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert request.headers["accept"] == "application/json+canvas-string-ids"
    assert request.headers["x-trace"] == "7"
    assert request.headers["authorization"].startswith("Bearer ")


async def test_a_raw_request_may_send_a_list() -> None:
    """JSON that is no object."""
    canvas, transport = canvas_with(lambda _: reply({}))
    await canvas.request("POST", "/api/v1/x", json=[{"a": 1}, 2])
    assert orjson.loads(transport.requests[0].body or b"") == [{"a": 1}, 2]
    assert transport.requests[0].headers["content-type"] == "application/json"


async def test_a_request_has_one_body() -> None:
    """Two would be a mistake; nothing is sent."""
    canvas, transport = canvas_with(lambda _: reply({}))
    with pytest.raises(InputError, match="either json= or form="):
        await canvas.request("POST", "/api/v1/x", json={}, form={})
    assert transport.requests == []
