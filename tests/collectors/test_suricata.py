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
from detectors.yara import YaraDetector, YaraScanner
from kernel.errors import ParseError
from kernel.event import Event, conform

pytestmark = pytest.mark.suricata

ROOT = Path(__file__).resolve().parents[2]
_EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"

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


def _http_capture(path: Path, body: bytes, *, ipv6: bool = False) -> None:
    """One HTTP download, handshake included, written by scapy."""
    from scapy.all import IP, TCP, Ether, IPv6, Raw, wrpcap

    client, server = ("2001:db8::7", "2001:db8::80") if ipv6 else ("10.0.0.7", "198.51.100.80")
    network = IPv6 if ipv6 else IP
    packets = []
    sequence = {client: 1000, server: 5000}

    def send(source: str, flags: str, payload: bytes = b"") -> None:
        target = server if source == client else client
        ports = (40000, 80) if source == client else (80, 40000)
        numbers = {"seq": sequence[source], "ack": sequence[target] if "A" in flags else 0}
        segment = TCP(sport=ports[0], dport=ports[1], flags=flags, window=65535, **numbers)
        packet = Ether() / network(src=source, dst=target) / segment
        packets.append(packet / Raw(payload) if payload else packet)
        sequence[source] += len(payload) + ("S" in flags or "F" in flags)

    send(client, "S")
    send(server, "SA")
    send(client, "A")
    send(client, "PA", b"GET /files/eicar.com HTTP/1.1\r\nHost: download.example\r\nUser-Agent: test\r\n\r\n")
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    for start in range(0, len(answer), 1400):
        send(server, "PA", answer[start : start + 1400])
        if start % 14000 == 0:
            send(client, "A")
    send(client, "FA")
    send(server, "FA")
    send(client, "A")
    wrpcap(str(path), packets)


@needs_suricata
@pytest.mark.parametrize("ipv6", [False, True])
def test_a_file_in_http_is_logged_stored_and_found_by_yara(tmp_path: Path, ipv6: bool) -> None:
    capture, rules, work = tmp_path / "eicar.pcap", tmp_path / "eicar.yar", tmp_path / "work"
    work.mkdir()
    _http_capture(capture, _EICAR, ipv6=ipv6)
    rules.write_text('rule eicar : test { meta: level = "high" strings: $a = "EICAR-STANDARD-ANTIVIRUS-TEST-FILE" condition: $a }')
    events, reports = _events(capture, workdir=work)
    assert reports == []
    digest = hashlib.sha256(_EICAR).hexdigest()
    info = next(e for e in events if e["event.dataset"] == "suricata.fileinfo")
    assert (info["file.name"], info["file.hash.sha256"], info["suricata.eve.fileinfo.stored"]) == ("eicar.com", digest, True)
    stored = next(e for e in events if e["event.dataset"] == "suricata.file_stored")
    assert Path(stored["file.path"]).read_bytes() == _EICAR
    assert (stored["file.name"], stored["file.size"], stored["url.domain"]) == ("eicar.com", len(_EICAR), "download.example")
    (found,) = YaraDetector(YaraScanner.load([rules]), [work]).process(events)
    assert (found.rule_id, found.level, found.event["file.hash.sha256"]) == ("yara:eicar:eicar", "high", digest)
    assert {"suricata.http", "suricata.flow"} <= {e["event.dataset"] for e in events}


@needs_suricata
@pytest.mark.slow
def test_a_file_of_three_megabytes_is_stored_whole(tmp_path: Path) -> None:
    body = hashlib.shake_128(b"seed").digest(3 << 20)
    capture, work = tmp_path / "large.pcap", tmp_path / "work"
    work.mkdir()
    _http_capture(capture, body)
    events, _ = _events(capture, workdir=work)
    stored = next(e for e in events if e["event.dataset"] == "suricata.file_stored")
    assert stored["file.hash.sha256"] == hashlib.sha256(body).hexdigest()
    assert Path(stored["file.path"]).read_bytes() == body


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
