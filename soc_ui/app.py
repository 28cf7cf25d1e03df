"""The application factory: one Flask app with the console's pages and the REST API."""

from __future__ import annotations

import logging

from apiflask import APIFlask
from flask import render_template, request
from werkzeug.exceptions import HTTPException

import soc_ui.api
from kernel.errors import LiandunError, QueryError
from operations.errors import Conflict, Denied, Invalid, NotFound
from soc_ui import access, assets, event_view, frame, headers, locale, numbers, rule_titles, times, visible
from soc_ui.accounts.account import account
from soc_ui.accounts.directory import directory
from soc_ui.accounts.people import people
from soc_ui.accounts.proposals import proposals
from soc_ui.accounts.second import second
from soc_ui.accounts.views import accounts
from soc_ui.admin.audit import audit
from soc_ui.admin.keys import keys
from soc_ui.admin.webhooks import webhooks
from soc_ui.alerts.views import alerts
from soc_ui.hunt.views import hunt
from soc_ui.inventory import addresses, kinds
from soc_ui.inventory.views import inventory
from soc_ui.locale import _
from soc_ui.overview.views import overview
from soc_ui.preferences import preferences
from soc_ui.rules.views import rules
from soc_ui.services import Services
from soc_ui.sources.views import sources
from soc_ui.zones import names
from soc_ui.zones.conduits import conduits
from soc_ui.zones.plan import zone_plan
from soc_ui.zones.views import zones

MAX_REQUEST_BYTES = 4 * 1024 * 1024
_log = logging.getLogger(__name__)


def create_app(services: Services) -> APIFlask:
    """The WSGI application over ``services``. No page loads anything from another origin, the API's documents included."""
    own = {"docs_path": None, "spec_path": None}  # the description stands with the API (soc_ui.api.description)
    app = APIFlask("soc_ui", title="Liandun", version=services.version, static_folder=None, json_errors=False, **own)
    app.config.update(MAX_CONTENT_LENGTH=MAX_REQUEST_BYTES, MAX_FORM_PARTS=5000, MAX_FORM_MEMORY_SIZE=2 * 1024 * 1024)
    app.extensions["liandun"] = services
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    visible.install(app)
    numbers.install(app)
    locale.install(app)
    times.install(app)
    assets.install(app)
    access.install(app)
    headers.install(app)
    frame.install(app)
    event_view.install(app)
    rule_titles.install(app)
    names.install(app)
    addresses.install(app)
    kinds.install(app)
    who = (accounts, directory, second, account, proposals, people)
    pages = (*who, overview, alerts, hunt, zones, conduits, zone_plan, inventory, sources, rules, keys, webhooks, audit)
    for blueprint in (*pages, preferences):
        app.register_blueprint(blueprint)
    soc_ui.api.register(app)
    _explain_errors(app)
    return app


def _explain_errors(app: APIFlask) -> None:
    """Errors of pages become pages; the API has its own handlers on its blueprint."""

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> tuple[str, int] | HTTPException:
        code = error.code or 500
        if code < 400 or request.path.startswith(access.API_PREFIX):
            return error
        return _problem(code), code

    @app.errorhandler(LiandunError)
    def refused(error: LiandunError) -> tuple[str, int]:
        code = next((code for kind, code in _CODES if isinstance(error, kind)), 500)
        if code == 500:
            _log.error("%s %s: %s", request.method, request.path, error)
        if isinstance(error, Denied):
            access.note_denied(error.message)
        return _problem(code, str(error)), code

    @app.errorhandler(500)
    def broken(_error: Exception) -> tuple[str, int]:
        return _problem(500), 500


_CODES: tuple[tuple[type[LiandunError], int], ...] = (
    (NotFound, 404),
    (Conflict, 409),
    (Denied, 403),
    (Invalid, 422),
    (QueryError, 400),
    (times.TimeRangeError, 400),
)


def _problem(code: int, detail: str = "") -> str:
    texts = {
        400: (_("The request was not understood"), _("The page may be too old: go back, load it again and try once more.")),
        403: (_("Not allowed"), _("Your role does not allow this. Ask an administrator.")),
        404: (_("Not found"), _("There is no such page, or what it showed is gone.")),
        405: (_("Not allowed"), _("This address does not take such a request.")),
        409: (_("Changed in the meantime"), _("Load the page again and try once more.")),
        413: (_("Too large"), _("The request is larger than the console accepts.")),
        422: (_("Not accepted"), _("A value breaks a rule.")),
    }
    title, text = texts.get(code, (_("Something went wrong"), _("The error was written to the log of the console.")))
    return render_template("problem.html", code=code, title=title, text=detail or text)
