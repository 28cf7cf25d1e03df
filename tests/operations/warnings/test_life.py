"""The life of a warning: who may do what when, numbers, deadlines, editions, and what an organisation sees of it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from kernel.db import Database
from operations.audit import service as audit
from operations.errors import Conflict, Denied, Invalid, NotFound
from operations.warnings import service, settings
from operations.warnings.models import WarningRow
from operations.warnings.schema import Adjustment, BoardFilter, WarningRecord
from tests.operations.warnings.conftest import DRAFT, DUTY, LEADER, TRAFFIC, WATER, WRITER, Clock, publish, seen_by

Act = Callable[..., Any]


def test_the_level_is_that_of_the_matrix_unless_a_person_says_otherwise(act: Act) -> None:
    assert act(service.create, WRITER, DRAFT).level == "orange"
    assert act(service.create, WRITER, msgspec.structs.replace(DRAFT, harm="extreme")).level == "red"
    assert act(service.create, WRITER, msgspec.structs.replace(DRAFT, level="yellow")).level == "yellow"


def test_from_draft_to_number_one(published: WarningRecord) -> None:
    assert (published.status, published.label, published.edition) == ("published", "〔2026〕第 1 号", 1)
    assert published.organisations == ["交通局", "水务局"]  # the owner of the zone, too
    assert published.approved_by == "he.ling"


def test_nobody_approves_what_they_wrote_in(act: Act) -> None:
    made = act(service.create, DUTY, DRAFT)
    made = act(service.submit, WRITER, made.id, expected_version=made.version)
    for writer in (DUTY, WRITER):
        with pytest.raises(Denied):
            act(service.approve, writer, made.id, expected_version=made.version)
    assert act(service.approve, LEADER, made.id, expected_version=made.version).status == "approved"


def test_who_edits_becomes_an_author_even_after_it_was_sent_back(act: Act) -> None:
    made = act(service.create, WRITER, DRAFT)
    made = act(service.submit, WRITER, made.id, expected_version=made.version)
    made = act(service.send_back, DUTY, made.id, expected_version=made.version, note="范围不清")
    made = act(service.edit, DUTY, made.id, msgspec.structs.replace(DRAFT, extent="全市"), expected_version=made.version)
    made = act(service.submit, WRITER, made.id, expected_version=made.version)
    with pytest.raises(Denied):
        act(service.approve, DUTY, made.id, expected_version=made.version)


@pytest.mark.parametrize("verb", ["submit", "approve", "send_back", "publish", "adjust", "lift", "discard", "edit"])
def test_every_act_needs_its_state_and_the_version_it_was_decided_on(act: Act, city: Database, verb: str) -> None:
    arguments: dict[str, tuple[Any, ...]] = {"adjust": (Adjustment("general", "general", "x"),), "edit": (DRAFT,)}
    notes = {"note": "x"} if verb in ("send_back", "lift", "discard") else {}
    allowed = {
        "submit": ("draft",), "edit": ("draft",), "discard": ("draft",), "approve": ("submitted",),
        "send_back": ("submitted", "approved"), "publish": ("approved",), "adjust": ("published",), "lift": ("published",),
    }[verb]  # fmt: skip
    for status in ("draft", "submitted", "approved", "published", "lifted", "discarded"):
        made = publish(city)
        with city.write() as session:
            session.get_one(WarningRow, made.id).status = status
        run = getattr(service, verb)
        with pytest.raises(Conflict):
            act(run, LEADER, made.id, *arguments.get(verb, ()), expected_version=made.version - 1, **notes)
        if status not in allowed:
            with pytest.raises(Conflict):
                act(run, LEADER, made.id, *arguments.get(verb, ()), expected_version=made.version, **notes)


def test_what_has_to_be_said_is_asked_for(act: Act) -> None:
    made = act(service.create, WRITER, msgspec.structs.replace(DRAFT, measures=" "))
    with pytest.raises(Invalid) as refused:
        act(service.submit, WRITER, made.id, expected_version=made.version)
    assert refused.value.field == "measures"
    made = act(service.create, WRITER, msgspec.structs.replace(DRAFT, zones=(), organisations=()))
    with pytest.raises(Invalid) as refused:
        act(service.submit, WRITER, made.id, expected_version=made.version)
    assert refused.value.field == "organisations"
    with pytest.raises(Invalid):
        act(service.create, WRITER, msgspec.structs.replace(DRAFT, organisations=("没有的局",)))


def test_numbers_of_a_year_have_no_gap_and_begin_anew_with_the_year_of_beijing(act: Act, city: Database, time: Clock) -> None:
    assert publish(city).number == 1
    made = act(service.create, WRITER, DRAFT)
    made = act(service.submit, WRITER, made.id, expected_version=None)
    act(service.approve, LEADER, made.id, expected_version=None)

    def fail() -> None:
        with city.write() as session:
            assert service.publish(session, DUTY, made.id, expected_version=None).number == 2
            raise RuntimeError

    with pytest.raises(RuntimeError):  # it takes no number with it
        fail()
    assert publish(city).number == 2
    time.now = "2026-12-31T15:59:59.000000Z"
    assert publish(city).label == "〔2026〕第 3 号"
    time.now = "2026-12-31T16:00:00.000000Z"
    assert publish(city).label == "〔2027〕第 1 号"


def test_publications_at_the_same_time_get_different_numbers(city: Database, time: Clock) -> None:
    found: list[int | None] = []
    people = [threading.Thread(target=lambda: found.append(publish(city).number)) for _ in range(6)]
    for one in people:
        one.start()
    for one in people:
        one.join()
    assert sorted(number or 0 for number in found) == [1, 2, 3, 4, 5, 6]


def test_receipt_and_feedback(act: Act, published: WarningRecord, time: Clock, city: Database) -> None:
    with pytest.raises(Conflict):
        act(service.answer, WATER, 1, "水务局", edition=1, feedback="x")  # not signed yet
    time.move(hours=1)
    act(service.receive, WATER, 1, "水务局", edition=1, comment="已收到")
    with pytest.raises(Conflict):
        act(service.receive, WATER, 1, "水务局", edition=1)
    with pytest.raises(Invalid):
        act(service.answer, WATER, 1, "水务局", edition=1, feedback=" ")
    time.move(hours=3)
    act(service.answer, WATER, 1, "水务局", edition=1, feedback="已关闭 445 端口")
    with pytest.raises(Conflict):
        act(service.answer, WATER, 1, "水务局", edition=1, feedback="again")
    with city.read() as session:
        detail = service.detail(session, 1)
    states = {row.organisation: (row.state, row.received_by, row.feedback) for row in detail.receipts}
    assert states == {"水务局": ("done", "shui.wu", "已关闭 445 端口"), "交通局": ("unreceived", "", "")}
    assert msgspec.to_builtins(detail.progress) == {"organisations": 2, "received": 1, "answered": 1, "overdue": 1}


@pytest.mark.parametrize("organisation", ["交通局", "大数据局", "", "水务局'--"])
def test_nobody_signs_for_another_organisation(act: Act, published: WarningRecord, organisation: str) -> None:
    with pytest.raises(NotFound):
        act(service.receive, WATER, 1, organisation, edition=1)
    with pytest.raises(NotFound):
        act(service.receive, DUTY, 1, organisation, edition=1)


def test_an_adjustment_is_a_new_edition_for_every_receiver(act: Act, published: WarningRecord, time: Clock, city: Database) -> None:
    act(service.receive, WATER, 1, "水务局", edition=1)
    with pytest.raises(Invalid):
        act(service.adjust, DUTY, 1, Adjustment("special", "severe", "same"), expected_version=published.version)
    with pytest.raises(Invalid):
        act(service.adjust, DUTY, 1, Adjustment("special", "extreme", " "), expected_version=published.version)
    made = act(service.adjust, DUTY, 1, Adjustment("special", "extreme", "扩散到政务云"), expected_version=published.version)
    assert (made.level, made.edition, made.label) == ("red", 2, "〔2026〕第 1 号（第 2 版）")
    with pytest.raises(Conflict):
        act(service.receive, TRAFFIC, 1, "交通局", edition=1)  # a page from before the adjustment
    with city.read() as session:
        detail = service.detail(session, 1)
    assert [(row.edition, row.organisation, row.received_by) for row in detail.receipts] == [
        (2, "交通局", ""), (2, "水务局", ""), (1, "交通局", ""), (1, "水务局", "shui.wu"),
    ]  # fmt: skip
    assert detail.receipts[0].receipt_due == "2026-11-26T05:00:00.000000Z"  # red: one hour
    assert detail.receipts[2].receipt_due == "2026-11-26T06:00:00.000000Z"


def test_what_is_lifted_is_closed(act: Act, published: WarningRecord, time: Clock, city: Database) -> None:
    time.move(hours=100)
    act(service.lift, DUTY, 1, expected_version=published.version, note="威胁消除")
    with pytest.raises(Conflict):
        act(service.receive, WATER, 1, "水务局", edition=1)
    with city.read() as session:
        assert service.board(session, BoardFilter(overdue=True)).rows == []
        assert service.detail(session, 1).progress.overdue == 0


def test_an_organisation_sees_what_was_sent_to_it_and_nothing_of_others(act: Act, published: WarningRecord, city: Database) -> None:
    other = publish(city, msgspec.structs.replace(DRAFT, title="只给大数据局", organisations=("大数据局",), zones=()))
    act(service.create, WRITER, DRAFT)
    act(service.receive, TRAFFIC, 1, "交通局", edition=1, comment="机密")
    with seen_by(city, WATER).read() as session:
        board = service.board(session)
        assert [row.warning.id for row in board.rows] == [1]
        assert board.hidden == 1
        assert board.rows[0].progress.organisations == 1
        assert service.counts(session) == {"published": 1}
        told = json.dumps(msgspec.to_builtins(service.detail(session, 1)), ensure_ascii=False)
        assert "交通局" not in told
        assert "机密" not in told
        assert [entry.act for entry in service.detail(session, 1).history] == ["publish"]
        for hidden in (other.id, 3, 99):
            with pytest.raises(NotFound):
                service.detail(session, hidden)
        assert service.waiting(session, WATER).sign == 1
        assert service.board(session, BoardFilter(organisation="交通局")).rows == []


def test_everything_is_in_the_history_and_the_trail(act: Act, published: WarningRecord, city: Database) -> None:
    act(service.receive, WATER, 1, "水务局", edition=1)
    act(service.lift, DUTY, 1, expected_version=None, note="威胁消除")
    acts = ["create", "submit", "approve", "publish", "receive", "lift"]
    with city.read() as session:
        assert [entry.act for entry in reversed(service.detail(session, 1).history)] == acts
        trail = audit.listing(session, object_type="warning", object_id="1").entries
    assert [entry.action for entry in reversed(trail)] == [f"warning.{name}" for name in acts]


def test_the_board_pages_and_filters(act: Act, city: Database) -> None:
    for number in range(7):
        act(
            service.create,
            WRITER,
            msgspec.structs.replace(DRAFT, title=f"第 {number} 份 100%_真", harm="general" if number % 2 else "severe"),
        )
    with city.read() as session:
        first = service.board(session, limit=3)
        rest = service.board(session, limit=10, cursor=first.cursor)
        assert [row.warning.id for row in first.rows + rest.rows] == [7, 6, 5, 4, 3, 2, 1]
        assert len(service.board(session, BoardFilter(level=("blue",))).rows) == 3
        assert len(service.board(session, BoardFilter(text="100%_ 3")).rows) == 1
        assert service.board(session, BoardFilter(text="1000")).rows == []
        with pytest.raises(Invalid):
            service.board(session, cursor="1;drop")


def test_tables_of_the_site(act: Act, city: Database) -> None:
    with city.read() as session:
        assert all(setting.to_be_confirmed and setting.source for setting in settings.every(session))
        matrix = settings.get(session, "matrix")
    value = {row: dict(cells) for row, cells in matrix.value.items()} | {"special": dict.fromkeys(matrix.value["special"], "red")}
    changed = act(settings.change, LEADER, "matrix", value, "市网安办 2026-11", False, expected_version=0)
    assert (changed.version, changed.to_be_confirmed) == (1, False)
    assert act(service.create, WRITER, DRAFT).level == "red"
    with pytest.raises(Conflict):
        act(settings.change, LEADER, "matrix", value, "x", False, expected_version=0)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("matrix", []),
        ("matrix", {"special": {}}),
        ("deadlines", {level: {"receipt": 2, "feedback": 1} for level in ("blue", "yellow", "orange", "red")}),
        ("deadlines", {level: {"receipt": float("nan"), "feedback": 1} for level in ("blue", "yellow", "orange", "red")}),
        ("deadlines", {level: {"receipt": True, "feedback": 1} for level in ("blue", "yellow", "orange", "red")}),
        ("patterns", {"zones": 1, "indicator_zones": 2, "violations": 20, "window_hours": 24, "min_level": "high"}),
        ("patterns", {"zones": 3, "indicator_zones": 2, "violations": 20, "window_hours": 24, "min_level": "loud"}),
    ],
)
def test_impossible_tables_are_refused(act: Act, name: str, value: Any) -> None:
    with pytest.raises(Invalid):
        act(settings.change, LEADER, name, value, "x", True, expected_version=None)


def test_more_harm_never_gives_a_lower_level(act: Act, city: Database) -> None:
    with city.read() as session:
        value = {row: dict(cells) for row, cells in settings.get(session, "matrix").value.items()}
        assert session.execute(select(WarningRow)).first() is None
    value["special"]["extreme"] = "blue"
    with pytest.raises(Invalid):
        act(settings.change, LEADER, "matrix", value, "x", True, expected_version=None)
