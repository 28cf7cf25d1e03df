"""What people see of the questions of runs, and how they answer (agree, refuse, carry out, decide).

An answer is a message to the run in one transaction with the audit trail and the question's own list of answers; what follows from
it is the machine's part. Agreeing holds for exactly the request whose digest was shown: the machine takes no other.
Nobody agrees twice, and who started a run does not agree to what it does (four eyes).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from operations import clock
from operations.accounts.schema import Principal
from operations.audit import service as audit
from operations.errors import Conflict, Denied, Invalid, NotFound
from playbooks.rights import RUN, wrote
from playbooks.run import journal
from playbooks.run.asked_words import AskedWords
from playbooks.run.asking import KNOWN, UNDO_BY, WORDS
from playbooks.run.messages import CHOICES, Answer, Approve, Decide, Message
from playbooks.run.models import PlaybookQuestion, PlaybookRun
from playbooks.values import typed
from playbooks.variables import LONGEST_VALUE, Value

LONGEST_COMMENT = 2_000
FIRED_BY = "fired_by"
"""In the cause of a run that a trigger started: the person whose act it answers."""
APPROVE = "playbooks.approve"
"""For what needs a second pair of eyes: an approval, also one that is a step by hand."""


class Given(msgspec.Struct, frozen=True):
    """What somebody said. ``choice``: yes, no (approval), done, failed (manual), done, again, fail (unknown).

    decided  variables from outside that have another value by this than they were told
    """

    by: str
    at: str
    choice: str
    comment: str = ""
    decided: tuple[str, ...] = ()


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A question as pages show it; its fields are those of PlaybookQuestion, lists and objects read.

    started_by   who started the run
    fired_by     the person whose act started it by a trigger, "" where there is none
    undo_by      who asked for the undo that the question belongs to, "" where it belongs to none
    barred       who answered a step of this run that this one is kept apart from
    deciders     who decided in this run what it is about, by answers that say otherwise than it was told from outside
    words        title and text by language, where the playbook has them
    known        those of ``out_args`` that come from outside, with what was told; stays so where the answer says nothing else
    outcome      "" while open
    """

    id: int
    run_id: int
    playbook_id: str
    playbook_name: str
    call: str
    attempt: int
    kind: str
    title: str
    line: str
    request: dict[str, Any]
    digest: str
    out_args: dict[str, str]
    roles: tuple[str, ...]
    number: int
    own: bool
    why: tuple[str, ...]
    touches: tuple[str, ...]
    asked_at: str
    expires_at: str | None
    closed_at: str | None
    outcome: str
    answers: tuple[Given, ...]
    started_by: str
    fired_by: str = ""
    undo_by: str = ""
    barred: frozenset[str] = frozenset()
    deciders: frozenset[str] = frozenset()
    words: dict[str, AskedWords] = {}
    known: dict[str, str | None] = {}

    @property
    def agreed(self) -> int:
        """How many have agreed so far."""
        return sum(given.choice == "yes" for given in self.answers)


def open_questions(
    session: Session, *, kinds: Collection[str] = (), run_id: int | None = None, after: int = 0, limit: int = 100
) -> list[Question]:
    """Questions that nobody has settled, the oldest first, from number ``after`` + 1 on."""
    query = _query().where(PlaybookQuestion.closed_at.is_(None), PlaybookQuestion.id > after)
    if kinds:
        query = query.where(PlaybookQuestion.kind.in_(tuple(kinds)))
    if run_id is not None:
        query = query.where(PlaybookQuestion.run_id == run_id)
    rows = session.execute(query.order_by(PlaybookQuestion.id).limit(limit))
    return [_question(session, row, run) for row, run in rows]


def of_run(session: Session, run_id: int, limit: int = 500) -> list[Question]:
    """All questions of a run, the newest first."""
    rows = session.execute(_query().where(PlaybookQuestion.run_id == run_id).order_by(PlaybookQuestion.id.desc()).limit(limit))
    return [_question(session, row, run) for row, run in rows]


def question(session: Session, number: int) -> Question:
    """One of them. Raises NotFound."""
    row = session.execute(_query().where(PlaybookQuestion.id == number)).first()
    if row is None:
        raise NotFound(f"there is no question {number}")
    return _question(session, *row)


