"""Speed of the embedded event store: ingest with a durable commit per batch, then a dozen queries, warm and cold.

    python -m benchmarks.store [--events 1000000] [--batch 10000] [--dir DIR] [--keep]

The events are made from a seed: a third process creations, a third flows, the rest DNS, web and log-ons, about 1 KB each as JSON.
"""

from __future__ import annotations

import argparse
import random
import resource
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import orjson

from kernel.event import Event, event_id, timestamp_from_micros
from kernel.query import parse_query
from kernel.store.answer import answer
from kernel.store.contract import Commit, TimeRange
from kernel.store.lake import Lake

START = 1_795_000_000_000_000
STEP = 86_400  # microseconds between events: a million a day
PROGRAMS = [
    "svchost.exe",
    "chrome.exe",
    "powershell.exe",
    "cmd.exe",
    "explorer.exe",
    "msedge.exe",
    "wmiprvse.exe",
    "conhost.exe",
    "python.exe",
]
WORDS = ["update", "report", "cache", "session", "token", "index", "render", "sync", "backup", "profile", "policy", "export"]

QUERIES = [
    ("newest 100, no condition", "*"),
    ("the manual's query", "process.name:powershell.exe AND destination.ip:10.0.0.0/8 AND NOT user.name:svc_*"),
    ("needle: sha256", "process.hash.sha256:" + "ab" * 32),
    ("address", "source.ip:10.3.7.77 OR destination.ip:10.3.7.77"),
    ("network and port", "destination.ip:10.3.0.0/16 AND destination.port:445"),
    ("wildcard host", "host.name:srv-1?-*"),
    ("substring of the command line", "process.command_line:*comsvcs*"),
    ("regex on the command line", "process.command_line:/-e(nc|ncodedcommand)? +[a-z0-9+\\/]{20,}/"),
    ("free text, two words", '"lsass" AND comsvcs'),
    ("field outside the columns", "winlog.event_data.IntegrityLevel:System AND process.name:cmd.exe"),
    ("NOT and range", "destination.bytes:>900000 AND NOT network.transport:udp"),
    ("exists", "_exists_:rule.name"),
    ("top 10 talkers", "event.dataset:flow | top source.ip"),
    ("top of a field in rest", "* | top winlog.event_data.IntegrityLevel"),
    ("histogram 1h", "event.dataset:windows.sysmon | histogram 1h"),
    ("count", "user.name:svc_* | count"),
]


def make(number: int, chance: random.Random) -> Event:
    """One event; every 100,000th process is an lsass dump, the 500,000th has the needle's hash."""
    host = f"srv-{number % 40:02d}-{chance.randrange(5)}"
    base: Event = {
        "@timestamp": timestamp_from_micros(START + number * STEP - chance.randrange(60_000_000)),
        "event.id": event_id("bench", number),
        "event.ingested": timestamp_from_micros(START + number * STEP),
        "event.kind": "event",
        "host.name": host,
        "host.ip": [f"10.{number % 4}.{chance.randrange(16)}.{chance.randrange(250)}"],
        "tags": ["bench"],
        "user.name": chance.choice(["li", "wang", "zhang", "svc_backup", "svc_sql", "SYSTEM", "root"]),
    }
    kind = number % 6
    if kind < 2:
        program, parent = chance.choice(PROGRAMS), chance.choice(PROGRAMS)
        command = f"C:\\Windows\\System32\\{program} /{chance.choice(WORDS)} {chance.choice(WORDS)}-{chance.randrange(100_000)}"
        if number % 100_000 == 6:
            command = "rundll32.exe C:\\windows\\system32\\comsvcs.dll, MiniDump 624 lsass.dmp full"
        base |= {
            "event.dataset": "windows.sysmon",
            "event.code": "1",
            "event.action": "process-creation",
            "event.category": ["process"],
            "process.name": program,
            "process.executable": "C:\\Windows\\System32\\" + program,
            "process.command_line": command,
            "process.pid": chance.randrange(4, 60_000),
            "process.parent.name": parent,
            "process.parent.executable": "C:\\Windows\\" + parent,
            "process.parent.command_line": f"{parent} -k {chance.choice(WORDS)}",
            "process.hash.sha256": "ab" * 32 if number == 498_000 else f"{chance.getrandbits(256):064x}",
            "winlog.channel": "Microsoft-Windows-Sysmon/Operational",
            "winlog.event_id": "1",
            "winlog.record_id": str(number),
            "winlog.event_data.IntegrityLevel": chance.choice(["System", "High", "Medium", "Low"]),
            "winlog.event_data.LogonId": f"0x{chance.getrandbits(32):x}",
            "winlog.event_data.CurrentDirectory": "C:\\Windows\\system32\\",
            "winlog.event_data.ProcessGuid": f"{{{chance.getrandbits(128):032x}}}",
        }
    elif kind < 4:
        base |= {
            "event.dataset": "flow",
            "source.ip": f"10.{chance.randrange(8)}.{chance.randrange(16)}.{chance.randrange(250)}",
            "source.port": chance.randrange(1024, 65_536),
            "destination.ip": chance.choice(
                [f"10.3.7.{chance.randrange(250)}", f"203.0.113.{chance.randrange(250)}", f"2001:db8::{chance.randrange(250):x}"]
            ),
            "destination.port": chance.choice([80, 443, 445, 53, 3389, 22]),
            "source.bytes": chance.randrange(1_000_000),
            "destination.bytes": chance.randrange(1_000_000),
            "network.transport": chance.choice(["tcp", "udp"]),
            "network.community_id": f"1:{chance.getrandbits(120):030x}",
            "suricata.eve.flow_id": chance.getrandbits(50),
        }
    elif kind == 4:
        base |= {
            "event.dataset": "web.access",
            "source.ip": f"198.51.100.{chance.randrange(250)}",
            "http.request.method": chance.choice(["GET", "POST"]),
            "http.response.status_code": chance.choice([200, 200, 200, 404, 500]),
            "url.original": f"/{chance.choice(WORDS)}/{chance.randrange(1000)}?q={chance.choice(WORDS)}",
            "url.path": f"/{chance.choice(WORDS)}",
            "user_agent.original": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
        }
    else:
        base |= {
            "event.dataset": "linux.auth",
            "event.action": "ssh_login",
            "event.outcome": chance.choice(["success", "failure"]),
            "source.ip": f"192.0.2.{chance.randrange(250)}",
            "process.name": "sshd",
            "log.syslog.facility.code": 4,
        }
        if number % 5000 == 5:
            base |= {"rule.name": "SSH brute force", "rule.id": "bench-1"}
    base["message"] = f"{base['event.dataset']} on {host}: {chance.choice(WORDS)} {chance.choice(WORDS)} {number}"
    base["event.original"] = orjson.dumps({k: v for k, v in base.items() if k != "event.original"}).decode()[:900]
    return base


