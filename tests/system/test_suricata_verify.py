"""What has once held of suricata-verify goes on holding: see suricata_verify.py."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import msgspec
import pytest

from collectors.suricata.binary import find_suricata, suricata_version
from tests.system.suricata_verify import EXPECTED, Expected, find, matches, read_cases, run_all, stored_as

pytestmark = pytest.mark.suricata


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("suricata") is None, reason="suricata is not installed")
def test_every_check_that_held_still_holds(shared: Path) -> None:
    expected = msgspec.json.decode(EXPECTED.read_bytes(), type=Expected)
    version = suricata_version(find_suricata())
    if version != expected.suricata:
        pytest.skip(f"what holds was recorded with Suricata {expected.suricata}, this is {version}")
    cases = [case for case in read_cases(shared / "corpora/pcaps", version) if case.checks]
    with tempfile.TemporaryDirectory(prefix="suricata-verify-") as folder:
        verdicts = run_all(cases, Path(folder))
    assert sum(verdict.lost for verdict in verdicts) == 0, [v.problems for v in verdicts if v.lost]
    broken = {
        f"{verdict.name} check {number}": result
        for verdict in verdicts
        for number, result in verdict.checks.items()
        if result != "ok" and number not in expected.open_checks.get(verdict.name, [])
    }
    assert broken == {}
    assert sum(result == "ok" for verdict in verdicts for result in verdict.checks.values()) > 800


EVENT = {
    "event_type": "dns",
    "src_ip": "10.0.0.1",
    "dns": {"answers": [{"rrname": "a.example", "ttl": 5}, {"rrname": "b.example"}], "id": 7},
}


@pytest.mark.parametrize(
    ("match", "holds"),
    [
        ({"event_type": "dns", "dns.answers[1].rrname": "b.example"}, True),
        ({"dns.answers[2].rrname": "b.example"}, False),
        ({"dns.answers.__len": 2}, True),
        ({"has-key": "dns.id", "not-has-key": "dns.rcode"}, True),
        ({"not-has-key": "dns.id"}, False),
        ({"src_ip.__startswith": "10."}, True),
        ({"src_ip.__endswith": ".2"}, False),
        ({"event_type.__contains": "n"}, True),
    ],
)
def test_filters_say_what_the_suite_means_by_them(match: dict[str, object], holds: bool) -> None:
    assert matches(EVENT, match) == holds


def test_a_stored_event_must_carry_the_values() -> None:
    stored = {"source.ip": "10.0.0.1", "suricata.eve.dns.answers.rrname": ["a.example", "b.example"], "suricata.eve.dns.id": 7}
    assert stored_as(stored, "src_ip", "10.0.0.1")
    assert stored_as(stored, "dns.answers[1].rrname", "b.example")
    assert stored_as(stored, "dns.answers", find(EVENT, "dns.answers")) is False, "ttl is missing"
    assert not stored_as(stored, "dns.id", 8)
    assert not stored_as(stored, "dns.rcode", "NOERROR")