def hindrance(who: Principal, asked: Question) -> str:
    """Why this person cannot answer: "" (they can), closed, answered (by another), permission, role, starter, decider (four
    eyes), apart (they answered a step that this one is kept apart from), twice."""
    if asked.closed_at is not None:
        return "closed"
    if not who.may(RUN if asked.kind != "approval" and asked.own else APPROVE):
        return "permission"
    if asked.roles and who.role not in asked.roles:
        return "role"
    if not asked.own and any(wrote(who, one) for one in (asked.started_by, asked.fired_by, asked.undo_by)):
        return "starter"
    if not asked.own and any(wrote(who, one) for one in asked.deciders):
        return "decider"
    if who.name in asked.barred:
        return "apart"
    if any(given.by == who.name for given in asked.answers):
        return "twice"
    if any(given.choice != "yes" for given in asked.answers):
        return "answered"  # the run has not read it yet
    return ""


def approve(session: Session, who: Principal, number: int, *, digest: str, yes: bool, comment: str = "") -> Question:
    """Agree to exactly what was shown (``digest``), or refuse it, with a reason. Raises NotFound, Denied, Conflict, Invalid."""
    asked = _answerable(session, who, number, "approval")
    if digest != asked.digest:
        raise Conflict("this is not the request that was shown", "read it again")
    text = _comment(comment)
    if not yes and not text:
        raise Invalid("say why you do not agree", field="comment")
    message = Approve(call=asked.call, digest=digest, yes=yes, comment=text)
    return _given(session, who, asked, "yes" if yes else "no", text, message, {"digest": digest})


def answer(
    session: Session, who: Principal, number: int, *, done: bool, variables: Mapping[str, Value] | None = None, comment: str = ""
) -> Question:
    """Say that a manual command was carried out, with the values it asks for, or that it was not. Raises as ``approve``."""
    asked = _answerable(session, who, number, "manual")
    values = _values(asked, variables or {}) if done else {}
    text = _comment(comment)
    message = Answer(call=asked.call, done=done, variables=values, comment=text)
    return _given(session, who, asked, "done" if done else "failed", text, message, {"variables": sorted(values)})


def decide(
    session: Session, who: Principal, number: int, *, choice: str, variables: Mapping[str, Value] | None = None, comment: str = ""
) -> Question:
    """Say of a command whose outcome is unknown that it was done, shall run again, or failed. Raises as ``approve``."""
    asked = _answerable(session, who, number, "unknown")
    if choice not in CHOICES:
        raise Invalid(f"one of {', '.join(CHOICES)}", field="choice")
    values = _values(asked, variables or {}) if choice == "done" else {}
    text = _comment(comment)
    message = Decide(call=asked.call, choice=choice, variables=values, comment=text)
    return _given(session, who, asked, choice, text, message, {"variables": sorted(values)})


def _answerable(session: Session, who: Principal, number: int, kind: str) -> Question:
    row = session.execute(_query().where(PlaybookQuestion.id == number).with_for_update(of=PlaybookQuestion)).first()
    if row is None or row[0].kind != kind:
        raise NotFound(f"there is no question {number} of this kind")
    asked = _question(session, *row)
    match hindrance(who, asked):
        case "closed":
            raise Conflict("this question is closed", f"it was {asked.outcome}")
        case "permission":
            raise Denied("you may not answer this")
        case "role":
            raise Denied(f"one of these has to answer: {', '.join(asked.roles)}")
        case "starter":
            raise Denied("somebody else has to agree: you started this run, did what started it, or asked that it be taken back")
        case "decider":
            raise Denied("somebody else has to agree: by an answer of yours this run is about something else than it was told")
        case "apart":
            raise Denied("somebody else has to agree: you answered a step that this one is kept apart from")
        case "twice":
            raise Conflict("you have answered this already")
        case "answered":
            raise Conflict("somebody else has just answered this")
    return asked


def _given(
    session: Session, who: Principal, asked: Question, choice: str, comment: str, message: Message, detail: Mapping[str, Any]
) -> Question:
    """Keep what was said, tell the run, and write the trail: what exactly was agreed to, and by whom."""
    values = message.variables if isinstance(message, Answer | Decide) else {}
    decided = tuple(sorted(name for name, value in values.items() if name in asked.known and asked.known[name] != value))
    answers = (*asked.answers, Given(who.name, clock.now(), choice, comment, decided))
    row = session.get(PlaybookQuestion, asked.id)
    assert row is not None
    row.answers = msgspec.json.encode(answers).decode()
    journal.send(session, asked.run_id, message, who.name)
    audit.append(
        session,
        who.actor,
        f"playbook.{'approve' if asked.kind == 'approval' else 'answer' if asked.kind == 'manual' else 'decide'}",
        "playbook_run",
        asked.run_id,
        detail={"question": asked.id, "choice": choice, "step": asked.title[:200], "line": asked.line[:500], **detail},
    )
    return msgspec.structs.replace(asked, answers=answers)


