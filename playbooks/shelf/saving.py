"""Putting a playbook on the shelf, and further versions of it.

Invariants. A version is never changed; what nobody may know (a password in plain) is in none, not even in a draft. A document keeps
every octet that was given, unless it is stamped, and the same document twice in a row is one version.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import msgspec
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from operations import clock, written
from operations.accounts.schema import Principal
from operations.audit import service as audit
from operations.errors import Conflict, Invalid
from playbooks.check import is_right
from playbooks.check.report import Report
from playbooks.check.secrets import check_secrets
from playbooks.json_text import write_json
from playbooks.model import Playbook
from playbooks.problems import PlaybookError, Problem
from playbooks.reading import read
from playbooks.rights import EDIT, need
from playbooks.run import journal
from playbooks.shelf import rows
from playbooks.shelf.known import calls_of, problems_of
from playbooks.shelf.models import PlaybookVersion, ShelfPlaybook
from playbooks.shelf.schema import Version
from playbooks.translations import TranslationError, languages_of
from playbooks.vocabulary import kind_of

MOST_PLAYBOOKS = 5_000
MOST_VERSIONS = 1_000
MOST_LABELS = 50
MOST_PROBLEMS_KEPT = 200
MAX_NOTE = 2_000


def save(
    session: Session,
    who: Principal,
    body: bytes,
    *,
    note: str = "",
    base: int | None = None,
    draft: bool = False,
    origin: str = "own",
    stamp: bool = False,
) -> Version:
    """Keep a document as the next version of its playbook; nothing comes into force by that.

    base    the number of the version that it was made from; None for a playbook that is not on the shelf yet
    draft   keep it also where it cannot run yet
    origin  ``own`` or ``imported``
    stamp   give it ``modified`` of now, which takes its signatures away: what they signed is another document

    Raises Denied; PlaybookError with all problems where it is no playbook, cannot run (unless a draft), or holds a secret in plain;
    Invalid (``id``: it is no playbook's); Conflict where ``base`` is not the newest version.
    """
    need(who, EDIT)
    written.choice(origin, "origin", ("own", "imported"))
    note = written.text(note, "note", MAX_NOTE)
    playbook = read(body)
    if stamp:
        body = stamped(playbook)
        playbook = read(body)
    if kind_of(playbook.id) != "playbook":
        raise Invalid("the playbook has no id by which it can be known", f"for example {new_id()}", field="id")
    refuse_secrets(playbook)
    problems = problems_of(session, playbook, in_force=False)
    if not draft and not is_right(problems):
        raise PlaybookError(problems)
    row = _place(session, who, playbook, base, origin)
    before = _same(session, row, body)
    if before is not None:
        return rows.version(before)
    made = add_version(session, row, playbook, body, problems, origin=origin, note=note, by=who.actor.name)
    detail = {"name": row.name, "number": made.number, "digest": made.digest, "runnable": made.runnable, "note": note[:200]}
    audit.append(session, who.actor, "playbook.save", "playbook", row.playbook_id, detail=detail)
    return rows.version(made)


def new_id() -> str:
    """An id for a playbook that is written here."""
    return f"playbook--{uuid.uuid4()}"


def stamped(playbook: Playbook, now: datetime | None = None) -> bytes:
    """Its document with ``modified`` of ``now``, ``created`` where that is missing, and without signatures."""
    moment = (now or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    document = {key: value for key, value in playbook.raw.items() if key != "signatures"}
    document["created"] = document.get("created") or moment
    document["modified"] = moment
    return write_json(document)


def refuse_secrets(playbook: Playbook) -> None:
    """Raises PlaybookError where a password, token or key stands in the playbook: everybody may read what is kept here."""
    report = Report(draft=True)
    check_secrets(playbook, report)
    wrong = [problem for problem in report.problems if problem.severity == "error"]
    if wrong:
        raise PlaybookError(wrong)


def add_version(
    session: Session,
    row: ShelfPlaybook,
    playbook: Playbook,
    body: bytes,
    problems: list[Problem],
    *,
    origin: str,
    note: str,
    by: str,
) -> PlaybookVersion:
    """The next version of ``row``, which is locked; for those who have checked everything. Raises Conflict: there are too many."""
    if row.newest >= MOST_VERSIONS:
        raise Conflict(f"a playbook has at most {MOST_VERSIONS} versions", "save it as a playbook of its own")
    present = clock.now()
    journal.keep(session, {body}, present)
    row.newest += 1
    made = PlaybookVersion(
        playbook_id=row.playbook_id,
        number=row.newest,
        digest=journal.digest_of(body),
        modified=playbook.modified[:40],
        origin=origin,
        runnable=is_right(problems),
        problems=told(problems),
        calls=msgspec.json.encode(calls_of(playbook)).decode(),
        note=note,
        created_at=present,
        created_by=by[:160],
        released_at="",
        released_by="",
    )
    session.add(made)
    if row.released is None:
        describe(row, playbook)
    touch(row, by)
    session.flush()
    return made


def told(problems: list[Problem]) -> str:
    """Problems as they are kept: the first ones, which are the errors."""
    return msgspec.json.encode(problems[:MOST_PROBLEMS_KEPT]).decode()


def touch(row: ShelfPlaybook, by: str) -> None:
    """It was changed now."""
    row.revision += 1
    row.updated_at, row.updated_by = clock.now(), by[:160]


def describe(row: ShelfPlaybook, playbook: Playbook) -> None:
    """What lists show of a playbook, from one of its versions."""
    row.name = _line(playbook.name) or playbook.id
    row.names = msgspec.json.encode(_names(playbook)).decode()
    row.labels = msgspec.json.encode([_line(one)[:100] for one in playbook.labels[:MOST_LABELS]]).decode()


def blank(playbook: Playbook, origin: str, by: str) -> ShelfPlaybook:
    """A row for a playbook without a version yet."""
    present = clock.now()
    row = ShelfPlaybook(
        playbook_id=playbook.id,
        origin=origin,
        enabled=True,
        released=None,
        newest=0,
        revision=0,
        created_at=present,
        created_by=by[:160],
        updated_at=present,
        updated_by=by[:160],
    )
    describe(row, playbook)
    return row


def _place(session: Session, who: Principal, playbook: Playbook, base: int | None, origin: str) -> ShelfPlaybook:
    row = session.get(ShelfPlaybook, playbook.id, with_for_update=True, populate_existing=True)
    if row is not None:
        if base != row.newest:
            hint = f"look at version {row.newest} and make yours from that"
            raise Conflict(f"the playbook has the version {row.newest} already", hint)
        return row
    if base is not None:
        raise Conflict(f"the playbook {playbook.id} is not on the shelf", "save it without base: it is new")
    if session.execute(select(func.count()).select_from(ShelfPlaybook)).scalar_one() >= MOST_PLAYBOOKS:
        raise Conflict(f"there are {MOST_PLAYBOOKS:,} playbooks already")
    row = blank(playbook, origin, who.actor.name)
    session.add(row)
    try:
        session.flush()
    except IntegrityError as error:
        raise Conflict(f"the playbook {playbook.id} was saved by somebody else just now", "look at it first") from error
    return row


def _same(session: Session, row: ShelfPlaybook, body: bytes) -> PlaybookVersion | None:
    newest = session.get(PlaybookVersion, (row.playbook_id, row.newest)) if row.newest else None
    return newest if newest is not None and newest.digest == journal.digest_of(body) else None


def _line(text: str) -> str:
    return " ".join(text.split())[:512]


def _names(playbook: Playbook) -> dict[str, str]:
    try:
        known = languages_of(playbook)
    except TranslationError:
        return {}
    return {language: _line(words.name) for language, words in known.translations.items() if words.name} if known else {}
