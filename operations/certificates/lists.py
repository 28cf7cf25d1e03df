"""Revocation lists of the city's authorities: taken in once they are checked, in force for links at once.

A list that is out of date stays in force for what it revokes (nothing revoked comes back by waiting), and its end is warned of.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from crypto.certificates import Certificate, RevocationList, check_chain, read_certificates
from crypto.certificates.foreign import check_foreign_list
from crypto.channel.identity import issuer_id
from crypto.errors import CryptoError
from kernel.event import timestamp
from operations import clock
from operations.audit import service as audit
from operations.audit.schema import Actor
from operations.certificates.models import AuthorityRow, RevocationListRow
from operations.errors import Conflict, Invalid, NotFound


def take_list(session: Session, actor: Actor, label: str, octets: bytes, between: Sequence[Certificate] = ()) -> RevocationListRow:
    """Take in a list (PEM or DER) of the trusted authority ``label``, or of one below it whose certificate is in ``between``.

    Raises NotFound, Invalid (not its list, bad signature, out of date), Conflict (a newer one is in force, or one of an authority
    of the same name below another root, whose revocations no third party may take back by a name).
    """
    authority = session.get(AuthorityRow, label)
    if authority is None:
        raise NotFound(f"there is no authority {label}")
    if authority.sealed_key:
        raise Invalid(f"{label} is our own authority: what it revokes is in force at once")
    root = read_certificates(authority.pem.encode())[0]
    try:
        taken = RevocationList(octets)
        _check(taken, root, between)
    except CryptoError as error:
        raise Invalid(f"the revocation list is not taken: {error}", field="list") from error
    key = issuer_id(taken.issuer_der)
    row = session.get(RevocationListRow, key)
    if row is not None and row.authority != label and taken.issuer_der != root.subject_der:
        raise Conflict(f"the list of an authority of that name below {row.authority} is in force: it is not {label}'s to replace")
    if row is not None and _order(taken) < (int(row.number or 0), row.this_update):
        raise Conflict(f"a newer list (number {row.number or 'unknown'} of {row.this_update[:10]}) is in force")
    if row is None:
        row = RevocationListRow(issuer=key)
        session.add(row)
    row.authority, row.subject, row.pem = label, taken.issuer[:512], taken.to_pem()
    row.number = "" if taken.number is None else str(taken.number)[:48]
    row.this_update = timestamp(taken.this_update)
    row.next_update = timestamp(taken.next_update) if taken.next_update else ""
    row.taken_at, row.taken_by = clock.now(), actor.name[:160]
    detail = {"issuer": row.subject, "number": row.number, "next_update": row.next_update, "entries": len(taken.entries)}
    audit.append(session, actor, "certificate.take_list", "authority", label, detail=detail)
    session.flush()
    return row


def lists_in_force(session: Session) -> Sequence[RevocationListRow]:
    return session.scalars(select(RevocationListRow).order_by(RevocationListRow.next_update)).all()


def _order(taken: RevocationList) -> tuple[int, str]:
    return taken.number or 0, timestamp(taken.this_update)


def _check(taken: RevocationList, root: Certificate, between: Sequence[Certificate]) -> None:
    now = datetime.now(UTC)
    issuer = next((one for one in (root, *between) if one.subject_der == taken.issuer_der), None)
    if issuer is None:
        raise Invalid(f"the list is of {taken.issuer}: give the certificate of that authority, too", field="list")
    if not root.is_sm2:
        check_foreign_list(taken, issuer, root, now)
        return
    if issuer != root:
        check_chain(issuer, between, [root], now, usage="crl_sign")
    taken.check(issuer, now)
