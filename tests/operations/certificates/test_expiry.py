"""Certificates that end soon: really issued short-lived ones, looked at until they are over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli.roles.expiry_watch import ExpiryWatch
from crypto.certificates import SERVER, Authority, Certificate, issue, make_request, make_revocation_list, make_root, name
from crypto.secret import MasterKey
from crypto.sm2 import PrivateKey
from kernel.config import Certificates, Config, LinkListener, Links
from kernel.db import Database
from operations.accounts.models import Factor, User
from operations.alerts import service as alerts
from operations.alerts.schema import AlertFilter
from operations.audit.schema import Actor
from operations.certificates import service
from operations.certificates.expiry import expiring, expiring_files, stage
from operations.certificates.expiry_alerts import level_of
from operations.certificates.lists import take_list
from tests.state_database import migrated

ACTOR, KEY = Actor("alice"), MasterKey(bytes(16))
NOW = datetime.now(UTC)
ROOT = make_root(name("City root"), PrivateKey.generate(), at=NOW - timedelta(days=400))


def _ending(authority: Authority, text: str, left: timedelta, days: int = 2) -> Certificate:
    """A real certificate of some days that began so long ago that ``left`` is left of it."""
    return issue(authority, name(text), PrivateKey.generate().public, SERVER, days, at=NOW + left - timedelta(days=days))


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return migrated(f"sqlite:///{tmp_path / 'state.db'}")


def test_stages() -> None:
    moments = [(40, None), (30, 30), (29.9, 30), (7, 7), (6, 7), (1, 1), (0.01, 1), (0, 0), (-3, 0)]
    assert [stage(NOW + timedelta(days=left), NOW, (30, 7, 1)) for left, _ in moments] == [wanted for _, wanted in moments]
    assert stage(NOW + timedelta(days=50), NOW, (90, 60)) == 60
    assert [level_of(days, (30, 7, 1)) for days in (30, 7, 1, 0)] == ["low", "medium", "high", "critical"]
    assert [level_of(days, (10,)) for days in (10, 0)] == ["high", "critical"]


def test_everything_that_the_database_knows(database: Database) -> None:
    city = make_root(name("Short city"), PrivateKey.generate(), days=5)
    with database.write() as session:
        service.create_root(session, ACTOR, KEY, "root", "Own root")
        service.create_issuing(session, ACTOR, KEY, "issuing", "root", "Own issuing", days=20)
        service.trust_authority(session, ACTOR, "city", city.certificate.der)
        begun = datetime.now(UTC)
        listed = make_revocation_list(city, [], 3, begun - timedelta(hours=2), begun + timedelta(minutes=20))
        take_list(session, ACTOR, "city", listed.der)
        for text, days in (("one day", 1), ("six days", 6), ("long", 15), ("renewed", 2), ("revoked", 2)):
            request = make_request(PrivateKey.generate(), name(text), ["a.example"])
            made = service.issue_requested(session, ACTOR, KEY, "issuing", request, "server", days)
            if text == "renewed":
                service.renew(session, ACTOR, KEY, f"{made.serial:x}", 18)
            if text == "revoked":
                service.revoke(session, ACTOR, f"{made.serial:x}", "superseded")
        login = _ending(ROOT, "officer", timedelta(hours=3))
        since = "2026-01-01T00:00:00.000000Z"
        officer = User(id=7, name="Officer", name_key="officer", role="analyst", password_hash="")
        officer.created_at = officer.password_changed_at = officer.active_since = since
        session.add(officer)
        session.flush()
        session.add(Factor(user_id=7, kind="certificate", name="card", material=login.to_pem(), created_at=since))
    now = datetime.now(UTC)
    with database.read() as session:
        found = {(one.kind, one.subject.rpartition(": ")[2]): one.days_left for one in expiring(session, now)}
        assert found == {
            ("list", "Short city"): 1,
            ("login", "officer"): 1,
            ("issued", "one day"): 1,
            ("city", "Short city"): 7,
            ("issued", "six days"): 7,
            ("issued", "long"): 30,
            ("issued", "renewed"): 30,
            ("authority", "Own issuing"): 30,
        }
        months_later = {one.kind for one in expiring(session, now + timedelta(days=90))}
        assert months_later == {"authority", "city", "list"}  # what ended long ago is told no more, but for authorities
        assert expiring(session, now, [2])[-1].days_left == 2


def test_files(tmp_path: Path) -> None:
    (tmp_path / "chain.crt").write_text(_ending(ROOT, "link", timedelta(days=3)).to_pem() + ROOT.certificate.to_pem())
    (tmp_path / "over.crl").write_text(
        make_revocation_list(ROOT, [], 1, NOW - timedelta(days=7), NOW - timedelta(hours=1)).to_pem()
    )
    (tmp_path / "fresh.crl").write_text(make_revocation_list(ROOT, [], 2, NOW, NOW + timedelta(days=7)).to_pem())
    (tmp_path / "broken.crt").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    names = ("chain.crt", "over.crl", "fresh.crl", "broken.crt", "missing.crt")
    found, problems = expiring_files([("link", tmp_path / one) for one in (*names, "chain.crt")], NOW)
    assert [(one.kind, one.days_left, Path(one.place).name) for one in found] == [("list", 0, "over.crl"), ("link", 7, "chain.crt")]
    assert [Path(line.partition(":")[0]).name for line in problems] == ["broken.crt", "missing.crt"]


def test_alerts_come_once_for_each_distance_and_when_it_is_over(database: Database, tmp_path: Path) -> None:
    certificate = _ending(ROOT, "collector-7", datetime.now(UTC) - NOW + timedelta(hours=1), days=1)
    (tmp_path / "link.crt").write_text(certificate.to_pem())
    listener = LinkListener(id="tls", kind="syslog", port=6514, certificate=tmp_path / "link.crt")
    config = Config(links=Links(listener=[listener]), certificates=Certificates(watch=[tmp_path / "proxy.crt"]))

    def alerted() -> list[tuple[str, str]]:
        with database.read() as session:
            return [(row.rule_id, row.level) for row in alerts.list_alerts(session, AlertFilter(), limit=10).alerts]

    def watch_at(moment: datetime) -> ExpiryWatch:
        return ExpiryWatch(database, config, lambda: moment + timedelta(seconds=1))

    watch = ExpiryWatch(database, config)
    for _ in range(3):
        watch()
    ExpiryWatch(database, config)()  # the next process
    assert alerted() == [("liandun-certificate-ending", "high")]
    details = watch.details()
    assert [(one["kind"], one["days_left"]) for one in details["certificates"]] == [("link", 1)]
    assert details["unreadable"] == [f"{tmp_path / 'proxy.crt'}: No such file or directory"]
    for late in (watch_at(certificate.not_after), watch_at(certificate.not_after)):
        late()
    assert sorted(alerted()) == [("liandun-certificate-ended", "critical"), ("liandun-certificate-ending", "high")]
    assert late.details()["certificates"][0]["days_left"] == 0
