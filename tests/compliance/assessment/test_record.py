"""Verdicts: probes and people, whose word counts, the history, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.event import listen, remove

from compliance.assessment import reading
from compliance.assessment import record as recording
from compliance.assessment.schema import CryptoDetail, Finding, ObjectVerdict, Step
from compliance.systems import applicability, objects
from compliance.systems.schema import ObjectDraft
from operations import clock
from operations.audit import service as audit
from operations.errors import Invalid, NotFound, Stale
from tests.compliance.assessment.small_system import MAIL, PASSWORDS, PROBE, ROOM_DOOR, SmallSystem


def current(small: SmallSystem, item: str = PASSWORDS, target: int | None = None) -> ObjectVerdict:
    with small.database.read() as session:
        return reading.verdict_of(session, small.id, item, small.host if target is None else target)


def history(small: SmallSystem, item: str = PASSWORDS) -> list[Step]:
    with small.database.read() as session:
        return reading.history(session, small.id, item)


def test_a_probe_is_followed_and_only_changes_make_history(small: SmallSystem) -> None:
    first = small.probe("met", evidence="a" * 64, reproduce="grep PASS_MIN_LEN /etc/login.defs")
    assert (first.changed, first.counted, first.previous, first.version) == (True, True, "", 1)
    again = small.probe("符合", evidence="b" * 64)
    assert (again.changed, again.version) == (False, 1)
    assert current(small).evidence == "b" * 64
    small.probe("partly", reason="PASS_MIN_LEN 6")
    found = current(small)
    assert (found.verdict, found.source, found.by, found.reason) == ("partly", "probe", PROBE.name, "PASS_MIN_LEN 6")
    assert [(one.previous, one.verdict, one.counted) for one in history(small)] == [("met", "partly", True), ("", "met", True)]


def test_a_person_s_word_stands_against_a_probe_and_the_contradiction_shows(small: SmallSystem) -> None:
    small.probe("not_met")
    small.person("met", reason="口令由堡垒机代填")
    held = small.probe("not_met")
    assert (held.verdict, held.counted, held.changed) == ("met", False, False)
    found = current(small)
    assert (found.verdict, found.source, found.by, found.probed, found.contradicted) == (
        "met",
        "person",
        "planner",
        "not_met",
        True,
    )
    other = small.probe("partly")
    assert (other.verdict, other.counted, other.changed) == ("met", False, True)
    newest = history(small)[0]
    assert (newest.source, newest.verdict, newest.counted) == ("probe", "partly", False)


def test_a_person_takes_the_word_back_and_the_probe_s_counts_again(small: SmallSystem) -> None:
    small.probe("not_met")
    said = small.person("met")
    with pytest.raises(Stale), small.database.write() as session:
        recording.withdraw(session, small.who.actor, small.id, PASSWORDS, small.host, "改判", expected_version=said.version - 1)
    with small.database.write() as session:
        recording.withdraw(session, small.who.actor, small.id, PASSWORDS, small.host, "改判", expected_version=said.version)
    assert (current(small).verdict, current(small).source) == ("not_met", "probe")
    with pytest.raises(NotFound), small.database.write() as session:
        recording.withdraw(session, small.who.actor, small.id, PASSWORDS, small.host, "再撤")
    small.person("met", ROOM_DOOR, small.room)
    with small.database.write() as session:
        recording.withdraw(session, small.who.actor, small.id, ROOM_DOOR, small.room, "看错机房")
    assert current(small, ROOM_DOOR, small.room).verdict == ""
    assert len(history(small, ROOM_DOOR)) == 2


def test_the_probe_s_reasons_come_back_with_its_verdict(small: SmallSystem) -> None:
    small.probe("met", reason="PASS_MIN_LEN 8", evidence="a" * 64)
    small.probe("not_applicable", reason="nobody logs in", evidence="b" * 64, reproduce="getent passwd")
    small.probe("not_met", reason="an old report", at="2020-01-01T00:00:00Z")
    small.person("met")
    with small.database.write() as session:
        recording.withdraw(session, small.who.actor, small.id, PASSWORDS, small.host, "改判")
    found = current(small)
    assert (found.verdict, found.source, found.by) == ("not_applicable", "probe", PROBE.name)
    assert (found.reason, found.evidence, found.reproduce) == ("nobody logs in", "b" * 64, "getent passwd")


def test_a_probe_that_only_agreed_with_a_person_has_its_reasons_too(small: SmallSystem) -> None:
    small.person("met")
    assert small.probe("met", reason="minlen 12", evidence="c" * 64).version == 1
    with small.database.write() as session:
        recording.withdraw(session, small.who.actor, small.id, PASSWORDS, small.host, "改判", expected_version=1)
    assert (current(small).verdict, current(small).reason, current(small).evidence) == ("met", "minlen 12", "c" * 64)


def test_the_future_is_refused_and_a_clock_that_is_ahead_counts_as_now(small: SmallSystem) -> None:
    with small.database.write() as session:
        findings = [Finding(PASSWORDS, small.host, "not_met", "r", at="2099-01-01T00:00:00Z"), Finding(MAIL, None, "met", "r")]
        batch = recording.record_many(session, PROBE, small.id, findings, source="probe")
    assert (batch.recorded, list(batch.refused)) == (1, [0])
    assert "in the future" in batch.refused[0]
    with pytest.raises(Invalid, match="in the future"):
        small.person("met", at="2099-01-01T00:00:00Z")
    small.probe("met", at=clock.shift(clock.now(), 200))
    assert current(small).at <= clock.now()
    assert small.probe("not_met").counted, "the next look is later"


def test_what_is_older_than_the_last_look_is_a_line_of_the_history_only(small: SmallSystem) -> None:
    small.probe("met", at="2026-11-01T00:00:00Z")
    before = current(small)
    for _ in range(2):
        old = small.probe("not_met", at="2001-01-01T00:00:00Z", reason="old")
        assert (old.verdict, old.changed, old.counted, old.version, old.drift) == ("met", False, False, 1, None)
    assert current(small) == before
    lines = [(one.verdict, one.previous, one.counted, one.reason) for one in history(small)]
    assert lines == [("not_met", "met", False, "old"), ("met", "", True, "PASS_MIN_LEN")], (
        "an old report that is read again adds none"
    )
    assert small.probe("partly", at="2026-11-02T00:00:00Z").counted


def test_two_people_do_not_overwrite_each_other(small: SmallSystem) -> None:
    small.person("met", expected_version=0)
    with pytest.raises(Stale):
        small.person("not_met", expected_version=0)
    small.probe("met")
    small.person("not_met", expected_version=1)


def test_what_is_refused(small: SmallSystem) -> None:
    for verdict, item, target, more in (
        ("good", PASSWORDS, small.host, {}),
        ("met", "9.9", small.host, {}),
        ("met", "8.2.1.1", small.host, {}),  # an extension that the system does not need
        ("met", PASSWORDS, small.room, {}),  # a room has no passwords
        ("met", PASSWORDS, small.host, {"reason": " "}),
        ("met", PASSWORDS, small.host, {"reason": "x" * 4001}),
        ("met", PASSWORDS, small.host, {"evidence": "x" * 129}),
        ("met", PASSWORDS, small.host, {"at": "yesterday"}),
        ("met", PASSWORDS, small.host, {"crypto": CryptoDetail(D=True)}),
    ):
        with pytest.raises(Invalid):
            small.person(verdict, item, target, **more)
    with pytest.raises(NotFound):
        small.person("met", target=99)
    with pytest.raises(Invalid):
        small.probe("not_applicable", reason="")
    small.probe("met", reason="")
    with small.database.write() as session:
        objects.take_out(session, small.who, small.id, small.host, "报废", expected_version=None)
    with pytest.raises(NotFound):
        small.probe("met")


def test_what_a_person_took_away_is_not_judged_and_what_was_added_is(small: SmallSystem) -> None:
    with small.database.write() as session:
        applicability.decide(session, small.who, small.id, MAIL, False, "无邮件服务")
        applicability.decide(session, small.who, small.id, PASSWORDS, False, "经堡垒机", object_id=small.other)
        applicability.decide(session, small.who, small.id, PASSWORDS, True, "门禁主机", object_id=small.room)
    with pytest.raises(Invalid):
        small.person("met", MAIL, 0)
    with pytest.raises(Invalid):
        small.person("met", PASSWORDS, small.other)
    small.person("met", PASSWORDS, small.room)
    with small.database.read() as session:
        page = reading.verdicts_of(session, small.id, PASSWORDS)
        told = {one.object_id: one.verdict for one in page.verdicts}
        assert told == {small.host: "", small.other: "not_applicable", small.base: "", small.room: "met"}
        assert next(one.reason for one in page.verdicts if one.object_id == small.other) == "经堡垒机"
        assert [one.verdict for one in reading.verdicts_of(session, small.id, MAIL).verdicts] == ["not_applicable"]


def test_many_at_once_refuse_single_ones_and_are_audited_once(small: SmallSystem) -> None:
    findings = [
        Finding(PASSWORDS, small.host, "met"),
        Finding(PASSWORDS, small.room, "met"),
        Finding(PASSWORDS, 99, "met"),
        Finding(PASSWORDS, small.other, "not_met", "弱口令"),
        Finding(PASSWORDS, small.host, "met", "twice"),
    ]
    with small.database.write() as session:
        done = recording.record_many(session, PROBE, small.id, findings, source="probe")
    assert (done.recorded, done.changed, sorted(done.refused)) == (3, 2, [1, 2])
    with small.database.read() as session:
        told = [one for one in audit.listing(session).entries if one.action == "verdict.record"]
    assert [one.detail for one in told] == [{"source": "probe", "recorded": 3, "changed": 2, "drifts": 0}]


def test_every_single_change_is_audited_with_its_reason(small: SmallSystem) -> None:
    small.person("not_met", reason="口令为空")
    with small.database.read() as session:
        entry = next(one for one in audit.listing(session).entries if one.action == "verdict.record")
    assert (entry.actor, entry.object_id) == ("planner", str(small.id))
    assert (entry.detail["item"], entry.detail["verdict"], entry.detail["reason"]) == (PASSWORDS, "not_met", "口令为空")


def test_pages_by_object_and_by_verdict(small: SmallSystem) -> None:
    small.probe("met")
    with small.database.read() as session:
        first = reading.verdicts_of(session, small.id, PASSWORDS, limit=2)
        second = reading.verdicts_of(session, small.id, PASSWORDS, limit=2, cursor=first.cursor)
        assert [one.object_id for one in (*first.verdicts, *second.verdicts)] == [small.host, small.other, small.base]
        none = reading.verdicts_of(session, small.id, PASSWORDS, verdict="none")
        assert [one.object_id for one in none.verdicts] == [small.other, small.base]
        assert [one.object_id for one in reading.verdicts_of(session, small.id, PASSWORDS, verdict="met").verdicts] == [small.host]
        with pytest.raises(NotFound):
            reading.verdicts_of(session, small.id, "8.2.1.1")
        page = objects.list_objects(session, small.id)
        assert reading.heat(session, page.objects)[small.host]["8.1.4"].met == 1


def test_the_same_item_twice_in_one_run_is_two_steps_of_one_verdict(small: SmallSystem) -> None:
    findings = [Finding(PASSWORDS, small.host, "met", "8 letters"), Finding(PASSWORDS, small.host, "not_met", "root has none")]
    with small.database.write() as session:
        batch = recording.record_many(session, PROBE, small.id, findings, source="probe")
    assert (batch.recorded, batch.changed, len(batch.drifts)) == (2, 2, 1)
    assert (current(small).verdict, current(small).version) == ("not_met", 2)
    assert [(one.previous, one.verdict) for one in history(small)] == [("met", "not_met"), ("", "met")]


def test_a_run_is_written_by_a_few_statements_however_much_it_found(small: SmallSystem) -> None:
    asked: list[str] = []

    def count(*told: Any) -> None:
        asked.append(told[2])

    numbers = []
    for size in (1, 40):
        with small.database.write() as session:
            drafts = [ObjectDraft("server_os", f"{size}-{number}") for number in range(size)]
            hosts = [objects.add_object(session, small.who, small.id, draft).id for draft in drafts]
        listen(small.database.engine, "before_cursor_execute", count)
        for verdict in ("met", "partly"):
            asked.clear()
            with small.database.write() as session:
                findings = [Finding(PASSWORDS, one, verdict, "minlen") for one in hosts]
                recording.record_many(session, PROBE, small.id, findings, source="probe", on_drift=lambda *_: None)
            numbers.append(len(asked))
        remove(small.database.engine, "before_cursor_execute", count)
    assert numbers[:2] == numbers[2:], numbers
    assert all(numbers)


def test_a_row_that_the_session_holds_is_not_an_old_one(small: SmallSystem) -> None:
    small.probe("met")
    with small.database.write() as session:
        assert reading.verdict_of(session, small.id, PASSWORDS, small.host).verdict == "met"
        recording.record_many(session, PROBE, small.id, [Finding(PASSWORDS, small.host, "not_met", "minlen 4")], source="probe")
        assert reading.verdict_of(session, small.id, PASSWORDS, small.host).verdict == "not_met"
