"""Two platforms with real state: one that is kept well, and one that nobody looks after. Both are filled through the services."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import update

from cli.ruleset import RuleSet, write_catalogue
from compliance.assessment import record, scoring
from compliance.documents import editions
from compliance.documents import service as documents
from compliance.documents.schema import DocumentDraft, EditionDraft
from compliance.probes.facts import Part
from compliance.probes.reading.platform import PARTS, Platform
from compliance.remediation import service as remediation
from compliance.remediation.following import follow_all
from compliance.remediation.schema import Assignment
from compliance.systems import objects
from compliance.systems import service as systems
from compliance.systems.schema import ObjectDraft, SystemDraft
from crypto.certificates import make_root, name
from crypto.secret import MasterKey
from crypto.sm2 import PrivateKey
from kernel.config import Config
from kernel.db import Database, open_database
from kernel.detection import Detection, detection_id
from kernel.health import HealthFile
from kernel.layout import Layout
from kernel.master_key import open_master_key
from kernel.programs.time_left import Deadline
from kernel.store.contract import Commit
from kernel.store.open import open_store
from kernel.system_clock import ClockState
from kernel.zones.plan import Asset, Conduit, Zone, ZonePlan
from kernel.zones.sightings import Sighting
from operations import clock
from operations.accounts import factors, sessions, totp
from operations.accounts import service as accounts
from operations.accounts.schema import Policy, Principal
from operations.alerts import service as alerts
from operations.alerts.schema import Change
from operations.assets import inventory
from operations.audit import service as audit
from operations.audit.copies import note_copy
from operations.audit.head_file import HeadFile
from operations.audit.heads import Trail
from operations.audit.keys import KeyStore
from operations.audit.schema import SYSTEM, Actor
from operations.incidents import evidence
from operations.incidents import service as incidents
from operations.incidents.models import IncidentEvidence
from operations.incidents.schema import Decision, NewIncident
from operations.indicators import service as indicators
from operations.indicators.schema import Candidate
from operations.webhooks import service as webhooks
from operations.zones import service as zones
from playbooks.shelf import service as shelf
from soc_ui.services import RuleCatalogue, RuleInfo
from tests.playbooks.documents import document, octets, uuid
from tests.playbooks.shelf.people import DUTY, LEADER

DAY = 86_400
PEOPLE = {"root.sys": "sysadmin", "root.sec": "secadmin", "root.audit": "auditadmin"}
PASSWORD = "Another-Pass-77"
SEEN = "2001:db8:60::9"
PDF = b"%PDF-1.7\n1 0 obj\n" + b"x" * 500


@dataclass
class World:
    """A data directory with its platform."""

    layout: Layout
    config: Config
    database: Database
    key: MasterKey
    policy: Policy = field(default_factory=Policy)
    kernel_clock: Callable[[], ClockState | None] = lambda: ClockState(True, 0.01)

    @classmethod
    def begun(cls, root: Path, make_state: Callable[[Path], str]) -> World:
        """Empty, as after the first start."""
        layout = Layout(root).create()
        config = Config()
        config.platform.data_dir = root
        make_state(layout.state_file)
        open_store(config, writable=True).close()
        return cls(layout, config, open_database(layout.state_url), open_master_key(config))

    def write(self, act: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
        """A service's act in a transaction of its own."""
        with self.database.write() as session:
            return act(session, *arguments, **more)

    def platform(self) -> Platform:
        return Platform(self.database, self.config, self.policy, kernel_clock=self.kernel_clock)

    def parts(self) -> dict[str, Part]:
        return dict(self.platform().read(set(PARTS), Deadline(60)))


