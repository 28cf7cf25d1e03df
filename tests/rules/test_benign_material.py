"""All our Sigma rules over material that is mostly harmless: what fires must be what the material says of itself.

Material: the demo's background (benign by construction), vendors' sample lines (SC4S), log samples of the CrowdSec hub, shapes of
Chinese devices, and real hosts under known attacks (OTRF Security-Datasets), whose thousands of ordinary events must stay silent.
"""

from __future__ import annotations

import base64
import itertools
import json
import random
import zipfile
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collectors.parsers import PARSERS
from collectors.parsers.clock import Clock
from demo.background import background
from demo.estate import lanting
from demo.plan import Route
from demo.stream import LIVE_SHARE
from demo.zone_plan import lanting_plan
from detectors.sigma.engine import SigmaEngine
from kernel.errors import ParseError
from kernel.event import SHANGHAI, Event, conform, event_id
from kernel.record import RawRecord
from kernel.zones import ZoneTable
from kernel.zones.enrich import enrich

RULES = Path(__file__).resolve().parents[2] / "rules" / "sigma"
NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
MONDAY = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
"""Ten o'clock in the city."""
Line = tuple[str, str, bytes]
"""Name of the material, format ("" = try), raw record."""


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache for the compiled rules, so that each test starts with an engine that remembers nothing."""
    return tmp_path_factory.mktemp("cache")


def fired(cache: Path, lines: Iterator[Line]) -> tuple[int, Counter[str]]:
    """How many events were read, and which rules fired how often."""
    engine = SigmaEngine.load([RULES], cache_dir=cache)
    found: Counter[str] = Counter()
    count = 0
    for number, (name, form, raw) in enumerate(lines):
        events = read(name, form, raw, number)
        count += len(events)
        found.update(detection.rule_name for detection in engine.process(events))
    return count, found


def read(name: str, form: str, raw: bytes, number: int, moment: datetime | None = None) -> list[Event]:
    received = int((moment or NOON + timedelta(milliseconds=number)).timestamp() * 1_000_000)
    for one in [form] if form else ["auditd", "json", "web-access", "syslog"]:
        try:
            events = PARSERS[one](RawRecord(name, one, received, name, raw))
        except ParseError:
            continue
        for position, event in enumerate(events):
            conform(event, received, {})
            event["event.id"] = event_id(name, number, position)
        return events
    return []


def crowdsec(shared: Path) -> Iterator[Line]:
    for path in sorted((shared / "corpora" / "logs" / "crowdsec-hub").rglob("*.log")):
        for line in path.read_bytes().splitlines():
            if line.strip():
                yield path.parent.name, "eve" if "eve" in path.parent.name else "", line


def vendors(shared: Path, folder: str) -> Iterator[Line]:
    for path in sorted((shared / "corpora" / "logs" / folder).glob("*.ndjson")):
        for line in path.read_text("utf-8").splitlines():
            told = json.loads(line)
            text = told.get("raw") or told.get("message") or told.get("msg") or ""
            raw = base64.b64decode(told["raw_b64"]) if "raw_b64" in told else str(text).encode()
            if raw:
                yield path.stem, "json" if raw.startswith(b"{") else "syslog", raw


def attacked_hosts(shared: Path) -> Iterator[Line]:
    for path in sorted((shared / "corpora" / "security-datasets").glob("*.zip")):
        with zipfile.ZipFile(path) as archive:
            for member in archive.namelist():
                if member.endswith(".json"):
                    for line in archive.read(member).splitlines():
                        if line.strip():
                            yield path.stem, "json", line


@pytest.mark.slow
@pytest.mark.parametrize("hours", [0, 17, 120], ids=["Monday 10:00", "Tuesday 03:00", "Saturday 10:00"])
def test_the_demos_ordinary_days_raise_nothing(rules: Path, hours: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A quarter of an hour of the whole estate, parsed and told its zones: the rules on zone crossings see what is permitted."""
    monkeypatch.setattr(Clock, "zone", SHANGHAI)
    start = MONDAY + timedelta(hours=hours)
    table = ZoneTable(lanting_plan(start))
    engine = SigmaEngine.load([RULES], cache_dir=rules)
    alarms: list[tuple[str, str]] = []
    crossings = 0
    quiet = background(lanting(), random.Random(4), start, LIVE_SHARE)
    for number, planned in enumerate(itertools.takewhile(lambda one: one.after < 900, quiet)):
        moment = start + timedelta(seconds=planned.after)
        raw = planned.build(moment)
        events = read("demo", "json" if planned.route is Route.JSON else "syslog", raw, number, moment)
        for event in events:
            enrich(event, table)
            crossings += "zone.crossing" in event
        alarms += [(detection.rule_name, raw.decode()) for detection in engine.process(events)]
    assert crossings > 1_000
    assert alarms == []


def test_sample_lines_of_vendors_raise_nothing(rules: Path, shared: Path) -> None:
    count, found = fired(rules, vendors(shared, "sc4s"))
    assert count > 250
    assert found == {}


def test_lines_of_chinese_devices_raise_only_what_they_tell(rules: Path, shared: Path) -> None:
    count, found = fired(rules, vendors(shared, "cn-vendors-synthetic"))
    assert count == 90
    # six lines tell that a manager's password was changed
    assert found == {"Administrator of a Topsec Firewall Changed": 6}


def test_log_samples_of_an_intrusion_blocker_raise_only_its_attacks(rules: Path, shared: Path) -> None:
    count, found = fired(rules, crowdsec(shared))
    assert count > 400
    assert found == {
        "SSH Password Guessing": 2,
        "Attack Tool Names Itself as Browser": 1,  # masscan
        "Path Traversal Attempt": 1,  # GET /.env
        "Pod Made That Can Take Over Its Node": 1,  # k8s-audit-priv-pod-file
    }


@pytest.mark.slow
def test_of_hosts_under_attack_only_the_attacks_are_told(rules: Path, shared: Path) -> None:
    count, found = fired(rules, attacked_hosts(shared))
    assert count > 30_000
    assert found == {
        "Windows Event Log Cleared": 20,  # the laboratory cleared its logs before each run
        "Process Opens LSASS With Rights to Read Its Memory": 4,
        "PowerShell Started With an Encoded Command and Hidden or Without Profile": 2,
        "Memory Dump Through comsvcs.dll": 2,
        "PowerShell Script Block Downloads and Runs Code": 1,
    }
