"""The worker role's door to the state database."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError

from cli.roles.worker import AssetWitness, Publisher, Worker
from collectors.parsers.clock import Clock
from kernel.config import Config
from kernel.config.model import Platform
from kernel.detection import Detection, detection_id
from kernel.errors import StoreError
from kernel.layout import Layout
from kernel.record import RawRecord, encode_record
from kernel.rule_tuning.condition import Condition
from kernel.rule_tuning.screen import held_back
from kernel.spool import SpoolWriter
from kernel.zones.plan import read_plan
from kernel.zones.table import ZoneTable
from operations import clock
from operations.accounts.schema import Principal
from operations.accounts.service import create_user
from operations.alerts.service import count_alerts
from operations.assets import inventory
from operations.assets.listing import list_assets
from operations.audit.schema import SYSTEM
from operations.indicators import listing
from operations.indicators import service as indicators
from operations.indicators.publish import IndicatorPublisher
from operations.indicators.schema import Candidate, IndicatorFilter
from operations.tuning import measures
from operations.tuning.publish import TuningPublisher
from operations.tuning.schema import Proposal
from tests.state_database import migrated


def test_full_disk_under_the_state_database_is_something_to_wait_for(tmp_path: Path) -> None:
    """StoreError makes the pipeline hold the batch; anything else would end the worker again and again."""
    database = migrated(f"sqlite:///{tmp_path / 'state.db'}")

    @event.listens_for(database.engine, "connect")
    def no_room(connection: Any, _record: Any) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")

    database.engine.dispose()
    time = "2026-11-23T04:00:00.000000Z"
    found = [
        Detection(
            detection_id("r", [str(n)]), f"r{n}", "R", "low", "sigma", time, [str(n)], {"@timestamp": time, "message": "x" * 4000}
        )
        for n in range(200)
    ]
    with pytest.raises(StoreError, match="the disk of the state database is full"):
        Publisher(database, 3600.0)(found)
    database.close()


def test_a_device_that_cannot_be_written_down_costs_the_others_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = migrated(f"sqlite:///{tmp_path / 'state.db'}")
    table = ZoneTable(read_plan("zones: [{id: office, name: 办公网, layer: network, ranges: [10.21.0.0/16]}]"))
    monkeypatch.setattr(inventory, "_free_key", lambda _session, one: "taken" if one.address[-1] in "12" else one.address)
    events: list[dict[str, Any]] = [
        {"@timestamp": "2026-11-25T12:00:00.000000Z", "source.ip": f"10.21.0.{n}", "source.zone": "office"} for n in range(1, 5)
    ]
    act = AssetWitness(database, lambda: table)(events)  # type: ignore[arg-type]
    assert act is not None
    with pytest.raises(IntegrityError):
        act()
    with database.read() as session:
        assert [asset.key for asset in list_assets(session, sort="key").assets] == ["10.21.0.3", "10.21.0.4", "taken"]
    database.close()


RULE = """title: Encoded command
id: ca2092a1-c273-4878-9b4b-0d60115bf5ea
level: medium
logsource: {product: linux}
detection:
    selection: {message|contains: encoded}
    condition: selection
