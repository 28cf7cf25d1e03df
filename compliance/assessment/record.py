"""Verdicts are recorded here, by probes and by people.

    record(session, actor, system_id, "8.1.4.1.a", object_id, "met", source="probe", reason="…", evidence=digest)

A person's word stands until the person takes it back: a probe that says otherwise is kept beside it and shown as a contradiction.
A probe's word is replaced by the next one; one of an older moment is a line of the history only. Every change is a line of the
history; a probe that says the same again moves ``checked_at`` and the evidence alone and makes no new version. A control that
counted as met and does not any more is a drift, handed to ``on_drift`` in the same transaction (drift.report makes an alert and a
ticket of it); what a probe says while a person's word stands is none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from compliance.assessment import drift
from compliance.assessment.models import SOURCES, VerdictRow, VerdictStep
from compliance.assessment.places import CRYPTO, Place, places
from compliance.assessment.schema import WEAK, Batch, CryptoDetail, Drift, Finding, Recorded, Source
from compliance.assessment.writing import Standing, last_line, standings, unwritten, write
from compliance.scoring.crypto import CryptoObject, object_score, verdict_of
from compliance.systems import rows
from compliance.systems.applicability import WHOLE, Scope, scope_of
from compliance.systems.models import ObjectRow
from compliance.systems.schema import SystemRecord
from compliance.verdicts import Verdict, read_verdict
from kernel.db.among import among
from operations import clock
from operations.audit import service as audit
from operations.audit.schema import Actor
from operations.errors import Invalid, NotFound
from operations.written import choice, moment, text

MAX_REASON, MAX_REPRODUCE, MAX_EVIDENCE = 4_000, 4_000, 128
MOST_AT_ONCE = 20_000
AHEAD = 300
"""Seconds that another clock may be ahead; what it says then counts as of now."""
_CHUNK = 500
OnDrift = Callable[[Session, Sequence[Drift]], object]
_Key = tuple[str, int]


def record(
    session: Session, actor: Actor, system_id: int, item_id: str, object_id: int | None, verdict: Verdict | str, *,
    source: Source, reason: str, evidence: str | None = None, reproduce: str | None = None, at: str = "",
    crypto: CryptoDetail | None = None, expected_version: int | None = None, on_drift: OnDrift = drift.report,
) -> Recorded:  # fmt: skip
    """One verdict. Raises NotFound, Invalid, Stale."""
    finding = Finding(item_id, object_id, str(verdict), reason, evidence, reproduce, at, crypto)
    recording = _Recording(session, actor, system_id, source, [finding])
    done = recording.take(finding, expected_version)
    recording.finish(on_drift)
    return done


def record_many(
    session: Session, actor: Actor, system_id: int, findings: Sequence[Finding], *, source: Source, on_drift: OnDrift = drift.report
) -> Batch:
    """Many at once, as a probe run has them; those that cannot be are told, the others recorded. Raises NotFound, Invalid."""
    if len(findings) > MOST_AT_ONCE:
        raise Invalid(f"{len(findings):,} findings", f"at most {MOST_AT_ONCE:,} at once")
    recording, refused = _Recording(session, actor, system_id, source, findings), dict[int, str]()
    for number, finding in enumerate(findings):
        try:
            recording.take(finding, None)
        except (Invalid, NotFound) as error:
            refused[number] = error.message
    recording.finish(on_drift)
    return Batch(len(findings) - len(refused), recording.changed, refused, recording.drifts)


def lock(session: Session, system_id: int) -> None:
    """Until the end of the transaction nobody else records about the system. Raises NotFound."""
    rows.find_system(session, system_id, for_update=True)


def withdraw(
    session: Session,
    actor: Actor,
    system_id: int,
    item_id: str,
    object_id: int,
    reason: str,
    *,
    expected_version: int | None = None,
    on_drift: OnDrift = drift.report,
) -> None:
    """A person's word is taken back: what the probe said last counts again, with its reasons, or nothing.

    D, A and K of a probe are not in the history: they follow the verdict then. Raises NotFound, Invalid, Stale.
    """
    rows.find_system(session, system_id, for_update=True)
    row = session.get(VerdictRow, (system_id, item_id[:24], object_id))
    if row is None or row.source != "person":
        raise NotFound("there is no verdict of a person")
    rows.check_version(row.version, expected_version)
    words = text(reason, "reason", MAX_REASON, needed=True)
    now, previous = clock.now(), row.verdict
    session.add(
        VerdictStep(
            system_id=system_id, item=row.item, object_id=object_id, verdict=row.probed, previous=row.verdict, source="person",
            judged_by=actor.name[:160], reason=words, evidence="", reproduce="", at=now, counted=True,
        )
    )  # fmt: skip
    if row.probed:
        said = last_line(session, row)
        row.verdict, row.source, row.at, row.detail = row.probed, "probe", row.probed_at, ""
        row.judged_by, row.reason, row.evidence, row.reproduce = (
            (said.judged_by, said.reason, said.evidence, said.reproduce) if said else ("", "", "", "")
        )
        row.checked_at, row.version = now, row.version + 1
        session.flush()
        if found := _fallen(session, actor, row, previous):
            on_drift(session, found)
    else:
        session.delete(row)
    detail = {"item": row.item, "object": object_id, "reason": words}
    audit.append(session, actor, "verdict.withdraw", "mlps_system", system_id, detail=detail)


def _fallen(session: Session, actor: Actor, row: VerdictRow, previous: str) -> list[Drift]:
    """The drift of a verdict that was met while a person's word stood; none where the item does not apply any more."""
    if previous != Verdict.MET or row.verdict not in WEAK:
        return []
    finding = Finding(row.item, row.object_id, row.verdict, row.reason, row.evidence)
    said = {"verdict": row.verdict, "reason": row.reason, "evidence": row.evidence, "at": row.checked_at}
    try:
        recording = _Recording(session, actor, row.system_id, "probe", [finding])
        recording.place(finding)
    except (Invalid, NotFound):
        return []
    return [recording.drift(finding, row.object_id, previous, said)]


