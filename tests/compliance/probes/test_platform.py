"""The platform judged by itself: one that is kept well, one that nobody looks after, and one that cannot be read."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from compliance.probes.facts import Part
from compliance.probes.formats.platform import Keys, Machine, RoleFact, Trail
from compliance.probes.reading import own_trail
from compliance.probes.reading.platform import PARTS
from compliance.probes.registry import of_source
from compliance.probes.result import judged
from kernel.programs.time_left import Deadline
from operations import clock
from operations.audit import service as audit
from operations.audit.schema import SYSTEM
from tests.compliance.conftest import Templates
from tests.compliance.probes.own_platforms import World, kept_well, left_alone
from tests.operations.audit.conftest import tamper

PROBES = {one.id: one for one in of_source("platform")}
EXPECTED = {
    # id: (kept well, left alone)
    "app.accounts.stale": ("met", "not_met"),
    "app.auth.lockout": ("met", "partly"),
    "app.auth.passwords": ("met", "not_met"),
    "app.auth.second_factor": ("partly", "partly"),  # two authors of documents have none
    "app.crypto.certificates": ("met", "partly"),
    "app.crypto.links": ("met", "not_met"),
    "app.crypto.secrets": ("partly", "not_met"),  # the key is kept by its file alone
    "backup.jobs.recent": ("met", "not_met"),
    "backup.restore_test.year": ("met", "not_met"),
    "cmdb.assets.register": ("met", "partly"),
    "cmdb.zones.management": ("met", "not_met"),
    "cmdb.zones.plan": ("met", "not_met"),
    "compliance.assessment.year": ("partly", "partly"),  # one verdict of 211
    "compliance.remediation.overdue": ("met", "partly"),
    "doc.review_due.documents": ("met", "partly"),
    "flow.zone_policy.conduits": ("met", "not_met"),
    "flow.zone_policy.crossings": ("met", "not_met"),
    "host.time_sync.platform": ("met", "not_met"),
    "ids.rules_age.files": ("met", "not_met"),
    "ir.cases.handled": ("met", "partly"),
    "ir.drills.year": ("met", "not_met"),
    "ir.evidence.custody": ("met", "not_met"),
    "ir.playbooks.two_people": ("met", "not_met"),
    "ir.reporting.clocks": ("met", "not_met"),
    "log.backup.audit_heads": ("met", "partly"),
    "log.heartbeat.silent": ("met", "not_met"),
    "log.integrity.audit_trail": ("met", "not_met"),
    "log.retention.policy": ("met", "not_met"),
    "log.review.trail": ("met", "partly"),
    "mon.coverage.assets": ("met", "not_met"),
    "mon.health.roles": ("met", "not_met"),
    "net.rogue_device.decided": ("met", "not_met"),
    "soc.alerts.handled": ("met", "not_met"),
    "soc.analytics.engines": ("met", "not_met"),
    "soc.notify.delivered": ("met", "not_met"),
    "soc.rbac.powers": ("met", "not_met"),
    "ti.feed_age.indicators": ("met", "not_met"),
}
_TABLES = {
    "plan": "conduits", "inventory": "assets", "queue": "alerts", "delivery": "webhook_deliveries", "cases": "warning_receipts",
    "playbooks": "audit_entries", "trail": "audit_copies", "people": "api_keys", "backups": "audit_entries",
    "upkeep": "compliance_findings", "keys": "playbook_secrets", "links": "revocation_lists",
}  # fmt: skip
"""A table that each part is read from; without it, the part cannot be told."""


def _break(world: World, part: str) -> None:
    """Take away what a part is read from."""
    if part in _TABLES:
        with world.database.write() as session:
            session.connection().exec_driver_sql("PRAGMA foreign_keys = OFF")
            session.connection().exec_driver_sql(f"DROP TABLE {_TABLES[part]}")
    elif part in ("store", "sources"):
        for file in world.layout.lake.glob("manifest*"):
            file.write_bytes(b"torn" * 1024)
    elif part == "machine":
        shutil.rmtree(world.layout.root)
    elif part == "clock":
        world.kernel_clock = lambda: None  # as where adjtimex(2) is forbidden
    else:
        assert part == "rules"  # the worker has not written its catalogue yet


ELSEWHERE = {"mon.health.capacity"}
"""Goes by the disk of this machine."""


@pytest.fixture(scope="module")
def well(templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World.begun(tmp_path_factory.mktemp("well"), templates.sqlite)
    kept_well(world)
    yield world
    world.database.close()


@pytest.fixture(scope="module")
def alone(templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World.begun(tmp_path_factory.mktemp("alone"), templates.sqlite)
    with pytest.MonkeyPatch.context() as monkeypatch:
        left_alone(world, monkeypatch)
    yield world
    world.database.close()


def outcomes(parts: dict[str, Part]) -> dict[str, str]:
    return {name: judged(probe, parts, "platform", "2026-01-01T00:00:00Z").outcome for name, probe in PROBES.items()}


def test_a_platform_that_is_kept_well(well: World) -> None:
    parts = well.parts()
    assert {name: part.problem for name, part in parts.items() if part.problem} == {}
    found = outcomes(parts)
    assert {name: found[name] for name in EXPECTED} == {name: pair[0] for name, pair in EXPECTED.items()}
    assert set(found) - set(EXPECTED) == ELSEWHERE


def test_a_platform_that_nobody_looks_after(alone: World) -> None:
    found = outcomes(alone.parts())
    assert {name: found[name] for name in EXPECTED} == {name: pair[1] for name, pair in EXPECTED.items()}


def test_reading_changes_nothing_and_tells_no_secret(well: World) -> None:
    before = {path: path.read_bytes() for path in well.layout.root.rglob("*") if path.is_file()}
    told = "".join(part.text for part in well.parts().values())
    after = {path: path.read_bytes() for path in well.layout.root.rglob("*") if path.is_file()}
    assert {path for path in before if after.get(path) != before[path]} == set()
    assert well.layout.master_key.read_text() not in told
    assert "hooks.example.cn" not in told, "the path of a webhook may be a token"


@pytest.mark.parametrize("part", PARTS)
def test_what_cannot_be_read_is_an_error_of_its_probes_and_of_no_other(part: str, templates: Templates, tmp_path: Path) -> None:
    world = World.begun(tmp_path / "data", templates.sqlite)
    _break(world, part)
    whole = world.platform()
    told = whole.read({part}, Deadline(60))[part]
    assert told.problem
    assert not told.text
    about = [probe for probe in PROBES.values() if part in probe.reads]
    assert about
    assert {judged(probe, {part: told}, "platform", "").outcome for probe in about} == {"error"}
    world.database.close()


def test_the_master_key_is_kept_by_a_device() -> None:
    part = Part(msgspec.json.encode(Keys("pkcs11", "0600", 1, "", 7)).decode())
    assert judged(PROBES["app.crypto.secrets"], {"keys": part}, "", "").outcome == "met"
    open_to_all = Part(msgspec.json.encode(Keys("pkcs11", "0644", 1, "", 7)).decode())
    assert judged(PROBES["app.crypto.secrets"], {"keys": open_to_all}, "", "").outcome == "not_met"


@pytest.mark.parametrize(
    ("free", "spool", "outcome"), [(30, 10, "met"), (15, 10, "partly"), (4, 0, "not_met"), (30, 95, "not_met"), (30, 60, "partly")]
)
def test_capacity(free: int, spool: int, outcome: str) -> None:
    part = Part(msgspec.json.encode(Machine((RoleFact("worker", True, ""),), 100, free, spool, 100)).decode())
    assert judged(PROBES["mon.health.capacity"], {"machine": part}, "", "").outcome == outcome


def test_a_trail_that_was_tampered_with(well: World, templates: Templates, tmp_path: Path) -> None:
    world = World.begun(tmp_path / "data", templates.sqlite)
    kept_well(world)
    tamper(world.database, "UPDATE audit_entries SET actor = 'eve' WHERE id = 3")
    result = judged(PROBES["log.integrity.audit_trail"], world.parts(), "platform", "")
    assert result.outcome == "not_met"
    assert "entry 3" in result.reason
    world.database.close()


def test_of_a_long_trail_only_what_a_head_of_a_day_ago_does_not_cover_is_verified(
    templates: Templates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World.begun(tmp_path / "data", templates.sqlite)
    kept_well(world)
    size = msgspec.json.decode(world.parts()["trail"].text, type=Trail).size
    monkeypatch.setattr(own_trail, "WHOLE", 5)
    assert msgspec.json.decode(world.parts()["trail"].text, type=Trail).since == 0, "there is no head of a day ago yet"
    later = clock.shift(clock.now(), 2 * 86_400)
    monkeypatch.setattr(clock, "now", lambda: later)
    world.write(audit.append, SYSTEM, "alert.note", "alert", 1)
    found = msgspec.json.decode(world.parts()["trail"].text, type=Trail)
    assert (found.since, found.size, found.problem) == (size, size + 1, "")
    world.database.close()
