"""Scores against sums made by hand; the arithmetic stands beside each."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.catalogue.load import requirements
from compliance.scoring.assessed import AssessedError, read
from compliance.scoring.outcome import Outcome, rounded
from compliance.scoring.templates import TEMPLATES

ALL = [placed.item.id for placed in requirements().placed() if not placed.extension]
TECHNICAL, MANAGEMENT = "8.1.4.1.a", "8.1.9.1"


def score(template: str, verdicts: list[Any], **more: Any) -> Outcome:
    given = [{"item": item, "verdict": verdict} if isinstance(item, str) else item for item, verdict in verdicts]
    return TEMPLATES[template](requirements(), read(json.dumps({"verdicts": given, **more}).encode()))


def some(met: int, not_met: int) -> list[tuple[str, str]]:
    return [(item, "met" if place < met else "not_met") for place, item in enumerate(ALL[: met + not_met])]


# -- 2021 -------------------------------------------------------------------------------------------------------------------------


def test_2021_all_met_is_a_hundred() -> None:
    outcome = score("2021", some(211, 0))
    assert (outcome.value, outcome.conclusion_zh, outcome.provisional) == ("100.00", "优", False)


def test_2021_one_ordinary_item_costs_its_share() -> None:
    """S = 100/211; 100 − 0.473933… = 99.526066…"""
    assert score("2021", some(210, 1)).value == "99.53"


def test_2021_with_objects_importance_and_a_part_that_would_be_negative() -> None:
    """n = 5, S = 20. Technical: 50 − (1·0.25·20 + 3·1·20) = −15 → 0. Management: 50 − 1·0.5·20 = 40. M = 40."""
    verdicts = [
        {"item": "8.1.1.2", "verdict": "met"},
        {"item": "8.1.4.1.a", "object": "host", "verdict": "符合"},
        {"item": "8.1.4.1.a", "object": "database", "verdict": "部分符合"},
        {"item": "8.1.4.1.a", "object": "printer", "verdict": "不适用", "reason": "nobody logs in"},
        {"item": "8.1.4.1.d", "verdict": "not_met"},
        {"item": "8.1.6.1", "verdict": "met"},
        {"item": "8.1.10.1.a", "verdict": "partly"},
        {"item": "8.1.10.1.b", "verdict": "not_applicable", "reason": "no room of its own"},
    ]
    outcome = score("2021", [(one, "") for one in verdicts], importance={"8.1.4.1.d": 3})
    assert (outcome.value, outcome.conclusion_zh) == ("40.00", "差")
    assert outcome.counts == {"met": 2, "partly": 2, "not_met": 1, "not_applicable": 1, "no_verdict": 205}
    assert outcome.provisional


@pytest.mark.parametrize(
    ("not_met", "risks", "grade"),
    [
        (0, [], "优"),
        (0, ["medium"], "良"),
        (0, ["high"], "差"),
        (0, ["low"], "优"),
        (1, [], "良"),
        (2, ["medium"], "良"),
        (3, ["medium"], "中"),
        (4, [], "差"),
    ],
)
def test_2021_grades(not_met: int, risks: list[str], grade: str) -> None:
    """Ten items, S = 10, all that are not met technical: 100, 90, 80, 70, 60."""
    verdicts = some(9 - not_met, not_met)
    graded = [{"item": verdicts[0][0], "grade": risk} for risk in risks]
    outcome = score("2021", [*verdicts, (MANAGEMENT + ".a", "met")], risks=graded)
    assert outcome.value == f"{100 - 10 * not_met}.00"
    assert outcome.conclusion_zh == (grade if (not_met, risks) != (1, []) else "优")


def test_2021_a_compensation_by_a_person_counts() -> None:
    """n = 2, S = 50: not met costs 50 of the 50 technical points; made up to 0.5 it costs 25."""
    verdicts = [(TECHNICAL, "not_met"), (MANAGEMENT + ".a", "met")]
    made_up = {"item": TECHNICAL, "value": 0.5, "by": "assessor li", "reason": "a bastion asks for a second factor"}
    assert score("2021", verdicts).value == "50.00"
    outcome = score("2021", verdicts, compensations=[made_up])
    assert outcome.value == "75.00"
    assert any("assessor li" in note for note in outcome.notes)


def test_2021_another_share_of_the_technical_items() -> None:
    """y = 0.7, n = 2, S = 50, technical not met: 70 − 50 + 30 = 50; management not met: 70 + max(0, 30 − 50) = 70."""
    settings = {"technical": "0.7"}
    assert score("2021", [(TECHNICAL, "not_met"), (MANAGEMENT + ".a", "met")], settings=settings).value == "50.00"
    assert score("2021", [(TECHNICAL, "met"), (MANAGEMENT + ".a", "not_met")], settings=settings).value == "70.00"


# -- 2025 -------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("met", "not_met", "hazards", "conclusion"),
    [
        (190, 21, 0, "符合"),  # 90.05 %
        (189, 22, 0, "基本符合"),  # 89.57 %
        (190, 21, 1, "基本符合"),
        (211, 0, 1, "基本符合"),
        (127, 84, 9, "基本符合"),  # 60.19 %: whatever the risks
        (126, 85, 0, "不符合"),  # 59.72 %
        (9, 1, 0, "基本符合"),  # exactly 90 %
        (6, 4, 0, "基本符合"),  # exactly 60 %
    ],
)
def test_2025_conclusions(met: int, not_met: int, hazards: int, conclusion: str) -> None:
    outcome = score("2025", some(met, not_met), hazards=[{"trigger": "A-18"}] * hazards)
    assert outcome.conclusion_zh == conclusion


def test_2025_a_rate_that_only_looks_like_ninety_is_above_it() -> None:
    """190 of 211 items is 90.0473…; 10,001 objects would show as 90.00 and still be above: the exact number decides."""
    objects = [{"item": TECHNICAL, "object": str(n), "verdict": "met" if n < 9_001 else "not_met"} for n in range(10_001)]
    outcome = score("2025", [(one, "") for one in objects], settings={"rate": "objects-mean"})
    assert (outcome.value, outcome.conclusion_zh) == ("90.00", "符合")  # 9,001 of 10,001


def test_2025_edges_are_settings_and_are_named() -> None:
    outcome = score("2025", some(9, 1), settings={"at_90": "met"})
    assert (outcome.conclusion_zh, outcome.settings["at_90"]) == ("符合", "met")
    assert score("2025", some(6, 4), settings={"at_60": "not_met"}).conclusion_zh == "不符合"


@pytest.mark.parametrize(("rate", "expected"), [("items-met", "33.33"), ("items-partly-half", "50.00"), ("objects-mean", "58.33")])
def test_2025_rates(rate: str, expected: str) -> None:
    """Items: met; partly (of objects 1, 1, ½, ½: mean ¾); not met. 1/3; 1½/3; 1¾/3."""
    verdicts = [
        {"item": "8.1.1.2", "verdict": "met"},
        *({"item": TECHNICAL, "object": str(n), "verdict": "met" if n < 2 else "partly"} for n in range(4)),
        {"item": "8.1.6.1", "verdict": "not_met"},
    ]
    outcome = score("2025", [(one, "") for one in verdicts], settings={"rate": rate})
    assert (outcome.value, outcome.settings["rate"]) == (expected, rate)


def test_2025_hazards_are_counted_as_before_remediation() -> None:
    found = [{"trigger": f"A-{n:02}", "fixed": n <= 5} for n in range(1, 11)]
    outcome = score("2025", some(211, 0), hazards=found)
    assert (outcome.hazards, outcome.conclusion_zh) == ("10（5个已整改）", "基本符合")


def test_2025_not_applicable_items_leave_the_rate_and_need_a_reason() -> None:
    outcome = score("2025", [*some(1, 1), ("8.1.4.1.b", "not_applicable")])
    assert outcome.value == "50.00"
    assert any("without a reason" in note for note in outcome.notes)


def test_what_the_standard_only_says_may_can_be_left_out() -> None:
    """8.1.4.6 (trusted verification) is one of three."""
    verdicts = [(TECHNICAL, "met"), ("8.1.4.6", "not_met")]
    assert score("2025", verdicts).value == "50.00"
    outcome = score("2025", verdicts, settings={"may": "leave-out"})
    assert outcome.value == "100.00"
    assert any("may (可)" in note for note in outcome.notes)


def test_a_compensated_item_counts_as_met_where_it_is_made_up_wholly() -> None:
    made_up = {"item": TECHNICAL, "value": 1, "by": "li", "reason": "r"}
    outcome = score("2025", [(TECHNICAL, "not_met")], compensations=[made_up])
    assert (outcome.value, outcome.counts["not_met"]) == ("100.00", 1)


# -- both -------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"verdicts": [{"item": "8.9.9", "verdict": "met"}]}, "no item '8.9.9'"),
        ({"verdicts": [{"item": "8.2.1.1", "verdict": "met"}]}, "does not hold"),
        ({"verdicts": [{"item": TECHNICAL, "verdict": "good"}]}, "no verdict"),
        ({"verdicts": [{"item": TECHNICAL, "verdict": "met"}] * 2}, "two verdicts"),
        ({"verdicts": []}, "nothing can be scored"),
        ({"verdicts": [{"item": TECHNICAL, "verdict": "not_applicable"}]}, "nothing can be scored"),
        ({"verdicts": [{"item": TECHNICAL, "verdict": "met", "score": 5}]}, "unknown field"),
        ({"verdicts": [{"item": TECHNICAL, "verdict": "met"}], "levels": "S4A4"}, "no level"),
        ({"verdicts": [{"item": TECHNICAL, "verdict": "met"}], "importance": {TECHNICAL: 4}}, "importance"),
        (
            {"verdicts": [{"item": TECHNICAL, "verdict": "met"}],
             "compensations": [{"item": TECHNICAL, "value": 2, "by": "a", "reason": "b"}]}, "from 0 to 1",
        ),
        (
            {"verdicts": [{"item": TECHNICAL, "verdict": "met"}],
             "compensations": [{"item": TECHNICAL, "value": "1e-9999999", "by": "a", "reason": "b"}]}, "1E-9999999 is no number",
        ),
        (
            {"verdicts": [{"item": TECHNICAL, "verdict": "met"}],
             "compensations": [{"item": TECHNICAL, "value": "0e9999999", "by": "a", "reason": "b"}]}, "decimal places",
        ),
        (
            {"verdicts": [{"item": TECHNICAL, "verdict": "met"}],
             "compensations": [{"item": TECHNICAL, "value": "NaN", "by": "a", "reason": "b"}]}, "NaN",
        ),
        (
            {"verdicts": [{"item": TECHNICAL, "verdict": "met"}],
             "compensations": [{"item": TECHNICAL, "value": 1, "by": " ", "reason": "b"}]}, "who decided",
        ),
        (
            {"verdicts": [{"item": TECHNICAL, "verdict": "met"}],
             "compensations": [{"item": "8.1.4.1.b", "value": 1, "by": "a", "reason": "b"}]}, "8.1.4.1.b has no verdict",
        ),
        ([], "object"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("template", TEMPLATES)
def test_what_cannot_be_scored_is_refused_with_its_place(given: Any, message: str, template: str) -> None:
    from kernel.errors import LiandunError

    with pytest.raises(LiandunError, match=message):
        TEMPLATES[template](requirements(), read(json.dumps(given).encode()))


@pytest.mark.parametrize("technical", ["1e-9999999", "0e9999999", "1.01", "-0.5", "Infinity", "0." + "1" * 21])
def test_the_share_of_the_technical_items_is_a_plain_number(technical: str) -> None:
    with pytest.raises(AssessedError, match=r"settings\.technical: "):
        score("2021", some(1, 0), settings={"technical": technical})


def test_a_hazard_that_is_not_in_the_table_is_refused() -> None:
    with pytest.raises(AssessedError, match="A-99"):
        score("2025", some(1, 0), hazards=[{"trigger": "A-99"}])


@given(st.lists(st.sampled_from(["met", "partly", "not_met", "not_applicable"]), min_size=1, max_size=211))
def test_scores_stay_between_nothing_and_a_hundred(verdicts: list[str]) -> None:
    given = list(zip(ALL, verdicts, strict=False))
    if set(verdicts) == {"not_applicable"}:
        return
    for template in TEMPLATES:
        outcome = score(template, given)
        assert 0 <= Decimal(outcome.value) <= 100
        assert sum(outcome.counts.values()) == 211


@given(st.fractions(min_value=-1000, max_value=1000), st.integers(0, 6))
def test_rounding_is_half_up_and_never_off_by_more_than_half(value: Fraction, digits: int) -> None:
    found = Fraction(rounded(value, digits))
    assert abs(found - value) * 2 <= Fraction(1, 10**digits)
    if abs(found - value) * 2 == Fraction(1, 10**digits):
        assert abs(found) > abs(value)
