"""Issued reports: made from the data as they are, kept as they were issued, submitted to the authority.

A report holds content of all zones of its incident: who does not see all of them neither issues nor reads it.
"""

from __future__ import annotations

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from crypto.sm3 import sm3
from kernel.db import Database
from operations import clock
from operations.audit import service as audit
from operations.audit.schema import Actor
from operations.documents import docx, pdf
from operations.errors import Conflict, Invalid, NotFound
from operations.incidents import announce
from operations.incidents.affected import list_assets
from operations.incidents.indicators import list_indicators
from operations.incidents.linking import touch
from operations.incidents.models import REPORT_KINDS, IncidentReport
from operations.incidents.numbering import REPORT, next_number
from operations.incidents.parts import part
from operations.incidents.places import covers
from operations.incidents.reading import get_detail, get_incident, held
from operations.incidents.report_document import Material, document
from operations.incidents.review import get_review, list_actions
from operations.incidents.schema import IncidentRow, ReportRecord
from operations.incidents.tasks import list_tasks
from operations.incidents.texts import TITLE, line, moment
from operations.incidents.timeline import entries, tell
from operations.zones.models import ZoneRow

LANGUAGES: tuple[str, ...] = ("zh", "en")
FORMATS: tuple[str, ...] = ("docx", "pdf")
MAX_REPORTS = 100


def issue(database: Database, actor: Actor, incident_id: int, kind: str, language: str = "zh") -> ReportRecord:
    """Issue a report: number, DOCX, PDF. Raises NotFound, Invalid, Conflict, LayoutError.

    The files are made between two transactions, as that takes about a second, in which nobody else could write. A file that cannot
    be made costs a number.
    """
    if kind not in REPORT_KINDS:
        raise Invalid(f"there is no kind {kind[:16]!r}", f"one of {', '.join(REPORT_KINDS)}", field="kind")
    if language not in LANGUAGES:
        raise Invalid(f"there is no language {language[:8]!r}", "zh or en", field="language")
    with database.write() as session:
        material = _material(session, incident_id)
        number = next_number(session, REPORT)
    now = clock.now()
    made = document(material, kind, number, now, actor.name, language)
    files = {"docx": docx(made), "pdf": pdf(made)}
    with database.write() as session:
        incident = held(session, incident_id, open_=False)
        row = IncidentReport(
            incident_id=incident_id, number=number, kind=kind, language=language, issued_at=now, issued_by=actor.name[:160],
            zones=incident.zones, docx_sm3=sm3(files["docx"]).hex(), pdf_sm3=sm3(files["pdf"]).hex(), submitted_at="",
            submitted_to="", receipt="", version=1, **files,
        )  # fmt: skip
        session.add(row)
        session.flush()
        tell(session, actor, incident_id, "report_issued", {"number": number, "kind": kind})
        detail = {"number": number, "kind": kind, "docx_sm3": row.docx_sm3, "pdf_sm3": row.pdf_sm3}
        audit.append(session, actor, "incident.report", "incident", incident_id, detail=detail)
        announce.tell_targets(session, announce.REPORT, incident, report=number, kind=kind)
        return _record(row)


def list_reports(session: Session, incident_id: int) -> tuple[list[ReportRecord], int]:
    """Newest first, and how many tell of zones that this session may not see. Raises NotFound."""
    get_incident(session, incident_id)
    query = select(IncidentReport).where(IncidentReport.incident_id == incident_id).order_by(IncidentReport.id.desc())
    rows = list(session.execute(query).scalars())
    shown = [_record(row) for row in rows if covers(session, orjson.loads(row.zones))]
    return shown, len(rows) - len(shown)


def read_file(session: Session, actor: Actor, incident_id: int, report_id: int, format_: str) -> tuple[ReportRecord, bytes]:
    """The file as it was issued; reading it is audited. Raises NotFound, and Conflict where it is not what was issued."""
    row = _seen(session, incident_id, report_id, None)
    if format_ not in FORMATS:
        raise NotFound(f"a report has no form {format_[:8]!r}")
    octets: bytes = getattr(row, format_)
    if sm3(octets).hex() != getattr(row, f"{format_}_sm3"):
        raise Conflict(f"report {row.number} is not what was issued: its SM3 differs", "take it from a backup")
    detail = {"number": row.number, "format": format_}
    audit.append(session, actor, "incident.report_read", "incident", incident_id, detail=detail)
    return _record(row), octets


def submit(
    session: Session, actor: Actor, incident_id: int, report_id: int, to: str, *, receipt: str = "", at: str = "",
    expected_version: int | None = None,
) -> ReportRecord:  # fmt: skip
    """Write down that and how a report reached the authority; that stops its clock. Raises NotFound, Invalid, Conflict."""
    incident = held(session, incident_id, open_=False)
    row = _seen(session, incident_id, report_id, expected_version)
    if row.submitted_at:
        raise Conflict(f"report {row.number} was submitted already")
    when = moment(at, "at", past=True) or clock.now()
    row.submitted_to, row.receipt = line(to, "to", TITLE, needed=True), line(receipt, "receipt", TITLE)
    row.submitted_at, row.version = when, row.version + 1
    if row.kind == "initial" and (not incident.reported_at or when < incident.reported_at):
        incident.reported_at = when
    if row.kind == "closing" and (not incident.closing_reported_at or when < incident.closing_reported_at):
        incident.closing_reported_at = when
    touch(session, incident)
    tell(session, actor, incident_id, "report_submitted", {"number": row.number, "to": row.submitted_to})
    detail = {"number": row.number, "to": row.submitted_to, "receipt": row.receipt, "at": when}
    audit.append(session, actor, "incident.report_submit", "incident", incident_id, detail=detail)
    session.flush()
    return _record(row)


def _material(session: Session, incident_id: int) -> Material:
    held(session, incident_id, open_=False)
    detail = get_detail(session, incident_id)
    _whole(session, detail.incident)
    reports, _hidden = list_reports(session, incident_id)
    if len(reports) >= MAX_REPORTS:
        raise Conflict(f"an incident has at most {MAX_REPORTS} reports")
    names = {
        row.id: row.name for row in session.execute(select(ZoneRow.id, ZoneRow.name).where(ZoneRow.id.in_(detail.incident.zones)))
    }
    return Material(
        detail=detail,
        tasks=list_tasks(session, incident_id),
        entries=entries(session, incident_id),
        indicators=list_indicators(session, incident_id),
        assets=list_assets(session, incident_id)[0],
        review=get_review(session, incident_id),
        actions=list_actions(session, incident_id),
        zones=[(zone, names.get(zone, zone)) for zone in detail.incident.zones],
    )


def _whole(session: Session, incident: IncidentRow) -> None:
    if not covers(session, incident.zones):
        raise Conflict("the incident concerns zones that you may not see", "ask somebody without a scope")


def _seen(session: Session, incident_id: int, report_id: int, expected_version: int | None) -> IncidentReport:
    get_incident(session, incident_id)
    row = part(session, IncidentReport, "report", incident_id, report_id, expected_version)
    if not covers(session, orjson.loads(row.zones)):
        raise NotFound(f"incident {incident_id} has no report {report_id}")
    return row


def _record(row: IncidentReport) -> ReportRecord:
    return ReportRecord(*(getattr(row, name) for name in ReportRecord.__struct_fields__))