class _Recording:
    """One transaction's findings of one system."""

    def __init__(self, session: Session, actor: Actor, system_id: int, source: str, findings: Sequence[Finding]) -> None:
        self.session, self.actor, self.source = session, actor, choice(source, "source", SOURCES)
        self.system: SystemRecord = rows.system_record(rows.find_system(session, system_id, for_update=True))
        self.scope: Scope = scope_of(session, self.system)
        wanted = sorted({one.object_id or WHOLE for one in findings})
        self.objects: dict[int, ObjectRow] = {}
        self.there: dict[_Key, Standing] = {}
        items = {one.item_id for one in findings}
        for start in range(0, len(wanted), _CHUNK):
            part = wanted[start : start + _CHUNK]
            query = select(ObjectRow).where(ObjectRow.system_id == system_id, among(session, ObjectRow.id, part))
            self.objects |= {row.id: row for row in session.execute(query).scalars()}
            self.there |= standings(session, system_id, part, items)
        self.changed, self.recorded = 0, 0
        self.drifts: list[Drift] = []
        self.now = clock.now()
        self._steps: list[dict[str, Any]] = []
        self._older: list[dict[str, Any]] = []

    def take(self, finding: Finding, expected_version: int | None) -> Recorded:
        """One finding. Raises Invalid, NotFound, Stale."""
        place, target = self.place(finding)
        verdict = _verdict(finding, place)
        reason = text(finding.reason, "reason", MAX_REASON, needed=self.source == "person" or verdict is Verdict.NOT_APPLICABLE)
        said: dict[str, Any] = {
            "verdict": verdict.value, "source": self.source, "judged_by": self.actor.name[:160], "reason": reason,
            "evidence": text(finding.evidence or "", "evidence", MAX_EVIDENCE),
            "reproduce": text(finding.reproduce or "", "reproduce", MAX_REPRODUCE),
            "at": self._moment(finding.at),
        }  # fmt: skip
        row = self.there.get((finding.item_id, target))
        rows.check_version(row.version if row else 0, expected_version)
        previous = row.verdict if row else ""
        if row is None:
            row = Standing(finding.item_id, target, place.standard, place.security_class, made=True)
            self.there[finding.item_id, target] = row
        if self.source == "probe" and row.probed and said["at"] < min(row.probed_at, row.checked_at):
            self.recorded += 1
            if said["verdict"] != row.probed:
                self._older.append({"item": finding.item_id, "object_id": target, **said, "previous": previous, "counted": False})
            return Recorded(row.verdict, previous, False, False, row.version)
        counted = not (self.source == "probe" and row.version and row.source == "person")
        changed = self._changed(row, said, counted)
        line = changed or (not counted and row.probed != said["verdict"])  # what counts again when the person's word is withdrawn
        if counted:
            for name, value in said.items():
                setattr(row, name, value)
            row.detail = msgspec.json.encode(finding.crypto).decode() if finding.crypto else ""
        if self.source == "probe":
            row.probed, row.probed_at = verdict.value, said["at"]
        row.checked_at, row.version, row.touched = self.now, row.version + changed, True
        self.recorded += 1
        found = None
        if counted and previous == Verdict.MET and verdict in WEAK:
            found = self.drift(finding, target, previous, said)
            self.drifts.append(found)
        self.changed += changed
        if line:
            self._steps.append({"item": finding.item_id, "object_id": target, **said, "previous": previous, "counted": counted})
        return Recorded(row.verdict, previous, changed, counted, row.version, found)

    def finish(self, on_drift: OnDrift) -> None:
        """Write it, audit it, tell of drifts."""
        self._steps += unwritten(self.session, self.system.id, self._older)
        write(self.session, self.system.id, self.there.values(), self._steps)
        if len(self._steps) == 1:
            last = {("object" if name == "object_id" else name): value for name, value in self._steps[-1].items()}
            audit.append(self.session, self.actor, "verdict.record", "mlps_system", self.system.id, detail=last)
        elif self._steps:
            told = {"source": self.source, "recorded": self.recorded, "changed": self.changed, "drifts": len(self.drifts)}
            audit.append(self.session, self.actor, "verdict.record", "mlps_system", self.system.id, detail=told)
        if self.drifts:
            on_drift(self.session, self.drifts)

    def _moment(self, told: str) -> str:
        """When it was found. Raises Invalid for what is no moment, or one of the future."""
        at = moment(told, "at") or self.now
        if at > clock.shift(self.now, AHEAD):
            raise Invalid(f"at: {at} is in the future", "look at the clock of where it was found", field="at")
        return min(at, self.now)

    def place(self, finding: Finding) -> tuple[Place, int]:
        """The item and the object (0 = the whole). Raises Invalid, NotFound."""
        place = places().get(finding.item_id)
        if place is None:
            raise Invalid(
                f"there is no item {finding.item_id[:24]!r}", "clause ids as `compliance catalogue` lists them", field="item"
            )
        target = finding.object_id or WHOLE
        there = self.objects.get(target)
        if target != WHOLE and (there is None or there.removed_at is not None):
            raise NotFound(f"there is no object {target} in the system {self.system.id}")
        if place.standard == CRYPTO:
            return place, target
        if finding.item_id not in self.scope.items or self.scope.taken_away(finding.item_id) is not None:
            raise Invalid(f"the item {finding.item_id} does not apply to this system", field="item")
        if there is not None and not (bearing := self.scope.on(finding.item_id, there.id, there.kind)).applies:
            raise Invalid(f"the item {finding.item_id} does not apply to this object: {bearing.en}", field="item")
        return place, target

    def _changed(self, row: Standing, said: dict[str, Any], counted: bool) -> bool:
        """Is it worth a line of the history?"""
        if not row.version:
            return True
        if not counted:
            return bool((row.probed or row.verdict) != said["verdict"])
        if self.source == "probe":
            return bool(row.verdict != said["verdict"])
        return any(getattr(row, name) != said[name] for name in ("verdict", "source", "reason", "evidence", "judged_by"))

    def drift(self, finding: Finding, target: int, before: str, said: dict[str, Any]) -> Drift:
        """What is told of a control that was met."""
        there, system = self.objects.get(target), self.system
        return Drift(
            system.id, system.name, system.organisation, next(iter(system.zones), ""), finding.item_id, target,
            there.name if there else "", there.asset if there else "", before, said["verdict"], said["reason"], said["evidence"],
            said["at"],
        )  # fmt: skip


def _verdict(finding: Finding, place: Place) -> Verdict:
    """What is said, in agreement with what was found about cryptography. Raises Invalid."""
    try:
        verdict = read_verdict(finding.verdict)
    except ValueError as error:
        raise Invalid(str(error), field="verdict") from error
    if finding.crypto is None:
        if place.standard == CRYPTO and place.technical and verdict is Verdict.PARTLY:
            raise Invalid("a technical unit that is partly met needs D, A and K", "see docs/compliance.md", field="crypto")
        return verdict
    if not (place.standard == CRYPTO and place.technical) or verdict is Verdict.NOT_APPLICABLE:
        raise Invalid("D, A and K belong to technical units of GB/T 39786", field="crypto")
    if finding.crypto.made_up_unit and finding.crypto.made_up_unit not in places():
        raise Invalid(f"there is no unit {finding.crypto.made_up_unit[:24]!r}", field="crypto")
    found = finding.crypto
    right = verdict_of(object_score(CryptoObject("", found.D, found.A, found.K, found.bits, found.module_level_1)))
    if verdict is not right:
        raise Invalid(f"by D, A and K this is {right.value}, not {verdict.value}", field="verdict")
    return verdict
