"""Answers taken in: each is a person's verdict, in a transaction of its own, and counts once however often it is sent.

An answer names the version of the verdict that the person saw. Where somebody was quicker it is a conflict: nothing is changed, and
what is recorded now is told, for the person to decide.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

import msgspec
from sqlalchemy.orm import Session

from compliance.assessment import reading, record
from compliance.assessment.schema import ObjectVerdict
from compliance.onsite.models import AnswerRow
from kernel.db import Database
from operations import clock
from operations.audit.schema import Actor
from operations.errors import Conflict, Invalid, NotFound
from operations.written import moment

MOST_AT_ONCE = 100
_AHEAD = 300
"""Seconds that the clock of a tablet may be ahead."""
_KEY = re.compile(r"[A-Za-z0-9_-]{16,64}", re.ASCII)


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person said. ``version`` of the verdict that was seen, 0 = none; ``at``: when it was said, by the tablet's clock."""

    key: str
    item: str
    object: int
    version: int
    verdict: str
    reason: str
    at: str


class Taken(msgspec.Struct, frozen=True):
    """What became of an answer. ``version``: of the verdict now; ``now``: what is recorded, where somebody was quicker."""

    key: str
    state: Literal["recorded", "conflict", "refused"]
    version: int = 0
    why: str = ""
    now: ObjectVerdict | None = None


def take(database: Database, actor: Actor, system_id: int, answers: Sequence[Answer]) -> list[Taken]:
    """Raises NotFound where there is no such system, Invalid for more than MOST_AT_ONCE."""
    if len(answers) > MOST_AT_ONCE:
        raise Invalid(f"{len(answers)} answers", f"at most {MOST_AT_ONCE} at once")
    return [_one(database, actor, system_id, one) for one in answers]


def _one(database: Database, actor: Actor, system_id: int, answer: Answer) -> Taken:
    try:
        with database.write() as session:
            return _recorded(session, actor, system_id, answer)
    except Conflict:
        with database.read() as session:
            now = reading.verdict_of(session, system_id, answer.item, answer.object)
        return Taken(answer.key, "conflict", now.version, now=now)
    except Invalid as error:
        return Taken(answer.key, "refused", why=error.message)
    except NotFound as error:
        with database.read() as session:
            reading.verdict_of(session, system_id, answer.item, 0)  # NotFound where it is the system that is not there
        return Taken(answer.key, "refused", why=error.message)


def _recorded(session: Session, actor: Actor, system_id: int, answer: Answer) -> Taken:
    if not _KEY.fullmatch(answer.key):
        raise Invalid("an answer needs a key of 16 to 64 letters and digits", field="key")
    record.lock(session, system_id)
    before = session.get(AnswerRow, (system_id, answer.key))
    if before is not None:
        if (before.judged_by, before.item, before.object_id) != (actor.name[:160], answer.item, answer.object):
            raise Invalid("another answer has this key", field="key")
        return Taken(answer.key, "recorded", before.version)
    now = clock.now()
    at = moment(answer.at, "at") or now
    if at > clock.shift(now, _AHEAD):
        raise Invalid(f"the answer is of the future: {at}", "look at the clock of the tablet", field="at")
    done = record.record(
        session, actor, system_id, answer.item, answer.object, answer.verdict, source="person", reason=answer.reason, at=at,
        expected_version=answer.version,
    )  # fmt: skip
    session.add(
        AnswerRow(
            system_id=system_id, key=answer.key, judged_by=actor.name[:160], item=answer.item, object_id=answer.object,
            version=done.version, taken_at=now,
        )
    )  # fmt: skip
    return Taken(answer.key, "recorded", done.version)
