"""The periods of each service: the catalogue's proposal, or what somebody set (with its source)."""

from __future__ import annotations

from sqlalchemy.orm import Session

from operations import clock
from operations.audit import service as audit
from operations.audit.schema import Actor
from operations.errors import Conflict, Invalid, NotFound
from operations.services.catalogue import BY_ID, CATALOGUE
from operations.services.models import Terms
from operations.services.schema import TermsRecord
from operations.written import text

MAX_HOURS = 24 * 90
PROPOSED = "proposal of the platform"


def terms_of(session: Session, service: str) -> TermsRecord:
    """The terms in force. Raises NotFound."""
    known = BY_ID.get(service)
    if known is None:
        raise NotFound(f"there is no service {service[:40]}")
    row = session.get(Terms, service)
    if row is None:
        return TermsRecord(service, known.accept_hours, known.issue_hours, True, PROPOSED, True, 0)
    return TermsRecord(service, row.accept_hours, row.issue_hours, row.open, row.source, row.to_be_confirmed, row.version)


def list_terms(session: Session) -> list[TermsRecord]:
    """Of every service."""
    return [terms_of(session, service.id) for service in CATALOGUE]


def set_terms(session: Session, actor: Actor, wanted: TermsRecord) -> TermsRecord:
    """Change them; ``version`` is the one decided on. Raises Invalid, Conflict, NotFound.

    Steps that have begun keep their deadlines.
    """
    before = terms_of(session, wanted.service)
    if before.version != wanted.version:
        raise Conflict("these terms were changed by somebody else", "reload and decide again")
    for field, value in (("accept_hours", wanted.accept_hours), ("issue_hours", wanted.issue_hours)):
        if not 1 <= value <= MAX_HOURS:
            raise Invalid(f"{field}: 1 to {MAX_HOURS} hours", field=field)
    source = text(wanted.source, "source", 200, needed=True)
    row = session.get(Terms, wanted.service)
    if row is None:
        row = Terms(service=wanted.service, version=0)
        session.add(row)
    row.accept_hours, row.issue_hours, row.open = wanted.accept_hours, wanted.issue_hours, wanted.open
    row.source, row.to_be_confirmed = source, wanted.to_be_confirmed
    row.changed_by, row.changed_at, row.version = actor.name[:160], clock.now(), before.version + 1
    session.flush()
    after = terms_of(session, wanted.service)
    changed = {name: [getattr(before, name), getattr(after, name)] for name in TermsRecord.__struct_fields__}
    detail = {name: pair for name, pair in changed.items() if pair[0] != pair[1]}
    audit.append(session, actor, "service.terms", "service", wanted.service, detail=detail)
    return after
