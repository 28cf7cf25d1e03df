"""What runs, playbooks, their steps and what happens to them are called in the language of the page."""

from __future__ import annotations

import json
from typing import Any

from flask import Flask, url_for

from playbooks.run.events import Entry
from playbooks.run.listing import RunRow
from playbooks.run.progress import StepProgress
from playbooks.run.taking_back import BY_HAND
from soc_ui import access, times
from soc_ui.inventory.addresses import asset_url
from soc_ui.locale import _
from soc_ui.numbers import MAX_ROW_ID
from soc_ui.playbooks import asked, titles

_PAGES = {
    "alert": ("alerts.page", "alert_id"),
    "incident": ("incidents.one", "incident_id"),
    "warning": ("warnings.one", "warning_id"),
}
"""Where a cause leads."""


def state_name(state: str) -> str:
    """Of a run."""
    names = {
        "queued": _("Queued"),
        "running": _("Running"),
        "waiting": _("Waiting for an answer"),
        "finished": _("Completed"),
        "failed": _("Failed"),
        "cancelled": _("Cancelled"),
        "undone": _("Taken back"),
    }
    return names.get(state, state)


def reason_of(run: RunRow) -> str:
    """Why a run failed, what it waits for, how it was taken back."""
    return _("At least in part by hand") if (run.state, run.reason) == ("undone", BY_HAND) else run.reason


def step_state_name(state: str) -> str:
    """Of a step within a run (playbooks.run.progress)."""
    names = {
        "now": _("Under way"),
        "wait": _("Waits"),
        "asked": _("Waits for a person"),
        "unknown": _("Outcome unknown"),
        "done": _("Done"),
        "failed": _("Failed"),
        "cut": _("Not ended"),
        "": _("Not reached"),
    }
    return names.get(state, state)


def code_name(code: str) -> str:
    """Why something failed; codes of others stay as they are."""
    names = {
        "ACTION_FAILED": _("the action failed"),
        "ACTION_TIMEOUT": _("it took too long"),
        "ACTION_CANCELLED": _("it was called off"),
        "CONDITION_ERROR": _("the condition cannot be decided"),
        "VARIABLE_ERROR": _("a variable cannot be read or written"),
        "UNKNOWN_OUTCOME": _("nobody knows whether it was carried out"),
        "PLAYBOOK_UNKNOWN": _("the called playbook is not known"),
        "TOO_DEEP": _("playbooks call one another too deep"),
        "TOO_LONG": _("the run became too long"),
        "TOO_MANY_ROUNDS": _("too many rounds"),
        "NO_WAY_ON": _("no step follows"),
        "STEP_UNKNOWN": _("there is no such step"),
        "STUCK": _("there was nothing left to do"),
        "APPROVAL_REFUSED": _("the approval was refused"),
        "APPROVAL_EXPIRED": _("nobody approved it in time"),
    }
    return names.get(code, code)


def cause_name(kind: str) -> str:
    """What set a run going."""
    names = {
        "alert": _("Alert"),
        "incident": _("Incident"),
        "warning": _("Early warning"),
        "asset": _("Asset"),
        "schedule": _("Schedule"),
        "webhook": _("Inbound webhook"),
        "trigger": _("Trigger"),
        "cli": _("Command line"),
        "api": "API",
        "person": _("Started by hand"),
        "manual": _("Started by hand"),
        "": _("Started by hand"),
    }
    return names.get(kind, kind)


def cause_of(cause: dict[str, Any]) -> tuple[str, str]:
    """Words and address of a cause; the address is "" where it leads nowhere. Whoever asks for a run fills it in, so nothing is
    taken for granted."""
    kind, number = str(cause.get("kind", ""))[:32], cause.get("id")
    words = cause_name(kind)
    if kind == "asset" and isinstance(number, str):
        return f"{words} {number[:128]}", asset_url(number[:128])
    if not isinstance(number, int) or isinstance(number, bool) or not 0 < number <= MAX_ROW_ID:
        return words, ""
    endpoint, argument = _PAGES.get(kind, ("", ""))
    return f"{words} #{number}", url_for(endpoint, **{argument: number}) if endpoint else ""


def subject_of(subject: str) -> tuple[str, str]:
    """Words and address of what runs were started for (playbooks.run.about)."""
    kind, _colon, number = subject.partition(":")
    return cause_of({"kind": kind, "id": number if kind == "asset" else int(number)}) if subject else ("", "")


def happened(entry: Entry) -> str:
    """One line of the trace as a sentence; "" for lines that only repeat what others say."""
    words = {
        "begun": _("begun") if entry.attempt < 2 else _("attempt %(n)d begun", n=entry.attempt),
        "condition": _("the condition holds") if entry.value == "true" else _("the condition does not hold"),
        "case": _("value %(value)s", value=entry.value[:200]),
        "round": _("round %(n)s", n=entry.value),
        "playbook": _("the playbook is called"),
        "asked": _("people are asked to approve it"),
        "approved": _("approved") if entry.outcome == "yes" else _("approval refused"),
        "retry": _("tried again in %(n)s s", n=_seconds(entry.value)),
        "delay": _("waits %(n)s s", n=_seconds(entry.value)),
        "unknown": _("the platform stopped in the middle of it: nobody knows whether it was carried out"),
        "timeout": _("it took too long"),
        "exception": _("the way for failures is taken"),
        "cancel": _("the run is being cancelled"),
        "undo": _("what was done is being taken back"),
        "settled": _("taken back by hand"),
        "late": _("an answer came too late and changes nothing"),
        "joined": _("all branches are over"),
    }
    if entry.event == "ended":
        return _("done") if entry.outcome == "success" else code_name(entry.code)
    if entry.event == "decided":
        choices = {"done": _("decided: it was done"), "again": _("decided: once more"), "fail": _("decided: it failed")}
        return choices.get(entry.value, entry.value)
    if entry.event == "left" and entry.outcome == "failure":
        return code_name(entry.code)
    if entry.event == "run":
        return (
            _("the run begins") if entry.outcome == "started" else _("the run is over: %(state)s", state=state_name(entry.outcome))
        )
    return words.get(entry.event, "")


