"""Findings follow the verdicts, the tickets and the clock. Done again and again by the scheduler; doing it twice changes nothing.

    verdict weak, no finding              → a finding, open (or assigned, where a ticket of a drift is about it already)
    verdict met or not applicable, or none counts any more  → closed
    its ticket is done                    → to be re-tested
    somebody says that it is mended       → to be re-tested, whether the ticket is done or not
    … and a later look says "weak" again  → the ticket goes back to who handled it; without it, open
    a waiver has come to its end          → expired; what it covered stands as it is

A look is later where the verdict that counts is both of a moment (``at``) after the one when the re-test was asked for, and was
recorded after it (``checked_at``): a moment is only what somebody says. Verdicts and scores are never touched here.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from compliance.assessment.drift import control
from compliance.assessment.models import VerdictRow
from compliance.assessment.places import MLPS
from compliance.assessment.schema import WEAK
from compliance.remediation.models import FindingRow, FindingStepRow, WaiverRow
from compliance.remediation.schema import Followed
from compliance.systems import rows
from compliance.systems.applicability import WHOLE, Scope, scope_of
from compliance.systems.models import ObjectRow, SystemRow
from kernel.db import Database
from kernel.db.among import among
from operations import clock
from operations.accounts.schema import Principal
from operations.audit import service as audit
from operations.audit.schema import SYSTEM
from operations.errors import Conflict, Denied, Invalid, NotFound
from operations.tickets import service as tickets
from operations.tickets.models import Ticket, TicketLink
from operations.tickets.schema import Act

_BY_ITSELF = Principal(0, SYSTEM.name, "", "")
_CHUNK = 500
_TOLD = 50
_Key = tuple[str, int]


def follow_all(database: Database) -> int:
    """Every system, each in a transaction of its own; returns how many changed. For the scheduler."""
    with database.read() as session:
        numbers = list(session.execute(select(SystemRow.id).order_by(SystemRow.id)).scalars())
    changed = 0
    for number in numbers:
        with database.read() as session:
            if not _to_do(session, number):
                continue
        with database.write() as session:
            changed += bool(follow(session, number))
    return changed


def follow(session: Session, system_id: int) -> Followed:
    """One system, in the caller's write transaction. Raises NotFound."""
    rows.find_system(session, system_id, for_update=True)
    return _Following(session, system_id).done(save=True)


def _to_do(session: Session, system_id: int) -> bool:
    return bool(_Following(session, system_id).done(save=False))


