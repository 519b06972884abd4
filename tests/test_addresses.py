"""Where clients send to: the URL that they are given, the environment, and whose name is sent."""

from __future__ import annotations

from typing import Any

import pytest

from aioinstructure import ABConnect, Canvas, ConfigurationError, InputError
from aioinstructure.testing import FakeTransport, reply

GUID = "1F9D5A8A-7053-11DF-8EBF-BE719DFF4B22"
NAMES = (
    "CANVAS_URL",
    "CANVAS_TOKEN",
    "ABCONNECT_URL",
    "ABCONNECT_PARTNER_ID",
    "ABCONNECT_PARTNER_KEY",
)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment without the variables of the library, but with a partner."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ABCONNECT_PARTNER_ID", "p-env")
    monkeypatch.setenv("ABCONNECT_PARTNER_KEY", "k-env")
    return monkeypatch


def query_of(transport: FakeTransport) -> list[str]:
    """The names and values of the last query."""
    return transport.requests[-1].path.partition("?")[2].split("&")


# --- Canvas ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "https://host.test",
        "https://host.test/",
        "https://host.test/api/v1",
        "https://host.test/api/v1/",
        "HTTPS://Host.Test:443/api/v1",
    ],
)
async def test_canvas_sends_below_api_v1_once(url: str) -> None:
    """The API's path after the origin is tolerated, and is not sent twice; with a slash too."""
    transport = FakeTransport([lambda _: reply([{"id": 1}])])
    canvas = Canvas(url, "t", transport=transport)
    assert canvas.origin == "https://host.test"
    await canvas.courses.list().collect()
    await canvas.request("GET", "/api/v1/users/self")
    assert [request.url for request in transport.requests] == [
        "https://host.test/api/v1/courses?per_page=100",
        "https://host.test/api/v1/users/self",
    ]


@pytest.mark.parametrize(
    "path",
    [
        "/api",
        "/api/",
        "/api/v2",
        "/API/v1",
        "/api/v1/courses",
        "/api/v10",
        "/canvas/api/v1",
        "/login",
    ],
)
def test_canvas_takes_no_other_path(path: str) -> None:
    """The message shows the URL, and what may follow the origin."""
    with pytest.raises(ConfigurationError) as caught:
        Canvas(f"https://host.test{path}", "t")
    assert str(caught.value) == (
        "the URL must be an origin such as https://host, or with /api/v1 after it:"
        f" 'https://host.test{path}'"
    )


async def test_canvas_takes_url_and_token_by_position_and_by_name() -> None:
    """Both send the same credential."""
    sent = []
    for args, options in (
        (("https://host.test", "t0ken"), {}),
        (("https://host.test",), {"token": "t0ken"}),
        ((), {"url": "https://host.test", "token": "t0ken"}),
    ):
        transport = FakeTransport([reply({"id": 1})])
        made: Any = Canvas
        await made(*args, **options, transport=transport).courses.get(1)
        sent.append(transport.requests[0].headers["authorization"])
    assert sent == ["Bearer t0ken"] * 3


def test_other_options_are_given_by_name() -> None:
    """A third position is a TypeError, and so is an unknown name: it says the nearest one."""
    made: Any = Canvas
    with pytest.raises(TypeError, match="positional"):
        made("https://host.test", "t", 5)
    with pytest.raises(TypeError, match=r"Canvas\(\) takes no 'tokn', did you mean 'token'\?"):
        made("https://host.test", tokn="t")
    with pytest.raises(TypeError, match=r"takes no 'timeouts', did you mean 'timeout'\?"):
        made("https://host.test", "t", timeouts=5)


def test_ab_connect_takes_names_only() -> None:
    """Two texts by position could be exchanged."""
    made: Any = ABConnect
    with pytest.raises(TypeError, match="positional"):
        made("p", "k")
    with pytest.raises(TypeError, match=r"ABConnect\(\) takes no 'partner', did you mean"):
        made(partner="p", partner_key="k")


