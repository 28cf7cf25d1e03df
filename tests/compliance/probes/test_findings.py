"""Results by items: what several probes come to, and that what was not read is not said to be met."""

from __future__ import annotations

import pytest

from compliance.probes.findings import findings
from compliance.probes.registry import of_source
from compliance.probes.result import Outcome, Result, judged
from crypto.sm3 import sm3
from tests.compliance.probes.snapshots import HARD, WEAK, parts


def _result(name: str, outcome: Outcome) -> Result:
    return Result(
        probe=name, items=("8.1.4.1.b",), units=(), target="host", source="linux", outcome=outcome, reason="why",
        reason_zh=f"因 {name}", to_be_confirmed=False, evidence=name, sm3="", reproduce=f"look {name}", at="2026-01-01T00:00:00Z",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("outcomes", "verdict"),
    [
        (["met", "met"], "met"),
        (["met", "not_met"], "partly"),
        (["not_met", "not_met"], "not_met"),
        (["met", "partly"], "partly"),
        (["met", "not_applicable"], "met"),
        (["not_applicable"], "not_applicable"),
        (["met", "error"], None),
        (["partly", "error"], None),
        (["not_applicable", "error"], None),
        (["not_met", "error"], "not_met"),
        (["error"], None),
    ],
)
def test_what_several_probes_come_to(outcomes: list[Outcome], verdict: str | None) -> None:
    found = findings([_result(f"p{number}", outcome) for number, outcome in enumerate(outcomes)], 7)
    assert [one.verdict for one in found] == ([verdict] if verdict else [])


def test_reason_and_reproduction_are_of_what_speaks_against_it() -> None:
    [found] = findings([_result("p1", "met"), _result("p2", "not_met")], None)
    assert (found.reason, found.reproduce, found.object_id) == ("p2 因 p2", "look p2", None)
    assert found.evidence == sm3(b"p1\np2").hex()


def test_two_whole_hosts() -> None:
    for texts, expected in ((HARD, {"met"}), (WEAK, {"not_met", "partly"})):
        results = [judged(probe, parts(texts), "host", "2026-01-01T00:00:00Z") for probe in of_source("linux")]
        found = findings(results, 1)
        assert {one.verdict for one in found} <= expected
        assert len(found) >= 20
        assert all(len(one.reason) <= 1_000 for one in found)
