"""Errors of the API as problem+json (RFC 9457): ``status``, ``title``, ``detail``, and ``hint``, ``errors``, ``position``."""

from __future__ import annotations

import json
import logging
from http import HTTPStatus
from typing import Any

import msgspec
from apiflask import APIBlueprint, APIFlask, HTTPError
from flask import Response, g, request
from werkzeug.exceptions import HTTPException

from kernel.errors import LiandunError, QueryError, StateUnavailable, StoreError
from operations.errors import Conflict, Denied, Invalid, NotFound, Stale
from soc_ui import searching
from soc_ui.locale import speaking
from soc_ui.problem_pages import RETRY_SECONDS
from soc_ui.unavailable import words

PREFIX = "/api/"
_log = logging.getLogger(__name__)
_CODES: tuple[tuple[type[LiandunError], int], ...] = (
    (NotFound, 404),
    (Stale, 412),
    (Conflict, 409),
    (Denied, 403),
    (Invalid, 422),
    (QueryError, 400),
    (StoreError, 503),
    (searching.TooManySearches, 429),
)


class Problem(Exception):
    """Stops a request with a status code."""

    def __init__(self, status: int, detail: str, hint: str = "", **more: Any) -> None:
        super().__init__(detail)
        self.status, self.detail, self.hint, self.more = status, detail, hint, more


def answer(status: int, detail: str, hint: str = "", **more: Any) -> Response:
    """A problem+json response."""
    title = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Error"
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    body |= {key: value for key, value in {"hint": hint, **more}.items() if value not in ("", None)}
    response = Response(_written(body), status=status, mimetype="application/problem+json")
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _written(body: dict[str, Any]) -> bytes:
    """JSON; a name that was sent with half a character in it (``\\ud800``) is told as it was spelt."""
    try:
        return msgspec.json.encode(body)
    except UnicodeEncodeError:
        return json.dumps(body).encode()


def explain(blueprint: APIBlueprint) -> None:
    """Handlers for everything that a view of ``blueprint`` may raise."""
    blueprint.register_error_handler(Problem, lambda error: answer(error.status, error.detail, error.hint, **error.more))
    blueprint.register_error_handler(LiandunError, refused)
    blueprint.register_error_handler(HTTPError, _invalid_input)
    blueprint.register_error_handler(HTTPException, _http_error)
    blueprint.register_error_handler(RecursionError, lambda _error: answer(400, "the body is nested too deeply"))
    blueprint.register_error_handler(Exception, _broken)


def install(app: APIFlask) -> None:
    """Addresses under ``/api/`` that no view serves answer in the same form."""

    @app.after_request
    def as_problem(response: Response) -> Response:
        unexplained = response.status_code >= 400 and not response.mimetype.endswith("json")
        if not (request.path.startswith(PREFIX) and unexplained):
            return response
        replaced = answer(response.status_code, f"{request.method} {request.path}: {HTTPStatus(response.status_code).phrase}")
        if "Allow" in response.headers:
            replaced.headers["Allow"] = response.headers["Allow"]
        return replaced


def refused(error: LiandunError) -> Response:
    """The answer to what the domain, or a store, refused."""
    status = next((status for kind, status in _CODES if isinstance(error, kind)), 500)
    if status >= 500:
        _log.error("%s %s: %s", request.method, request.path, error)
    if isinstance(error, Denied):
        g.denied = error.message  # guard writes it down
    if isinstance(error, StateUnavailable):
        return _unavailable(error)
    more: dict[str, Any] = {}
    if isinstance(error, QueryError):
        more["position"] = error.position
    if isinstance(error, Invalid) and error.field:
        more["errors"] = {error.field: [error.message]}
    response = answer(status, error.message, error.hint, **more)
    if status == 429:
        response.headers["Retry-After"] = str(searching.RETRY_SECONDS)
    return response


def _unavailable(error: StateUnavailable) -> Response:
    """``reason`` is for programs; the words are Chinese for a client that asks for Chinese (Accept-Language), else English."""
    lang = "zh" if request.accept_languages.best_match(("en", "zh", "zh-CN"), "en").startswith("zh") else "en"
    with speaking(lang):
        told = words(error)
    response = answer(503, f"{told.title}. {told.cause}", told.advice, reason=error.reason)
    response.headers["Content-Language"] = "zh-CN" if lang == "zh" else "en"
    response.headers["Retry-After"] = str(RETRY_SECONDS)
    return response


def _invalid_input(error: HTTPError) -> Response:
    """What APIFlask says about bodies and parameters that do not fit the schema."""
    errors = error.detail if isinstance(error.detail, dict) else {}
    flat = {name: texts for location in errors.values() if isinstance(location, dict) for name, texts in location.items()}
    status = int(error.status_code)
    return answer(status, "the request does not fit the description" if flat else str(error.message), errors=flat or None)


def _http_error(error: HTTPException) -> Response:
    return answer(error.code or 500, str(error.description or error.name))


def _broken(error: Exception) -> Response:
    _log.exception("%s %s failed", request.method, request.path, exc_info=error)
    return answer(500, "the request could not be carried out; the reason was written to the log")
