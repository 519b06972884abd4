"""Texts without what looks like a credential: servers echo URLs in their bodies."""

from __future__ import annotations

import re

__all__ = ["scrub"]

# In a query, percent-encoded once or twice, in JSON (also inside of a JSON string), or as Ruby or
# Python print a dict. Glue that is left out of a name, as in `auth%2Esignature`, is a dot.
_SECRETS = re.compile(
    r"((?:auth(?:\.|%2E)(?:signature|expires)|partner(?:\.|_|%2E)(?:id|key)|user(?:\.|%2E)id"
    r"|access_token|refresh_token|client_secret|api_key)"
    r"(?:=(?!>)|%(?:25)?3D|(?:\\*[\"']|&quot;|%22)?\s*(?:=>|:|%3A)\s*(?:\\*[\"']|&quot;|%22)?))"
    r"[^&\s\"'\\<>]+",
    re.IGNORECASE,
)


_BEARER = re.compile(r"(bearer(?:\s|%20|\+)+)[\w.~+/=%-]{8,}", re.IGNORECASE)


def scrub(text: str) -> str:
    """The text with what looks like a credential replaced: servers echo URLs in their bodies."""
    return _BEARER.sub(r"\1...", _SECRETS.sub(r"\1...", text))
