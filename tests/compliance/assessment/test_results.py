"""What verdicts come to: units, 重大风险隐患, decisions of people, scores by hand-computed cases, trend."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update

from compliance.assessment import deciding, scoring
from compliance.assessment import record as recording
from compliance.assessment.models import DecisionRow, VerdictRow
from compliance.assessment.schema import CryptoDetail, Tally
from compliance.assessment.standing import Standing, standing
from compliance.systems import applicability, objects, service
from operations.errors import Invalid, NotFound, Stale
from tests.compliance.assessment.small_system import MAIL, PASSWORDS, ROOM_DOOR, TWO_FACTORS, SmallSystem


def stand(small: SmallSystem) -> Standing:
    with small.database.read() as session:
        return standing(session, small.id)


def tally(small: SmallSystem, item: str = PASSWORDS) -> Tally:
    return next(one.tally for one in stand(small).items if one.item == item)


def score(small: SmallSystem, template: str = "2025") -> scoring.Scored:
    with small.database.read() as session:
        return scoring.score(session, small.id, template)


def test_an_item_over_its_objects(small: SmallSystem) -> None:
    assert tally(small) == Tally(PASSWORDS, 3, unassessed=3)
    small.probe("met")
    small.probe("not_met", target=small.other)
    assert tally(small) == Tally(PASSWORDS, 3, met=1, not_met=1, unassessed=1)
    assert tally(small).verdict == "partly"
    small.person("not_applicable", target=small.base)
    small.probe("met", target=small.other)
    assert (tally(small).verdict, tally(small).unassessed) == ("met", 0)


def test_an_item_without_objects_is_assessed_on_the_system(small: SmallSystem) -> None:
    assert tally(small, MAIL) == Tally(MAIL, 1, unassessed=1)
    small.person("met", MAIL, 0)
    assert tally(small, MAIL) == Tally(MAIL, 1, met=1)
    small.person("not_met", PASSWORDS, 0)
    assert tally(small) == Tally(PASSWORDS, 4, not_met=1, unassessed=3), "beside its objects"


def test_objects_that_left_and_decisions_about_applicability(small: SmallSystem) -> None:
    small.probe("not_met")
    small.probe("met", target=small.other)
    small.probe("met", target=small.base)
    with small.database.write() as session:
        objects.take_out(session, small.who, small.id, small.host, "报废", expected_version=None)
    assert tally(small) == Tally(PASSWORDS, 2, met=2)
    with small.database.write() as session:
        applicability.decide(session, small.who, small.id, PASSWORDS, False, "经堡垒机", object_id=small.base)
        applicability.decide(session, small.who, small.id, PASSWORDS, True, "门禁主机", object_id=small.room)
    assert tally(small) == Tally(PASSWORDS, 3, met=1, not_applicable=1, unassessed=1)
    with small.database.write() as session:
        applicability.withdraw(session, small.who, small.id, PASSWORDS, "没有主机", object_id=small.room)
        applicability.withdraw(session, small.who, small.id, PASSWORDS, "直连", object_id=small.base)
        applicability.decide(session, small.who, small.id, MAIL, False, "无邮件服务")
    assert tally(small) == Tally(PASSWORDS, 3, met=2, not_applicable=1)
    assert tally(small, MAIL).verdict == "not_applicable"
    assert score(small).outcome.counts == {"met": 1, "partly": 0, "not_met": 0, "not_applicable": 1, "no_verdict": 209}


def test_classes_and_gaps(small: SmallSystem) -> None:
    for target in (small.host, small.other, small.base):
        small.probe("met", target=target)
    small.probe("not_met", TWO_FACTORS)
    found = stand(small)
    assert len(found.items) == 211
    assert sum(one.met + one.partly + one.not_met + one.not_applicable + one.none for one in found.classes) == 211
    compute = next(one for one in found.classes if one.id == "8.1.4")
    assert (compute.met, compute.not_met, compute.none) == (1, 1, 32)
    assert len(found.gaps) == 210
    assert found.gaps[0].item == found.items[0].item


def test_hazards_are_found_by_the_machine_and_taken_away_by_people_only(small: SmallSystem) -> None:
    small.probe("not_met")
    small.probe("partly", TWO_FACTORS)
    assert [(one.trigger, one.state, one.by) for one in stand(small).hazards] == [("A-18", "found", ""), ("A-19", "possible", "")]
    assert score(small).outcome.hazards == "1"
    small.decide("hazard", "A-18", "fixed", "已改口令")
    small.decide("hazard", "A-29", "found", "暴露面过宽")
    assert score(small).outcome.hazards == "2（1个已整改）"
    small.decide("hazard", "A-18", "not_found", "测试账户，无法登录")
    assert [one.state for one in stand(small).hazards] == ["not_found", "possible", "found"]
    assert score(small).outcome.hazards == "1"


def test_the_rate_of_2025_with_a_compensation(small: SmallSystem) -> None:
    for target in (small.host, small.other, small.base):
        small.probe("met", target=target)
        small.probe("not_met", TWO_FACTORS, target)
    small.person("met", ROOM_DOOR, small.room)
    found = score(small)
    assert (found.outcome.value, found.provisional, found.unassessed) == ("66.67", True, 0)
    small.decide("compensation", TWO_FACTORS, "1", "经堡垒机双因素")
    assert score(small).outcome.value == "100.00"
    small.decide("compensation", TWO_FACTORS, "0.5", "仅运维", expected_version=1)
    small.decide("setting", "rate", "objects-mean")
    assert score(small).outcome.value == "83.33"
    assert "planner" in " ".join(score(small).outcome.notes)


def test_the_score_of_2021_counts_high_risks_until_a_person_grades_them(small: SmallSystem) -> None:
    """One technical item met, one not met on one of three objects (the two others met): x = 2/3, n = 2, S = 50.

    Vt = 50 − 1·(1 − 2/3)·50 = 33.33, Vm = 50: 83.33, and with an important item (2) 66.67.
    """
    small.person("met", ROOM_DOOR, small.room)
    small.probe("not_met")
    small.probe("met", target=small.other)
    small.probe("met", target=small.base)
    found = score(small, "2021").outcome
    assert (found.value, found.conclusion) == ("83.33", "poor"), "a case of the high-risk guide, not graded yet"
    small.decide("risk", PASSWORDS, "low", "仅内网可达")
    assert score(small, "2021").outcome.conclusion == "good"
    small.decide("importance", PASSWORDS, "2", "核心")
    assert score(small, "2021").outcome.value == "66.67"


def test_a_grade_of_one_object_leaves_the_others_high(small: SmallSystem) -> None:
    """The item counts as met (a compensation of 1), so that the conclusion is by the risk alone."""
    small.probe("not_met")
    small.probe("not_met", target=small.other)
    small.probe("met", target=small.base)
    small.decide("compensation", PASSWORDS, "1", "堡垒机")
    small.decide("risk", PASSWORDS, "low", "仅内网可达", object_id=small.host)
    small.decide("risk", PASSWORDS, "low", "符合的对象", object_id=small.base)
    assert score(small, "2021").outcome.conclusion == "poor", "h2 is not met, and nobody has graded it"
    small.decide("risk", PASSWORDS, "low", "仅内网可达", object_id=small.other)
    assert score(small, "2021").outcome.conclusion == "excellent", "each object that is not met"
    with small.database.write() as session:
        deciding.withdraw(session, small.who, small.id, "risk", PASSWORDS, "重评", object_id=small.other)
    assert score(small, "2021").outcome.conclusion == "poor"
    small.decide("risk", PASSWORDS, "low", "仅内网可达")
    assert score(small, "2021").outcome.conclusion == "excellent", "the item as a whole"


def test_d_a_and_k_never_contradict_the_verdict(small: SmallSystem) -> None:
    """6.4.1 alone with 7.1.1 met: 30 points and 70 by 6.4.1: nothing, then 0.5·0.2·0.5 = 0.05, the least that is partly."""
    small.probe("not_met", "6.4.1")
    small.person("met", "6.4.1", crypto=CryptoDetail(True, True, True))
    small.person("met", "7.1.1", 0)
    assert score(small, "39786").outcome.value == "100.00"
    with small.database.write() as session:
        recording.withdraw(session, small.who.actor, small.id, "6.4.1", small.host, "误判")
    assert score(small, "39786").outcome.value == "30.00"
    for verdict, value in (("partly", "33.50"), ("met", "100.00")):
        told = {"verdict": verdict, "detail": '{"K":true}'}  # as it was left behind by a withdrawal of before
        with small.database.write() as session:
            session.execute(update(VerdictRow).where(VerdictRow.item == "6.4.1").values(**told))
        assert score(small, "39786").outcome.value == value


def test_cryptography_by_d_a_k(small: SmallSystem) -> None:
    """6.2.1: one line at 1, one at 0.5·0.5 (K missing and A at 80 bits: 0.5·0.5·0.5·1 = 0.125), mean 0.5625; 7.1.1 met."""
    small.person("met", "6.2.1", small.host, crypto=CryptoDetail(True, True, True))
    small.person("partly", "6.2.1", small.other, crypto=CryptoDetail(True, False, False, bits=80))
    small.person("met", "7.1.1", 0)
    found = score(small, "39786").outcome
    assert (found.value, found.conclusion) == ("69.38", "basically met")
    small.person("not_met", "6.2.1", small.host, crypto=CryptoDetail())
    small.person("not_met", "6.2.1", small.other)
    assert any("6.2.1" in note for note in score(small, "39786").outcome.notes)
    small.decide("crypto_lowered", "6.2.1", "no", "专线在机房内")
    assert "6.2.1 is no high risk by planner: 专线在机房内" in score(small, "39786").outcome.notes
    with pytest.raises(Invalid, match="by D, A and K"):
        small.person("met", "6.2.1", small.host, crypto=CryptoDetail(True, False, True))
    with pytest.raises(Invalid):
        small.person("partly", "6.2.1", small.host)


def test_what_cannot_be_decided(small: SmallSystem) -> None:
    small.probe("not_met")
    refused: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
        ("compensation", PASSWORDS, "1.2", {}),
        ("compensation", PASSWORDS, "NaN", {}),
        ("compensation", PASSWORDS, "many", {}),
        ("compensation", TWO_FACTORS, "1", {}),  # no verdict
        ("compensation", PASSWORDS, "1", {"object_id": 1}),
        ("risk", PASSWORDS, "none", {}),
        ("risk", "6.2.1", "low", {}),
        ("hazard", "A-99", "found", {}),
        ("hazard", "A-18", "perhaps", {}),
        ("importance", PASSWORDS, "4", {}),
        ("setting", "rate", "generous", {}),
        ("setting", "colour", "red", {}),
        ("crypto_lowered", PASSWORDS, "no", {}),
        ("wish", "x", "y", {}),
    )
    for kind, subject, value, more in refused:
        with pytest.raises(Invalid):
            small.decide(kind, subject, value, **more)
    with pytest.raises(Invalid):
        small.decide("risk", PASSWORDS, "low", " ")
    with pytest.raises(NotFound):
        small.decide("risk", PASSWORDS, "low", object_id=99)


def test_shares_are_plain_decimals(small: SmallSystem) -> None:
    small.probe("not_met")
    for kind, subject in (("compensation", PASSWORDS), ("setting", "technical")):
        for value in ("1e-9999999", "1E0", "0.1234567", "1.5", "-0", ".5", "٠.٥", "0.5\n0", "", "NaN"):
            with pytest.raises(Invalid, match="from 0 to 1"):
                small.decide(kind, subject, value)
        assert [small.decide(kind, subject, value).value for value in ("0", "0.123456", "1.0")] == ["0", "0.123456", "1.0"]


def test_what_was_decided_before_shares_were_plain_is_refused_when_it_is_scored(small: SmallSystem) -> None:
    small.probe("not_met")
    small.decide("compensation", PASSWORDS, "0.5")
    with small.database.write() as session:
        session.execute(update(DecisionRow).values(value="1e-9999999"))
    with pytest.raises(Invalid, match="1E-9999999 is no number"):
        score(small)


def test_decisions_are_withdrawn_on_their_version(small: SmallSystem) -> None:
    small.probe("not_met")
    small.decide("risk", PASSWORDS, "low", object_id=small.host)
    with pytest.raises(Stale):
        small.decide("risk", PASSWORDS, "high", object_id=small.host, expected_version=0)
    with small.database.write() as session:
        deciding.withdraw(session, small.who, small.id, "risk", PASSWORDS, "重评", object_id=small.host, expected_version=1)
    assert stand(small).decisions == []
    with pytest.raises(NotFound), small.database.write() as session:
        deciding.withdraw(session, small.who, small.id, "risk", PASSWORDS, "重评")


def test_nothing_scores_without_a_verdict_or_at_another_level(small: SmallSystem) -> None:
    with pytest.raises(Invalid, match="no item that applies"):
        score(small)
    with pytest.raises(Invalid):
        score(small, "39786")
    with pytest.raises(Invalid):
        score(small, "2019")
    with small.database.write() as session:
        draft = service.draft_of(service.get_system(session, small.id))
        made = service.create_system(session, small.who, type(draft)("二级", "S2A2"))
    with small.database.read() as session, pytest.raises(Invalid, match="level 3 only"):
        scoring.score(session, made.id)


def test_kept_scores_make_a_trend(small: SmallSystem) -> None:
    for verdict in ("not_met", "met"):
        for target in (small.host, small.other, small.base):
            small.probe(verdict, target=target)
        with small.database.write() as session:
            scoring.keep(session, small.who, small.id, "2025")
    with small.database.read() as session:
        found = scoring.trend(session, small.id, "2025")
    assert [(one.value, one.conclusion, one.provisional) for one in found] == [("100.00", "met", True), ("0.00", "not met", True)]
