"""``liandun-evidence-host``: volatile data and named files of the target, sealed as one piece of evidence of an incident.

Gives ``evidence_id``, ``evidence_sm3`` and ``evidence_lacking``: how many things could not be read; the manifest names them. The
host is only read (volatile.py, gather.sh), in one connection, and not again for a request that was done.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.orm import Session

from crypto.secret import MasterKey
from kernel.db import Database
from operations import clock
from operations.accounts.schema import Principal
from operations.errors import Conflict
from operations.incidents import evidence
from operations.incidents.reading import get_incident
from playbooks.actions import ssh_host
from playbooks.actions.audited import write_down
from playbooks.actions.contract import ActionError, Context, Plan, Request
from playbooks.actions.file_paths import whole_paths
from playbooks.actions.gathering import gather
from playbooks.actions.host_archive import Origin, archive
from playbooks.actions.own import OwnCommand, inside_only
from playbooks.actions.parameters import EvidenceHostParameters
from playbooks.actions.place import there_of
from playbooks.actions.settings import Settings
from playbooks.actions.system_action import run_number
from playbooks.variables import Value


class EvidenceHostAction(OwnCommand[EvidenceHostParameters]):
    """The action. The host is asked before the transaction begins: nobody waits for it to write."""

    kind = "liandun-evidence-host"

    def __init__(self, database: Database | None, key: MasterKey | None = None, settings: Settings = Settings()) -> None:
        super().__init__(database)
        self._key = key
        self._settings = settings

    def told(self, given: EvidenceHostParameters) -> Plan:
        files = whole_paths(given.files)
        what = [*(["volatile data"] if given.volatile else []), *([f"{len(files)} files"] if files else [])]
        if not what:
            raise ActionError("there is nothing to gather", "name files, or leave volatile true", code="COMMAND_WRONG")
        names = f": {', '.join(files)}"[:500] if files else ""
        return Plan(f"read {' and '.join(what)} as evidence of incident {given.incident}{names}", (f"incident {given.incident}",))

    def plan(self, request: Request) -> Plan:
        """With the host that is read. Raises ActionError."""
        hosts = tuple(host.shown() for host in ssh_host.named(request.target))
        told = self.told(self.given(request))
        return Plan(f"{hosts[0]}: {told.line}", (*hosts, *told.touches))

    def run(self, request: Request, context: Context) -> Mapping[str, Value]:
        """Read the host and seal, unless this very request was done before. Raises ActionError."""
        given = self.given(request)
        line = self.plan(request).line
        context.left()
        if self._database is None or self._key is None:
            raise inside_only()
        database, key = self._database, self._key
        try:
            if (gave := self.before(request, lambda session: _open(session, given.incident))) is not None:
                return gave
            began = clock.now()
            gathered = gather(there_of(request, self._settings, context), whole_paths(given.files), volatile=given.volatile)
            origin = _origin(request, given, began)
            payload = archive(origin, gathered)
            lacking = sum(bool(one.problem) for one in (*gathered.volatile, *gathered.files))
            return self.once(request, context, lambda session, who: _sealed(session, who, key, given, origin, payload, lacking))
        except ActionError as error:
            write_down(database, request, line, {"failed": error.code, "message": str(error)[:1_000]})
            raise


def _open(session: Session, incident_id: int) -> None:
    if get_incident(session, incident_id).phase == "closed":
        raise Conflict(f"incident {incident_id} is closed", "open it again first")


def _sealed(
    session: Session, who: Principal, key: MasterKey, given: EvidenceHostParameters, origin: Origin, payload: bytes, lacking: int
) -> dict[str, str]:
    host = origin.target[0]
    record = evidence.seal(
        session, key, who.actor, given.incident, f"host-{host.replace(' ', '-')}.tar"[:200], payload,
        reason=given.reason, origin=f"{origin.user}@{host} by SSH" + (f", {lacking} things not read" if lacking else ""),
    )  # fmt: skip
    return {"evidence_id": str(record.id), "evidence_sm3": record.sm3, "evidence_lacking": str(lacking)}


def _origin(request: Request, given: EvidenceHostParameters, began: str) -> Origin:
    login = request.authentication
    return Origin(
        target=tuple(host.shown() for host in ssh_host.named(request.target)),
        user=(login.username or login.user_id) if login else "",
        run=run_number(request), step=request.step_id, incident=given.incident, reason=given.reason, began=began, ended=clock.now(),
    )  # fmt: skip
