"""``/audit``: who did what, from where, with which result; the state of the chain; export. Filters and place stand in the URL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
from flask import Blueprint, Response, redirect, render_template, request, stream_with_context, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as BaseResponse

from kernel.db import Database
from operations.audit import service
from operations.audit.schema import AuditRecord
from soc_ui import access, times
from soc_ui.admin import acts
from soc_ui.locale import _
from soc_ui.preferences import local_path
from soc_ui.services import services

PAGE_ROWS = 50
EXPORT_ROWS = 1_000
MAX_TEXT = 160
RESULTS = ("success", "failure", "denied")
audit = Blueprint("audit", __name__)


@dataclass(frozen=True)
class Asked:
    """The filters of the URL. ``object`` is a type (``alert``) or a type with an id (``alert:17``)."""

    actor: str
    action: str
    object: str
    result: str
    window: times.Window

    def where(self) -> dict[str, str]:
        """The same for :func:`operations.audit.service.listing`."""
        object_type, _colon, object_id = self.object.partition(":")
        return {
            "actor": self.actor,
            "action": self.action,
            "object_type": object_type,
            "object_id": object_id,
            "result": self.result,
            "start": self.window.start,
            "end": self.window.end,
        }

    def args(self) -> dict[str, str]:
        """URL parameters that ask for the same again."""
        texts = {"actor": self.actor, "action": self.action, "object": self.object, "result": self.result}
        chosen = {name: value for name, value in texts.items() if value}
        return chosen if self.window.last == times.EVERYTHING else chosen | self.window.args()


@dataclass(frozen=True)
class Chain:
    """What is known of the chain: the newest entry, and the last walk over it (None if nobody has walked it yet)."""

    newest: int
    last: AuditRecord | None

    @property
    def checked(self) -> int:
        """Up to which entry the last walk found everything in order."""
        return int(self.last.detail.get("checked", 0)) if self.last else 0

    @property
    def bad_id(self) -> int:
        """The first entry that did not fit, 0 if all did."""
        return int(self.last.detail.get("bad_id", 0)) if self.last else 0


@audit.get("/audit")
@access.needs("audit.read")
def page() -> str:
    """The trail, newest first, 50 rows a page."""
    asked, cursor = _asked(request.args), request.args.get("cursor", "")
    with services().database.read() as session:
        found = service.listing(session, limit=PAGE_ROWS, cursor=cursor, **asked.where())
        newest = service.listing(session, limit=1).entries
        last = service.listing(session, limit=1, action="audit.verify").entries
    return render_template(
        "admin/audit.html",
        asked=asked, page=found, chain=Chain(newest[0].id if newest else 0, last[0] if last else None),
        names=acts.names(), results=RESULTS, presets=times.PRESETS, pretty=pretty, compact=compact,
        reason=reason_text(str(last[0].detail.get("reason", ""))) if last else "",
    )  # fmt: skip


@audit.post("/audit/verify")
@access.needs("audit.verify")
def verify() -> BaseResponse:
    """Walks the whole chain; that it was done, and what came out, is an entry of its own."""
    with services().database.read() as session:
        found = service.verify(session)
    outcome = "success" if found.ok else "failure"
    detail = {name: value for name, value in msgspec.to_builtins(found).items() if value}
    with services().database.write() as session:
        service.append(session, access.me().actor, "audit.verify", "audit", result=outcome, detail=detail)
    return redirect(local_path(request.form.get("next", url_for("audit.page"))))


@audit.post("/audit/export")
@access.needs("audit.export")
def download() -> Response:
    """All rows that match, as JSON lines, newest first; who took them is written down before the first one is sent."""
    asked = _asked(request.form)
    with services().database.write() as session:
        number = service.append(session, access.me().actor, "audit.export", "audit", detail=asked.args())
    chunks = _lines(services().database, asked.where(), before=number)
    name = f"liandun-audit-{times.now():%Y%m%dT%H%M%SZ}.jsonl"
    return Response(
        stream_with_context(access.while_allowed(chunks)),
        content_type="application/x-ndjson",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def pretty(record: AuditRecord) -> str:
    """The detail of an entry as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(record.detail), indent=2).decode()


def compact(record: AuditRecord) -> str:
    """The detail of an entry in one line: ``name: value``."""
    return " · ".join(f"{name}: {_short(value)}" for name, value in record.detail.items() if value not in ("", None))


def reason_text(reason: str) -> str:
    """Why an entry does not fit, in the language of the page."""
    known = {
        "does not continue the row before it": _("It does not continue the entry before it."),
        "its content was changed": _("Its content was changed."),
        "the head of the chain is missing": _("The head of the chain is missing."),
    }
    if reason in known:
        return known[reason]
    if reason.endswith("is missing"):
        return _("It is missing.")
    return _("The end of the chain does not fit what was recorded of it: entries are missing.")


def _short(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _asked(args: MultiDict[str, str]) -> Asked:
    texts = {name: args.get(name, "").strip()[:MAX_TEXT] for name in ("actor", "action", "object", "result")}
    # A preset wins over bounds: the form carries those of the chosen range along while one picks another.
    when = MultiDict({"last": args["last"]}) if args.get("last") else args
    return Asked(**texts, window=times.window(when, default=times.EVERYTHING))


def _lines(database: Database, where: dict[str, str], *, before: int) -> Iterator[bytes]:
    cursor = str(before)
    while cursor:
        with database.read() as session:
            found = service.listing(session, limit=EXPORT_ROWS, cursor=cursor, **where)
        yield b"".join(msgspec.json.encode(entry) + b"\n" for entry in found.entries)
        cursor = found.cursor
