"""The ground truth against real parsers, zone plan and detectors: every attack is found, normal days raise nothing."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli.demo_score import WORKING_DAY, Score, judge, judge_demo, score_table
from cli.ruleset import load_ruleset
from demo.chains import CHAINS
from demo.chains.expected import RULES
from demo.estate import lanting
from demo.plan import Planned, Route, Step
from demo.stream import DemoStream
from demo.truth import GroundTruth
from demo.zone_plan import lanting_plan
from kernel.config import Config, Platform
from kernel.zones import ZoneTable

needs_suricata = pytest.mark.skipif(shutil.which("suricata") is None, reason="needs suricata (apt install suricata)")


@pytest.mark.suricata
@needs_suricata
@pytest.mark.slow
def test_every_attack_is_found_amid_the_full_traffic_and_a_normal_day_raises_nothing() -> None:
    score = judge_demo(7, tuple(CHAINS), 1)
    told = "\n".join(score_table(score))
    assert score.chains.keys() == CHAINS.keys()
    assert score.benign > 80_000
    assert [chain.missed for chain in score.chains.values() if chain.missed] == [], told
    assert score.false == [], told


@pytest.mark.parametrize("seed", [1, 2])
def test_every_attack_is_found_whatever_the_seed(seed: int) -> None:
    """Without packets and traffic, so with other hosts and addresses only."""
    score = attacks_alone(seed)
    told = "\n".join(score_table(score))
    assert [chain.missed for chain in score.chains.values() if chain.missed] == [], told
    assert sum(len(chain.expected) for chain in score.chains.values()) > 70


def attacks_alone(seed: int) -> Score:
    stream = DemoStream(seed)
    records = []
    for number, name in enumerate(CHAINS):
        for one in stream._attack(name, 3_600.0 * number, number):
            if one.route is not Route.PCAP:
                records.append((WORKING_DAY + timedelta(seconds=one.after), one))
    return judge(records, WORKING_DAY)


def test_the_score_tells_what_was_missed_and_what_was_false() -> None:
    """A rule that cannot fire on a record is missed; a rule that fires on a record that claims to be normal is false."""
    (_, first), *_ = [
        (number, one) for number, one in enumerate(CHAINS["mining"](lanting(), DemoStream(1)._rng("m"))) if one.expects
    ]
    step = Step("mining", "invented", "gov-cloud", "k8s-node-01", "T1496")
    lying = [
        (WORKING_DAY, Planned(0.0, first.route, first.build, step, ("security_log_cleared",))),
        (WORKING_DAY + timedelta(minutes=5), Planned(300.0, first.route, first.build)),
    ]
    score = judge(lying, WORKING_DAY)
    assert score.chains["mining"].missed == [(0, "invented", "security_log_cleared")]
    assert [one.rule for one in score.false] == ["Pod Made That Can Take Over Its Node"]


def test_the_ground_truth_names_existing_rules(tmp_path: Path) -> None:
    table = ZoneTable(lanting_plan(WORKING_DAY))
    known = {rule.id for rule in load_ruleset(Config(platform=Platform(data_dir=tmp_path)), lambda: table).catalogue.rules}
    assert {rule.id for rule in RULES.values()} <= known
    used = {name for make in CHAINS.values() for one in make(lanting(), DemoStream(1)._rng("c")) for name in one.expects}
    assert used == RULES.keys()


def test_the_ground_truth_is_written_beside_what_is_sent(tmp_path: Path) -> None:
    told: list[str] = []
    book = GroundTruth(tmp_path / "truth.jsonl", told.append)
    records = CHAINS["controller"](lanting(), DemoStream(1)._rng("c"))
    for one in records:
        book.note(datetime(2026, 11, 23, 4, 0, tzinfo=UTC), one)
    book.note(datetime(2026, 11, 23, 4, 0, tzinfo=UTC), Planned(0.0, Route.TCP, lambda moment: b"calm"))
    book.close()
    lines = [json.loads(line) for line in (tmp_path / "truth.jsonl").read_text("utf-8").splitlines()]
    assert len(lines) == len(records)
    assert len(told) == len({line["step"] for line in lines}) == 4
    first = lines[0]
    assert (first["chain"], first["zone"], first["asset"], first["technique"]) == ("controller", "water-ot", "wtr-hmi-01", "T1133")
    assert first["expected"] == ["zone-conduit-expired"]
    assert first["engines"] == ["zone"]
