"""Tasks of an incident: by hand, or from the template of its class (data/tasks.yaml)."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from operations import clock
from operations.audit import service as audit
from operations.audit.schema import Actor
from operations.errors import Conflict, Invalid
from operations.incidents.catalogue import data
from operations.incidents.models import TASK_STATES, Incident, IncidentTask
from operations.incidents.parts import part
from operations.incidents.people import check_assignee
from operations.incidents.phases import OPEN
from operations.incidents.reading import get_incident, held
from operations.incidents.schema import TaskChange, TaskRecord
from operations.incidents.texts import LONG, TITLE, line, moment, text
from operations.incidents.timeline import tell

MAX_TASKS = 200


def template(class_code: str) -> list[dict[str, Any]]:
    """Tasks for a class: those of every incident, those of its class, those of its sub-class; key, phase, zh, en."""
    table = data("tasks")
    found: list[dict[str, Any]] = []
    for name in ("every", class_code[:2], class_code):
        entries = table.get(name, []) if name else []
        found += [{"key": f"{name}.{number}", **entry} for number, entry in enumerate(entries)]
    return sorted(found, key=lambda entry: OPEN.index(entry["phase"]))


def title_of(task: TaskRecord, language: str) -> str:
    """The title in the language of the page, where it came from a template."""
    name, _, number = task.template.rpartition(".")
    entries = data("tasks").get(name, [])
    if language != "zh" and number.isdecimal() and int(number) < len(entries):
        return str(entries[int(number)]["en"])
    return task.title


def list_tasks(session: Session, incident_id: int) -> list[TaskRecord]:
    """By phase, then in the order in which they were made. Raises NotFound."""
    get_incident(session, incident_id)
    query = select(IncidentTask).where(IncidentTask.incident_id == incident_id).order_by(IncidentTask.id)
    rows = list(session.execute(query).scalars())
    return [_record(row) for row in sorted(rows, key=lambda row: (OPEN.index(row.phase), row.id))]


def apply_template(session: Session, actor: Actor, incident: Incident) -> int:
    """Add the tasks of the template of the class (decided, else suggested) that are not there yet; returns how many."""
    there = {task.template for task in list_tasks(session, incident.id)}
    wanted = [entry for entry in template(incident.class_code or incident.suggested_class) if entry["key"] not in there]
    now = clock.now()
    rows = [
        {
            "incident_id": incident.id, "template": entry["key"], "title": entry["zh"], "phase": entry["phase"], "status": "open",
            "assignee": "", "due_at": "", "result": "", "created_at": now, "created_by": actor.name[:160], "done_at": "",
            "done_by": "", "version": 1,
        }
        for entry in wanted
    ]  # fmt: skip
    if rows:
        session.execute(insert(IncidentTask), rows)
        tell(session, actor, incident.id, "tasks_added", {"count": len(rows)})
        audit.append(
            session, actor, "incident.task", "incident", incident.id, detail={"template": [row["template"] for row in rows]}
        )
    return len(rows)


def use_template(session: Session, actor: Actor, incident_id: int) -> int:
    """The same by hand. Raises NotFound, Conflict (closed)."""
    return apply_template(session, actor, held(session, incident_id))


def add_task(
    session: Session,
    actor: Actor,
    incident_id: int,
    title: str,
    *,
    phase: str = "containment",
    assignee: str = "",
    due_at: str = "",
) -> TaskRecord:
    """Add a task. Raises NotFound, Invalid, Conflict (closed)."""
    held(session, incident_id)
    if phase not in OPEN:
        raise Invalid(f"there is no phase {phase[:32]!r}", f"one of {', '.join(OPEN)}", field="phase")
    if len(list_tasks(session, incident_id)) >= MAX_TASKS:
        raise Conflict(f"an incident has at most {MAX_TASKS} tasks")
    row = IncidentTask(
        incident_id=incident_id, template="", title=line(title, "title", TITLE, needed=True), phase=phase, status="open",
        assignee=check_assignee(session, assignee), due_at=moment(due_at, "due_at"), result="", created_at=clock.now(),
        created_by=actor.name[:160], done_at="", done_by="", version=1,
    )  # fmt: skip
    session.add(row)
    session.flush()
    tell(session, actor, incident_id, "task_added", {"title": row.title})
    audit.append(session, actor, "incident.task", "incident", incident_id, detail={"task": row.id, "title": row.title})
    return _record(row)


def change_task(
    session: Session, actor: Actor, incident_id: int, task_id: int, change: TaskChange, *, expected_version: int | None = None
) -> TaskRecord:
    """Change a task; dropping one needs a result that says why. Raises NotFound, Invalid, Conflict."""
    held(session, incident_id)
    row = part(session, IncidentTask, "task", incident_id, task_id, expected_version)
    wanted: dict[str, Any] = {
        name: value for name in change.__struct_fields__ if (value := getattr(change, name)) is not msgspec.UNSET
    }
    if "status" in wanted and wanted["status"] not in TASK_STATES:
        raise Invalid(f"there is no state {wanted['status'][:32]!r}", f"one of {', '.join(TASK_STATES)}", field="status")
    if "assignee" in wanted and wanted["assignee"] != row.assignee:
        wanted["assignee"] = check_assignee(session, wanted["assignee"])
    if "due_at" in wanted:
        wanted["due_at"] = moment(wanted["due_at"], "due_at")
    if "result" in wanted:
        wanted["result"] = text(wanted["result"], "result", LONG)
    if wanted.get("status") == "dropped" and not wanted.get("result", row.result):
        raise Invalid("say why the task is dropped", field="result")
    before = {name: getattr(row, name) for name, value in wanted.items() if getattr(row, name) != value}
    if not before:
        return _record(row)
    for name in before:
        setattr(row, name, wanted[name])
    if "status" in before:
        ended = row.status in ("done", "dropped")
        row.done_at, row.done_by = (clock.now(), actor.name[:160]) if ended else ("", "")
    row.version += 1
    after = {name: wanted[name] for name in before}
    if "status" in before:
        told = {"task": task_id, "title": row.title, "template": row.template, "status": row.status}
        tell(session, actor, incident_id, "task_state", told)
    audit.append(
        session, actor, "incident.task", "incident", incident_id, detail={"task": task_id, "before": before, "after": after}
    )
    session.flush()
    return _record(row)


def get_task(session: Session, incident_id: int, task_id: int) -> TaskRecord:
    """One task. Raises NotFound."""
    get_incident(session, incident_id)
    return _record(part(session, IncidentTask, "task", incident_id, task_id, None))


def _record(row: IncidentTask) -> TaskRecord:
    return TaskRecord(*(getattr(row, name) for name in TaskRecord.__struct_fields__))
