"""Cross-site request forgery: a token that only a page of ours can know.

The token is derived from the visitor's own secret cookie (the session cookie after login, a random pre-login cookie before),
so it needs no server key and dies with the session. As a second line a foreign ``Origin`` or ``Sec-Fetch-Site`` is refused.
OWASP Cross-Site Request Forgery Prevention Cheat Sheet: "signed double-submit" bound to the session.
"""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import urlsplit

from flask import Request

FIELD = "csrf_token"
HEADER = "X-CSRFToken"


def token_for(cookie: str) -> str:
    """Token for the holder of this secret cookie; 64 hex digits."""
    return hmac.new(cookie.encode(), b"liandun csrf token v1", hashlib.sha256).hexdigest()


def accepted(request: Request, cookie: str) -> bool:
    """True if a writing request carries the token of ``cookie`` (form field or header) and does not come from another site."""
    if not cookie or not _same_origin(request):
        return False
    given = request.headers.get(HEADER) or request.form.get(FIELD) or ""
    return hmac.compare_digest(given.encode(), token_for(cookie).encode())


def _same_origin(request: Request) -> bool:
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("Origin")
    return origin is None or (origin != "null" and urlsplit(origin).netloc == request.host)
