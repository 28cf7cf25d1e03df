"""collectors/suricata/live.py with the real program on a real interface, in a network namespace of its own."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from collectors.filestore import FileStoreWatch
from collectors.packet_slice import SECOND, CapturePlace, Conversation, Span, slice_packets
from collectors.suricata import LiveSuricata
from collectors.suricata.config import PACKETS
from collectors.suricata.control import ControlError, ask
from collectors.suricata.disk import DiskGuard
from collectors.suricata.live import refused
from collectors.suricata.networks import Networks, ZoneRanges
from collectors.suricata.statistics import COUNTERS, SensorStatistics
from kernel.record import RawRecord
from tests.collectors.conversations import CARRIERS, EICAR, write_capture

pytestmark = pytest.mark.suricata

ROOT = Path(__file__).resolve().parents[2]

needs_live_suricata = pytest.mark.skipif(
    shutil.which("suricata") is None or os.geteuid() != 0, reason="needs suricata, and root for a network namespace"
)


class Kept:
    def __init__(self) -> None:
        self.records: list[RawRecord] = []

    def put(self, records: Any) -> None:
        self.records += records

    def signatures(self) -> list[str]:
        events = (json.loads(record.raw) for record in self.records if record.format == "eve")
        return [event["alert"]["signature"] for event in events if event["event_type"] == "alert"]


class Bench:
    """One sensor on ``lo`` with a web server to fetch from. It lives in the process that :func:`main` of this file is run in."""

    made: list[Bench] = []

    def __init__(self, folder: Path) -> None:
        self.made.append(self)
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        for address in ("10.66.1.1/32", "10.66.2.1/32", "2001:db8:66::1/128"):
            subprocess.run(["ip", "addr", "add", address, "dev", "lo", *(["nodad"] if ":" in address else [])], check=True)
        (folder / "www").mkdir(parents=True)
        (folder / "www" / "eicar.com").write_bytes(EICAR)
        self.rules = folder / "x.rules"
        self.networks = Networks()
        self.sink = Kept()
        # a path longer than a socket address may be
        self.work = folder / ("deep-" * 12) / ("deeper-" * 8) / "work"
        self.work.parent.mkdir(parents=True)
        self.live = LiveSuricata(
            "lo", self.sink, self.work, source="mirror-1", rules=lambda: [self.rules], networks=lambda: self.networks
        )
        self._thread = threading.Thread(target=self.live.run)
        handler = partial(SimpleHTTPRequestHandler, directory=str(folder / "www"))
        for host in ("10.66.1.1", "10.66.2.1"):
            server = ThreadingHTTPServer((host, 8099), handler)
            threading.Thread(target=server.serve_forever, daemon=True).start()

    def start(self) -> None:
        self._thread.start()
        self.until(self.runs, "engine runs")

    def stop(self) -> None:
        self.live.stop()
        self._thread.join()

    def runs(self) -> bool:
        return self.live._process is not None and self.live._started

    def fetch(self, host: str = "10.66.1.1") -> None:
        with urlopen(f"http://{host}:8099/eicar.com", timeout=10) as answer:
            answer.read()

    def until(self, condition: Callable[[], bool], what: str, seconds: float = 90) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"{what}: {self.live.error} {self.live.counters} {self.live._console()[-2000:]}"
            time.sleep(0.1)

    def eve(self) -> list[bytes]:
        return [record.raw for record in self.sink.records if record.format == "eve"]

    def seen_after_fetching(self, text: str, host: str = "10.66.1.1") -> Callable[[], bool]:
        def look() -> bool:
            self.fetch(host)
            time.sleep(0.5)
            return text in self.sink.signatures()

        return look


def reload_crash_restart(folder: Path) -> dict[str, Any]:
    """Rules change, Suricata is killed, and every event comes once."""
    bench = Bench(folder)
    bench.rules.write_text('alert http any any -> any any (msg:"first"; http.uri; content:"eicar"; sid:1;)')
    bench.start()
    bench.fetch()
    bench.until(lambda: "first" in bench.sink.signatures() and bench.live.counters["files"] == 1, "first rule and file")
    bench.rules.write_text(
        'alert http any any -> any any (msg:"second"; http.uri; content:"eicar"; sid:2; rev:2;)\n'
        'alert tcp any any -> any any (msg:"broken"; nosuchkeyword; sid:3;)\n' + "\x00\xff not a rule at all\n"
    )
    bench.until(bench.seen_after_fetching("second"), "second rule")
    bench.until(lambda: len(bench.live.problems) >= 1, "refused rule named")
    problems = list(bench.live.problems)
    process = bench.live._process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    bench.until(lambda: bench.live.counters["restarts"] == 1, "noticed")
    crashed = bench.live.error
    bench.until(bench.runs, "runs again")
    bench.until(lambda: bench.live.error == "", "well again")
    before = len(bench.sink.records)
    bench.fetch()
    bench.until(lambda: len(bench.sink.records) > before, "events again")
    bench.until(lambda: bench.live.counters["packets"] > 0 and bench.live.counters["uptime"] > 0, "statistics")
    bench.until(lambda: bench.live.counters["rules_failed"] == 2, "statistics of the second Suricata")
    bench.stop()
    offsets = [record.offset for record in bench.sink.records if record.format == "eve"]
    return {
        "crashed": crashed,
        "problems": problems,
        "counters": bench.live.counters,
        "formats": sorted({record.format for record in bench.sink.records}),
        "ordered": offsets == sorted(set(offsets)),
        "hosts": sorted({json.loads(r.raw).get("host") for r in bench.sink.records if r.format == "eve"}),
        "pid_file": (bench.work / "etc" / "suricata.pid").exists(),
    }


def plan_changes(folder: Path) -> dict[str, Any]:
    """The zone plan changes while the sensor runs: the same rule means other addresses, and no event is lost over it."""
    bench = Bench(folder)
    bench.rules.write_text('alert http any any -> $ZONE_WATER_OT any (msg:"to water"; http.uri; content:"eicar"; sid:1;)')
    bench.networks = Networks(zones=(ZoneRanges("water-ot", "perception", ("10.66.1.0/24",)),))
    bench.start()
    bench.until(bench.seen_after_fetching("to water"), "first plan")
    fetched, stop = [0], threading.Event()

    def fetch_on() -> None:
        while not stop.is_set():
            bench.fetch("10.66.2.1")
            fetched[0] += 1
            time.sleep(0.02)  # not so fast that a busy machine drops packets: that is another matter

    def logged() -> int:
        events = (json.loads(record.raw) for record in bench.sink.records if b'"event_type":"http"' in record.raw)
        return sum(event["dest_ip"] == "10.66.2.1" for event in events)

    fetcher = threading.Thread(target=fetch_on)
    fetcher.start()
    bench.networks = Networks(zones=(ZoneRanges("water-ot", "perception", ("10.66.2.0/24", "2001:db8:66::/48")),))
    before = len(bench.sink.signatures())
    bench.until(lambda: len(bench.sink.signatures()) > before, "second plan")
    stop.set()
    fetcher.join()
    deadline = time.monotonic() + 15  # the capture ring hands over a block that is not full after a while; so do statistics
    while time.monotonic() < deadline and (logged() < fetched[0] or not bench.live.counters["packets"]):
        time.sleep(0.2)
    bench.stop()
    return {
        "dropped": bench.live.counters["dropped"],
        "restarts": bench.live.counters["restarts"],
        "fetched": fetched[0],
        "logged": logged(),
    }


def packets_kept(folder: Path) -> dict[str, Any]:
    """Packets of connections with an alert lie in a ring that others cannot read; those of quiet ones are not kept."""
    bench = Bench(folder)
    bench.live = LiveSuricata("lo", bench.sink, bench.work, rules=lambda: [bench.rules], packets=16 << 20)
    bench._thread = threading.Thread(target=bench.live.run)
    bench.rules.write_text('alert http any any -> 10.66.1.1 any (msg:"loud"; http.uri; content:"eicar"; sid:1;)')
    bench.start()
    bench.until(bench.seen_after_fetching("loud"), "alert")
    bench.fetch("10.66.2.1")
    alert = next(event for event in map(json.loads, bench.eve()) if event["event_type"] == "alert")
    place = CapturePlace(str(bench.work / "log"), f"{PACKETS}.")
    span = Span(0, time.time_ns() + 60 * SECOND)
    talk = Conversation(alert["src_ip"], alert["dest_ip"], alert["src_port"], alert["dest_port"], "tcp")

    def whole() -> bool:
        bench.fetch()  # Suricata writes its last 4 KiB when more comes
        time.sleep(0.5)
        return b"EICAR-STANDARD" in slice_packets([place], talk, span).pcap

    bench.until(whole, "packets of the alert", 30)
    bench.until(lambda: bench.live.counters["packet_bytes"] > 0, "their size told", 30)
    found = slice_packets([place], talk, span)
    quiet = slice_packets([place], Conversation("10.66.2.1", "10.66.2.1"), span)
    ring = list((bench.work / "log").glob(f"{PACKETS}.*"))
    bench.stop()
    return {
        "handshake": found.pcap.count(b"GET /eicar.com"),
        "packets": found.packets,
        "problems": found.problems,
        "quiet": quiet.packets,
        "files": len(ring),
        "mode": oct((bench.work / "log").stat().st_mode & 0o777),
    }


def rules_that_kill(folder: Path) -> dict[str, Any]:
    """A Suricata that dies over the rules (as one with a bug in its rule parser would) goes on without them."""
    (folder / "bin").mkdir()
    program = folder / "bin" / "suricata"
    real = shutil.which("suricata")
    program.write_text(
        f'#!/bin/sh\ngrep -q deadly {folder}/work/etc/*.rules && grep -q "0000.rules" "$2" && exit 9\nexec {real} "$@"\n'
    )
    program.chmod(0o755)
    os.environ["PATH"] = f"{folder}/bin:{os.environ['PATH']}"
    bench = Bench(folder)
    bench.live = LiveSuricata("lo", bench.sink, folder / "work", rules=lambda: [bench.rules])
    bench._thread = threading.Thread(target=bench.live.run)
    bench.rules.write_text('alert http any any -> any any (msg:"deadly"; http.uri; content:"eicar"; sid:1;)')
    bench.start()
    bench.until(lambda: "without rules" in bench.live.error, "said")
    bench.fetch()
    bench.until(lambda: any(b'"event_type":"http"' in record.raw for record in bench.sink.records), "events without rules")
    said = bench.live.error
    bench.rules.write_text('alert http any any -> any any (msg:"harmless"; http.uri; content:"eicar"; sid:1;)')
    bench.until(bench.seen_after_fetching("harmless"), "mended rules")
    bench.until(lambda: bench.live.error == "", "well again")
    bench.stop()
    return {"said": said, "restarts": bench.live.counters["restarts"]}


def carried_files(folder: Path) -> dict[str, Any]:
    """Captures sent into a veth pair: what the live path carries off the wire, by application protocol."""
    bench = Bench(folder)
    for command in ("link add tap mtu 9000 type veth peer name feed mtu 9000", "link set tap up", "link set feed up"):
        subprocess.run(["ip", *command.split()], check=True)
    bench.live = LiveSuricata("tap", bench.sink, bench.work)
    bench._thread = threading.Thread(target=bench.live.run)
    bench.start()
    time.sleep(1)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as feed:
        feed.bind(("feed", 0))
        for capture in sorted(folder.glob("*.pcap")):
            for frame in _frames(capture):
                feed.send(frame)
                time.sleep(0.01)  # as over a network: control and data connection of FTP are read by different threads
    closed = len(list(folder.glob("*.pcap"))) - 1
    bench.until(lambda: bench.live.counters["files"] >= closed, "files of connections that ended")
    bench.stop()  # ends the SMB session, whose capture was cut before its end
    stored = [json.loads(record.raw) for record in bench.sink.records if record.format == "file-stored"]
    return {"files": sorted([one["fileinfo"]["app_proto"], one["sha256"], one["fileinfo"]["src_ip"]] for one in stored)}


def _frames(capture: Path) -> Iterator[bytes]:
    """Frames of a little-endian pcap file of Ethernet."""
    content = capture.read_bytes()
    assert struct.unpack_from("<I", content, 20) == (1,), "LINKTYPE_ETHERNET"
    position = 24
    while position < len(content):
        (length,) = struct.unpack_from("<I", content, position + 8)
        yield content[position + 16 : position + 16 + length]
        position += 16 + length


def _in_namespace(case: str, folder: Path) -> dict[str, Any]:
    done = subprocess.run(
        ["unshare", "-n", sys.executable, "-m", "tests.collectors.test_suricata_live", case, str(folder)],
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


@pytest.fixture
def open_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder that the account Suricata runs as may enter: pytest makes its own with mode 0700."""
    folder = Path("/tmp") / f"liandun-test-{os.getpid()}-{time.time_ns()}"
    folder.mkdir(mode=0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@needs_live_suricata
@pytest.mark.slow
def test_reload_refused_rules_crash_and_restart(open_folder: Path) -> None:
    result = _in_namespace("reload_crash_restart", open_folder)
    assert "killed by signal 9" in result["crashed"]
    assert any(line.endswith("x.rules:2: sid 3: unknown rule keyword 'nosuchkeyword'.") for line in result["problems"])
    assert any("x.rules:3: sid ?: " in line for line in result["problems"])
    assert result["formats"] == ["eve", "file-stored"]
    assert result["ordered"]
    assert result["hosts"] == ["mirror-1"]
    assert not result["pid_file"]
    counters = result["counters"]
    assert counters["received"] > 4
    assert counters["alerts"] >= 1
    assert (counters["rules_loaded"], counters["rules_failed"]) == (1, 2)
    assert counters["flows"] >= 1
    assert abs(counters["last_reload"] - time.time()) < 300
    assert counters["files"] >= 2, "every sighting"


@needs_live_suricata
@pytest.mark.slow
def test_packets_of_connections_with_an_alert_are_kept_and_no_others(open_folder: Path) -> None:
    result = _in_namespace("packets_kept", open_folder)
    assert result["handshake"] == 1
    assert result["packets"] >= 6, "both directions"
    assert (result["quiet"], result["files"], result["mode"]) == (0, 1, "0o700")


def test_kept_packets_stay_within_their_bound_and_go_first_when_the_disk_is_full(tmp_path: Path) -> None:
    for number in range(6):
        path = tmp_path / f"{PACKETS}.{number}"
        path.touch()
        os.truncate(path, 4 << 20)
        os.utime(path, (number + 1, number + 1))
    store = FileStoreWatch(tmp_path / "filestore", Kept(), tmp_path / "files.json", "x")
    paused: list[bool] = []

    def guard(packets: int, reserve: int) -> DiskGuard:
        return DiskGuard(tmp_path, store, lambda _path: False, lambda: paused.append(True), reserve=reserve, packets=packets)

    bounded = guard(8 << 20, 0)
    bounded.look()
    assert sorted(path.name[-1] for path in tmp_path.glob(f"{PACKETS}.*")) == ["3", "4", "5"]
    assert (bounded.counters["packet_files_pruned"], bounded.counters["packet_bytes"]) == (3, 12 << 20)
    full = guard(8 << 20, 1 << 62)
    full.look()
    assert [path.name[-1] for path in tmp_path.glob(f"{PACKETS}.*")] == ["5"], "the one that is written to stays"
    assert paused == [True], "and what nothing can help pauses the sensor as before"


@needs_live_suricata
@pytest.mark.slow
def test_rules_that_suricata_does_not_survive_cost_the_rules_only(open_folder: Path) -> None:
    result = _in_namespace("rules_that_kill", open_folder)
    assert result["restarts"] == 2
    assert "runs without rules: it ended 2 times while it read them" in result["said"]


@needs_live_suricata
@pytest.mark.slow
def test_files_of_every_protocol_are_carried_off_a_live_interface(open_folder: Path, shared: Path) -> None:
    ends = {"4": ("10.0.0.7", "198.51.100.80"), "6": ("2001:db8::7", "2001:db8::80")}
    for protocol, carry in CARRIERS.items():
        for family, pair in ends.items():
            write_capture(open_folder / f"{protocol}-{family}.pcap", carry(*pair, EICAR))
    shutil.copy(shared / "corpora/pcaps/suricata-verify/smb-eicar-andx/smbandx.pcap", open_folder / "smb.pcap")
    result = _in_namespace("carried_files", open_folder)
    digest = hashlib.sha256(EICAR).hexdigest()
    carried = [(protocol, ":" in address) for protocol, found, address in result["files"] if found == digest]
    wanted = [(protocol, six) for protocol in ("http", "ftp-data", "smtp") for six in (False, True)]
    assert sorted(carried) == sorted([*wanted, ("smb", False)])


@needs_live_suricata
@pytest.mark.slow
def test_a_changed_zone_plan_is_taken_over_without_a_gap(open_folder: Path) -> None:
    result = _in_namespace("plan_changes", open_folder)
    assert result["restarts"] == 0
    assert result["fetched"] > 10
    assert result["logged"] == result["fetched"], f"{result['dropped']} packets dropped"


def test_nobody_answers_where_no_suricata_runs(tmp_path: Path) -> None:
    with pytest.raises(ControlError, match="No such file"):
        ask(tmp_path, "uptime")
    (tmp_path / "suricata.sock").symlink_to("/etc/hostname")
    with pytest.raises(ControlError, match="not a socket"):
        ask(tmp_path, "uptime")


def test_only_the_newest_load_counts() -> None:
    console = (
        'Error: old\nError: error parsing signature "alert a (sid:1;)" from file /w/0.rules at line 1\n'
        "Notice: rule reload starting\n"
        'Error: new\nError: error parsing signature "alert b (sid:2;)" from file /w/0.rules at line 9\n'
        "Notice: rule reload complete\n"
    )
    assert refused(console, {"/w/0.rules": "mine.rules"}) == ["mine.rules:9: sid 2: new"]


def _statistics(uptime: int, packets: int, drops: int) -> str:
    engine = {"id": 0, "last_reload": "2026-11-25T19:13:46.730623+0000", "rules_loaded": 7, "rules_failed": 2, "rules_skipped": 0}
    stats = {"uptime": uptime, "capture": {"kernel_packets": packets, "kernel_drops": drops}, "tcp": {"reassembly_gap": 3}}
    stats |= {"detect": {"engines": [engine], "alert": 5}, "flow": {"memcap": 1, "total": 9}, "decoder": {"invalid": 4}}
    return json.dumps({"timestamp": "2026-11-25T19:14:00.000000+0000", "event_type": "stats", "stats": stats}) + "\n"


def test_counters_go_on_over_a_restart_of_suricata(tmp_path: Path) -> None:
    counters: dict[str, Any] = dict.fromkeys(COUNTERS, 0)
    sensor = SensorStatistics("lo", tmp_path)
    with (tmp_path / "stats.json").open("a") as file:
        for uptime, packets, drops in ((10, 100, 1), (20, 250, 2), (8, 30, 0)):
            file.write(_statistics(uptime, packets, drops))
            file.flush()
            sensor.read(counters)
    assert (counters["packets"], counters["dropped"], counters["uptime"]) == (280, 2, 8)
    assert (counters["alerts"], counters["flows"], counters["reassembly_gaps"], counters["memcap_hits"]) == (10, 18, 6, 2)
    assert (counters["rules_loaded"], counters["rules_failed"], counters["decoder_errors"]) == (7, 2, 8)
    assert counters["last_reload"] == pytest.approx(1795634026.73, abs=0.01)


def test_capture_lag_is_the_age_of_a_packet_when_its_event_was_written(tmp_path: Path) -> None:
    counters: dict[str, Any] = {}
    eve, lines = tmp_path / "eve.json", ""
    for kind, lag in (("dns", 12.0), ("flow", 0.0)):
        lines += json.dumps({"timestamp": "2026-11-25T00:00:00.000000+0000", "event_type": kind}, separators=(",", ":")) + "\n"
        eve.write_text(lines)
        os.utime(eve, (1795564812, 1795564812))  # 2026-11-25T00:00:12Z
        SensorStatistics("lo", tmp_path).read(counters)
        assert counters["capture_lag"] == lag


if __name__ == "__main__":
    case: Callable[[Path], dict[str, Any]] = globals()[sys.argv[1]]
    try:
        print(json.dumps(case(Path(sys.argv[2]))))
    finally:
        for made in Bench.made:
            made.live.stop()  # a failed case must not leave its Suricata behind
