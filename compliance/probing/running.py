"""Looking at targets and recording what probes say: some at a time, each for itself.

    run_due(database, master, way_to, workers=4)       # by the scheduler, every minute

A target that cannot be read, or whose verdicts cannot be recorded, is told (its ``error``) and tried again in an hour; the others
go on. What was read is sealed first, and verdicts cite it by its SM3.
"""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

import msgspec
from sqlalchemy.orm import Session

from compliance.assessment import scoring
from compliance.assessment.record import record_many
from compliance.assessment.schema import Finding
from compliance.probes.contract import Source
from compliance.probes.facts import Part
from compliance.probes.findings import findings
from compliance.probes.registry import probes
from compliance.probes.result import Result
from compliance.probes.run import SECONDS, run
from compliance.probes.target import Target
from compliance.probing import keeping, service
from compliance.probing.files import ReportFile
from compliance.probing.models import FILES, REPORTS
from compliance.probing.schema import Outcome, TargetRecord
from compliance.systems import rows
from compliance.systems.applicability import WHOLE, scope_of
from compliance.systems.objects import count_kinds
from crypto.secret import MasterKey
from kernel.db import Database
from kernel.errors import LiandunError
from kernel.programs.time_left import TimeLeft
from operations.accounts.schema import Principal
from operations.audit.schema import SYSTEM

log = logging.getLogger("liandun.probing")

WORKERS, MOST_AT_ONCE = 4, 200
TEMPLATE = "2025"
SOURCES: Mapping[str, tuple[Source, ...]] = {
    "platform": ("platform",),
    "local": ("linux", "nginx"),
    "ssh": ("linux", "nginx"),
    "tls": ("tls",),
    "postgresql": ("postgresql",),
    **{way: (source,) for way, source in FILES.items()},
}
WayTo = Callable[[TargetRecord], Target | ReportFile]
"""Makes the way into a target; may raise LiandunError. Secrets are asked for when it is read, and only then."""
_BY_ITSELF = Principal(0, SYSTEM.name, "", "")


class _Reading:
    """Several objects may be one and the same place (a host, its nginx, its application): it is read once in a round."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._parts: Mapping[str, Part] | None = None
        self._error: Exception | None = None

    def once(self, read: Callable[[], Mapping[str, Part]]) -> Mapping[str, Part]:
        """What the first one read, or why it could not."""
        with self._lock:
            if self._parts is None and self._error is None:
                try:
                    self._parts = read()
                except (LiandunError, OSError, ValueError) as error:
                    self._error = error
                except Exception as error:  # a driver's own mistake must not end the run over all others
                    log.exception("a target could not be read")
                    self._error = LiandunError(f"it could not be read ({type(error).__name__})")
            if self._parts is None:
                raise self._error or LiandunError("it could not be read")
            return self._parts


class _Entered(msgspec.Struct, frozen=True):
    """A target of the table, for the run: called by its number, its way made within its own time."""

    record: TargetRecord
    way_to: WayTo
    reading: _Reading

    @property
    def name(self) -> str:
        return str(self.record.id)

    @property
    def sources(self) -> tuple[Source, ...]:
        return SOURCES[self.record.way]

    def read(self, parts: Collection[str], time_left: TimeLeft) -> Mapping[str, Part]:
        return self.reading.once(lambda: self._way().read(parts, time_left))

    def _way(self) -> Target:
        way = self.way_to(self.record)
        assert not isinstance(way, ReportFile)  # they are not read by probes
        return way


def run_due(
    database: Database, master: MasterKey, way_to: WayTo, *, workers: int = WORKERS, stop: threading.Event | None = None
) -> list[Outcome]:
    """Everything that is due now, with a score of each system that got verdicts kept for its trend."""
    with database.read() as session:
        if not service.is_due(session):
            return []
    with database.write() as session:
        due = service.take_due(session, MOST_AT_ONCE)
    outcomes = list(look(database, master, way_to, due, workers=workers, stop=stop))
    for system_id in sorted({one.target.system_id for one in outcomes if one.recorded}):
        _keep_score(database, system_id)
    if outcomes:
        with database.write() as session:
            keeping.forget(session)
    return outcomes


def look(
    database: Database, master: MasterKey, way_to: WayTo, wanted: Sequence[TargetRecord], *, workers: int = WORKERS,
    seconds: float = SECONDS, stop: threading.Event | None = None,
) -> Iterator[Outcome]:  # fmt: skip
    """These targets; each outcome as it comes: reports first, one after the other."""
    known = {str(one.id): one for one in wanted}
    for reported in (one for one in wanted if one.way in REPORTS):
        if stop is not None and stop.is_set():
            return
        yield _of_report(database, master, way_to, reported)
    places: dict[tuple[str | int, ...], _Reading] = {}
    entered = [
        _Entered(one, way_to, places.setdefault(_place(one), _Reading())) for one in wanted if one.way not in REPORTS
    ]  # fmt: skip
    results = run(entered, list(probes().values()), workers=workers, seconds=seconds, stop=stop)
    for number, of_target in itertools.groupby(results, key=lambda one: one.target):
        yield _outcome(database, master, known[number], list(of_target))


def _place(target: TargetRecord) -> tuple[str | int, ...]:
    """What is the same for targets that are one place; a file that was brought is the target's own."""
    own = target.id if target.way in FILES and not target.place else 0
    return (target.way, target.place, target.login, target.secret, target.ca, own)