def kept_well(world: World) -> None:
    """Everything done that can be done without a cryptographic device."""
    now = clock.now()
    _plan(world)
    _events(world, now, now)
    for role in ("worker", "ingest", "scheduler", "playbooks", "console"):
        HealthFile(world.layout.health, role).write({"sources": {"syslog": {"received": 3}}})
    _rules(world, ("sigma", "zone", "intel"), datetime.now(UTC))
    indicators.bring_in(world.database, SYSTEM, [Candidate("203.0.113.7")], origin="feed", file="feed")
    world.write(webhooks.create_target, SYSTEM, world.key, name="值班", url="https://hooks.example.cn/a")
    _detections(world, now)
    world.write(alerts.change_alerts, Actor("analyst"), [1, 2], Change(status="acknowledged"))
    for person, role in PEOPLE.items():
        _person(world, person, role)
    drill = world.write(incidents.create_incident, SYSTEM, NewIncident("演练", origin="drill", drill=True))
    world.write(incidents.move, SYSTEM, drill.id, "closed", reason="演练结束", cause="exercise", may_close=True)
    _seal(world)
    world.write(shelf.save, DUTY, octets(document()))
    world.write(shelf.release, LEADER, f"playbook--{uuid(100)}", 1, None)
    _documents(world, (datetime.now(UTC) + timedelta(days=100)).date().isoformat())
    _score(world, "met")
    for act in ("backup.create", "backup.verify", "backup.restored", "audit.verify"):
        world.write(audit.append, Actor("cli:root"), act, "backup", "state")
    signed = _trail(world).sign()
    assert signed is not None
    world.write(note_copy, "syslog", signed.size)


