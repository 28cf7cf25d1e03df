"""Our Suricata rules, run by the real Suricata under our own configuration on pcaps made with scapy: IPv4 and IPv6.

The engine takes long to start, so it starts twice: once for the traffic that must alert, once for the harmless neighbours.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from scapy.packet import Packet

from collectors.suricata.config import SensorSettings, render_config
from demo.packets import attack, pcap
from detectors.rule_lint import known_attack_tags
from detectors.rule_sets.catalogue import read_catalogue
from tests.rules.suricata_cases import BOTH, HOST, MUST, MUST_NOT, OUT, Made
from tests.rules.suricata_traffic import CLOCK, case_of, in_its_own_network

RULES = Path(__file__).resolve().parents[2] / "rules" / "suricata"
ENTRIES = read_catalogue([RULES], engine="suricata").entries
SIDS = {int(entry.id) for entry in ENTRIES}
needs_suricata = [
    pytest.mark.suricata,
    pytest.mark.skipif(shutil.which("suricata") is None, reason="needs suricata (apt install suricata)"),
]


REAL = {
    "iti__dnp3__cold_restart_and_response.pcap": 10,
    "iti__dnp3__dnp3_test_data_part1.pcap": 11,
    "iti__s7__step7_s300_stop.pcapng": 13,
    "iti__s7__tia_s300_downloadOb1.pcapng": 14,
    "iti__s7__wincc_s400_production.pcapng": 15,
    "iti__IEC60870-5-104__TestDissectIec104.pcap": 16,
    "iti__EthernetIP__cip_stop_plc.pcap": 18,
    "icsnpp-bacnet__testing__traces__bacnet_error_reject_abort.pcap": 20,
    "zeek__mqtt.pcap": 24,
    "zeek__modbus__modbusSmall.pcap": 4,
}
"""Captures of real devices and stacks → the rule that must see them."""


def alerts_of(capture: bytes | Path, folder: Path) -> list[dict[str, object]]:
    """Alerts of our rules on a pcap (or a folder of them), under the configuration that the product runs with."""
    read = capture if isinstance(capture, Path) else folder / "in.pcap"
    if not isinstance(capture, Path):
        read.write_bytes(capture)
    settings = SensorSettings(log_dir=folder, rule_files=(RULES / "liandun.rules",), store_files=False)
    (folder / "suricata.yaml").write_text(render_config(settings))
    command = ["suricata", "-c", str(folder / "suricata.yaml"), "-r", str(read), "-l", str(folder), "-k", "none"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, env={**os.environ, "LC_ALL": "C"})
    assert done.returncode == 0, done.stderr
    assert "Error" not in done.stderr + done.stdout, done.stdout
    lines = (folder / "eve.json").read_text().splitlines()
    return [entry for entry in map(json.loads, lines) if entry["event_type"] == "alert"]


def sid(alert: dict[str, object]) -> int:
    found = alert["alert"]
    assert isinstance(found, dict)
    return int(found["signature_id"])


def case_number(alert: dict[str, object]) -> int:
    """Number of the case; what was inside of a tunnel has other addresses, its outside tells."""
    outside = alert.get("tunnel", alert)
    assert isinstance(outside, dict)
    return case_of(outside["src_ip"])


def captured(cases: list[Made]) -> bytes:
    """All cases in one capture: IPv4 as an even number of network, IPv6 as the odd one after it."""
    packets: list[Packet] = []
    for position, made in enumerate(cases):
        for family, ends in enumerate(BOTH):
            packets += in_its_own_network(made(*ends), 2 * position + family + 1)
    return pcap(packets)


@pytest.mark.slow
@needs_suricata[0]
@needs_suricata[1]
def test_every_rule_fires_on_its_traffic_and_no_other_rule_does(tmp_path: Path) -> None:
    fired: dict[int, set[int]] = {}
    for alert in alerts_of(captured([made for _, made, _ in MUST]), tmp_path):
        fired.setdefault(case_number(alert), set()).add(sid(alert))
    missed = {
        (name, family): (expected, seen)
        for position, (name, _, numbers) in enumerate(MUST)
        for family in (4, 6)
        if (seen := fired.get(2 * position + (family == 6) + 1, set())) != (expected := {1_000_000 + number for number in numbers})
    }
    assert missed == {}


@pytest.mark.slow
@needs_suricata[0]
@needs_suricata[1]
def test_the_harmless_neighbours_raise_nothing(tmp_path: Path) -> None:
    alerts = alerts_of(captured([made for _, made in MUST_NOT]), tmp_path)
    assert [(MUST_NOT[(case_number(alert) - 1) // 2][0], sid(alert)) for alert in alerts] == []


@needs_suricata[0]
@needs_suricata[1]
def test_the_pcap_of_the_demo_raises_what_the_ground_truth_says(tmp_path: Path) -> None:
    capture = attack(datetime.fromtimestamp(CLOCK, UTC), HOST, 40_222, (OUT, 8080), "10.60.0.102")
    assert {sid(alert) for alert in alerts_of(capture, tmp_path)} == {1_000_001, 1_000_004, 1_000_009}


@pytest.mark.slow
@needs_suricata[0]
@needs_suricata[1]
def test_real_captures_of_controllers_are_seen(shared: Path, tmp_path: Path) -> None:
    captures = tmp_path / "captures"
    captures.mkdir()
    for name in REAL:
        shutil.copy(shared / "corpora" / "ot-pcaps" / name, captures)
    seen = {sid(alert) for alert in alerts_of(captures, tmp_path)}
    assert {1_000_000 + number for number in REAL.values()} - seen == set()


def test_every_rule_has_traffic_that_must_alert() -> None:
    assert {1_000_000 + number for _, _, expected in MUST for number in expected} == SIDS
    assert len(SIDS) >= 24


def test_rules_say_what_they_are() -> None:
    lines = [line for line in (RULES / "liandun.rules").read_text("utf-8").splitlines() if not line.startswith("#")]
    assert len(lines) == len(ENTRIES)
    for line, entry in zip(lines, ENTRIES, strict=True):
        assert 1_000_000 < int(entry.id) < 2_000_000
        assert entry.title.startswith("LIANDUN "), entry.id
        assert re.search(r"[\u4e00-\u9fff]", entry.title_zh), entry.id
        assert {tag.removeprefix("attack.") for tag in entry.tags} <= known_attack_tags(), entry.id
        assert "reference:" in line or int(entry.id) < 1_000_010
