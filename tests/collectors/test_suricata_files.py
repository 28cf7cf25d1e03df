"""Files on the wire → file store → YARA: HTTP, FTP, SMTP, SMB; offline and live, with limits."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from collectors.packet_folder import PacketFolder
from collectors.parsers.suricata_eve import parse, parse_stored
from collectors.suricata import PcapLimits, offline, pcap_records
from collectors.suricata.config import SensorSettings
from detectors.yara import YaraDetector, YaraScanner
from kernel.event import Event, conform
from kernel.record import RawRecord
from tests.collectors.conversations import CARRIERS, EICAR, http_download, write_capture

pytestmark = [
    pytest.mark.suricata,
    pytest.mark.skipif(shutil.which("suricata") is None, reason="suricata is not installed"),
]

ENDS = {"IPv4": ("10.0.0.7", "198.51.100.80"), "IPv6": ("2001:db8::7", "2001:db8::80")}
RULE = 'rule eicar : test { meta: level = "high" strings: $a = "EICAR-STANDARD-ANTIVIRUS-TEST-FILE" condition: $a }'


@pytest.fixture
def scanner(tmp_path: Path) -> YaraScanner:
    rules = tmp_path / "eicar.yar"
    rules.write_text(RULE)
    return YaraScanner.load([rules])


def _events(records: list[RawRecord]) -> list[Event]:
    events = []
    for number, record in enumerate(records):
        event = (parse if record.format == "eve" else parse_stored)(record)[0]
        event["event.id"] = f"{number}"
        events.append(conform(event, record.received, {}))
    return events


def _read(capture: Path, work: Path, **options: object) -> tuple[list[Event], list[str]]:
    reports: list[str] = []
    work.mkdir()
    return _events(list(pcap_records(capture, reports.append, workdir=work, **options))), reports  # type: ignore[arg-type]


@pytest.mark.parametrize("family", ENDS)
@pytest.mark.parametrize("protocol", CARRIERS)
def test_a_carried_file_reaches_yara(tmp_path: Path, scanner: YaraScanner, protocol: str, family: str) -> None:
    capture, work = tmp_path / "c.pcap", tmp_path / "work"
    write_capture(capture, CARRIERS[protocol](*ENDS[family], EICAR))
    events, reports = _read(capture, work)
    assert reports == []
    digest = hashlib.sha256(EICAR).hexdigest()
    stored = [e for e in events if e["event.dataset"] == "suricata.file_stored" and e["file.hash.sha256"] == digest]
    assert [(e["file.name"], e["file.size"]) for e in stored] == [("eicar.com", len(EICAR))]
    found = YaraDetector(scanner, [work]).process(events)
    assert {(one.rule_id, one.event["file.hash.sha256"]) for one in found} == {("yara:eicar:eicar", digest)}
    assert {found[0].event["source.ip"], found[0].event["destination.ip"]} == set(ENDS[family])


@pytest.mark.parametrize("name", ["smb-eicar-file", "smb-eicar-andx", "smb-eicar-padding"])
def test_a_file_over_smb_reaches_yara(shared: Path, tmp_path: Path, scanner: YaraScanner, name: str) -> None:
    (capture,) = (shared / "corpora/pcaps/suricata-verify" / name).glob("*.pcap")
    events, _ = _read(capture, tmp_path / "work")
    found = YaraDetector(scanner, [tmp_path / "work"]).process(events)
    assert {one.rule_id for one in found} == {"yara:eicar:eicar"}
    assert all(one.event["network.protocol"] == "smb" for one in found)


def test_a_file_hidden_by_overlapping_writes_is_told_as_such(shared: Path, tmp_path: Path) -> None:
    """Suricata does not put it together as the server does; it says that somebody tried."""
    events, _ = _read(shared / "corpora/pcaps/suricata-verify/smb-eicar-overlap/input.pcap", tmp_path / "work")
    assert "file_overlap" in {event["event.action"] for event in events if event["event.dataset"] == "suricata.anomaly"}


def test_the_same_content_is_kept_once_and_every_host_that_fetched_it_is_told(tmp_path: Path, scanner: YaraScanner) -> None:
    packets = [one for host in range(2, 6) for one in http_download(f"10.0.0.{host}", "198.51.100.80", EICAR)]
    write_capture(tmp_path / "c.pcap", packets)
    events, _ = _read(tmp_path / "c.pcap", tmp_path / "work")
    detector = YaraDetector(scanner, [tmp_path / "work"])
    found = detector.process(events)
    assert {one.event["destination.ip"] for one in found} == {f"10.0.0.{host}" for host in range(2, 6)}
    assert detector.counters["scanned"] == 1
    assert len([path for path in (tmp_path / "work").rglob("*") if len(path.name) == 64]) == 1


@pytest.mark.slow
def test_a_file_beyond_the_limit_is_scanned_up_to_it_and_says_so(tmp_path: Path, scanner: YaraScanner) -> None:
    limit = SensorSettings(log_dir=tmp_path).max_file
    body = EICAR + hashlib.shake_128(b"x").digest(limit + 500_000)
    write_capture(tmp_path / "c.pcap", http_download(*ENDS["IPv6"], body))
    events, _ = _read(tmp_path / "c.pcap", tmp_path / "work")
    (stored,) = (event for event in events if event["event.dataset"] == "suricata.file_stored")
    assert limit - 100_000 < stored["file.size"] <= limit + 1
    assert stored["suricata.eve.fileinfo.state"] == "TRUNCATED"
    assert stored["tags"] == ["file-truncated"]
    assert [one.rule_id for one in YaraDetector(scanner, [tmp_path / "work"]).process(events)] == ["yara:eicar:eicar"]


def test_a_capture_full_of_files_does_not_fill_the_disk(tmp_path: Path) -> None:
    packets = []
    for number in range(12):
        body = hashlib.shake_128(b"%d" % number).digest(100_000)
        packets += http_download(f"10.0.1.{number + 1}", "198.51.100.80", body, f"{number}.bin")
    write_capture(tmp_path / "c.pcap", packets)
    events, reports = _read(tmp_path / "c.pcap", tmp_path / "work", limits=PcapLimits(files=400_000))
    kept = [event for event in events if event["event.dataset"] == "suricata.file_stored"]
    assert 0 < sum(event["file.size"] for event in kept) <= 400_000
    assert sum(event["event.dataset"] == "suricata.fileinfo" for event in events) == 12, "the events are all there"
    assert any("of the carried files were not kept" in line for line in reports)


def test_the_packet_folder_bounds_what_it_keeps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collectors.packet_folder.KEPT_BYTES", 250_000)
    captures = tmp_path / "captures"
    captures.mkdir()
    for number in range(4):
        body = hashlib.shake_128(b"%d" % number).digest(100_000)
        write_capture(captures / f"{number}.pcap", http_download("10.0.0.7", "198.51.100.80", body))

    class Sink:
        records: list[RawRecord] = []

        def put(self, records: object) -> None:
            self.records += records  # type: ignore[operator]

    folder = PacketFolder(captures, Sink(), tmp_path / "done.json", tmp_path / "work", source="captures")
    folder._settled()
    for path in folder._settled():
        folder._read(path)
    assert folder.counters["captures"] == folder.counters["files"] == 4
    assert folder.counters["folders_pruned"] >= 1
    assert folder.counters["file_store_bytes"] <= 250_000
    assert offline.PcapLimits().files > 0