def left_alone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Begun 40 days ago, and not looked after since."""
    now, before = clock.now(), clock.shift(clock.now(), -40 * DAY)
    with monkeypatch.context() as moved:
        moved.setattr(clock, "now", lambda: before)
        world.write(zones.import_plan, SYSTEM, ZonePlan(
            (Zone(id="plant", name="厂", layer="perception", ranges=("10.60.0.0/16",), admission="registered"),),
            (Conduit(id="all", sources=("plant",), targets=("internet",), services=("any",)),),
            (Asset(id="plc", kind="plc", addresses=("10.60.0.1",)),),
        ))  # fmt: skip
        world.write(inventory.record_sightings, [Sighting("plant", before, before, address="10.60.0.77")])
        _detections(world, before)
        made = world.write(incidents.create_incident, SYSTEM, NewIncident("勒索", severity="critical"))
        world.write(incidents.decide, SYSTEM, made.id, Decision("0206", "important", "serious", "slight", "勒索", level=2))
        _seal(world)
        _documents(world, clock.shift(before, 10 * DAY)[:10])
        _score(world, "not_met")
        due = clock.shift(before, DAY)
        world.write(remediation.assign, Principal(0, "sec", "", "secadmin"), 1, Assignment(due_at=due))
        accounts.create_user(world.database, SYSTEM, "gone", PASSWORD, "analyst", expires_at=clock.shift(before, DAY))
        world.write(audit.append, Actor("cli:root"), "backup.create", "backup", "state")
    world.write(lambda session: session.execute(update(IncidentEvidence).values(package=b"LDEVtampered")))
    world.write(audit.append, DUTY.actor, "playbook.release", "playbook", "one", detail={"author": DUTY.actor.name})
    world.config.store.retention_days = 30
    world.config.ingest.syslog.host = "0.0.0.0"
    ending = make_root(name("City"), PrivateKey.generate(), 10).certificate
    world.config.certificates.watch = [world.layout.root / "city.pem"]
    world.config.certificates.watch[0].write_text(ending.to_pem())
    world.policy = Policy(min_length=6, max_failures=50, lock_time=1, second_factor="administrators")
    world.kernel_clock = lambda: ClockState(False, 16.0)
    _rules(world, ("sigma",), datetime.now(UTC) - timedelta(days=300))
    file = world.layout.master_key
    told = msgspec.json.decode(file.read_bytes())
    told["generations"][0]["check"] = "00" * 16
    file.write_bytes(msgspec.json.encode(told))
    assert now > before


def _plan(world: World) -> None:
    plan = ZonePlan(
        (
            Zone(id="ops", name="运维", layer="operations", owner="大数据局", ranges=("10.99.0.0/16",), admission="registered"),
            Zone(id="plant", name="厂", layer="perception", owner="水务局", ranges=("2001:db8:60::/48",)),
        ),
        (Conduit(id="logs", sources=("plant",), targets=("ops",), services=("https",), reason="日志汇聚", approver="王工"),),
        (Asset(id="plc", kind="plc", addresses=(SEEN,), bureau="水务局"),),
    )
    now = clock.now()
    world.write(zones.import_plan, SYSTEM, plan)
    world.write(inventory.record_sightings, [Sighting("plant", now, now, asset="plc", address=SEEN)])


def _events(world: World, *times: str) -> None:
    found = [
        {"@timestamp": time, "event.id": f"{number:032x}", "event.dataset": "sshd", "event.ingested": time, "message": "login"}
        for number, time in enumerate(times)
    ]
    store = open_store(world.config, writable=True)
    store.commit(Commit(found, consumer="test", position=1))
    store.close()


def _rules(world: World, engines: tuple[str, ...], written: datetime) -> None:
    folder = world.layout.rules / "own"
    folder.mkdir(exist_ok=True)
    (folder / "a.yml").write_text("title: a")
    os.utime(folder / "a.yml", (written.timestamp(), written.timestamp()))
    infos = [RuleInfo(f"{one}-1", "a", "high", one, file="a.yml" if one == "sigma" else "") for one in engines]
    write_catalogue(RuleSet([], RuleCatalogue(infos, []), ""), world.layout.catalogue)


def _detections(world: World, now: str) -> None:
    """One of a rule on logs, one of the zone rules."""
    found = []
    for engine, rule in (("sigma", "liandun-guess"), ("zone", "liandun-zone-crossing")):
        event = {"@timestamp": now, "event.id": f"{engine}-1", "event.dataset": "sshd", "host.name": "h1"}
        found.append(Detection(detection_id(rule, [f"{engine}-1"]), rule, rule, "high", engine, now, [f"{engine}-1"], event))
    world.write(alerts.record_detections, found)


def _person(world: World, person: str, role: str) -> None:
    """With a password and a one-time password, as the pages enrol it."""
    made = accounts.create_user(world.database, SYSTEM, person, PASSWORD, role)
    token = world.write(sessions.create_session, made.id, sessions.Asking("192.0.2.1", "test"), factor="totp")
    who = sessions.principal_of(world.database, token, "192.0.2.1")
    assert who is not None
    text, _ = world.write(factors.begin_totp, who, world.key)
    secret = base64.b32decode(text.replace(" ", "") + "=" * (-len(text.replace(" ", "")) % 8))
    world.write(factors.finish_totp, who, world.key, totp.code_at(secret, int(datetime.now(UTC).timestamp()) // 30))


def _seal(world: World) -> None:
    """Evidence of an incident that is over."""
    made = world.write(incidents.create_incident, SYSTEM, NewIncident("取证"))
    world.write(evidence.seal, world.key, SYSTEM, made.id, "邮件.eml", b"From: x", reason="取证", origin="ws-1")
    world.write(incidents.move, SYSTEM, made.id, "closed", reason="误报", cause="false_alarm", may_close=True)


def _documents(world: World, review_on: str) -> None:
    one, other = (Principal(number, f"sec.{number}", "", "secadmin") for number in (101, 102))
    for who in (one, other):
        accounts.create_user(world.database, SYSTEM, who.name, PASSWORD, "secadmin")
    made = world.write(documents.create_document, one, DocumentDraft("policy", "网络安全管理制度", one.name))
    world.write(editions.add_edition, world.key, one, made.id, EditionDraft("V1.0", "制度.pdf", "首版"), PDF)
    world.write(editions.act, other, made.id, 1, "approve")
    world.write(editions.act, one, made.id, 1, "enforce", review_on=review_on)


def _score(world: World, verdict: str) -> None:
    """A system with one verdict, its findings and a kept score."""
    who = Principal(0, "sec", "", "secadmin")
    system = world.write(systems.create_system, who, SystemDraft("政务云", "S3A3")).id
    host = world.write(objects.add_object, who, system, ObjectDraft("server_os", "h1")).id
    world.write(record.record, SYSTEM, system, "8.1.4.1.a", host, verdict, source="probe", reason="PASS_MIN_LEN")
    follow_all(world.database)
    world.write(scoring.keep, who, system, "2025")


def _trail(world: World) -> Trail:
    return Trail(world.database, HeadFile(world.layout.audit_heads), KeyStore(world.layout.master_key.parent, world.key))
