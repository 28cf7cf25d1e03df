"""``./liandun detect`` from outside: files in, detections out, exit codes, messages."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cli.__main__ import run

RULE = """
title: Whoami
id: 11111111-2222-4333-8444-555555555555
status: test
level: {level}
author: Ann
tags: [attack.discovery]
logsource: {{category: process_creation, product: windows}}
detection:
    selection: {{Image|endswith: '\\whoami.exe'}}
    condition: selection
"""
BRUTE_FORCE = """
title: Failed
name: failed
status: test
logsource: {product: linux, service: sshd}
detection: {selection: {event.outcome: failure}, condition: selection}
---
title: Many failed
status: test
level: high
correlation: {type: event_count, rules: [failed], group-by: [source.ip], timespan: 10m, condition: {gte: 5}}
"""


def creation(image: str, second: int = 0, **data: Any) -> bytes:
    event = {"Channel": "Microsoft-Windows-Sysmon/Operational", "EventID": 1, "TimeCreated": f"2026-11-22T08:00:{second:02d}Z"}
    return json.dumps(event | {"Image": image, "CommandLine": image, "Hostname": "ws1"} | data).encode() + b"\n"


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = tmp_path / "rule.yml"
    path.write_text(RULE.format(level="medium"))
    return path


def detect(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr("sys.argv", ["liandun", "detect", *map(str, arguments)])
    return run()


def hits_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_json_lines_carry_what_was_promised(
    tmp_path: Path, rules: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "a.jsonl"
    log.write_bytes(creation("C:\\x\\notepad.exe") + creation("C:\\x\\WHOAMI.exe", 5))
    assert detect(monkeypatch, log, "--rules", rules, "--format", "jsonl") == 0
    out, told = capfd.readouterr()
    (hit,) = [json.loads(line) for line in out.splitlines()]
    expected = {
        "file": str(log),
        "@timestamp": "2026-11-22T08:00:05.000000Z",
        "rule.id": "11111111-2222-4333-8444-555555555555",
        "rule.name": "Whoami",
        "rule.level": "medium",
        "rule.author": "Ann",
        "tags": ["attack.discovery"],
    }
    assert {name: hit[name] for name in expected} == expected
    assert hit["event.id"] == hit["event"]["event.id"]
    assert hit["event"]["process.name"] == "WHOAMI.exe"
    assert hit["event"]["winlog.event_data.Image"] == "C:\\x\\WHOAMI.exe"
    assert "2 records, 1 Sigma rules" in told
    assert "1 detections, 0 problems" in told


def test_order_is_by_file_then_place_whatever_the_number_of_workers(
    tmp_path: Path, rules: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    for name in ("c.json", "a.jsonl", "b.log"):
        (folder / name).write_bytes(b"".join(creation("D:\\whoami.exe", second) for second in range(20)))
    monkeypatch.setattr("cli.detect.PIECE_BYTES", 700)
    told = []
    for workers in (1, 3):
        out = tmp_path / f"out{workers}"
        assert detect(monkeypatch, folder, "--rules", rules, "--format", "jsonl", "--out", out, "--jobs", workers) == 0
        told.append([(Path(hit["file"]).name, hit["@timestamp"][17:19], hit["event.id"]) for hit in hits_of(out)])
    assert told[0] == told[1]
    assert [hit[:2] for hit in told[0]] == [
        (name, f"{second:02d}") for name in ("a.jsonl", "b.log", "c.json") for second in range(20)
    ]
    assert len({hit[2] for hit in told[0]}) == 20 or len({hit[2] for hit in told[0]}) == 60


def test_broken_files_are_told_and_the_rest_goes_on(
    tmp_path: Path, rules: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "a.json").write_bytes(bytes(range(256)) * 99)
    (folder / "b.evtx").write_bytes(b"ElfFile\0 cut")
    (folder / "c.jsonl").write_bytes(b'{"broken\n' + creation("C:\\whoami.exe"))
    assert detect(monkeypatch, folder, tmp_path / "nowhere", "--rules", rules, "--format", "jsonl") == 1
    out, told = capfd.readouterr()
    assert len(out.splitlines()) == 1
    for message in (
        "a.json: binary data",
        "b.evtx is not a Windows event log",
        "c.jsonl, 0: ",
        "nowhere: no such file",
        "4 problems",
    ):
        assert message in told
    assert "Traceback" not in told


def test_bad_rules_are_listed_and_the_others_run(
    tmp_path: Path, rules: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.yml").write_text("title: Bad\nlogsource: {product: windows}\ndetection: {condition: nothing}\n")
    log = tmp_path / "a.jsonl"
    log.write_bytes(creation("C:\\whoami.exe"))
    listed = tmp_path / "failures.txt"
    arguments = (log, "--rules", rules, "--rules", tmp_path / "bad.yml", "--format", "jsonl", "--failures", listed, "-v")
    assert detect(monkeypatch, *arguments) == 0
    out, told = capfd.readouterr()
    assert len(out.splitlines()) == 1
    assert "bad.yml:" in told
    assert "bad.yml:" in listed.read_text()


def test_no_usable_rule_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    assert detect(monkeypatch, tmp_path, "--rules", tmp_path / "none.yml") == 1
    assert "none.yml: no such file or folder" in capfd.readouterr().err


def test_least_level(tmp_path: Path, rules: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "a.jsonl"
    log.write_bytes(creation("C:\\whoami.exe"))
    assert detect(monkeypatch, log, "--rules", rules, "--format", "jsonl", "--min-level", "high") == 0
    assert capfd.readouterr().out == ""


def test_csv_is_safe_for_spreadsheets(
    tmp_path: Path, rules: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "a.jsonl"
    log.write_bytes(creation("C:\\whoami.exe", CommandLine='=cmd|"/c calc"!A1', User="D\\ann"))
    assert detect(monkeypatch, log, "--rules", rules, "--format", "csv") == 0
    (row,) = csv.DictReader(io.StringIO(capfd.readouterr().out))
    assert row["process.command_line"] == '\'=cmd|"/c calc"!A1'
    assert (row["rule.name"], row["host.name"], row["user.name"]) == ("Whoami", "ws1", "ann")


def test_table_shows_counts_and_no_control_characters(
    tmp_path: Path, rules: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "a.jsonl"
    log.write_bytes(creation("C:\\whoami.exe", CommandLine="who\x1b[31mami") * 3)
    assert detect(monkeypatch, log, "--rules", rules) == 0
    out = capfd.readouterr().out
    assert "Whoami" in out
    assert "medium" in out
    assert " 3 " in out
    assert "\x1b" not in out


def test_correlation_sees_all_files(tmp_path: Path, rules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "c.yml").write_text(BRUTE_FORCE)
    line = b"<38>1 2026-11-22T08:00:%02dZ srv sshd 9 - - Failed password for root from 192.0.2.66 port 4000 ssh2\n"
    for number in range(3):
        (tmp_path / f"auth{number}.log").write_bytes(b"".join(line % (number * 3 + n) for n in range(2)))
    out = tmp_path / "out"
    logs = [tmp_path / f"auth{number}.log" for number in range(3)]
    assert detect(monkeypatch, *logs, "--rules", tmp_path / "c.yml", "--format", "jsonl", "--out", out, "--jobs", 2) == 0
    hits = hits_of(out)
    assert {hit["rule.name"] for hit in hits} == {"Many failed"}
    assert hits[0]["event"]["source.ip"] == "192.0.2.66"
    assert len(hits[0]["event_ids"]) == 5


GUESSING = """
title: Logon failed
name: failed
status: test
logsource: {product: windows, service: security}
detection: {selection: {EventID: 4625}, condition: selection}
---
title: Guessing
status: test
level: high
correlation: {type: event_count, rules: [failed], group-by: [IpAddress], timespan: 10m, condition: {gte: 4}}
"""


def test_fast_path_gives_the_same_to_a_correlation(tmp_path: Path, rules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "g.yml").write_text(GUESSING)
    lines = [creation("C:\\x\\whoami.exe" if second % 7 == 0 else "C:\\x\\other.exe", second) for second in range(30)]
    failed = {"Channel": "Security", "EventID": 4625, "Hostname": "ws1", "TargetUserName": "root"}
    for second in range(9):
        one = failed | {"TimeCreated": f"2026-11-22T08:00:{second:02d}Z", "IpAddress": f"192.0.2.{second % 2}"}
        lines.append(json.dumps(one).encode() + b"\n")
    log = tmp_path / "w.jsonl"
    log.write_bytes(b"".join(lines) + b"no json\n")

    def found(name: str) -> list[dict[str, Any]]:
        chosen = ("--rules", rules, "--rules", tmp_path / "g.yml")
        arguments = (log, *chosen, "--format", "jsonl", "--out", tmp_path / name, "--jobs", 1)
        assert detect(monkeypatch, *arguments) == 1  # the line that is no JSON
        hits = hits_of(tmp_path / name)
        for hit in hits:
            del hit["event"]["event.ingested"]  # the moment of the run
        return hits

    fast = found("fast")
    assert [hit["rule.name"] for hit in fast].count("Guessing") == 2
    monkeypatch.setattr("cli.detect_worker.Worker._worth_parsing", lambda self, batch: batch)
    assert found("slow") == fast


def test_zone_of_stamps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rules: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert detect(monkeypatch, tmp_path, "--rules", rules, "--timezone", "Mars/Olympus") == 2
    assert "unknown time zone" in capfd.readouterr().err


@pytest.mark.slow
def test_real_attacks_with_our_own_rules(shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    out = tmp_path / "out"
    assert (
        detect(monkeypatch, shared / "corpora" / "evtx" / "DE_UAC_Disabled_Sysmon_12_13.evtx", "--out", out, "--format", "jsonl")
        == 0
    )
    assert all(hit["file"].endswith("DE_UAC_Disabled_Sysmon_12_13.evtx") for hit in hits_of(out))


@pytest.mark.slow
def test_consensus_of_four_engines(shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sample of the corpus through the command itself; the whole is tests/detectors/sigma's."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    oracle = json.loads((shared / "corpora" / "evtx-oracle.json").read_bytes())["files"]
    names = sorted(name for name in oracle if oracle[name]["consensus"])[::6]
    out = tmp_path / "out"
    files = [shared / "corpora" / "evtx" / name for name in names]
    assert detect(monkeypatch, *files, "--rules", shared / "corpora" / "sigma-rules.tar.gz", "--format", "jsonl", "--out", out) == 0
    found = {(Path(hit["file"]).name, hit["rule.id"]) for hit in hits_of(out)}
    missing = [(name, rule) for name in names for rule in oracle[name]["consensus"] if (name, rule) not in found]
    assert missing == []


@pytest.mark.suricata
def test_capture_with_suricata_and_yara(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("suricata") is None:
        pytest.skip("needs suricata")
    from scapy.all import IP, TCP, Ether, Raw, wrpcap

    body = b"HTTP/1.1 200 OK\r\nContent-Length: 42\r\n\r\n" + b"LIANDUN-TEST-MARK".ljust(42, b".")
    request = b"GET /x.com HTTP/1.1\r\nHost: evil.example\r\n\r\n"
    ends = (("10.1.1.5", 40000), ("203.0.113.9", 80))
    packets, place = [], [1000, 5000]
    for side, flags, payload in (
        (0, "S", b""),
        (1, "SA", b""),
        (0, "A", b""),
        (0, "PA", request),
        (1, "PA", body),
        (0, "A", b""),
        (0, "FA", b""),
        (1, "FA", b""),
        (0, "A", b""),
    ):
        (source, sport), (destination, dport) = ends[side], ends[1 - side]
        segment = TCP(sport=sport, dport=dport, flags=flags, seq=place[side], ack=0 if flags == "S" else place[1 - side])
        packets.append(Ether() / IP(src=source, dst=destination) / segment / (Raw(payload) if payload else b""))
        place[side] += len(payload) + ("S" in flags or "F" in flags)
    wrpcap(str(tmp_path / "t.pcap"), packets)
    (tmp_path / "t.yar").write_text('rule Mark { meta: level="critical" strings: $a="LIANDUN-TEST-MARK" condition: $a }')
    (tmp_path / "t.rules").write_text(
        'alert http any any -> any any (msg:"test x.com"; http.uri; content:"/x.com"; sid:1000001; rev:1;)'
    )
    out = tmp_path / "out"
    rules = ("--rules", tmp_path / "t.yar", "--rules", tmp_path / "t.rules")
    assert detect(monkeypatch, tmp_path / "t.pcap", *rules, "--format", "jsonl", "--out", out) == 0
    hits = hits_of(out)
    assert [(hit["engine"], hit["rule.name"], hit["rule.level"]) for hit in hits] == [
        ("suricata", "test x.com", "low"),
        ("yara", "Mark", "critical"),
    ]
    assert {hit["file"] for hit in hits} == {str(tmp_path / "t.pcap")}


def test_crossings_are_judged_by_a_zone_plan(
    rules: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    plan, logs = tmp_path / "plan.yml", tmp_path / "eve.json"
    plan.write_text(
        "zones:\n"
        "  - {id: office, name: 办公网, layer: network, ranges: [10.21.0.0/16, '2001:db8:21::/48']}\n"
        "  - {id: ot, name: 控制网, layer: perception, importance: 5, ranges: [10.60.0.0/16, '2001:db8:60::/48']}\n",
        "utf-8",
    )
    flows = [("10.21.0.5", "10.60.0.9"), ("2001:db8:21::5", "2001:db8:60::9"), ("10.60.0.8", "10.60.0.9")]
    logs.write_bytes(
        b"".join(
            json.dumps(
                {
                    "timestamp": "2026-11-25T08:00:00.000000+0000",
                    "event_type": "flow",
                    "src_ip": source,
                    "src_port": 50000,
                    "dest_ip": destination,
                    "dest_port": 502,
                    "proto": "TCP",
                }
            ).encode()
            + b"\n"
            for source, destination in flows
        )
    )
    assert detect(monkeypatch, logs, "--rules", rules, "--zones", plan, "--format", "jsonl") == 0
    found = [json.loads(line) for line in capsysbinary.readouterr().out.splitlines()]
    assert [(one["rule.id"], one["rule.level"]) for one in found] == [("zone-crossing-denied", "high")] * 2
    assert detect(monkeypatch, logs, "--rules", rules, "--zones", tmp_path / "no.yml") == 1


def test_nothing_is_said_on_stderr_when_all_went_well(tmp_path: Path, rules: Path) -> None:
    """DuckDB's binding lists every object of its own that is still alive at exit."""
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_bytes(creation("C:\\\\Windows\\\\evil.exe"))
    command = [sys.executable, "-m", "cli", "detect", str(source), "--rules", str(rules), "--format", "jsonl"]
    done = subprocess.run([*command, "--out", str(out)], capture_output=True, text=True, check=False)
    assert (done.returncode, "leaked" in done.stderr) == (0, False), done.stderr
