"""``/hunt``: query, histogram, table, field values, one event, export. Everything that defines a result stands in the URL."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, jsonify, render_template, request
from msgspec import to_builtins
from werkzeug.wrappers import Response as BaseResponse

from kernel.ecs_fields import FIELD_TYPES
from kernel.errors import QueryError
from kernel.event import parse_timestamp
from kernel.query import Query
from kernel.query.parser import MAX_TERMS
from kernel.query.tree import Count, Top
from kernel.store.contract import TimeRange
from kernel.store.open import PATIENCE_SECONDS
from kernel.store.time_limit import within
from operations.alerts.entities import FIELDS as ENTITY_FIELDS
from operations.alerts.entities import normalise
from operations.audit import service as audit
from operations.indicators.covering import covering
from operations.searches.sigma_draft import datasets_of, sigma_draft
from soc_ui import access, times
from soc_ui.download import as_attachment
from soc_ui.event_view import grouped, raw_record
from soc_ui.event_view import text as event_text
from soc_ui.hunt import completion
from soc_ui.hunt import request as hunt_request
from soc_ui.hunt.export import FORMATS, MAX_ROWS
from soc_ui.hunt.links import RowLinks
from soc_ui.hunt.request import HuntRequest
from soc_ui.hunt.sending import as_file
from soc_ui.numbers import row_id
from soc_ui.searching import searching
from soc_ui.services import services

PAGE_ROWS = 100
BARS = 80
TOP_VALUES = 10
MAX_FIELD = 256
STATISTICS_SECONDS = 20.0
"""A look at one field is given up sooner than a search: people open many of them."""

EXAMPLES = (
    "process.name:powershell.exe AND process.command_line:*EncodedCommand*",
    "source.ip:10.0.0.0/8 AND NOT destination.ip:10.0.0.0/8",
    "event.dataset:suricata* AND destination.port:(502 OR 20000)",
    'message:"failed password" | top source.ip',
)
hunt = Blueprint("hunt", __name__)


@hunt.get("/hunt")
@access.needs("events.read")
def page() -> str | tuple[str, int]:
    """The page; a wrong query is shown with the place where it went wrong."""
    try:
        asked = hunt_request.read(request.args)
    except times.TimeRangeError as error:
        fallback = HuntRequest(request.args.get("q", ""), times.Window("24h", "", ""), hunt_request.DEFAULT_COLUMNS)
        return _render(fallback, time_error=error), 400
    try:
        query = asked.parse()
        with searching(access.me()):
            _remember("events.search", asked, cursor=request.args.get("cursor", ""))
            found = _results(asked, query)
    except QueryError as error:
        return _render(asked, query_error=error), 400
    return _render(found.pop("asked"), **found)


def _remember(action: str, asked: HuntRequest, **more: str) -> None:
    """Events hold personal data, so who searched for what is in the audit trail."""
    detail = {"query": asked.text, "start": asked.window.start, "end": asked.window.end, **more}
    with services().database.write() as session:
        audit.append(session, access.me().actor, action, "events", detail={name: value for name, value in detail.items() if value})


@hunt.get("/hunt/histogram.json")
@access.needs("events.read")
def histogram() -> Response | tuple[Response, int]:
    """Number of hits in equal time slices."""
    asked = hunt_request.read(request.args)
    try:
        with searching(access.me()):
            bars = services().store.histogram(asked.parse(), asked.window.range, buckets=BARS)
    except QueryError as error:
        return jsonify(error=str(error)), 400
    return jsonify(starts=[bar.key for bar in bars], counts=[bar.count for bar in bars])


@hunt.get("/hunt/top")
@access.needs("events.read")
def top() -> str:
    """The most frequent values of ``field=`` among the hits, and what else can be counted of it, as a part of the page."""
    asked = hunt_request.read(request.args)
    field = request.args.get("field", "")
    query = asked.parse()
    with searching(access.me()), within(STATISTICS_SECONDS):
        _remember("events.top", asked, field=field)
        values = services().store.top(query, asked.window.range, field, limit=TOP_VALUES)
        facts = services().store.field_statistics(query, asked.window.range, field)
    return render_template("hunt/top.html", asked=asked, field=field, values=values, facts=facts)


@hunt.get("/hunt/event/<event_id>")
@access.needs("events.read")
def event(event_id: str) -> str:
    """One whole event: a part of the table for htmx, a page of its own otherwise."""
    found = services().store.get(event_id, _time_of_event())
    if found is None:
        abort(404)
    name = "hunt/event_row.html" if request.headers.get("HX-Request") else "hunt/event_page.html"
    asked = hunt_request.read(request.args)
    return render_template(name, asked=asked, event=found, groups=grouped(found), raw=raw_record(found), event_id=event_id)


@hunt.post("/hunt/export")
@access.needs("events.export")
def download() -> Response:
    """The hits as a file; who took what is written to the audit trail first."""
    asked = hunt_request.read(request.form)
    form = request.form.get("format", "csv")
    if form not in FORMATS:
        abort(400)
    columns = [name for name in asked.fields if name != "event.id"]
    return as_file(access.me(), asked.text, asked.window.range, form, columns)


@hunt.get("/hunt/complete")
@access.needs("events.read")
def completions() -> Response:
    """What may stand at the caret (``at``) of the query ``q``; a look at the values of a field is in the audit trail."""
    asked = hunt_request.read(request.args)
    text, at = request.args.get("q", ""), request.args.get("at", 0, row_id)

    def values(field: str, prefix: str) -> list[tuple[str, int]]:
        with searching(access.me()):
            _remember("events.top", asked, field=field)
            return completion.values_of(services().store, text, at, asked.window.range, field, prefix)

    found = completion.complete(text, at, hunt_request.POPULAR_FIELDS, values)
    return jsonify(suggestions=[to_builtins(one) for one in found])


@hunt.get("/hunt/value")
@access.needs("events.read")
def value_menu() -> str:
    """What one can do with the value of ``field`` of an event, as a part of the page."""
    asked = hunt_request.read(request.args)
    field = request.args.get("field", "")[:MAX_FIELD]
    found = services().store.get(request.args.get("event", "")[:MAX_FIELD], _time_of_event())
    value = found.get(field) if found else None
    if isinstance(value, list):
        value = value[0] if value else None
    if value is None:
        abort(404)
    kind = next((kind for kind, fields in ENTITY_FIELDS.items() if field in fields), "")
    entity = normalise(kind, str(value)) if kind else ""
    with services().database.read() as session:
        known = covering(session, [str(value)]) if access.me().may("intel.read") else {}
    return render_template(
        "hunt/value.html", asked=asked, field=field, value=event_text(value), condition=asked.condition,
        entity=f"{kind}:{entity}" if entity and kind != "asset" else "", device=entity if kind == "asset" else "",
        known=known.get(str(value)),
    )  # fmt: skip


def _time_of_event() -> str:
    """``near``: the @timestamp of the event that a link leads to, "" where it is none."""
    return parse_timestamp(request.args.get("near", "")[:MAX_FIELD]) or ""


@hunt.get("/hunt/sigma")
@access.needs("events.read")
def sigma() -> BaseResponse | str | tuple[str, int]:
    """The query as the draft of a Sigma rule, shown or (``download``) as a file."""
    asked = hunt_request.read(request.args)
    try:
        draft = draft_of(asked.parse(), asked.window.range)
    except QueryError as error:
        return render_template("hunt/sigma.html", asked=asked, problem=error, draft=""), 422
    if request.args.get("download"):
        return as_attachment(draft.encode(), "draft.yml", "application/yaml; charset=utf-8")
    return render_template("hunt/sigma.html", asked=asked, problem=None, draft=draft)


def draft_of(query: Query, when: TimeRange) -> str:
    """The draft; where the query names no dataset, the commonest one of its hits is taken. Raises QueryError."""
    most = []
    if not datasets_of(query) and not query.pipes:
        with searching(access.me()), within(STATISTICS_SECONDS):
            most = services().store.top(query, when, "event.dataset", limit=1)
    return sigma_draft(query, author=access.me().name, dataset=str(most[0].key) if most else "")


def _results(asked: HuntRequest, query: Query) -> dict[str, Any]:
    """What the page shows for a right query: rows, a top list, or a number."""
    store, when = services().store, asked.window.range
    for pipe in query.pipes:
        if isinstance(pipe, Top):
            values = store.top(query, when, pipe.field, limit=pipe.limit)
            return {"asked": asked, "top_field": pipe.field, "top_values": values}
        if isinstance(pipe, Count):
            return {"asked": asked, "counted": store.count(query, when)}
    asked = hunt_request.columns_of(asked, query.fields)
    # the hits are not counted here: the first hundred are there long before; the bars bring the number
    cursor = request.args.get("cursor", "")
    found = store.search(query, when, limit=PAGE_ROWS, cursor=cursor, fields=asked.fields)
    return {"asked": asked, "result": found, "total": None if cursor or found.cursor else len(found.events)}


def _render(asked: HuntRequest, **context: Any) -> str:
    names = {
        "query_error": None,
        "time_error": None,
        "result": None,
        "total": None,
        "top_values": None,
        "top_field": "",
        "counted": None,
    }
    return render_template(
        "hunt/page.html",
        asked=asked, presets=times.PRESETS, examples=EXAMPLES, popular=hunt_request.POPULAR_FIELDS, all_fields=sorted(FIELD_TYPES),
        cell=hunt_request.cell, max_rows=MAX_ROWS, links=RowLinks(asked),
        max_terms=MAX_TERMS, patience=PATIENCE_SECONDS, cursor=request.args.get("cursor", ""), **(names | context),
    )  # fmt: skip
