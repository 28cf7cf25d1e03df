"""Making a report: figures, files, signature, row. The files are made between two transactions, as that takes about a second."""

from __future__ import annotations

from datetime import date

import msgspec
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from crypto.secret import MasterKey
from kernel.db import Database
from kernel.event import SHANGHAI
from kernel.store.contract import EventStore
from operations import clock
from operations.audit import service as audit
from operations.audit.schema import Actor
from operations.documents import docx, pdf
from operations.errors import Conflict, Invalid
from operations.incidents.evidence_key import keys
from operations.organisations import organisations_seen, owners
from operations.reach import ORGANISATIONS_KEY, SESSION_KEY
from operations.reports.document import document
from operations.reports.figures import Figures, collect
from operations.reports.listing import record_of
from operations.reports.models import OperationsReport, ReportRun
from operations.reports.periods import Period, holding, today
from operations.reports.schema import ReportRecord
from operations.reports.sheet import xlsx
from operations.reports.signing import manifest
from operations.reports.words import Words
from operations.webhooks.outbox import announce

ISSUED = "report.issued"
LANGUAGES: tuple[str, ...] = ("zh", "en")


class Means(msgspec.Struct, frozen=True):
    """What making needs from outside: the store for the volume of events (None = left out), the key that seals the signing key."""

    store: EventStore | None
    master: MasterKey | None
    issuer: str = "Liandun"


def make(
    database: Database, means: Means, actor: Actor, kind: str, day: date, *, organisation: str = "", language: str = "zh",
    scheduled: bool = False,
) -> ReportRecord:  # fmt: skip
    """Make the report of the period that ``day`` lies in. A period that runs is told up to now.

    scheduled  it is the scheduler's: made at most once for a period and organisation, whoever tries (Conflict)

    Raises Invalid (kind, day, language, an organisation that the session does not stand for), Conflict, LayoutError.
    """
    period = holding(kind, day)
    if language not in LANGUAGES:
        raise Invalid(f"there is no language {language[:8]!r}", "zh or en", field="language")
    if period.first > today(clock.now()):
        raise Invalid("this period has not begun", field="day")
    if means.master is None:
        raise Conflict("there is no master key, so the platform cannot sign", "see docs/secrets.md")
    with _limited(database, organisation).read() as session:
        figures = collect(session, means.store, period.bounds, period.before.bounds)
    say = Words(language)
    title, subtitle = say(kind), f"{period.label} · {organisation or say('city')}"
    with database.write() as session:
        pair = keys(session, means.master)  # first, so that a new certificate is older than the report
    now = clock.now()
    told = f"{clock.moment(now).astimezone(SHANGHAI):%Y-%m-%d %H:%M} (UTC+8)"
    made = document(figures, title, subtitle, means.issuer, told, language)
    files = {
        "data": msgspec.json.encode(figures),
        "pdf": pdf(made),
        "docx": docx(made),
        "xlsx": xlsx(figures, title, subtitle, language),
    }
    text = manifest(kind, period.first.isoformat(), organisation, now, files)
    row = OperationsReport(
        kind=kind, first_day=period.first.isoformat(), organisation=organisation, language=language,
        origin="schedule" if scheduled else "demand", issued_at=now, issued_by=actor.name[:160], manifest=text,
        signature=pair.signer.key.sign(text.encode()).hex(), certificate=pair.signer.certificate.to_pem(),
        data=files["data"].decode(), pdf=files["pdf"], docx=files["docx"], xlsx=files["xlsx"],
    )  # fmt: skip
    try:
        with database.write() as session:
            return _keep(session, actor, row, period, scheduled=scheduled)
    except IntegrityError as error:
        raise Conflict("the report of this period was made already") from error


def made_already(session: Session, period: Period, organisation: str) -> bool:
    """Did the scheduler make this one?"""
    return session.get(ReportRun, (period.kind, period.first.isoformat(), organisation)) is not None


def figures_of(row: OperationsReport) -> Figures:
    """The numbers as they were when it was issued."""
    return msgspec.json.decode(row.data, type=Figures)


def _keep(session: Session, actor: Actor, row: OperationsReport, period: Period, *, scheduled: bool) -> ReportRecord:
    session.add(row)
    session.flush()
    if scheduled:
        session.add(ReportRun(kind=row.kind, first_day=row.first_day, organisation=row.organisation, report_id=row.id))
        session.flush()
    record = record_of(row)
    detail = {"kind": row.kind, "first_day": row.first_day, "organisation": row.organisation, "sm3": record.sm3}
    audit.append(session, actor, "report.make", "report", row.id, detail=detail)
    told = ("id", "name", "kind", "first_day", "period", "organisation", "language", "origin", "issued_at", "issued_by", "sm3")
    announce(session, ISSUED, {name: getattr(record, name) for name in told})
    return record


def _limited(database: Database, organisation: str) -> Database:
    """The database as the organisation sees it. Raises Invalid for one that the session does not stand for."""
    with database.read() as session:
        ours, owned = organisations_seen(session), owners(session)
    if not organisation:
        if ours is not None:
            raise Invalid("name an organisation of yours; the city's report is for those who see all of it", field="organisation")
        return database
    if organisation not in owned or (ours is not None and organisation not in ours):
        raise Invalid(f"{organisation[:64]!r} is no organisation of yours", field="organisation")
    return database.carrying({SESSION_KEY: owned[organisation], ORGANISATIONS_KEY: frozenset({organisation})})