"""


def test_a_running_worker_obeys_an_exception_and_a_switched_off_rule_without_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the state database over the published snapshot to the detections of a real worker."""
    monkeypatch.setattr(Clock, "zone", Clock.zone)  # a worker sets it for its process, which here is that of all tests
    (tmp_path / "rule.yml").write_text(RULE, "utf-8")
    config = Config(platform=Platform(data_dir=tmp_path))
    config.detect.own_rules, config.detect.rules = False, [tmp_path / "rule.yml"]
    Layout(tmp_path).create()
    worker = Worker(config)
    analyst = create_user(worker.database, SYSTEM, "lin", "Correct-Horse-7", "analyst")
    chief = create_user(worker.database, SYSTEM, "an", "Correct-Horse-7", "secadmin")
    lin, an = Principal(analyst.id, "lin", "", "analyst"), Principal(chief.id, "an", "", "secadmin")
    publish = TuningPublisher(worker.database, worker.layout.rule_tuning)
    writer = SpoolWriter(worker.layout.spool)

    def send(host: str) -> int:
        """One event; returns how many alerts there are then."""
        event = {
            "@timestamp": "2026-11-26T04:00:00Z",
            "host": {"name": host},
            "message": "encoded",
            "event": {"dataset": "linux.auth"},
        }
        raw = json.dumps(event).encode()
        writer.put([encode_record(RawRecord("test", "json", 1_790_000_000_000_000, "", raw))])
        publish()
        worker.pipeline.step()
        with worker.database.read() as session:
            return count_alerts(session).count

    assert send("web1") == 1
    rule = ("ca2092a1-c273-4878-9b4b-0d60115bf5ea", "R", "medium", "sigma", "r")
    with worker.database.write() as session:
        ending = clock.shift(clock.now(), 86_400)
        made = measures.propose(
            session, lin, Proposal(*rule, conditions=(Condition("host.name", "wildcard", "BACKUP-*"),), expires_at=ending)
        )
        measures.approve(session, an, made.id, expected_version=1)
    assert send("backup-01") == 1
    assert send("web2") == 2
    with worker.database.write() as session:
        off = measures.propose(session, an, Proposal(*rule))
    assert send("web3") == 2
    assert held_back(worker.store.counters()) == {made.id: 1, off.id: 1}
    with worker.database.write() as session:
        measures.lift(session, an, off.id, expected_version=1, note="mended")
    assert send("web4") == 3
    assert worker.details()["rule_tuning"]
    worker.close()


@pytest.mark.parametrize("bad", ["203.0.113.9", "2001:db8:bad::9"])
def test_a_running_worker_meets_an_indicator_as_soon_as_it_is_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bad: str
) -> None:
    """From the table of indicators over the published index to an alert that counts as a hit, and back."""
    monkeypatch.setattr(Clock, "zone", Clock.zone)
    config = Config(platform=Platform(data_dir=tmp_path))
    config.detect.own_rules = False
    Layout(tmp_path).create()
    worker = Worker(config)
    seconds = [0.0]
    publish = IndicatorPublisher(worker.database, worker.layout.indicators, lambda: seconds[0])
    writer = SpoolWriter(worker.layout.spool)

    def send(minute: int) -> int:
        """One flow to the bad address; returns how many alerts there are then."""
        flow = {
            "@timestamp": f"2026-11-26T04:{minute:02}:00Z",
            "event": {"dataset": "linux.auth"},
            "source": {"ip": "10.1.1.7"},
            "destination": {"ip": bad},
        }
        received = 1_795_665_600_000_000 + minute * 60_000_000  # 2026-11-26T04:00Z and so many minutes
        writer.put([encode_record(RawRecord("test", "json", received, "", json.dumps(flow).encode()))])
        publish()
        seconds[0] += 5
        publish()
        worker.pipeline.step()
        with worker.database.read() as session:
            return count_alerts(session).count

    assert send(1) == 0
    with worker.database.write() as session:
        made = indicators.add(session, SYSTEM, Candidate(bad), confidence=90)
    assert send(2) == 1
    assert send(3) == 1  # it counts up
    with worker.database.read() as session:
        hits = listing.hits_of(session, [bad])[bad]
        assert (hits.alerts, hits.events, hits.first[14:16], hits.last[14:16]) == (1, 2, "02", "03")
        assert [one.value for one in listing.list_indicators(session, IndicatorFilter(met=True)).indicators] == [bad]
    with worker.database.write() as session:
        indicators.revoke(session, SYSTEM, made.id, "a mistake", expected_version=1)
    assert send(40) == 1
    assert worker.details()["indicators"]
    worker.close()
