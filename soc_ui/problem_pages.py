"""Errors of pages become pages that say what to do. The API has handlers of its own on its blueprint (soc_ui.api.problems).

A part that htmx asks for gets the same words as plain text, which our script shows as a notice: an error page has no place inside
of a page.
"""

from __future__ import annotations

import logging

from flask import Flask, Response, render_template, request
from werkzeug.exceptions import HTTPException, InternalServerError

from kernel.errors import LiandunError, QueryError, StateUnavailable, StoreError
from operations.errors import Conflict, Denied, Invalid, NotFound
from soc_ui import access, searching, times, unavailable
from soc_ui.locale import _

RETRY_SECONDS = 30
_log = logging.getLogger(__name__)
_CODES: tuple[tuple[type[LiandunError], int], ...] = (
    (NotFound, 404),
    (Conflict, 409),
    (Denied, 403),
    (Invalid, 422),
    (QueryError, 400),
    (times.TimeRangeError, 400),
    (StoreError, 503),
    (searching.TooManySearches, 429),
)


def install(app: Flask) -> None:
    """Handlers for everything that a page may raise."""

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response | HTTPException:
        code = error.code or 500
        if code < 400 or request.path.startswith(access.API_PREFIX):
            return error
        return _problem(code)

    @app.errorhandler(LiandunError)
    def refused(error: LiandunError) -> Response:
        if isinstance(error, Denied):
            try:
                access.note_denied(error.message)
            except StateUnavailable as unwritten:
                return _unavailable(unwritten)
        if isinstance(error, StateUnavailable):
            return _unavailable(error)
        code = next((code for kind, code in _CODES if isinstance(error, kind)), 500)
        if code >= 500:
            _log.error("%s %s: %s", request.method, request.path, error)
        return _problem(code, "" if code == 429 else str(error))  # that one has words in both languages

    @app.errorhandler(500)
    def broken(_error: InternalServerError) -> Response:
        return _problem(500)


def _unavailable(error: StateUnavailable) -> Response:
    """What cannot be audited is not done (docs/audit-log.md); the reader learns why and what to do."""
    _log.error("%s %s: %s", request.method, request.path, error)
    told = unavailable.words(error)
    return _answer(503, told.title, told.cause, told.advice)


def _problem(code: int, detail: str = "") -> Response:
    texts = {
        400: (_("The request was not understood"), _("The page may be too old: go back, load it again and try once more.")),
        403: (_("Not allowed"), _("Your role does not allow this. Ask an administrator.")),
        404: (_("Not found"), _("There is no such page, or what it showed is gone.")),
        405: (_("Not allowed"), _("This address does not take such a request.")),
        409: (_("Changed in the meantime"), _("Load the page again and try once more.")),
        413: (_("Too large"), _("The request is larger than the console accepts.")),
        422: (_("Not accepted"), _("A value breaks a rule.")),
        429: (
            _("Too many searches at once"),
            _(
                "At most %(n)d searches of one account run at a time. Wait for one, or end it: leaving its page is enough.",
                n=searching.MOST_AT_ONCE,
            ),
        ),
        503: (_("The store does not answer"), _("Try again in a moment.")),
    }
    title, text = texts.get(code, (_("Something went wrong"), _("The error was written to the log of the console.")))
    return _answer(code, title, detail or text)


def _answer(code: int, title: str, text: str, advice: str = "") -> Response:
    if request.headers.get("HX-Request"):
        response = Response(" ".join(filter(None, (f"{title}.", text, advice))), code, mimetype="text/plain")
    else:
        response = Response(render_template("problem.html", code=code, title=title, text=text, advice=advice), code)
    if code in (429, 503):
        response.headers["Retry-After"] = str(RETRY_SECONDS if code == 503 else searching.RETRY_SECONDS)
    return response
