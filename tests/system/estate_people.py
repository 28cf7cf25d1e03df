"""People who answer what runs of playbooks ask: they fill in forms, and agree in pairs where two are needed.

Whoever may not answer a question is not asked to; where two people have to agree, the second is never the first.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeAlias

import pytest
from sqlalchemy.orm import Session

from operations.accounts.schema import Principal
from operations.errors import Conflict, Denied
from playbooks.run import journal, questions
from playbooks.run.machine import ENDED
from playbooks.run.questions import Question
from playbooks.variables import Value
from tests.playbooks.shelf.people import DUTY, LEADER, OTHER_RESPONDER, RESPONDER
from tests.system.estate import Estate

STARTER = RESPONDER
PEOPLE = (DUTY, LEADER, OTHER_RESPONDER)
OUTSIDE = frozenset(
    {"__host__", "__address__", "__account__", "__domain__", "__serial__", "__cve__", "__product__", "__scenario__"}
)
"""What a person may correct, and need not."""
Form: TypeAlias = "dict[str, Value | list[Value]]"
"""Variable → what people fill in; of a list one after another, the last one from then on."""


class People:
    """Those who sit before one run. ``said``: every question with who answered it, in order."""

    def __init__(self, estate: Estate, run_id: int, form: Form, look: Callable[[Question], None]) -> None:
        """``look`` is called with each question that a machine's act waits for, before anybody answers it."""
        self._estate, self._run, self._look = estate, run_id, look
        self._form = {name: list(given) if isinstance(given, list) else [given] for name, given in form.items()}
        self._answered: set[tuple[int, int]] = set()
        self.said: list[tuple[Question, str]] = []

    def sit(self, until: str, seconds: float = 90) -> None:
        """Answer until the run is in the state ``until``. Fails where it ends otherwise, or goes on for too long."""
        end = time.monotonic() + seconds
        while (state := self._state()) != until:
            assert state not in ENDED or until == "undone", self.story(f"it is {state}, not {until}")
            assert time.monotonic() < end, self.story(f"it is {state} after {seconds:.0f} s, not {until}")
            if not self._round():
                time.sleep(0.03)

    def story(self, what: str) -> str:
        """For failure messages: what is wrong, what failed in the run, what is asked, what the role says."""
        with self._estate.database.read() as session:
            asked = [f"asks {one.title!r} ({one.kind}): {one.line}" for one in questions.open_questions(session, run_id=self._run)]
        failed = [f"{step}: {code} {message}" for step, code, message in self.failures()]
        last = [f"answered {one.title!r} by {who}" for one, who in self.said[-3:]]
        return "\n".join([what, *failed, *last, *asked, self._estate.said()])

    def failures(self) -> list[tuple[str, str, str]]:
        """Attempts that failed: step, code, message."""
        with self._estate.database.read() as session:
            claimed = journal.load(session, self._run)
            lines = journal.lines(session, self._run)
        names = {key: step.name for one in (claimed.playbook, *claimed.called) for key, step in one.workflow.items()}
        entries = [entry for line in lines for entry in line.trace]
        return [(names.get(one.step, one.step), one.code, one.message) for one in entries if one.event == "ended" and one.code]

    def _state(self) -> str:
        with self._estate.database.read() as session:
            return journal.state_of(session, self._run).state

    def _round(self) -> bool:
        with self._estate.database.read() as session:
            asked = questions.open_questions(session, run_id=self._run)
        fresh = [one for one in asked if (one.id, len(one.answers)) not in self._answered and not _settled(one)]
        for one in fresh:
            self._answered.add((one.id, len(one.answers)))
            if one.kind == "approval":
                self._look(one)
            self._answer(one)
        return bool(fresh)

    def _answer(self, asked: Question) -> None:
        assert asked.kind in ("approval", "manual"), self.story(f"nobody knows what became of {asked.title!r}")
        self._refused(asked)
        who = next((one for one in PEOPLE if not questions.hindrance(one, asked)), None)
        assert who is not None, self.story(f"nobody may answer {asked.title!r}")
        with self._estate.database.write() as session:
            if asked.kind == "approval":
                questions.approve(session, who, asked.id, digest=asked.digest, yes=True, comment="looked at")
            else:
                questions.answer(session, who, asked.id, done=True, variables=self._filled(asked))
        self.said.append((asked, who.name))

    def _refused(self, asked: Question) -> None:
        """Who started the run, and who agreed already, is turned away where others have to agree."""
        turned = [one for one in PEOPLE if one.name in asked.barred or any(given.by == one.name for given in asked.answers)]
        turned += [STARTER] if not asked.own else []
        for one in turned:
            with self._estate.database.write() as session, pytest.raises((Denied, Conflict)):
                _say_yes(session, one, asked)

    def _filled(self, asked: Question) -> dict[str, Value]:
        found: dict[str, Value] = {}
        for name in asked.out_args:
            if name in OUTSIDE and name not in self._form:
                continue  # left as it was told from outside
            assert name in self._form, self.story(f"{asked.title!r} asks for {name}, and nobody knows it")
            given = self._form[name]
            found[name] = given[0] if len(given) == 1 else given.pop(0)
        return found


def _say_yes(session: Session, who: Principal, asked: Question) -> None:
    if asked.kind == "approval":
        questions.approve(session, who, asked.id, digest=asked.digest, yes=True)
    else:
        questions.answer(session, who, asked.id, done=True)


def _settled(asked: Question) -> bool:
    """Whether enough people have answered; the run has not read it yet."""
    return len(asked.answers) >= (asked.number if asked.kind == "approval" else 1)
