"""``/compliance/<n>/controls/<item>/evidence/<object>``: evidence of a verdict, its seal, the raw text; files that people bring."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from compliance.assessment import reading
from compliance.assessment.places import places
from compliance.evidence import keeping, viewing
from compliance.systems import service as systems
from kernel.errors import LiandunError
from operations.errors import Conflict, Denied, Invalid, NotFound
from soc_ui import access, refusals
from soc_ui.compliance.editions import master_key
from soc_ui.download import as_attachment
from soc_ui.services import services

MOST_SHOWN = 256 * 1024
"""Octets of raw evidence that a page shows; the file has all of it."""
compliance_evidence = Blueprint(
    "compliance_evidence", __name__, url_prefix="/compliance/<int:system_id>/controls/<item>/evidence/<int:object_id>"
)
Answer = Response | tuple[str, int] | str


@compliance_evidence.get("")
@access.needs("compliance.read")
def page(system_id: int, item: str, object_id: int) -> str:
    """The verdict, what it names, whether the seal holds, how to see the same again."""
    return _page(system_id, item, object_id)


@compliance_evidence.post("/raw")
@access.needs("compliance.read")
def raw(system_id: int, item: str, object_id: int) -> Answer:
    """The raw evidence in the page, or with ``download`` as a file. That it was opened is written down."""
    key = master_key()
    try:
        with services().database.write() as session:
            found, content = viewing.open_raw(session, key, access.me(), system_id, item, object_id)
    except (Invalid, Denied, Conflict) as error:
        return _page(system_id, item, object_id, error), refusals.status(error)
    text = shown(content)
    if request.form.get("download") or text is None:
        return as_attachment(content, found.name, "application/octet-stream")
    return _page(system_id, item, object_id, raw=text, cut=len(content) > MOST_SHOWN)


@compliance_evidence.post("")
@access.needs("compliance.write", "compliance.answer")
def keep(system_id: int, item: str, object_id: int) -> Answer:
    """Seal a ``file`` for the system; a verdict names it by its SM3."""
    form, sent, key = request.form, request.files.get("file"), master_key()
    content = sent.stream.read(keeping.MOST_BYTES + 1) if sent else b""
    name = (sent.filename or "") if sent else ""
    try:
        with services().database.write() as session:
            made = keeping.keep(session, key, access.me(), system_id, name, content, form.get("note", ""))
    except (Invalid, Denied, Conflict) as error:
        return _page(system_id, item, object_id, error), refusals.status(error)
    here = {"system_id": system_id, "item": item, "object_id": object_id}
    return redirect(url_for("compliance_evidence.page", **here, kept=made.sm3, done="mlps_evidence"))


def shown(content: bytes) -> str | None:
    """Text that a page can show, its beginning where it is long; None for what is none."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if any(ord(sign) < 32 and sign not in "\t\n\r\f" for sign in text):
        return None
    return text.encode()[:MOST_SHOWN].decode("utf-8", "ignore")


def _page(
    system_id: int, item: str, object_id: int, error: LiandunError | None = None, raw: str | None = None, cut: bool = False
) -> str:
    place = places().get(item)
    if place is None:
        raise NotFound(f"there is no item {item[:24]!r}")
    if place.placed is None:
        abort(404)
    with services().database.read() as session:
        system = systems.get_system(session, system_id)
        verdict = reading.verdict_of(session, system_id, item, object_id)
        found = viewing.of_verdict(session, access.me(), system_id, item, object_id)
        files, _cursor = keeping.list_evidence(session, system_id, limit=20)
        steps = [one for one in reading.history(session, system_id, item, object_id, limit=50) if one.evidence]
    return render_template(
        "compliance/evidence.html", system=system, item=place.placed.item, placed=place.placed, verdict=verdict, found=found,
        files=files, steps=steps, raw=raw, cut=cut, most=keeping.MOST_BYTES >> 20, kept=request.args.get("kept", "")[:64],
        wrong=refusals.explain(error) if error else [],
    )  # fmt: skip
