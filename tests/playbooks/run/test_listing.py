"""Runs in lists: every page once, each filter, counts that stop, and how each step of a run stands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text, update

from kernel.db import Database, open_database, upgrade
from operations import clock
from operations.errors import Invalid, NotFound
from playbooks.run import journal, listing
from playbooks.run.events import Due, Entry
from playbooks.run.journal import Line, Wanted
from playbooks.run.listing import OPEN, STATES, RunFilter
from playbooks.run.machine import ENDED
from playbooks.run.models import PlaybookRun
from playbooks.run.progress import Frames, progress
from playbooks.run.statistics import Record, busiest, days, records
from tests.playbooks.documents import END, FIRST, START, document, octets, uuid
from tests.postgresql_server import running_postgresql
from tests.soc_ui.seed_playbooks import question, run, shipped, ticket
from tests.state_database import migrated

OTHER = f"playbook--{uuid(77)}"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = migrated(f"sqlite:///{tmp_path}/state.db")
    yield opened
    opened.close()


@pytest.fixture
def many(database: Database) -> list[str]:
    """21 runs, three of each state; the last one is of another playbook. Returns the states by id."""
    states = [state for state in STATES for _ in range(3)]
    with database.write() as session:
        wanted = [Wanted(body=octets(document()), by="a") for _ in states[:-1]]
        ids = journal.request_all(session, [*wanted, Wanted(body=octets(document(id=OTHER)), by="b")])
        for run_id, state in zip(ids, states, strict=True):
            session.execute(update(PlaybookRun).where(PlaybookRun.id == run_id).values(state=state))
    return states


@pytest.mark.parametrize("where", [RunFilter(), RunFilter(state="open"), RunFilter(state="failed"), RunFilter(playbook_id=OTHER)])
def test_every_run_stands_on_one_page(database: Database, many: list[str], where: RunFilter) -> None:
    seen, cursor = [], ""
    with database.read() as session:
        while True:
            page = listing.list_runs(session, where, limit=4, cursor=cursor)
            seen += [one.id for one in page.runs]
            cursor = page.cursor
            if not cursor:
                break
    states = {"": STATES, "open": OPEN}.get(where.state, (where.state,))
    fitting = [number for number, state in enumerate(many, 1) if state in states]
    assert seen == ([21] if where.playbook_id else sorted(fitting, reverse=True))


def test_counts_and_what_is_refused(database: Database, many: list[str]) -> None:
    with database.read() as session:
        assert listing.count_runs(session) == dict.fromkeys(STATES, 3)
        with pytest.raises(Invalid):
            listing.list_runs(session, cursor="1; DROP TABLE playbook_runs")
        with pytest.raises(NotFound):
            listing.get_run(session, 99)


def test_lists_use_their_indexes(database: Database, many: list[str]) -> None:
    plan = "EXPLAIN QUERY PLAN SELECT id FROM playbook_runs WHERE {} ORDER BY id DESC LIMIT 51"
    with database.read() as session:
        for condition, index in (
            ("state = 'failed'", "ix_playbook_runs_state"),
            ("playbook_id = 'x'", "ix_playbook_runs_playbook"),
            ("subject = 'alert:7'", "ix_playbook_runs_subject"),
            ("subject = 'alert:7' AND state || '' IN ('failed')", "ix_playbook_runs_subject"),
        ):
            told = " ".join(str(row) for row in session.execute(text(plan.format(condition))))
            assert index in told
            assert "TEMP B-TREE" not in told


def test_runs_of_one_alert(database: Database) -> None:
    causes: list[dict[str, Any]] = [
        {"kind": "alert", "id": 7}, {"kind": "alert", "id": 7, "trigger": 3, "name": "x"}, {"kind": "alert", "id": 77},
        {"kind": "asset", "id": "水-plc/1"}, {"kind": "incident", "id": 7}, {"kind": "person"}, {"kind": "alert", "id": "7\0"},
        {"kind": "alert", "id": True}, {"kind": ["alert"], "id": 7}, {},
    ]  # fmt: skip
    with database.write() as session:
        journal.request_all(session, [Wanted(body=octets(document()), by="a", cause=cause) for cause in causes])
        session.execute(update(PlaybookRun).where(PlaybookRun.id == 1).values(state="finished"))

    def found(subject: str, state: str = "") -> list[int]:
        with database.read() as session:
            return [one.id for one in listing.list_runs(session, RunFilter(subject=subject, state=state)).runs]

    assert (found("alert:7"), found("asset:水-plc/1"), found("incident:7"), found("alert:8")) == ([2, 1], [4], [5], [])
    assert (found("alert:7", "open"), found("alert:7", "finished"), found("alert:7", "failed")) == ([2], [1], [])
    for wrong in ("alert", "alert:0", "alert:7 OR 1=1", "alert:٧", "asset:a\0b", "asset:" + "x" * 129, "person:1"):
        with pytest.raises(Invalid):
            found(wrong)


def test_runs_of_an_older_release_know_their_subject(tmp_path: Path) -> None:
    _old_runs_know_their_subject(f"sqlite:///{tmp_path}/old.db")


@pytest.mark.slow
def test_they_do_on_postgresql_too(shared: Path, tmp_path: Path) -> None:
    with running_postgresql(shared, tmp_path) as url:
        _old_runs_know_their_subject(url)


def _old_runs_know_their_subject(url: str) -> None:
    opened = open_database(url)
    upgrade(opened, "0029")
    columns = (
        "playbook_id, playbook_name, digest, called, variables, state, reason, cause, created_at, created_by, lease_owner,"
        " lease_until, events"
    )
    with opened.write() as session:
        session.execute(
            text("INSERT INTO playbook_documents (digest, playbook_id, modified, body, created_at) VALUES ('d', '', '', '', '')")
        )
        for cause in ('{"kind":"alert","id":7}', '{"kind":"asset","id":"plc"}', '{"kind":"api"}', "{}"):
            values = f"'', '', 'd', '[]', '{{}}', 'finished', '', '{cause}', '', '', '', '', 0".replace(":", "\\:")
            session.execute(text(f"INSERT INTO playbook_runs ({columns}) VALUES ({values})"))
    upgrade(opened)
    with opened.read() as session:
        subjects = list(session.execute(text("SELECT subject FROM playbook_runs ORDER BY id")).scalars())
        listed = [
            [one.id for one in listing.list_runs(session, RunFilter(subject="alert:7", state=state)).runs]
            for state in ("", "finished", "open")
        ]
    opened.close()
    assert subjects == ["alert:7", "asset:plc", None, None]
    assert listed == [[1], [1], []]


def test_how_each_step_stands(database: Database) -> None:
    asked = run(database, question(), {"__ip__": "203.0.113.7"})
    done = run(database, ticket(), {"__ip__": "203.0.113.7"})
    with database.read() as session:
        found = progress(journal.lines(session, done), over=True)
        assert {place: (one.state, one.times) for place, one in found.items()} == {
            ("", START): ("done", 1), ("", FIRST): ("done", 1), ("", END): ("done", 1),
        }  # fmt: skip
        waiting = progress(journal.lines(session, asked))
        assert waiting["", FIRST].state == "now"
        assert progress(journal.lines(session, asked), over=True)["", FIRST].state == "cut"
        told = records(session, [ticket_id := listing.get_run(session, done).run.playbook_id, OTHER], clock.shift(clock.now(), -60))
        assert (told[ticket_id].runs, told[ticket_id].success) == (1, 1.0)
        assert told[OTHER] == Record()
        assert told[OTHER].success is None


def test_steps_of_a_called_playbook_are_told_apart(database: Database) -> None:
    force = tuple(shipped(name) for name in ("contain-address", "suspend-account", "secure-evidence", "close-out"))
    run_id = run(database, shipped("brute-force"), {"__address__": "203.0.113.7"}, called=force)
    with database.read() as session:
        detail = listing.get_run(session, run_id)
        lines = journal.lines(session, run_id)
        books = [journal.playbook_of(body) for body in listing.documents(session, detail.called).values()]
        own = journal.playbook_of(listing.documents(session, [detail.digest])[detail.digest])
    found = progress(lines, over=detail.run.state in ENDED)
    for frame, step in found:
        steps = own.workflow if not frame else next(one.workflow for one in books if one.id == frame)
        assert step in steps


def test_the_frame_of_a_branch() -> None:
    frames = Frames()
    frames.note(Entry(event="playbook", step="playbook-action--1", branch="main", to=OTHER))
    inner = "main/playbook-action--1"
    assert frames.of("main") == ""
    assert frames.of(inner) == OTHER
    assert frames.of(f"{inner}/if-condition--2[on_true]") == OTHER
    assert frames.of(f"undo/{inner}/action--3") == OTHER
    assert frames.of(f"{inner}2") == ""


def test_of_a_journal_that_is_cut_nothing_is_guessed() -> None:
    entry = Entry(event="left", step=FIRST, branch="main", outcome="success")
    assert progress([Line(7, Due(at=1), [entry])]) == {}


def test_days_and_the_busiest(database: Database, many: list[str]) -> None:
    moments = {1: "2026-11-01T10:00:00.000000Z", 2: "2026-11-26T15:59:59.000000Z", 3: "2026-11-26T16:00:00.000000Z"}
    with database.write() as session:
        session.execute(update(PlaybookRun).values(created_at="2026-11-27T01:00:00.000000Z"))
        for run_id, moment in moments.items():
            session.execute(update(PlaybookRun).where(PlaybookRun.id == run_id).values(created_at=moment))
    with database.read() as session:
        found = days(session, "2026-11-20T00:00:00.000000Z")
        assert [(day.date, day.finished, day.failed, day.others) for day in found] == [
            ("2026-11-26", 0, 0, 1),  # 23:59:59 in Shanghai
            ("2026-11-27", 6, 3, 10),  # what was taken back had finished
        ]
        assert busiest(session, "2026-11-20T00:00:00.000000Z") == {document()["id"]: 19, OTHER: 1}
        for since in ("2026-11-01T10:00:00.000000Z", "2020-01-01T00:00:00.000000Z", "2030-01-01T00:00:00.000000Z"):
            expected = sum(moment > since for moment in moments.values()) + (18 if since < "2027" else 0)
            assert sum(busiest(session, since).values()) == expected


def test_without_runs_there_are_no_days(database: Database) -> None:
    with database.read() as session:
        assert days(session, "2026-11-20T00:00:00.000000Z") == []
        assert busiest(session, "2026-11-20T00:00:00.000000Z") == {}