def _values(asked: Question, variables: Mapping[str, Value]) -> dict[str, Value]:
    """Values of the types that the step wants back; none of others. None: what was told from outside is not so, and not known."""
    found: dict[str, Value] = {}
    for name, value in variables.items():
        if name not in asked.out_args:
            raise Invalid(f"the step does not ask for {name}", field=name)
        if value is None and name in asked.known:
            found[name] = None
            continue
        if value is None:
            raise Invalid(f"{name}: a value is needed", field=name)
        if len(value if isinstance(value, str) else msgspec.json.encode(value)) > LONGEST_VALUE:
            raise Invalid(f"at most {LONGEST_VALUE:,} letters", field=name)
        try:
            typed(asked.out_args[name], value)
        except ValueError as error:
            raise Invalid(f"{name}: {error}", field=name) from error
        found[name] = value
    return found


def _comment(text: str) -> str:
    text = text.strip()
    if len(text) > LONGEST_COMMENT:
        raise Invalid(f"at most {LONGEST_COMMENT:,} letters", field="comment")
    return text.replace("\0", "")


def _query() -> Any:
    return select(PlaybookQuestion, PlaybookRun).join(PlaybookRun, PlaybookRun.id == PlaybookQuestion.run_id)


def _question(session: Session, row: PlaybookQuestion, run: PlaybookRun) -> Question:
    request = msgspec.json.decode(row.request)
    undo_by, words, known = request.pop(UNDO_BY, ""), request.pop(WORDS, {}), request.pop(KNOWN, {})
    return Question(
        id=row.id,
        run_id=row.run_id,
        playbook_id=run.playbook_id,
        playbook_name=run.playbook_name,
        call=row.call,
        attempt=row.attempt,
        kind=row.kind,
        title=row.title,
        line=row.line,
        request=request,
        digest=row.digest,
        out_args=msgspec.json.decode(row.out_args),
        roles=msgspec.json.decode(row.roles, type=tuple[str, ...]),
        number=row.number,
        own=row.own,
        why=msgspec.json.decode(row.why, type=tuple[str, ...]),
        touches=msgspec.json.decode(row.touches, type=tuple[str, ...]),
        asked_at=row.asked_at,
        expires_at=row.expires_at,
        closed_at=row.closed_at,
        outcome=row.outcome,
        answers=msgspec.json.decode(row.answers, type=tuple[Given, ...]),
        started_by=run.created_by,
        fired_by=str(msgspec.json.decode(run.cause).get(FIRED_BY, "")),
        undo_by=undo_by,
        words=msgspec.convert(words, dict[str, AskedWords]),
        known=known,
        barred=_barred(session, row, request),
        deciders=frozenset() if row.own else _deciders(session, row.run_id),
    )


def _barred(session: Session, row: PlaybookQuestion, request: Mapping[str, Any]) -> frozenset[str]:
    """Who answered a step that this one is kept apart from."""
    apart = ((request.get("options") or {}).get("approval") or {}).get("apart") or ()
    if not apart:
        return frozenset()
    query = select(PlaybookQuestion.request, PlaybookQuestion.answers)
    others = session.execute(query.where(PlaybookQuestion.run_id == row.run_id, PlaybookQuestion.id != row.id))
    return frozenset(
        given.by
        for other, answers in others
        if msgspec.json.decode(other).get("step_id") in apart
        for given in msgspec.json.decode(answers, type=list[Given])
    )


def _deciders(session: Session, run_id: int) -> frozenset[str]:
    """Who said of a value from outside something else than the run was told: they set what is agreed to, as a starter does."""
    query = select(PlaybookQuestion.answers).where(PlaybookQuestion.run_id == run_id, PlaybookQuestion.answers != "[]")
    answers = session.execute(query).scalars()
    return frozenset(given.by for one in answers for given in msgspec.json.decode(one, type=list[Given]) if given.decided)
