"""GB/T 39786: the worked examples of ../shared/mlps, and sums made by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from compliance.catalogue.load import crypto_requirements
from compliance.scoring.assessed import AssessedError
from compliance.scoring.crypto import CryptoObject, object_score, outcome, read
from compliance.scoring.outcome import Outcome

WHOLE = crypto_requirements()
FULL, NOTHING = {"D": True, "A": True, "K": True}, {"D": False}


def score(units: dict[str, Any], **more: Any) -> Outcome:
    return outcome(WHOLE, read(json.dumps({"units": units, **more}).encode()))


def units(technical: dict[str, Any], management: str, **other: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for layer, unit in WHOLE.units():
        found[unit.id] = {"objects": [{"object": "o", **technical}]} if layer.group == "technical" else {"verdict": management}
    return {**found, **other}


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (CryptoObject("o", D=True, A=True, K=True), 1),
        (CryptoObject("o", D=True, A=False, K=True, bits=64), 0.1),
        (CryptoObject("o", D=True, A=True, K=False, module_level_1=True), 0.6),
        (CryptoObject("o", D=True, A=False, K=False, bits=80), 0.125),
        (CryptoObject("o", D=True, A=False, K=True, bits=112), 0.5),
        (CryptoObject("o", D=True, A=False, K=True, bits=111), 0.25),
        (CryptoObject("o", D=True, A=False, K=True, bits=79), 0.1),
        (CryptoObject("o", D=False, A=True, K=True, bits=128), 0),
    ],
)
def test_an_object(one: CryptoObject, expected: float) -> None:
    assert float(object_score(one)) == expected


def test_the_worked_examples(shared: Path) -> None:
    found = yaml.safe_load((shared / "mlps" / "crypto-gbt39786.yaml").read_text("utf-8"))["scoring"]["worked_vectors_found"]
    cases = {one["case"]: one for one in found}
    assert cases["D yes, A no, K yes, Ra 0.2"]["score"] == float(object_score(CryptoObject("o", D=True, K=True, bits=40)))
    assert cases["D yes, A yes, K no, Rk 1.2"]["score"] == float(
        object_score(CryptoObject("o", D=True, A=True, module_level_1=True))
    )
    assert cases["D yes, A no, K no, Ra 0.5, Rk 1"]["score"] == float(object_score(CryptoObject("o", D=True, bits=100)))
    halves = units({"D": True, "A": False, "K": True, "bits": 128}, "partly")
    assert score(halves).value == f"{cases['all layers half']['total']:.2f}"
    only = units(NOTHING, "not_met", **{f"7.4.{n}": {"verdict": "met"} for n in (1, 2, 3)})
    assert score(only).value == f"{cases['only emergency layer full']['total']:.2f}"
    three = units(FULL, "met", **{"6.1.1": {"objects": [{"object": "a", **FULL}, {"object": "b"}, {"object": "c"}]}})
    unit = cases["objects 1,0,0"]["unit"]
    # the layer of 6.1: (1·0.3333 + 0.7 + 0.7) / 2.4 = 0.72220… → 0.7222
    assert next(share.value for share in score(three).classes) == f"{(unit + 1.4) / 2.4:.4f}" == "0.7222"


def test_all_met_is_a_hundred() -> None:
    found = score(units(FULL, "met"))
    assert (found.value, found.conclusion_zh, found.provisional) == ("100.00", "符合", False)


def test_a_layer_with_nothing_that_applies_drops_out() -> None:
    """Without the physical layer (10 of 70) and all else half: 70·0.5 + 30·0.5 = 50."""
    none = {f"6.1.{n}": {"verdict": "不适用", "reason": "hosted"} for n in (1, 2, 3)}
    found = score(units({"D": True, "K": True, "bits": 128}, "partly", **none))
    assert (found.value, found.counts["not_applicable"]) == ("50.00", 3)


def test_an_object_is_made_up_by_half_of_another() -> None:
    """6.2.3 on b fails (0), made up by a of 6.4.4 (1): max(0.5·1, 0) = 0.5. Weights 1, .7, 1, .4, .4: 3/3.5."""
    made_up = {"objects": [{"object": "b", "made_up_by": {"unit": "6.4.4", "object": "o"}}]}
    found = score(units(FULL, "met", **{"6.2.3": made_up}))
    assert {share.id: share.value for share in found.classes}["6.2"] == "0.8571"


def test_a_failed_unit_is_a_high_risk_until_a_person_lowers_it() -> None:
    given = units(FULL, "met", **{"6.2.1": {"objects": [{"object": "o"}]}})
    assert score(given).conclusion_zh == "不符合"
    lowered = score(given, lowered=[{"unit": "6.2.1", "by": "assessor li", "reason": "one line inside one room"}])
    assert lowered.conclusion_zh == "基本符合"
    assert any("assessor li" in note for note in lowered.notes)
    assert score(units(FULL, "met"), high_risks=["MD5 for passwords"]).conclusion_zh == "不符合"


def test_below_sixty_is_not_met() -> None:
    found = score(units({"D": True, "K": True, "bits": 128}, "met"))
    assert (found.value, found.conclusion_zh) == ("65.00", "基本符合")  # 35 + 30
    assert score(units({"D": True, "K": True, "bits": 80}, "met")).conclusion_zh == "不符合"  # 17.5 + 30


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"9.9": {"verdict": "met"}}, "no unit"),
        ({"6.1.1": {"verdict": "met"}}, "by objects"),
        ({"7.1.1": {"objects": [{"object": "o"}]}}, "no verdict"),
        ({"6.1.1": {}}, "no objects"),
        ({"6.1.1": {"objects": [{"object": "o"}, {"object": "o"}]}}, "twice"),
        ({"6.1.1": {"objects": [{"object": "o", "made_up_by": {"unit": "6.1.1", "object": "o"}}]}}, "not there"),
        ({"6.1.1": {"objects": [{"object": "o", "D": 1}]}}, "bool"),
        ({"6.1.1": {"objects": [{"object": "o", **FULL}]}}, "no management unit"),
    ],
)
def test_what_cannot_be_scored_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(AssessedError, match=message):
        score(given)