def _of_report(database: Database, master: MasterKey, way_to: WayTo, target: TargetRecord) -> Outcome:
    try:
        way = way_to(target)
        assert isinstance(way, ReportFile)
        results = way.results()
    except Exception as error:  # as below
        return _failed(database, target, error, "could not be read")
    return _outcome(database, master, target, results)


def _outcome(database: Database, master: MasterKey, target: TargetRecord, results: list[Result]) -> Outcome:
    named = [msgspec.structs.replace(one, target=target.shown) for one in results]
    unread = sum(one.verdict is None for one in named)
    try:
        if unread == len(named):
            raise LiandunError(f"nothing could be read: {_why(named[0])}")
        with database.write() as session:
            outcome = _recorded(session, master, target, named, unread)
            service.note(session, target, outcome.error, outcome.evidence)
            return outcome
    except Exception as error:  # one target must not keep the others from their verdicts
        return _failed(database, target, error, "its verdicts could not be recorded", unread)


def _failed(database: Database, target: TargetRecord, error: Exception, what: str, unread: int = 0) -> Outcome:
    """Told, and tried again in an hour."""
    if not isinstance(error, LiandunError):
        log.error("target %d: %s", target.id, what, exc_info=error)
    told = str(error) if isinstance(error, LiandunError) else f"{what} ({type(error).__name__})"
    with database.write() as session:
        service.note(session, target, told)
    return Outcome(target, unread=unread, error=told)


def _recorded(session: Session, master: MasterKey, target: TargetRecord, results: list[Result], unread: int) -> Outcome:
    sm3 = keeping.keep(session, master, SYSTEM, target, msgspec.json.encode(results))
    told = [
        Finding(one.item_id, one.object_id, one.verdict, one.reason, sm3, one.reproduce, one.at)
        for one in findings(results, target.object_id or None)
    ]
    fitting = _fitting(session, target, told)
    batch = record_many(session, SYSTEM, target.system_id, fitting, source="probe")
    error = "; ".join(f"{fitting[place].item_id}: {why}" for place, why in batch.refused.items())
    return Outcome(target, batch.recorded, batch.changed, len(batch.drifts), unread, sm3, error)


def _fitting(session: Session, target: TargetRecord, found: list[Finding]) -> list[Finding]:
    """Those that hold for the object; on the system as a whole, those of whose kinds it has no object. Raises NotFound."""
    system = rows.system_record(rows.find_system(session, target.system_id))
    scope = scope_of(session, system)
    held = [one for one in found if one.item_id in scope.items and scope.taken_away(one.item_id) is None]
    if target.object_id == WHOLE:
        kinds = count_kinds(session, target.system_id)
        return [one for one in held if not any(kinds.get(kind) for kind in scope.kinds(one.item_id))]
    there = rows.find_object(session, target.system_id, target.object_id)
    return [one for one in held if scope.on(one.item_id, there.id, there.kind).applies]


def _keep_score(database: Database, system_id: int) -> None:
    with database.read() as session:
        if service.is_due(session, system_id):
            return  # the next round keeps it, when all of the system has been looked at
    try:
        with database.write() as session:
            scoring.keep(session, _BY_ITSELF, system_id, TEMPLATE)
    except LiandunError as error:  # nothing to score yet, or of another level
        log.info("no score of system %d was kept: %s", system_id, error.message)


def _why(result: Result) -> str:
    """The reason alone: what follows the criterion."""
    return result.reason.rpartition("[found: ")[2].removesuffix("]")
