"""Text of a server as it may be shown: without credentials, on one line, bounded."""

from __future__ import annotations

import re

from aioinstructure._text import one_line

__all__ = ["scrub", "shown"]

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
