"""Putting a version in force, and switching a playbook on and off.

Two people stand behind what runs: who wrote a version does not put it in force. A version that would break a playbook which is in
force is not put in force either.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from operations import clock
from operations.accounts.schema import Principal
from operations.audit import service as audit
from operations.errors import Conflict, Denied
from playbooks.check import is_right
from playbooks.check.report import Report
from playbooks.check.subplaybooks import check_subplaybooks
from playbooks.model import Playbook
from playbooks.problems import PlaybookError
from playbooks.rights import EDIT, RELEASE, need, wrote
from playbooks.run.journal import playbook_of
from playbooks.run.models import PlaybookDocument
from playbooks.shelf import rows
from playbooks.shelf.known import known_beside, problems_of
from playbooks.shelf.models import PlaybookVersion, ShelfPlaybook
from playbooks.shelf.reading import callers, document
from playbooks.shelf.saving import describe, told, touch
from playbooks.shelf.schema import Shelved


def release(session: Session, who: Principal, playbook_id: str, number: int, revision: int | None) -> Shelved:
    """Let the version ``number`` be the one that runs from now on; runs that have begun go on with theirs.

    Raises NotFound, Stale (``revision``); Denied to who saved the version (not where it was shipped); PlaybookError where it cannot
    run beside what is in force; Conflict where a playbook in force could not call it any more.
    """
    need(who, RELEASE)
    row = rows.locked(session, playbook_id, revision)
    version = rows.version_of(session, playbook_id, number)
    if row.released == number:
        return rows.shelved(row)
    if version.origin != "library" and wrote(who, version.created_by):
        raise Denied("a second person has to put this version in force", "ask somebody who did not save it")
    playbook = _check_again(session, version)
    _keep_callers(session, playbook)
    before = row.released
    put_in_force(row, version, playbook, who.actor.name)
    detail = {"name": row.name, "number": number, "before": before, "digest": version.digest, "author": version.created_by}
    audit.append(session, who.actor, "playbook.release", "playbook", playbook_id, detail=detail)
    session.flush()
    return rows.shelved(row)


def set_enabled(session: Session, who: Principal, playbook_id: str, enabled: bool, revision: int | None) -> Shelved:
    """Switch a playbook off or on. Off: nothing starts it, also not a playbook that calls it; runs that have begun go on.

    Who may write playbooks may switch them off, too. Raises Denied, NotFound, Stale.
    """
    need(who, *((RELEASE,) if enabled else (RELEASE, EDIT)))
    row = rows.locked(session, playbook_id, revision)
    if row.enabled != enabled:
        row.enabled = enabled
        touch(row, who.actor.name)
        act = "playbook.on" if enabled else "playbook.off"
        audit.append(session, who.actor, act, "playbook", playbook_id, detail={"name": row.name})
        session.flush()
    return rows.shelved(row)


def put_in_force(row: ShelfPlaybook, version: PlaybookVersion, playbook: Playbook, by: str) -> None:
    """Write down that ``version`` is in force; for those who have checked everything."""
    row.released = version.number
    version.released_at, version.released_by = clock.now(), by[:160]
    describe(row, playbook)
    touch(row, by)


def _check_again(session: Session, version: PlaybookVersion) -> Playbook:
    """The playbook, checked beside what is in force now, not what was there when it was saved."""
    body = session.get_one(PlaybookDocument, version.digest).body.encode()
    playbook = playbook_of(body)
    problems = problems_of(session, playbook, in_force=True)
    if not is_right(problems):
        raise PlaybookError(problems)
    version.runnable, version.problems = True, told(problems)
    return playbook


def _keep_callers(session: Session, playbook: Playbook) -> None:
    """Raises Conflict where a playbook in force could not run beside ``playbook``."""
    for caller in _callers(session, playbook.id):
        report = Report(draft=False)
        check_subplaybooks(caller, report, known_beside(session, caller, in_force=True, more=[playbook]))
        wrong = next((problem for problem in report.problems if problem.severity == "error"), None)
        if wrong is not None:
            raise Conflict(f"the playbook {caller.name!r}, which runs it, could not any more: {wrong}", "change that one first")


def _callers(session: Session, playbook_id: str) -> list[Playbook]:
    running = [one for one in callers(session, playbook_id) if one.enabled]
    return [playbook_of(document(session, one.playbook_id, one.released)) for one in running]