def shelf_state(state: str) -> str:
    """Of a playbook on the shelf."""
    return {"released": _("In force"), "draft": _("Nothing in force"), "disabled": _("Switched off")}.get(state, state)


def shelf_origin(origin: str) -> str:
    """Where a playbook comes from."""
    return {"library": _("Shipped"), "imported": _("Imported"), "own": _("Written here")}.get(origin, origin)


def change_kind(kind: str) -> str:
    """What became of a part of a playbook from one version to the next."""
    return {"added": _("added"), "removed": _("removed"), "changed": _("changed")}.get(kind, kind)


def kind_of_step(kind: str) -> str:
    """Of a step that can be added (playbooks.editing.KINDS)."""
    names = {
        "action": _("Task"),
        "if-condition": _("Condition"),
        "switch-condition": _("By value"),
        "while-condition": _("As long as"),
        "parallel": _("At the same time"),
        "playbook-action": _("Runs a playbook"),
    }
    return names.get(kind, kind)


def way_name(name: str) -> str:
    """Of a way from step to step, by its property."""
    names = {
        "on_completion": _("then"),
        "on_success": _("then"),
        "on_failure": _("after a failure"),
        "on_true": _("if so"),
        "on_false": _("if not"),
    }
    if name.startswith("cases."):
        return _("if %(value)s", value=name.removeprefix("cases.")[:80])
    return names.get(name, _("at the same time"))


def as_json(value: Any, indented: bool = False) -> str:
    """A JSON value as people read it: text, which a template escapes as any other."""
    return json.dumps(value, ensure_ascii=False, indent=2 if indented else None)


def many(number: int, most: int = 1_000) -> str:
    """A count that stops somewhere."""
    return f"{number:,}" if number < most else f"{most - 1:,}+"


def took(one: RunRow | StepProgress) -> str:
    """How long it has lasted."""
    if isinstance(one, StepProgress):
        return lasting((one.until - one.since) / 1000) if one.until else "—"
    begin = times.as_datetime(one.started_at or one.created_at)
    if begin is None:
        return "—"
    return lasting(((times.as_datetime(one.ended_at or "") or times.now()) - begin).total_seconds())


def step_icon(look: str) -> str:
    """The sign in the box of a step (soc_ui.playbooks.titles.looks)."""
    icons = {
        "hand": "user",
        "own": "bolt",
        "machine": "terminal-2",
        "action": "terminal-2",
        "playbook-action": "book-2",
        "parallel": "columns-3",
        "if-condition": "help",
        "switch-condition": "help",
        "while-condition": "refresh",
        "start": "player-play",
    }
    return icons.get(look, "circle-check")


def tabs() -> list[tuple[str, str, str]]:
    """The pages of the room that this person may open: name, endpoint, words."""
    pages = [
        ("playbooks.read", ("library", "playbooks.page", _("Library"))),
        ("playbooks.read", ("runs", "playbook_runs.page", _("Runs"))),
        ("playbooks.read", ("questions", "playbook_questions.page", _("Waiting for people"))),
        ("playbooks.read", ("triggers", "playbook_triggers.page", _("Triggers"))),
        ("playbooks.read", ("statistics", "playbook_statistics.page", _("Statistics"))),
    ]
    return [page for permission, page in pages if access.me().may(permission)]


def lasting(seconds: float) -> str:
    """A duration in words."""
    if seconds < 60:
        return _("%(n)s s", n=f"{max(0.0, seconds):.1f}")
    if seconds < 3600:
        return _("%(m)d min %(s)d s", m=seconds // 60, s=seconds % 60)
    return _("%(h)d h %(m)d min", h=seconds // 3600, m=seconds % 3600 // 60)


def _seconds(milliseconds: str) -> str:
    return f"{int(milliseconds) / 1000:g}" if milliseconds.isdecimal() and len(milliseconds) < 16 else milliseconds[:20]


def install(app: Flask) -> None:
    """Gives templates the names above, and those of questions and steps."""
    told = app.jinja_env.globals
    told.update(
        run_state=state_name,
        run_reason=reason_of,
        step_state=step_state_name,
        run_cause=cause_of,
        failure_code=code_name,
        many=many,
    )
    told.update(shelf_state=shelf_state, shelf_origin=shelf_origin, change_kind=change_kind, playbook_tabs=tabs)
    told.update(way_name=way_name, kind_of_step=kind_of_step, step_icon=step_icon, step_kind=titles.step_kind)
    told.update(variable_title=titles.variable_title, looks=titles.looks, is_text=titles.is_text)
    told.update(question_kind=asked.kind_name, question_why=asked.why_words, question_outcome=asked.outcome_name)
    told.update(question_hindrance=asked.hindrance_words, request_part=asked.part_name, answer_choice=asked.choice_name)
    app.jinja_env.filters.update(took=took, lasting=lasting, as_json=as_json)
