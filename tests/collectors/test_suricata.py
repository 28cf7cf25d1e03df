"""collectors/suricata with the real program on real captures."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from collectors.parsers.suricata_eve import parse, parse_stored
from collectors.suricata import PcapLimits, SuricataMissing, pcap_records
from collectors.suricata.log import problems
from detectors.suricata import detections
from kernel.errors import ParseError
from kernel.event import Event, conform

pytestmark = pytest.mark.suricata

ROOT = Path(__file__).resolve().parents[2]

needs_suricata = pytest.mark.skipif(shutil.which("suricata") is None, reason="suricata is not installed")


def _events(path: Path, **options: Any) -> tuple[list[Event], list[str]]:
    reports: list[str] = []
    events = []
    for number, record in enumerate(pcap_records(path, reports.append, **options)):
        assert record.offset == number
        event = (parse if record.format == "eve" else parse_stored)(record)[0]
        event["event.id"] = f"{number}"
        counters: dict[str, int] = {}
        events.append(conform(event, record.received, counters))
        assert counters == {}, event
    return events, reports


@needs_suricata
def test_ot_protocols_are_on(shared: Path) -> None:
    events, _ = _events(shared / "corpora/ot-pcaps/icsnpp-modbus__testing__traces__modbus_example.pcap")
    # tshark counts 48 Modbus frames: 24 requests and their 24 answers, one event for each pair
    assert sum(e["event.dataset"] == "ot.modbus" for e in events) == 24
    events, _ = _events(shared / "corpora/ot-pcaps/icsnpp-dnp3__testing__traces__dnp3_example.pcap")
    assert {e["event.action"] for e in events if e["event.dataset"] == "ot.dnp3"} >= {"read", "response", "select", "operate"}


@needs_suricata
def test_two_runs_give_the_same_records_and_gzip_too(shared: Path, tmp_path: Path) -> None:
    capture = shared / "corpora/ot-pcaps/iti__dnp3__dnp3_test_data_part1.pcap"
    packed = tmp_path / "c.pcap.gz"
    packed.write_bytes(gzip.compress(capture.read_bytes()))
    runs = [[(r.stream, r.offset, r.raw) for r in pcap_records(path, print)] for path in (capture, capture, packed)]
    assert runs[0][0][0] == "pcap:" + hashlib.sha256(capture.read_bytes()).hexdigest()
    assert [r[:2] for r in runs[0]] == [r[:2] for r in runs[1]]
    subjects = [[_subject(json.loads(raw)) for _, _, raw in run] for run in runs]
    assert subjects[0] == subjects[1] == subjects[2]
    assert len({subject for subject in subjects[0] if subject[0] == "flow"}) == 8


def _subject(event: dict[str, Any]) -> tuple[Any, ...]:
    """What an event is about: flow_id, and for flows the time and state of logging, differ from run to run."""
    keys = ("event_type", "pcap_cnt", "src_ip", "src_port", "dest_ip", "dest_port", "tx_id")
    return *(event.get(key) for key in keys), event.get("flow", {}).get("start"), json.dumps(event.get("dnp3"))


@needs_suricata
def test_refused_rules_are_named_and_the_others_fire(shared: Path, tmp_path: Path) -> None:
    folder = shared / "corpora/pcaps/suricata-verify/alert-testmyids-midstream"
    bad = tmp_path / "bad.rules"
    bad.write_text('# comment\nalert tcp any any -> any any (msg:"x"; nokeyword; sid:7;)\n')
    events, reports = _events(folder / "input.pcap", rules=[bad, tmp_path / "absent.rules", folder / "test.rules"])
    assert f"{bad}:2: sid 7: unknown rule keyword 'nokeyword'." in reports
    assert any("absent.rules: rules cannot be read" in line for line in reports)
    (found,) = [d for event in events for d in detections(event)]
    assert (found.rule_id, found.level, found.engine) == ("suricata:1:2100498", "medium", "suricata")


@needs_suricata
def test_damaged_captures_are_reported_and_what_can_be_read_is(shared: Path, tmp_path: Path) -> None:
    whole = (shared / "corpora/pcaps/suricata-verify/alert-testmyids-midstream/input.pcap").read_bytes()
    for name, content, words, some in (
        ("cut.pcap", whole[:600], "truncated dump file", True),
        ("early.pcap", whole[:100], "before its first packet", False),
        ("empty.pcap", whole[:24], "no packet", False),
        ("noise.pcap", whole[:24] + os.urandom(5000), "", False),
    ):
        path = tmp_path / name
        path.write_bytes(content)
        events, reports = _events(path)
        assert bool(events) == some, name
        assert any(words in line and str(path) in line for line in reports), (name, reports)


def test_not_a_capture(tmp_path: Path) -> None:
    path = tmp_path / "x.pcap"
    for content in (b"", b"abc", b"\x1f\x8bnot gzip at all", gzip.compress(b"text")):
        path.write_bytes(content)
        if shutil.which("suricata"):
            with pytest.raises(ParseError, match=str(path)):
                list(pcap_records(path, print))


@needs_suricata
def test_the_time_limit_ends_a_run(shared: Path) -> None:
    capture = shared / "corpora/pcaps/suricata-verify/alert-testmyids-midstream/input.pcap"
    reports: list[str] = []
    list(pcap_records(capture, reports.append, limits=PcapLimits(seconds=0.01)))
    assert any("limit of 0.01 s" in line for line in reports)


def test_without_suricata_one_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_args, **_kw: None)
    with pytest.raises(SuricataMissing, match=r"not installed.*apt install suricata") as caught:
        list(pcap_records(tmp_path / "any.pcap", print))
    assert "\n" not in str(caught.value)


def test_console_messages() -> None:
    console = (
        "Notice: This is Suricata\nError: bad thing\n"
        'Error: error parsing signature "alert x (sid:5;)" from file /w/0.rules at line 3\n'
        "Warning: slow\nError: alone\nError: unknown file format\n"
    )
    found = problems(console, {"/w/0.rules": "mine.rules"})
    assert found == ["mine.rules:3: sid 5: bad thing", "slow", "alone", "unknown file format"]
