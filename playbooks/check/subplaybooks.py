"""Playbooks that a playbook runs: known, in the version that is named, not this one again, and given what they need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from playbooks.check.report import Report
from playbooks.model import Playbook, PlaybookAction
from playbooks.references import the_one
from playbooks.timestamps import read_timestamp
from playbooks.vocabulary import kind_of

Known = Mapping[str, Sequence[Playbook]]


def check_subplaybooks(playbook: Playbook, report: Report, known: Known | None) -> None:
    for key, step in playbook.workflow.items():
        if not isinstance(step, PlaybookAction) or not step.playbook_id:
            continue
        path = f"workflow.{key}.playbook_id"
        if kind_of(step.playbook_id) != "playbook":
            report.wrong(path, f"{step.playbook_id[:80]!r} is no identifier of a playbook", "playbook--UUID", key)
        elif step.playbook_id == playbook.id:
            report.wrong(path, "the playbook runs itself", "repeat by a while-condition", key)
        elif known is not None:
            _resolve(key, step, playbook, report, known)


def _resolve(key: str, step: PlaybookAction, playbook: Playbook, report: Report, known: Known) -> None:
    path = f"workflow.{key}"
    versions = known.get(step.playbook_id, ())
    if not versions:
        report.lacking(f"{path}.playbook_id", f"the playbook {step.playbook_id} is not known", "import it, or check it along", key)
        return
    if step.playbook_version:
        wanted = _moment(step.playbook_version)
        versions = [one for one in versions if wanted and _moment(one.modified) == wanted]
        if not versions:
            message = f"the version {step.playbook_version[:40]} of {step.playbook_id} is not known"
            report.lacking(f"{path}.playbook_version", message, "import it, or leave playbook_version out", key)
            return
    called = max(versions, key=lambda one: _moment(one.modified) or datetime.min.replace(tzinfo=UTC))
    if called.revoked:
        report.lacking(f"{path}.playbook_id", f"the playbook {called.name[:80]!r} is revoked", "use its successor", key)
    if _leads_to(called, playbook.id, known):
        report.wrong(f"{path}.playbook_id", "the playbook comes back to this one: it would never end", "break the circle", key)
    given = {the_one(name) for name in step.in_args}
    for name, variable in called.playbook_variables.items():
        if variable.external and variable.value is None and name not in given:
            message = f"{called.name[:80]!r} needs {name} from its caller"
            report.doubtful(f"{path}.in_args", message, "add it to in_args", key)
    for name in sorted(given - called.playbook_variables.keys() - {""}):
        report.doubtful(f"{path}.in_args", f"{called.name[:80]!r} has no variable {name}", "remove it", key)
    for name in sorted({the_one(name) for name in step.out_args} - called.playbook_variables.keys() - {""}):
        report.wrong(f"{path}.out_args", f"{called.name[:80]!r} has no variable {name} to give back", "remove it", key)


def _moment(text: str) -> datetime | None:
    try:
        return read_timestamp(text)
    except ValueError:
        return None


def _leads_to(start: Playbook, wanted: str, known: Known) -> bool:
    """Whether playbook-actions lead from ``start`` to the playbook ``wanted``, by any version that is known."""
    seen = {start.id}
    waiting = [start]
    while waiting:
        for step in waiting.pop().workflow.values():
            if isinstance(step, PlaybookAction):
                if step.playbook_id == wanted:
                    return True
                if step.playbook_id not in seen:
                    seen.add(step.playbook_id)
                    waiting += known.get(step.playbook_id, ())
    return False
