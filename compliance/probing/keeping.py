"""Sealed evidence of runs: kept, opened, and forgotten when nothing refers to it any more."""

from __future__ import annotations

import re

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from compliance.assessment.models import VerdictRow, VerdictStep
from compliance.documents import sealing
from compliance.probes.result import Result
from compliance.probing import service
from compliance.probing.models import RunRow
from compliance.probing.schema import TargetRecord
from crypto.secret import MasterKey
from operations import clock
from operations.accounts.schema import Principal
from operations.audit import service as audit
from operations.audit.schema import Actor
from operations.errors import Invalid, NotFound

KEEP_DAYS = 30
"""Days that evidence is kept which no verdict and no line of the history cites."""
_CHUNK = 500
_CURSOR = re.compile(r"[0-9]{1,9}")


def keep(session: Session, master: MasterKey, actor: Actor, target: TargetRecord, content: bytes) -> str:
    """Seal what was read; returns its SM3. Needs a write transaction."""
    sealed = sealing.seal(session, master, actor, content, f"probe run: {target.shown}"[:400])
    row = RunRow(
        system_id=target.system_id, object_id=target.object_id, way=target.way, place=target.place or target.secret, at=clock.now(),
        sm3=sealed.sm3, size=sealed.size, head=sealed.head, package=sealed.package,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return sealed.sm3


def find(session: Session, sm3: str, system_id: int | None = None) -> RunRow:
    """The run whose evidence has this SM3, of one system or (None) of any. Raises NotFound."""
    query = select(RunRow).where(RunRow.sm3 == sm3.lower()[:64])
    if system_id is not None:
        query = query.where(RunRow.system_id == system_id)
    row = session.execute(query.order_by(RunRow.id).limit(1)).scalar_one_or_none()
    if row is None:
        raise NotFound(f"there is no sealed evidence {sm3[:64]!r}", "the SM3 as a verdict names it")
    return row


def unseal(session: Session, master: MasterKey, actor: Actor, sm3: str, system_id: int | None = None) -> bytes:
    """What was sealed, audited. Needs a write transaction. Raises NotFound; Conflict where the seal does not hold."""
    row = find(session, sm3, system_id)
    octets = sealing.unseal(session, master, row)
    audit.append(session, actor, "probe_evidence.open", "mlps_system", row.system_id, detail={"sm3": row.sm3, "at": row.at})
    return octets


def last_results(
    session: Session, master: MasterKey, who: Principal, number: int, *, limit: int, cursor: str = ""
) -> tuple[str, list[Result], str]:
    """When a target was read last, a page of what each probe said, and the cursor of the next one ("" at the end).

    Needs a write transaction. Raises NotFound, Invalid; Conflict where the seal does not hold.
    """
    target = service.get(session, number)
    if not target.evidence:
        raise NotFound(f"the target {number} was not read yet", target.error)
    if cursor and not _CURSOR.fullmatch(cursor):
        raise Invalid("this is no cursor of this list", "next_cursor of the page before", field="cursor")
    octets = unseal(session, master, who.actor, target.evidence, target.system_id)
    found, start = msgspec.json.decode(octets, type=list[Result]), int(cursor or 0)
    page = found[start : start + limit]
    return target.read_at, page, str(start + limit) if start + limit < len(found) else ""


def forget(session: Session) -> int:
    """Remove what is old and cited by nothing; returns how many."""
    old = select(RunRow.id, RunRow.system_id, RunRow.sm3).where(RunRow.at < clock.shift(clock.now(), -KEEP_DAYS * 86_400))
    candidates = session.execute(old).all()
    cited = {system: _cited(session, system) for system in {row.system_id for row in candidates}}
    going = [row.id for row in candidates if row.sm3 not in cited[row.system_id]]
    for start in range(0, len(going), _CHUNK):
        session.execute(delete(RunRow).where(RunRow.id.in_(going[start : start + _CHUNK])))
    return len(going)


def _cited(session: Session, system_id: int) -> set[str]:
    found = set[str]()
    for model in (VerdictRow, VerdictStep):
        query = select(model.evidence).where(model.system_id == system_id, model.source == "probe").distinct()
        found.update(session.execute(query).scalars())
    return found