# --- AB Connect from the environment ---------------------------------------------------------------


async def test_from_env_sends_the_user_that_was_given(environment: pytest.MonkeyPatch) -> None:
    """The partner comes from the environment; the user is part of each call."""
    transport = FakeTransport([lambda _: reply({"data": {"type": "standards", "id": GUID}})])
    ab = ABConnect.from_env(user_id="teacher 7", transport=transport)
    await ab.standards.get(GUID)
    assert {"partner.id=p-env", "user.id=teacher%207"} <= set(query_of(transport))
    assert not any("k-env" in request.url for request in transport.requests)


async def test_from_env_without_a_user_sends_none(environment: pytest.MonkeyPatch) -> None:
    """As the constructor."""
    transport = FakeTransport([reply({"data": {"type": "standards", "id": GUID}})])
    await ABConnect.from_env(transport=transport).standards.get(GUID)
    assert not any(pair.startswith("user.id") for pair in query_of(transport))


@pytest.mark.parametrize(
    ("variable", "given", "origin"),
    [
        (None, None, "https://api.abconnect.instructure.com"),
        ("", None, "https://api.abconnect.instructure.com"),
        (" https://env.test/ ", None, "https://env.test"),
        ("https://env.test/rest/v4.1", None, "https://env.test"),
        (None, "https://given.test", "https://given.test"),
        ("https://env.test", "https://given.test/rest/v4.1/", "https://given.test"),
        ("nonsense", "https://given.test", "https://given.test"),
    ],
)
async def test_a_base_url_that_is_given_overrides_the_environment(
    environment: pytest.MonkeyPatch, variable: str | None, given: str | None, origin: str
) -> None:
    """Then ABCONNECT_URL; without both, the vendor's. Paths are below it once."""
    if variable is not None:
        environment.setenv("ABCONNECT_URL", variable)
    transport = FakeTransport([reply({"data": {"type": "standards", "id": GUID}})])
    ab = ABConnect.from_env(base_url=given, transport=transport)
    await ab.standards.get(GUID)
    assert transport.requests[0].url.partition("?")[0] == f"{origin}/rest/v4.1/standards/{GUID}"


@pytest.mark.parametrize("name", ["ABCONNECT_PARTNER_ID", "ABCONNECT_PARTNER_KEY"])
@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_missing_variable_is_named(
    environment: pytest.MonkeyPatch, name: str, value: str | None
) -> None:
    """Not set, empty or blank: the message says which one."""
    environment.delenv(name)
    if value is not None:
        environment.setenv(name, value)
    with pytest.raises(ConfigurationError, match=f"^the environment variable {name} is not set$"):
        ABConnect.from_env()


def test_from_env_checks_its_url(environment: pytest.MonkeyPatch) -> None:
    """Like the constructor."""
    environment.setenv("ABCONNECT_URL", "https://env.test/rest/v5")
    with pytest.raises(ConfigurationError, match=r"or with /rest/v4\.1 after it"):
        ABConnect.from_env()


def test_from_env_takes_the_options_of_the_client(environment: pytest.MonkeyPatch) -> None:
    """By name; unknown ones are refused."""
    environment.setenv("CANVAS_URL", "https://host.test/api/v1")
    environment.setenv("CANVAS_TOKEN", "t")
    assert Canvas.from_env(deadline=5).deadline == 5
    assert ABConnect.from_env(deadline=6).deadline == 6
    made: Any = Canvas.from_env
    with pytest.raises(TypeError, match="takes no 'dedline', did you mean 'deadline'"):
        made(dedline=5)


@pytest.mark.parametrize("name", ["retry", "quota", "clock"])
def test_an_option_of_another_type_is_refused(name: str) -> None:
    """When the client is made, with the name and the value."""
    options: Any = {name: 3}
    with pytest.raises(InputError, match=rf"{name} must be a \w+, not 3"):
        Canvas("https://canvas.test", "t", **options)
