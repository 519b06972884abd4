"""Verification of AB Connect's signatures, by the documented rules."""

from __future__ import annotations

import base64
import hashlib
import hmac

__all__ = ["accepted", "sign"]


def sign(key: str, message: str) -> str:
    """Sign a message. The key is used as text, not decoded."""
    digest = hmac.new(key.encode(), message.encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def _messages(expires: str, user: str | None, method: str, resource: str) -> list[str]:
    """Return all messages whose signatures allow a call."""
    messages = [
        expires,
        f"{expires}\n",
        f"{expires}\n\n{method}",
        f"{expires}\n\n{method}\n{resource}",
    ]
    if user is not None:
        messages += [
            f"{expires}\n{user}",
            f"{expires}\n{user}\n{method}",
            f"{expires}\n{user}\n{method}\n{resource}",
        ]
    return messages


def accepted(
    key: str,
    signature: str,
    *,
    expires: str,
    user: str | None,
    method: str,
    resource: str,
    now: float,
) -> bool:
    """Check whether a signature is valid for a call at time `now`.

    Args:
        key: The partner key.
        signature: The signature, decoded from the query.
        expires: Unix seconds, as text.
        user: The user.id that was sent, if any.
        method: The method in upper case.
        resource: The first part of the path after the version.
        now: Unix seconds.
    """
    if not (expires.isascii() and expires.isdigit()) or int(expires) <= now:
        return False
    given = signature.encode("utf-8", "replace")
    # Every candidate is compared in constant time, without an early exit.
    fits = [
        hmac.compare_digest(sign(key, message).encode(), given)
        for message in _messages(expires, user, method, resource)
    ]
    return any(fits)
