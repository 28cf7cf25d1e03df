"""``/sources``: every source with its counters; ``/sources/quarantine``: records that no parser understood, with the reason."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from soc_ui import access
from soc_ui.services import SourceHealth, services, source_health

PAGE_ROWS = 50
SORTS = ("id", "kind", "eps", "received", "quarantined", "dropped", "lag_seconds", "last_received")
sources = Blueprint("sources", __name__)


@sources.get("/sources")
@access.needs("sources.read")
def page() -> str:
    """The table; ``sort=`` one of SORTS, ``down=1`` largest first."""
    found = list(source_health())
    sort = request.args.get("sort", "id")
    if sort in SORTS:
        found.sort(key=(lambda source: eps_now(source)) if sort == "eps" else (lambda source: getattr(source, sort)))
    if request.args.get("down"):
        found.reverse()
    kinds = sorted({source.kind for source in found})
    kind, text = request.args.get("kind", ""), request.args.get("q", "").lower()
    shown = [source for source in found if kind in ("", source.kind) and text in source.id.lower()]
    template = "sources/table.html" if request.headers.get("HX-Request") else "sources/page.html"
    trust = services().trust()
    return render_template(
        template,
        health=shown,
        kinds=kinds,
        everything=len(found),
        eps_now=eps_now,
        statistics=services().store.statistics(),
        trust=trust,
        suites={link.id: link.suite for link in trust.links},
    )


@sources.get("/sources/quarantine")
@access.needs("quarantine.read")
def quarantine() -> str:
    """Newest first."""
    rows = services().store.quarantine(limit=PAGE_ROWS + 1, before=request.args.get("before", ""))
    more = len(rows) > PAGE_ROWS
    return render_template("sources/quarantine.html", rows=rows[:PAGE_ROWS], more=more, shown=shown_bytes)


def eps_now(source: SourceHealth) -> float:
    """Records per second of the last step."""
    return source.eps_history[-1] if source.eps_history else 0.0


def shown_bytes(raw: bytes, limit: int = 4000) -> str:
    """Bytes of a broken record, readable: what is no UTF-8 or no printable sign stands as ``\\xNN``."""
    text = raw[:limit].decode("utf-8", "backslashreplace")
    text = "".join(sign if sign.isprintable() or sign == "\n" else f"\\x{ord(sign):02x}" for sign in text)
    return text + (f"… ({len(raw):,} bytes)" if len(raw) > limit else "")
