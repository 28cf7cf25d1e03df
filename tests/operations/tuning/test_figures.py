"""Figures of rules: what the verdicts of their alerts say, kept in the transaction of the alert."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from sqlalchemy import select, update

from kernel.db import Database, open_database, upgrade
from operations import clock
from operations.accounts.schema import DAY
from operations.alerts import service as alerts
from operations.alerts.models import Alert, RuleClosing, RuleDay
from operations.alerts.rule_days import remove_old, seconds_of, step_of
from operations.alerts.schema import Change
from operations.audit.schema import SYSTEM
from operations.errors import Invalid
from operations.tuning import figures
from tests.operations.tuning.conftest import Desk


def counted(database: Database) -> dict[tuple[str, str], int]:
    with database.read() as session:
        rows = session.execute(select(RuleDay.rule_id, RuleDay.outcome, RuleDay.alerts)).all()
    return {(rule, outcome): number for rule, outcome, number in rows if number}


def test_shares_are_those_of_the_closed_alerts_and_most_wasted_work_comes_first(desk: Desk) -> None:
    for verdict in ("false_positive", "false_positive", "false_positive", "true_positive", "", ""):
        desk.alert("noisy", verdict)
    for verdict in ("true_positive", "benign", "false_positive"):
        desk.alert("good", verdict)
    with desk.database.read() as session:
        first, second = figures.figures(session, 7)
        assert (first.rule_id, first.alerts, first.closed, first.undecided) == ("noisy", 6, 4, 2)
        assert first.wasted == 4.5  # 6 alerts, three quarters of the closed ones false
        assert first.share("false_positives") == 0.75
        assert (second.rule_id, second.wasted) == ("good", 1.0)
        assert [row.rule_id for row in figures.figures(session, 7, sort="-alerts")] == ["good", "noisy"]
        with pytest.raises(Invalid, match="no order"):
            figures.figures(session, 7, sort="name")
        with pytest.raises(Invalid, match="no period"):
            figures.figures(session, 8)


def test_a_rule_without_alerts_has_zeros(desk: Desk) -> None:
    with desk.database.read() as session:
        row = figures.of_rule(session, "silent", 30)
    assert (row.alerts, row.share("benign"), row.median_seconds, row.days) == (0, None, None, (0,) * 30)


def test_changing_undoing_and_opening_again_keep_the_counts_right(desk: Desk) -> None:
    one, two = desk.alert("r"), desk.alert("r")
    assert counted(desk.database) == {("r", "open"): 2}
    with desk.database.write() as session:
        done = alerts.change_alerts(session, SYSTEM, [one, two], Change(status="closed", verdict="false_positive"))
    assert counted(desk.database) == {("r", "false_positive"): 2}
    desk.judge(two, "true_positive")  # another verdict on a closed alert
    assert counted(desk.database) == {("r", "false_positive"): 1, ("r", "true_positive"): 1}
    with desk.database.write() as session:
        assert alerts.undo_change(session, SYSTEM, done.batch) == 1
    assert counted(desk.database) == {("r", "open"): 1, ("r", "true_positive"): 1}
    desk.judge(two, "")
    assert counted(desk.database) == {("r", "open"): 2}
    with desk.database.read() as session:
        assert set(session.execute(select(Alert.closed_at)).scalars()) == {None}
        assert set(session.execute(select(RuleClosing.alerts)).scalars()) <= {0}


def test_the_median_time_to_close_is_known_to_about_a_fifth(desk: Desk) -> None:
    spans = [60, 600, 3600, 7200, 86_400]
    now = clock.now()
    for span in spans:
        made = desk.alert("r")
        with desk.database.write() as session:
            session.execute(update(Alert).where(Alert.id == made).values(created_at=clock.shift(now, -span)))
        desk.judge(made, "benign")
    with desk.database.read() as session:
        median = figures.of_rule(session, "r", 7).median_seconds
    assert median == pytest.approx(3600, rel=0.2)


def test_older_days_count_for_the_longer_periods_only(desk: Desk) -> None:
    old = clock.shift(clock.now(), -20 * DAY)[:10]
    with desk.database.write() as session:
        session.add(RuleDay(day=old, rule_id="r", outcome="open", alerts=7))
    desk.alert("r")
    with desk.database.read() as session:
        assert figures.of_rule(session, "r", 7).alerts == 1
        row = figures.of_rule(session, "r", 30)
    assert row.alerts == 8
    assert len(row.days) == 30
    assert row.days[-1] == 1
    assert row.days[-21] == 7


def test_days_that_no_figure_looks_at_are_taken_away(desk: Desk) -> None:
    desk.alert("r")
    with desk.database.write() as session:
        session.add(RuleDay(day="2020-01-01", rule_id="r", outcome="open", alerts=7))
    with desk.database.write() as session:
        assert remove_old(session) == 1
    assert counted(desk.database) == {("r", "open"): 1}


def test_steps_are_half_octaves() -> None:
    for seconds in (1, 90, 3600, 10**6):
        assert abs(math.log2(seconds_of(step_of(seconds)) / seconds)) <= 0.25
    assert step_of(-5) == step_of(0) == 0


def test_what_was_there_before_is_counted_by_the_migration(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'state.db'}")
    upgrade(database, "0017")
    at = "2026-11-20T10:00:00.000000Z"
    names = "dedup_key, rule_id, rule_name, engine, level, level_rank, status, verdict, count, first_seen, last_seen, created_at"
    more = "updated_at, dataset, source, tags, version"
    with database.engine.begin() as connection:
        for status, verdict, changed in (("new", None, at), ("closed", "benign", "2026-11-20T11:00:00.000000Z")):
            row = ("k", "r", "R", "sigma", "low", 1, status, verdict, 1, at, at, at, changed, "d", "s", "[]", 1)
            connection.exec_driver_sql(f"INSERT INTO alerts ({names}, {more}) VALUES ({', '.join('?' * 17)})", row)
    upgrade(database)
    assert counted(database) == {("r", "open"): 1, ("r", "benign"): 1}
    with database.read() as session:
        assert session.execute(select(RuleClosing.step, RuleClosing.alerts)).all() == [(step_of(3600), 1)]
        assert set(session.execute(select(Alert.closed_at)).scalars()) == {None, "2026-11-20T11:00:00.000000Z"}
    database.close()
