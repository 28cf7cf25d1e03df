"""Words in titles: the trigram index finds what reading every title finds, also after changes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.orm import Session

from kernel.db import Database
from operations.clock import now
from operations.tickets.models import Ticket
from operations.title_search import titled
from tests.state_database import migrated

_WORDS = (
    "漏洞整改",
    "弱口令",
    "通告 KEV",
    "tool 12",
    'quo"te',
    "50%_a",
    "Straße",
    "AND OR",
    "漏洞",
    "x",
    "整改通知书",
    "NEAR(a b)",
)

_SOUGHT = (*_WORDS, "漏洞整", "ol 1", "uo", "%", "_a", '"', "straße", "没有", "*", "^a", "-1", "title:x")


def _row(title: str) -> dict[str, object]:
    required = {column.name for column in Ticket.__table__.columns if not column.nullable and column.default is None}
    row: dict[str, object] = dict.fromkeys(required - {"id"}, "")
    return row | {"title": title, "created_at": now(), "updated_at": now(), "version": 1}


def _found(session: Session, words: str) -> set[str]:
    session.info.pop("snapshot", None)
    return set(
        session.execute(select(Ticket.title).where(*titled(session, "ticket_title", Ticket.id, Ticket.title, words))).scalars()
    )


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Database:
    folder: Path = tmp_path_factory.mktemp("titles")
    opened = migrated(f"sqlite:///{folder}/state.db")
    with opened.write() as session:
        for first in _WORDS:
            for second in _WORDS:
                session.execute(insert(Ticket), [_row(f"{first} {second}")])
    return opened


@given(words=st.lists(st.sampled_from(_SOUGHT), max_size=4))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_index_finds_what_reading_finds(database: Database, words: list[str]) -> None:
    sought = " ".join(words).lower().split()
    with database.read() as session:
        titles = session.execute(select(Ticket.title)).scalars()
        assert _found(session, " ".join(words)) == {title for title in titles if all(word in title.lower() for word in sought)}


def test_a_changed_title_is_found_by_its_new_words_only(database: Database) -> None:
    with database.write() as session:
        session.execute(insert(Ticket), [_row("before the change")])
        session.execute(update(Ticket).where(Ticket.title == "before the change").values(title="after the change"))
        assert _found(session, "before") == set()
        assert _found(session, "after") == {"after the change"}
        session.execute(text("DELETE FROM tickets WHERE title = 'after the change'"))
        assert _found(session, "after") == set()
        assert (
            session.execute(text("SELECT count(*) FROM ticket_title")).scalar()
            == session.execute(select(func.count()).select_from(Ticket)).scalar()
        )
