"""A certificate for the key of a certification request (operations.certificates)."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from crypto.certificates import CertificateError, Request
from crypto.errors import EncodingError
from operations.accounts.schema import Principal
from operations.certificates import service as certificates
from operations.certificates.models import AuthorityRow
from operations.errors import Conflict, Invalid
from operations.services.issue.means import Means
from operations.services.models import Application
from operations.services.schema import Grant


def subject(form: dict[str, Any]) -> str:
    """The name that is asked for; the request is checked to be readable, and signed by its own key."""
    request = _read(form["request"])
    return f"{form['profile']}: {request.subject}"[:200]


def details(form: dict[str, Any]) -> dict[str, Any]:
    """What the request asks for: who issues it has to look at the names."""
    request = _read(form["request"])
    return {"subject": request.subject, "names": list(request.alternatives)}


def issue(session: Session, who: Principal, _application: Application, form: dict[str, Any], means: Means) -> Grant:
    """Raises Conflict where no authority of ours can issue."""
    if means.master_key is None:
        raise Conflict("this console has no master key, so it issues no certificates", "see docs/certificates.md")
    label = means.authority or _only_authority(session)
    made = certificates.issue_requested(
        session, who.actor, means.master_key, label, _read(form["request"]), form["profile"], form["days"]
    )
    serial = f"{made.serial:x}"
    row = certificates.get_certificate(session, serial)
    return Grant("certificate", serial, {"serial": serial, "authority": label, "certificate": row.pem}, row.not_after)


def revoke(session: Session, who: Principal, application: Application) -> None:
    """From the next revocation list on."""
    with suppress(Conflict):  # it was revoked already
        certificates.revoke(session, who.actor, application.grant_id, "cessation_of_operation")


def _only_authority(session: Session) -> str:
    """The issuing authority of ours, one below a root first. Raises Conflict where there is none, or more than one."""
    rows = list(session.scalars(select(AuthorityRow).where(AuthorityRow.sealed_key != "").order_by(AuthorityRow.name)))
    below = [row for row in rows if row.parent] or rows
    if len(below) != 1:
        raise Conflict(
            f"{len(below)} authorities could issue it" if below else "there is no authority yet",
            "./liandun certificate makes one; docs/certificates.md",
        )
    return below[0].name


def _read(pem: str) -> Request:
    try:
        request = Request(pem.encode())
        request.check()
    except (EncodingError, CertificateError, ValueError) as error:
        raise Invalid(f"the certificate request cannot be used: {error}"[:300], field="request") from error
    return request
