"""Tables of the journal: runs, what happened to them, messages of people to them, and the playbooks as they were run."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, Table, Text
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Base, Database

_ID = BigInteger().with_variant(Integer, "sqlite")


class PlaybookDocument(Base):
    """A playbook exactly as it was run, once for each content. ``digest``: SHA-256 of ``body``, hexadecimal."""

    __tablename__ = "playbook_documents"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    playbook_id: Mapped[str] = mapped_column(String(160))
    modified: Mapped[str] = mapped_column(String(40))
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[str] = mapped_column(String(27))


class PlaybookRun(Base):
    """One run.

    digest       the playbook it runs; ``called`` the ones that it may call: JSON list of digests
    variables    JSON object: the values given to it
    state        queued | running | waiting (for a person or a timer) | finished | failed | cancelled | undone
    reason       why it failed, what it waits for, or how it was taken back (taking_back.BY_HAND)
    cause        JSON object: what it was triggered by; ``subject`` the same for lists (playbooks.run.about), NULL = nothing of ours
    request_key  a second request with the same key is the same run
    lease_owner  the executor that has it, until ``lease_until``; "" = nobody
    wake_at      when a run that waits has to be looked at again, NULL = when a message comes
    events       number of its last event
    """

    __tablename__ = "playbook_runs"

    id: Mapped[int] = mapped_column(_ID, primary_key=True)
    playbook_id: Mapped[str] = mapped_column(String(160))
    playbook_name: Mapped[str] = mapped_column(String(512))
    digest: Mapped[str] = mapped_column(ForeignKey("playbook_documents.digest"))
    called: Mapped[str] = mapped_column(Text)
    variables: Mapped[str] = mapped_column(Text)
    organisation_id: Mapped[int | None] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(Text)
    cause: Mapped[str] = mapped_column(Text)
    subject: Mapped[str | None] = mapped_column(String(160))
    request_key: Mapped[str | None] = mapped_column(String(128), unique=True)
    created_at: Mapped[str] = mapped_column(String(27))
    created_by: Mapped[str] = mapped_column(String(160))
    started_at: Mapped[str | None] = mapped_column(String(27))
    ended_at: Mapped[str | None] = mapped_column(String(27))
    lease_owner: Mapped[str] = mapped_column(String(64))
    lease_until: Mapped[str] = mapped_column(String(27))
    wake_at: Mapped[str | None] = mapped_column(String(27))
    events: Mapped[int]

    __table_args__ = (
        Index("ix_playbook_runs_state", "state", "id"),
        Index("ix_playbook_runs_lease", "lease_until"),
        Index("ix_playbook_runs_wake", "wake_at"),
        Index("ix_playbook_runs_playbook", "playbook_id", "id"),
        Index("ix_playbook_runs_subject", "subject", "id"),
        Index("ix_playbook_runs_created", "created_at", "state"),  # statistics of days read nothing but it
        {"sqlite_autoincrement": True},
    )


class PlaybookEvent(Base):
    """What happened to a run, in order (``number`` 1, 2, …). Rows are only ever added; two writers of one run collide in
    ``number``.

    event  JSON (playbooks.run.events); ``trace`` JSON list of what the machine did because of it
    """

    __tablename__ = "playbook_events"

    id: Mapped[int] = mapped_column(_ID, primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("playbook_runs.id", ondelete="CASCADE"))
    number: Mapped[int]
    event: Mapped[str] = mapped_column(Text)
    trace: Mapped[str] = mapped_column(Text)

    __table_args__ = (Index("uq_playbook_events", "run_id", "number", unique=True),)


class PlaybookQuestion(Base):
    """What a run asks of people, and what came of it. Written by the executor with the events that it follows from.

    call, attempt  the command it is about, as in the journal
    kind       manual (carry it out) | approval (agree to it) | unknown (was it carried out?)
    title      name of the step; ``line`` what is to be done or would be done
    request    JSON of the whole request with its values; it holds names of secrets, never secrets; beside them
               ``undo_by`` (who asked for it) where it takes something back, and ``words`` (title and text by language)
    digest     of the request: what people agree to
    out_args   JSON object: variable → its type, what an answer may give back
    roles      JSON list: who may answer, [] = every role that may
    number     how many have to agree; ``own`` False: whoever started the run, or its undo, may not answer
    why, touches  JSON lists: why people are asked, and what the command would touch
    outcome    "" while open; done | failed | approved | refused | expired | decided | gone
    answers    JSON list of {by, at, choice, comment}
    """

    __tablename__ = "playbook_questions"

    id: Mapped[int] = mapped_column(_ID, primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("playbook_runs.id", ondelete="CASCADE"))
    call: Mapped[str] = mapped_column(String(80))
    attempt: Mapped[int]
    kind: Mapped[str] = mapped_column(String(12))
    title: Mapped[str] = mapped_column(String(512))
    line: Mapped[str] = mapped_column(Text)
    request: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))
    out_args: Mapped[str] = mapped_column(Text)
    roles: Mapped[str] = mapped_column(Text)
    number: Mapped[int]
    own: Mapped[bool]
    why: Mapped[str] = mapped_column(Text)
    touches: Mapped[str] = mapped_column(Text)
    asked_at: Mapped[str] = mapped_column(String(27))
    expires_at: Mapped[str | None] = mapped_column(String(27))
    closed_at: Mapped[str | None] = mapped_column(String(27))
    outcome: Mapped[str] = mapped_column(String(12))
    answers: Mapped[str] = mapped_column(Text)

    __table_args__ = (
        Index("ix_playbook_questions_run", "run_id", "id"),
        Index("ix_playbook_questions_open", "closed_at", "id"),
        {"sqlite_autoincrement": True},
    )


class PlaybookMessage(Base):
    """What a person wants of a run: an answer, a decision, cancelling, taking back. ``taken_at`` when its executor has read it."""

    __tablename__ = "playbook_messages"

    id: Mapped[int] = mapped_column(_ID, primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("playbook_runs.id", ondelete="CASCADE"))
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[str] = mapped_column(String(27))
    created_by: Mapped[str] = mapped_column(String(160))
    taken_at: Mapped[str | None] = mapped_column(String(27))

    __table_args__ = (
        Index("ix_playbook_messages_taken", "taken_at", "id"),
        Index("ix_playbook_messages_run", "run_id", "id"),
        {"sqlite_autoincrement": True},
    )


TABLES: list[Table] = [
    table
    for model in (PlaybookDocument, PlaybookRun, PlaybookEvent, PlaybookMessage, PlaybookQuestion)
    if isinstance(table := model.__table__, Table)
]
"""All of a journal."""


def create_tables(database: Database) -> None:
    """Only these tables, in a database that is nothing but a journal (no platform, no migrations)."""
    with database.write() as session:
        Base.metadata.create_all(session.connection(), tables=TABLES)
