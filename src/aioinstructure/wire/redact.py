"""Text of a server as it may be shown: without credentials, on one line, bounded.

Two ways remove credentials. `Secrets` knows the values that a client sends, and removes them from
what the server sends back, wherever they are. `scrub` knows how credentials look, such as a query
parameter `access_token=`, and removes those of others.
"""

from __future__ import annotations

import re
from typing import Final, Self, TypeVar
from urllib.parse import quote

from attrs import evolve, field, frozen

from aioinstructure._text import one_line
from aioinstructure.wire.message import Headers, Response

__all__ = ["Secrets", "scrub", "shown", "without_frames"]

E = TypeVar("E", bound=BaseException)

_SHORTEST: Final = 8
"""Shorter values are too likely to be in a body by chance."""

_REMOVED: Final = "..."

# In a query, percent-encoded once or twice, in JSON (also within a JSON string), or in a dict as
# printed by Ruby or Python. The dot of a name may be encoded, as in `auth%2Esignature`.
_SECRETS = re.compile(
    r"((?:auth(?:\.|%2E)(?:signature|expires)|partner(?:\.|_|%2E)(?:id|key)|user(?:\.|%2E)id"
    r"|access_token|refresh_token|client_secret|api_key)"
    r"(?:=(?!>)|%(?:25)?3D|(?:\\*[\"']|&quot;|%22)?\s*(?:=>|:|%3A)\s*(?:\\*[\"']|&quot;|%22)?))"
    r"[^&\s\"'\\<>]+",
    re.IGNORECASE,
)


_BEARER = re.compile(r"(bearer(?:\s|%20|\+)+)[\w.~+/=%-]{8,}", re.IGNORECASE)


def scrub(text: str) -> str:
    """Replace what looks like a credential: servers echo URLs in their bodies."""
    return _BEARER.sub(r"\1...", _SECRETS.sub(r"\1...", text))


def shown(text: str, limit: int) -> str:
    """Return text of a server as one printable line of at most `limit` characters, scrubbed."""
    # Scrub before the last cut: half a token may be too short to be recognized.
    return one_line(scrub(" ".join(text[: 10 * limit].split())), limit)


@frozen
class Secrets:
    """Values that no text may contain: as they are, percent-encoded, in base64, in a JSON string.

    Attributes:
        forms: All forms of all values, the longest first, but for those that contain another one.
    """

    forms: tuple[str, ...] = field(default=(), repr=lambda forms: f"<{len(forms)} forms>")
    _encoded: tuple[bytes, ...] = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "_encoded", tuple(form.encode() for form in self.forms))

    @classmethod
    def of(cls, *values: str, shortest: int = _SHORTEST) -> Self:
        """Make the forms of some values; those shorter than `shortest` are no secrets."""
        found = {form for value in values for form in _forms(value) if len(value) >= shortest}
        # Each response is searched for each form: "Bearer abc" is gone once "abc" is.
        least = [one for one in found if not any(o in one for o in found if o != one)]
        return cls(tuple(sorted(least, key=len, reverse=True)))

    def are_in(self, text: str) -> bool:
        """Whether a text contains one of them."""
        return any(form in text for form in self.forms)

    def removed(self, text: str) -> str:
        """The text without them."""
        for form in self.forms:
            if form in text:
                text = text.replace(form, _REMOVED)
        return text

    def removed_from(self, response: Response) -> Response:
        """The response without them, in its body and in its headers.

        So nothing that is made from it, such as an error, its pickle or a log record, has them.
        """
        body, headers = response.body, response.headers
        searched = body + "\n".join(headers.lower.values()).encode("utf-8", "surrogatepass")
        found = [form for form in self._encoded if form in searched]
        if not found:
            return response
        for form in found:
            body = body.replace(form, _REMOVED.encode())
        headers = Headers({name: self.removed(value) for name, value in headers.items()})
        return evolve(response, body=body, headers=headers)


def _forms(value: str) -> tuple[str, ...]:
    import base64  # noqa: PLC0415 - not at import

    quoted = quote(value, safe="")
    coded = base64.b64encode(value.encode()).decode()
    found = {value, quoted, quoted.replace("%7E", "~"), coded, coded.rstrip("="), quote(coded, "")}
    lowered = {re.sub("%..", lambda escape: escape[0].lower(), form) for form in found}
    return tuple({form for each in found | lowered for form in (each, each.replace("/", "\\/"))})


def without_frames(error: E) -> E:
    """Remove the frames of an error and of what it was raised from, and return it.

    A traceback may show the locals of its frames, and those of an HTTP library hold credentials.
    """
    seen: list[BaseException] = []
    left: list[BaseException | None] = [error]
    while left:
        each = left.pop()
        if each is not None and each not in seen:
            seen.append(each)
            each.__traceback__ = None
            left += (each.__cause__, each.__context__)
    return error
