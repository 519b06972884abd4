"""Links to the next page: Link headers and links in bodies."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioinstructure.errors import DecodeError, InputError, OriginError
from aioinstructure.wire.links import (
    next_by_body,
    next_by_header,
    origin_of,
    other_origin_by_body,
    other_origin_by_header,
    parse_link,
)
from aioinstructure.wire.message import Request, Response

HOME = "https://canvas.test"
REQUEST = Request("GET", f"{HOME}/api/v1/courses?per_page=2", {"accept": "application/json"})


def follow(header: str, *, name: str = "link") -> Request | None:
    return next_by_header(REQUEST, Response(200, {name: header}))


@pytest.mark.parametrize("name", ["link", "Link", "LINK"])
@pytest.mark.parametrize(
    "parameters",
    [
        '; rel="next"',
        ";rel=next",
        '; REL="Next"',
        '; rel="last next"',
        "; rel = next",
        '; title="a, b; c"; rel="next"',
        r'; title="say \"hi\", <x>; rel=prev"; rel="next"',
        '; title="; rel=prev"; rel=next; rel=prev',
        "; rel=next; crossorigin",
        '; crossorigin; type=text/html; rel="next";',
        '; rel="https://example.test/relation next"',
        '; rel="next",</style.css>; rel=preload; as=style',
        '; rel="next", ,',
    ],
)
def test_the_next_page_is_found_in_every_spelling(name: str, parameters: str) -> None:
    """Case, quotes, blanks and other parameters make no difference."""
    url = f"{HOME}/api/v1/courses?page=2"
    found = follow(f'<{HOME}/x>; rel="current",<{url}>{parameters}', name=name)
    assert found is not None
    assert found.url == url


def test_the_request_for_the_next_page_differs_only_in_its_url() -> None:
    """Method, headers and route are kept."""
    found = follow(f'<{HOME}/api/v1/courses?page=2>; rel="next"')
    assert found is not None
    assert (found.method, found.headers, found.route) == ("GET", REQUEST.headers, "")


@pytest.mark.parametrize(
    "query",
    [
        "page=bookmark:WyJhLGIiLDFd&per_page=2",
        "include%5B%5D=term&page=2,3;4",
        "page=bookmark%3AWzFd&q=a+b%20c",
        "filter=a%2Ab%2E",
    ],
)
def test_a_bookmark_is_kept_unchanged(query: str) -> None:
    """Commas, semicolons and escapes belong to the server."""
    found = follow(f'<{HOME}/api/v1/courses?{query}>; rel="next",<{HOME}/x>; rel="first"')
    assert found is not None
    assert found.url == f"{HOME}/api/v1/courses?{query}"


@pytest.mark.parametrize(
    ("link", "url"),
    [
        ("/api/v1/users?page=2", f"{HOME}/api/v1/users?page=2"),
        ("?page=bookmark:a.b", f"{HOME}/api/v1/courses?page=bookmark:a.b"),
        ("//canvas.test/x", f"{HOME}/x"),
        ("///evil.test/x", f"{HOME}/evil.test/x"),  # an empty host is no host: this is a path
        ("HTTPS://CANVAS.TEST:443/x", f"{HOME}/x"),
        (f"{HOME}:443/x", f"{HOME}/x"),
        (f"{HOME}/a b?q=é#part", f"{HOME}/a%20b?q=%C3%A9"),
    ],
)
def test_links_to_the_same_origin_are_followed(link: str, url: str) -> None:
    """Relative links too; the default port equals no port; invalid URL characters are escaped."""
    found = follow(f'<{link}>; rel="next"')
    assert found is not None
    assert found.url == url


@pytest.mark.parametrize(
    ("link", "target", "origin"),
    [
        ("https://school.test/api/v1/courses?page=2", "/api/v1/courses?page=2", "school.test"),
        ("http://canvas.test/api/v1/courses?page=2", "/api/v1/courses?page=2", "http:"),
        ("https://canvas.test:8443/x?page=2", "/x?page=2", "canvas.test:8443"),
        ("https://canvas.test.evil.test/x", "/x", "canvas.test.evil.test"),
        ("//evil.test/x", "/x", "evil.test"),
        ("https://evil.test//canvas.test/x", "//canvas.test/x", "evil.test"),
        ("https://evil.test", "/", "evil.test"),
        ("https://evil.test?page=2#x", "/?page=2", "evil.test"),
        ("https://evil.test/x?access_token=s&page=2", "/x?page=2", "evil.test"),
        ("https://[::1]:99/x", "/x", "[::1]:99"),
    ],
)
def test_the_origin_of_a_link_is_not_used(link: str, target: str, origin: str) -> None:
    """Path and query count, in headers and bodies; the origin is reported, and nothing more."""
    header, body = f'<{link}>; rel="next"', {"links": {"next": link}}
    for found in (follow(header), next_by_body(REQUEST, body)):
        assert found is not None
        assert found.url == HOME + target
    other = other_origin_by_header(REQUEST, Response(200, {"link": header}))
    assert other == other_origin_by_body(REQUEST, body)
    assert other is not None
    assert origin in other
    assert "page" not in other


@pytest.mark.parametrize("link", ["/x", "?page=2", f"{HOME}/x", f"{HOME}:443/x", "//canvas.test/x"])
def test_a_link_to_the_own_origin_names_no_other(link: str) -> None:
    """Nor does a page without a next link."""
    header = f'<{link}>; rel="next"'
    assert other_origin_by_header(REQUEST, Response(200, {"link": header})) is None
    assert other_origin_by_body(REQUEST, {"links": {"next": link}}) is None
    assert other_origin_by_header(REQUEST, Response(200)) is None
    assert other_origin_by_body(REQUEST, {"links": {}}) is None


@pytest.mark.parametrize(
    "link",
    [
        "https://canvas.test@evil.test/",
        "https://canvas.test:443@evil.test/",
        "https://evil.test\\@canvas.test/",
        "https://user:password@canvas.test/",
        "//user@canvas.test/",
        "https:///evil.test/x",
        "https://canvas\t.test.evil.test/",
        "https://canvas\n.test/",
        f"{HOME}/api/v1/courses?page=2\r\nX-Header: 1",
        "/api/v1/courses\x00",
        "/api/v1/courses\x7f",
        "javascript:alert(1)",
        "data:text/html,x",
        "ftp://canvas.test/x",
        "https://canvas.test:port/",
        "//[",
        "https://[canvas.test/",
        "https://canvas.test/\ud800",
    ],
)
def test_a_link_that_is_no_plain_http_url_is_an_error(link: str) -> None:
    """A user name, control characters, another scheme, a broken host; in bodies and in headers."""
    with pytest.raises(OriginError):
        follow(f'<{link}>; rel="next"')
    with pytest.raises(OriginError):
        next_by_body(REQUEST, {"links": {"next": link}})


@pytest.mark.parametrize("header", ["", "  ", f'<{HOME}/x>; rel="prev",<{HOME}/y>; rel="first"'])
def test_no_next_link_is_the_end(header: str) -> None:
    """The last page has no next link."""
    assert follow(header) is None
    assert next_by_header(REQUEST, Response(200)) is None


@pytest.mark.parametrize(
    "header",
    [
        "garbage",
        "<>",
        f"<{HOME}/x>",
        f'{HOME}/x; rel="next"',
        f'<{HOME}/x>; rel="next',
        f'<{HOME}/x>; rel="current",<{HOME}/y; rel="next"',
        f'<{HOME}/x>; rel="current",{HOME}/y; rel="next"',
        f"<{HOME}/x>; rel='next'",
        f"<{HOME}/x>; rel='last next'",
        f"<{HOME}/x>; rel=&quot;next&quot;",
        f'<{HOME}/x>; rel="current",<{HOME}/y>; rel=&quot;next&quot;',
        f'<{HOME}/x>; rel="nextpage"',
        f"<{HOME}/x>; rel=preload; as=style",
        f'<{HOME}/x?a>b>; rel="next"',
        f'<{HOME}/x?a<b>; rel="next"',
        f'<{HOME}/x>; rel="next" garbage',
        f'<{HOME}/x>; rel="next",garbage',
        f'<{HOME}/x>; rel="first",<{HOME}/y>',
        f'<{HOME}/x>; rel="first",<{HOME}/y>; rel',
        f'<{HOME}/x>; rel="first",<{HOME}/y>; rel=""',
        f'<{HOME}/x>; rel="first",<{HOME}/y>; title="rel=next"',
        ",",
    ],
)
def test_an_invalid_header_does_not_end_the_list(header: str) -> None:
    """Stopping there would silently truncate the list."""
    with pytest.raises(DecodeError, match="Link header") as caught:
        follow(header)
    assert caught.value.response is not None


@pytest.mark.parametrize("relation", ["first", "prev", "current", "last", "last hub", "LAST"])
def test_a_header_with_another_relation_of_a_page_is_the_end(relation: str) -> None:
    """It says where the page is in the list, and names no next one."""
    assert follow(f'<{HOME}/x>; rel="{relation}"') is None


def test_the_error_says_where_the_header_cannot_be_read() -> None:
    """By the first character of the entry."""
    with pytest.raises(DecodeError, match="from character 16"):
        follow('</x>; rel=prev,</y?q=a>b>; rel="next"')
    with pytest.raises(DecodeError, match="no known relation"):
        follow('</x>; rel="nextpage"')


@pytest.mark.parametrize(
    "part", ["<", ";", " ", "a", "; ", ";a=", "<x>;", '"', '\\"', ";rel=next,"]
)
def test_a_long_invalid_header_is_read_once(part: str) -> None:
    """Headers are untrusted: no text makes the parser try again from each character."""
    for start in ("", "<x>", "<x>;", '<x>;a="', "<x>;a"):
        assert isinstance(parse_link(start + part * 20_000), dict)


def test_a_header_that_echoes_a_credential_is_not_shown() -> None:
    """Messages are logged."""
    with pytest.raises(DecodeError) as caught:
        follow(f"{HOME}/x?access_token=1234567890abcdef")
    assert "1234567890abcdef" not in str(caught.value)


@pytest.mark.parametrize(
    ("link", "url"),
    [
        ("?a=1&access_token=secret&page=2", "?a=1&page=2"),
        ("?auth.signature=x%3D&auth%2Eexpires=1&partner.id=p&user.id=u&offset=5", "?offset=5"),
        ("?access_token=secret", ""),
        ("?a=&b&&c=%26access_token=x", "?a=&b&&c=%26access_token=x"),
    ],
)
def test_an_echoed_credential_is_removed_from_the_link(link: str, url: str) -> None:
    """It is added again to each request, and a cursor contains the link."""
    found = follow(f'<{link}>; rel="next"')
    assert found is not None
    assert found.url == f"{HOME}/api/v1/courses{url}"


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (
            {"links": {"next": f"{HOME}/rest/v4.1/standards?offset=10"}},
            "/rest/v4.1/standards?offset=10",
        ),
        ({"links": {"next": {"href": "/a?b", "meta": {}}}}, "/a?b"),
        ({"links": {"next": None}}, None),
        ({"links": {"next": ""}}, None),
        ({"links": {"next": {"href": None}}}, None),
        ({"links": {"self": "/x"}}, None),
        ({"links": None}, None),
        ({}, None),
        ([], None),
        (None, None),
    ],
)
def test_links_of_a_body(body: Any, path: str | None) -> None:
    """Text or a JSON:API link object; no link is the end."""
    found = next_by_body(REQUEST, body)
    assert (None if found is None else found.path) == path


@pytest.mark.parametrize("link", [5, True, ["/a"], {"href": 5}])
def test_an_invalid_link_in_a_body_does_not_end_the_list(link: Any) -> None:
    """As for headers: the list continues, but the next page is unknown."""
    with pytest.raises(DecodeError, match=r"links\.next"):
        next_by_body(REQUEST, {"links": {"next": link}})


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://Canvas.Test/a/b?c", HOME),
        ("https://canvas.test:443", HOME),
        ("http://canvas.test:80/", "http://canvas.test"),
        ("http://canvas.test:443/", "http://canvas.test:443"),
        ("https://[::1]:8400/", "https://[::1]:8400"),
        ("https://user@canvas.test", HOME),
    ],
)
def test_an_origin_has_one_form(url: str, origin: str) -> None:
    """Scheme, host and a port that is not the default."""
    assert origin_of(url) == origin


@pytest.mark.parametrize(
    "url", ["", "canvas.test", "ftp://canvas.test", "https://", "https://h:x", "https://["]
)
def test_a_url_without_an_origin_is_refused(url: str) -> None:
    """Only http and https, with a host."""
    with pytest.raises(InputError, match=r"^not an? .*URL"):
        origin_of(url)


URLS = st.from_regex(r"https://canvas\.test/[a-z0-9/?&=%.,;:\[\]\"' ()~-]{0,40}", fullmatch=True)
RELATIONS = st.from_regex(r"[a-z][a-z0-9.-]{0,9}", fullmatch=True)
TITLES = st.text(st.characters(codec="ascii", exclude_characters='"\\', categories=["L", "P", "N"]))


@given(
    st.dictionaries(RELATIONS, st.tuples(URLS, TITLES, st.booleans())),
    st.sampled_from([",", ", ", " ,\t"]),
)
def test_a_generated_header_is_read_back(
    links: dict[str, tuple[str, str, bool]], glue: str
) -> None:
    """For any URLs, titles and separators."""
    header = glue.join(
        f'<{url}>; title="{title}"; rel="{rel}"' if quoted else f'<{url}>;rel={rel};title="{title}"'
        for rel, (url, title, quoted) in links.items()
    )
    assert parse_link(header) == {rel: url for rel, (url, _, _) in links.items()}


@given(st.one_of(st.text(), st.text(alphabet='<>;,="\\ relnxt/:@h')))
def test_no_text_breaks_the_parser(text: str) -> None:
    """Headers are untrusted."""
    assert isinstance(parse_link(text), dict)


@given(st.one_of(st.text(), st.text(alphabet="htps:/@.[]?#%\\canvas.test")))
def test_a_link_is_followed_on_the_own_origin_or_is_an_error(link: str) -> None:
    """No text from a server causes a request to another origin, or another error."""
    try:
        found = next_by_body(REQUEST, {"links": {"next": link}})
    except OriginError:
        return
    if found is not None:
        assert found.url.startswith(f"{HOME}/")
        assert origin_of(found.url) == HOME
        assert found.url.isascii()
        assert found.url.isprintable()