class _Following:
    """One look at a system."""

    def __init__(self, session: Session, system_id: int) -> None:
        self.session, self.system_id, self.now = session, system_id, clock.now()
        mine = select(FindingRow).where(FindingRow.system_id == system_id, FindingRow.closed_at == "")
        self.open: dict[_Key, FindingRow] = {(row.item, row.object_id): row for row in session.execute(mine).scalars()}
        self.weak = self._weak()
        self.tickets = self._tickets({row.ticket_id for row in self.open.values() if row.ticket_id})

    def done(self, *, save: bool) -> Followed:
        """What there is to do; with ``save`` it is done and audited."""
        if self.weak is None:  # what holds for a system of this level is not known: nothing is said about it
            return Followed()
        new = sorted(set(self.weak) - set(self.open))
        gone = [row for key, row in sorted(self.open.items()) if key not in self.weak]
        retest, failed = [], []
        for key, row in sorted(self.open.items()):
            if key in self.weak and (since := self._asked_since(row)):
                if self.weak[key][1] > since:
                    failed.append(row)
                elif row.state != "to_retest":
                    retest.append(row)
        late = select(WaiverRow).where(
            WaiverRow.system_id == self.system_id, WaiverRow.state == "in_force", WaiverRow.expires_at <= self.now
        )
        waivers = list(self.session.execute(late).scalars())
        if not save:
            stale = [row for key, row in self.open.items() if key in self.weak and self._differs(row, key)]
            ids = tuple(row.id for row in (*gone, *retest, *failed, *stale))
            return Followed((0,) * len(new), ids, expired=tuple(one.finding_id for one in waivers))
        live = self._live_waivers() if gone else {}
        for row in gone:
            self._close(row, live.get(row.id, []))
        for row in failed:
            self._failed(row)
        done = {row.id for row in failed}
        for key, row in self.open.items():
            if key in self.weak and row.id not in done:
                self._settle(row, key)
        opened = self._open(new)
        expired = [waiver for waiver in waivers if waiver.state == "in_force"]  # the others ended with their finding
        for waiver in expired:
            self._expire(waiver)
        self.session.flush()
        found = Followed(
            tuple(row.id for row in opened), tuple(row.id for row in gone), tuple(row.id for row in retest),
            tuple(row.id for row in failed), tuple(one.finding_id for one in expired),
        )  # fmt: skip
        if found:
            told = {name: getattr(found, name) for name in Followed.__struct_fields__ if getattr(found, name)}
            detail = {name: {"findings": len(ids), "first": list(ids[:_TOLD])} for name, ids in told.items()}
            audit.append(self.session, SYSTEM, "finding.follow", "mlps_system", self.system_id, detail=detail)
        return found

    def _asked_since(self, row: FindingRow) -> str:
        """The moment after which a look is a re-test, "" = none is asked for."""
        if row.retest_by:
            return row.retest_at
        ticket = self.tickets.get(row.ticket_id or 0)
        return (ticket.done_at or "") if ticket is not None else ""

    def _weak(self) -> Mapping[_Key, tuple[str, str]] | None:
        """Item and object → verdict and when somebody looked, of those that count; None where the requirements are not known."""
        system = rows.system_record(rows.find_system(self.session, self.system_id))
        try:
            scope: Scope = scope_of(self.session, system)
        except Invalid:
            return None
        columns = select(
            VerdictRow.item, VerdictRow.object_id, VerdictRow.verdict, VerdictRow.at, VerdictRow.checked_at, VerdictRow.standard
        )
        mine = VerdictRow.system_id == self.system_id
        removed = set(
            self.session.execute(
                select(ObjectRow.id).where(ObjectRow.system_id == self.system_id, ObjectRow.removed_at.is_not(None))
            ).scalars()
        )
        found: dict[_Key, tuple[str, str]] = {}
        weak = columns.where(mine, VerdictRow.verdict.in_([one.value for one in sorted(WEAK)]))
        for item, object_id, verdict, at, checked_at, standard in self.session.execute(weak):
            if object_id in removed:
                continue
            if standard == MLPS:
                decision = scope.decisions.get((item, object_id))
                if item not in scope.items or scope.taken_away(item) is not None:
                    continue
                if object_id != WHOLE and decision is not None and not decision.applies:
                    continue
            found[item, object_id] = verdict, min(at, checked_at)
        return found

    def _live_waivers(self) -> dict[int, list[WaiverRow]]:
        query = select(WaiverRow).where(WaiverRow.system_id == self.system_id, WaiverRow.state.in_(("asked", "in_force")))
        found: dict[int, list[WaiverRow]] = {}
        for one in self.session.execute(query).scalars():
            found.setdefault(one.finding_id, []).append(one)
        return found

    def _tickets(self, ids: set[int]) -> dict[int, Ticket]:
        wanted = sorted(ids)
        found: dict[int, Ticket] = {}
        for start in range(0, len(wanted), _CHUNK):
            query = select(Ticket).where(among(self.session, Ticket.id, wanted[start : start + _CHUNK]))
            found |= {one.id: one for one in self.session.execute(query).scalars()}
        return found

    def _open(self, keys: list[_Key]) -> list[FindingRow]:
        assert self.weak is not None
        made = []
        about = self._tickets_about() if keys else {}
        for item, object_id in keys:
            ticket = about.get(subject(self.system_id, item, object_id)) or about.get(control(self.system_id, item))
            row = FindingRow(
                system_id=self.system_id, item=item, object_id=object_id, state="assigned" if ticket else "open",
                verdict=self.weak[item, object_id][0], ticket_id=ticket.id if ticket else None,
                due_at=(ticket.due_at or "") if ticket else "", waived_until="", reopened=0, opened_at=self.now, retest_at="",
                retest_by="",
                closed_at="", outcome="", updated_at=self.now, version=1,
            )  # fmt: skip
            self.session.add(row)
            made.append(row)
        self.session.flush()
        return made

    def _tickets_about(self) -> dict[str, Ticket]:
        """What is named → the ticket that is not done and names it: of earlier findings, or of a drift of a control."""
        query = (
            select(TicketLink.value, Ticket)
            .join(Ticket, Ticket.id == TicketLink.ticket_id)
            .where(TicketLink.kind == "control", TicketLink.value.startswith(f"{self.system_id}:"), Ticket.state != "done")
            .order_by(Ticket.id.desc())
        )
        return {row[0]: row[1] for row in self.session.execute(query)}

    def _close(self, row: FindingRow, live: list[WaiverRow]) -> None:
        verdict = self.session.get(VerdictRow, (row.system_id, row.item, row.object_id))
        outcome = verdict.verdict if verdict is not None and verdict.verdict not in WEAK else "withdrawn"
        row.state, row.closed_at, row.outcome, row.waived_until = "closed", self.now, outcome, ""
        self._changed(row)
        for waiver in live:
            waiver.state, waiver.version = "ended", waiver.version + 1
        ticket = self.tickets.get(row.ticket_id or 0)
        if ticket is not None and not ticket.done_at:
            with contextlib.suppress(NotFound):  # a ticket of people whom this session does not see
                tickets.add_comment(self.session, _BY_ITSELF, ticket.id, f"{row.item}: {outcome}")

    def _failed(self, row: FindingRow) -> None:
        """The re-test says that it is still not met: back to who handled it, where the ticket can go back."""
        assert self.weak is not None
        ticket = self.tickets.get(row.ticket_id or 0)
        verdict = self.weak[row.item, row.object_id][0]
        row.reopened, row.retest_at, row.retest_by = row.reopened + 1, "", ""
        row.verdict, row.state = verdict, "assigned" if ticket is not None else "open"
        step = FindingStepRow(finding_id=row.id, act="failed", value=verdict, note="", by=SYSTEM.name, at=self.now)
        self.session.add(step)
        if ticket is not None and ticket.state == "done":
            try:
                tickets.act(
                    self.session, _BY_ITSELF, ticket.id, Act("send_back", f"复测仍未通过 re-test failed: {row.item} {verdict}")
                )
            except (NotFound, Denied, Conflict):
                row.ticket_id, row.due_at, row.state = None, "", "open"
        self._changed(row)

    def _settle(self, row: FindingRow, key: _Key) -> None:
        """State, verdict and due date as they are now."""
        if not self._differs(row, key):
            return
        state, verdict, due = self._as_it_is(row, key)
        if state == "to_retest" and row.state != state:
            row.retest_at = self.now
        elif state != "to_retest":
            row.retest_at = row.retest_by = ""
        row.state, row.verdict, row.due_at = state, verdict, due
        self._changed(row)

    def _differs(self, row: FindingRow, key: _Key) -> bool:
        return self._as_it_is(row, key) != (row.state, row.verdict, row.due_at)

    def _as_it_is(self, row: FindingRow, key: _Key) -> tuple[str, str, str]:
        assert self.weak is not None
        verdict, ticket = self.weak[key][0], self.tickets.get(row.ticket_id or 0)
        if ticket is None:
            return ("to_retest" if row.retest_by else "open"), verdict, ""
        return ("to_retest" if ticket.done_at or row.retest_by else "assigned"), verdict, ticket.due_at or ""

    def _expire(self, waiver: WaiverRow) -> None:
        waiver.state, waiver.version = "expired", waiver.version + 1
        row = self.session.get(FindingRow, waiver.finding_id)
        if row is not None and row.waived_until == waiver.expires_at:
            row.waived_until = ""
            self._changed(row)

    def _changed(self, row: FindingRow) -> None:
        row.updated_at, row.version = self.now, row.version + 1


def subject(system_id: int, item: str, object_id: int) -> str:
    """How a ticket names what it is about: a control of a system, on an object."""
    return f"{control(system_id, item)}:{object_id}"
