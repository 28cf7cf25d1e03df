"""What a person chose for the look of the console, kept in plain cookies so that the server renders it right the first time."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import Blueprint, Response, current_app, g, redirect, request

CHOICES: dict[str, tuple[str, ...]] = {
    "lang": ("zh", "en"),
    "theme": ("auto", "dark", "light"),
    "density": ("compact", "comfortable"),
    "rail": ("wide", "narrow"),
    "zone": ("Asia/Shanghai", "UTC"),
}
"""Cookie → allowed values, the first being the default. ``lang`` without a cookie follows the site: Chinese first."""

YEAR_SECONDS = 31_536_000

preferences = Blueprint("preferences", __name__)


@dataclass(frozen=True)
class Preferences:
    """The choices in force for this request."""

    lang: str
    theme: str
    density: str
    rail: str
    zone: str


def current() -> Preferences:
    """Preferences of the current request (read once)."""
    if "preferences" not in g:
        chosen = {name: request.cookies.get(name, "") for name in CHOICES}
        g.preferences = Preferences(
            **{name: chosen[name] if chosen[name] in allowed else allowed[0] for name, allowed in CHOICES.items()}
        )
    found = g.preferences
    assert isinstance(found, Preferences)
    return found


@preferences.get("/preferences")
def choose() -> Response:
    """``/preferences?theme=dark&next=/alerts``: keeps the choice in a cookie and goes back to the page one came from."""
    response = current_app.make_response(redirect(local_path(request.args.get("next", "/"))))
    for name, allowed in CHOICES.items():
        value = request.args.get(name)
        if value in allowed:
            response.set_cookie(name, value, max_age=YEAR_SECONDS, samesite="Lax", secure=request.is_secure)
    return response


def local_path(target: str) -> str:
    """``target`` if it stays on this site, else ``/``: no open redirect (``//host``, ``/\\host``, control characters)."""
    try:
        parts = urlsplit(target)
    except ValueError:  # "//[" is no address at all
        return "/"
    safe = (
        target.startswith("/") and target[1:2] not in ("/", "\\") and not parts.netloc and not parts.scheme and target.isprintable()
    )
    return target if safe else "/"
