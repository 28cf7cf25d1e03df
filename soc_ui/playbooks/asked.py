"""A question of a run as a page shows it: the words of the playbook it comes from, and whether this person can answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy.orm import Session

from playbooks.run import journal, listing, questions
from playbooks.run.questions import Question
from soc_ui import access, preferences
from soc_ui.locale import _
from soc_ui.playbooks.titles import Titles

_HIDDEN = frozenset({"key", "options", "step_id", "step_name", "cause", "out_args"})
"""Of a request: what says nothing about what would be done."""


class Asked(msgspec.Struct, frozen=True):
    """``hindrance``: why this person cannot answer, "" = they can. ``meanings``: variable → what it means."""

    question: Question
    title: str
    playbook: str
    hindrance: str
    meanings: dict[str, str]

    @property
    def text(self) -> str:
        """What a person is to do, in the language of the page where the playbook has it."""
        words = self.question.words.get(preferences.current().lang)
        command = self.question.request.get("command") or {}
        return (words.text if words else "") or str(command.get("command") or self.question.line)

    @property
    def mine(self) -> bool:
        """This person can answer."""
        return not self.hindrance

    @property
    def parts(self) -> list[tuple[str, Any]]:
        """What exactly would be done: the parts of the request that say so, by their names."""
        return [(name, value) for name, value in self.question.request.items() if name not in _HIDDEN and value]


def asked(session: Session, found: Iterable[Question]) -> list[Asked]:
    """Questions with their words; those that this person can answer first."""
    runs: dict[int, list[Titles]] = {}
    shown = [_asked(session, question, runs) for question in found]
    return sorted(shown, key=lambda one: not one.mine)


def _asked(session: Session, question: Question, runs: dict[int, list[Titles]]) -> Asked:
    if question.run_id not in runs:
        runs[question.run_id] = _titles(session, question.run_id)
    step_id = str(question.request.get("step_id", ""))
    own = next(iter(runs[question.run_id]), None)
    titles = next((one for one in runs[question.run_id] if step_id in one.playbook.workflow), own)
    return Asked(
        question,
        titles.step(step_id) if titles and step_id in titles.playbook.workflow else question.title,
        own.name if own else question.playbook_name,
        questions.hindrance(access.me(), question),
        {name: titles.variable(name) if titles else "" for name in question.out_args},
    )


def _titles(session: Session, run_id: int) -> list[Titles]:
    """Of the run's own playbook and those that it may call."""
    detail = listing.get_run(session, run_id)
    digests = [detail.digest, *detail.called]
    bodies = listing.documents(session, digests)
    return [Titles(journal.playbook_of(bodies[digest])) for digest in digests if digest in bodies]


def hindrance_words(asked: Asked) -> str:
    """Why this person cannot answer."""
    roles = ", ".join(asked.question.roles)
    words = {
        "closed": _("This question is closed."),
        "permission": _("Your role cannot answer this."),
        "role": _("Somebody with one of these roles has to answer: %(roles)s.", roles=roles),
        "starter": _("You started this run, did what set it going, or asked for this: somebody else has to agree."),
        "decider": _("By an answer of yours this run is about something else than it was told: somebody else has to agree."),
        "apart": _("You answered a step that this one is kept apart from: somebody else has to agree."),
        "answered": _("Somebody has just answered; the run has not gone on yet."),
        "twice": _("You have answered; the run has not gone on yet, or others have to agree, too."),
    }
    return words.get(asked.hindrance, asked.hindrance)


def kind_name(kind: str) -> str:
    """What is asked for."""
    names = {"approval": _("Approval"), "manual": _("To be done by hand"), "unknown": _("Outcome unknown")}
    return names.get(kind, kind)


def why_words(why: str) -> str:
    """Why people are asked (playbooks.run.policy)."""
    names = {
        "step": _("the playbook asks for it"),
        "system": _("it changes a system"),
        "control": _("industrial control zone: nothing acts there by itself"),
    }
    return names.get(why, why)


def part_name(name: str) -> str:
    """Of a part of a request."""
    names = {
        "command": _("Command"),
        "agent": _("Carried out by"),
        "agent_id": _("Id of the agent"),
        "target": _("Target"),
        "target_id": _("Id of the target"),
        "authentication": _("Logs in with"),
    }
    return names.get(name, name)


def outcome_name(outcome: str) -> str:
    """What came of a closed question."""
    names = {
        "done": _("Done"),
        "failed": _("Failed"),
        "approved": _("Approved"),
        "refused": _("Refused"),
        "expired": _("Expired"),
        "decided": _("Decided"),
        "gone": _("No longer asked"),
    }
    return names.get(outcome, outcome)


def choice_name(choice: str) -> str:
    """What a person answered."""
    names = {
        "yes": _("agreed"),
        "no": _("refused"),
        "done": _("done"),
        "failed": _("could not be done"),
        "again": _("run it again"),
        "fail": _("let it fail"),
    }
    return names.get(choice, choice)