def ingest(lake: Lake, count: int, batch: int) -> None:
    """Print events per second of commits alone (making the events is not counted)."""
    chance = random.Random(7)
    spent: list[float] = []
    cpu = 0.0
    upkeep = 0.0
    size = 0
    for start in range(0, count, batch):
        events = [make(number, chance) for number in range(start, min(count, start + batch))]
        if start == 0:
            size = sum(len(orjson.dumps(event)) for event in events) // len(events)
        before, cpu_before = time.perf_counter(), time.process_time()
        lake.commit(Commit(events, consumer="bench", position=start + batch, counters={"stored": len(events)}))
        spent.append(time.perf_counter() - before)
        cpu += time.process_time() - cpu_before
        before = time.perf_counter()
        lake.compact()
        upkeep += time.perf_counter() - before
    total = sum(spent)
    print(f"ingest: {count / total:,.0f} events/s wall, {count / cpu:,.0f} per CPU second; {size} bytes JSON an event")
    print(f"  commit of {batch}: median {statistics.median(spent) * 1000:.0f} ms, max {max(spent) * 1000:.0f} ms")
    print(f"  compaction beside it: {upkeep:.1f} s in all")
    before = time.perf_counter()
    lake.compact(everything=True)
    lake.purge(grace=0)
    facts = lake.statistics()
    seconds = time.perf_counter() - before
    print(f"  last compaction {seconds:.1f} s: {facts['segments']} segments, {facts['bytes'] / count:.0f} B an event")


def ask(root: Path) -> None:
    """Print each query's time with a new reader (cold DuckDB, warm page cache) and the median of five repetitions."""
    print(f"\n{'query':34} {'first ms':>9} {'again ms':>9} {'hits':>9}")
    for title, text in QUERIES:
        reader = Lake.open(root, writable=False)
        query = parse_query(text)
        times: list[float] = []
        result: Any = None
        for _ in range(6):
            before = time.perf_counter()
            result = answer(reader, query, TimeRange(), limit=100)
            times.append((time.perf_counter() - before) * 1000)
        hits = result.total or len(result.buckets) if result.page is None else reader.count(query, TimeRange())
        print(f"{title:34} {times[0]:9.0f} {statistics.median(times[1:]):9.0f} {hits:9,}")
        reader.close()


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--batch", type=int, default=10_000)
    parser.add_argument("--dir", type=Path)
    parser.add_argument("--keep", action="store_true", help="leave the store where it is (and use it again)")
    options = parser.parse_args()
    root = options.dir or Path(tempfile.mkdtemp(prefix="liandun-bench-"))
    try:
        lake = Lake.open(root / "lake", writable=True)
        if lake.statistics()["events"] == 0:
            ingest(lake, options.events, options.batch)
        lake.close()
        ask(root / "lake")
        print(f"\npeak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")
    finally:
        if not options.keep:
            shutil.rmtree(root)


if __name__ == "__main__":
    main()
