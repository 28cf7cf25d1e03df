"""Acts on evidence are in the audit trail; what cannot be recorded does not happen; the trail notices links that were cut off."""

from __future__ import annotations

import os
import shutil
import tarfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from crypto.certificates import SIGNING, issue, make_root, name
from crypto.envelope import Signer
from crypto.errors import CryptoError
from crypto.sm2 import PrivateKey
from kernel.db import Database
from kernel.errors import StateUnavailable
from operations.audit import service as audit
from operations.audit.schema import Actor, AuditRecord
from operations.audit.verify import verify
from operations.evidence.custody import EvidenceError
from operations.evidence.package import Trust
from operations.evidence.service import Custodian, EvidenceDesk
from soc_ui.admin import acts
from tests.state_database import migrated

AT = datetime(2026, 6, 1, 8, 30, tzinfo=UTC)
ROOT = make_root(name("City root"), PrivateKey.generate(), at=AT)
READER = PrivateKey.generate()
TRUST = Trust([ROOT.certificate])
_KEY = PrivateKey.generate()
OFFICER = Custodian(
    Signer(issue(ROOT, name("officer"), _KEY.public, SIGNING, 30, at=AT), _KEY), "officer", "incident 7", "host 2001:db8::7"
)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return migrated(f"sqlite:///{tmp_path / 'state.db'}")


@pytest.fixture
def desk(database: Database) -> EvidenceDesk:
    return EvidenceDesk(database, Actor("cli:alice"))


@pytest.fixture
def told(database: Database) -> Callable[[], list[AuditRecord]]:
    """Entries about evidence, oldest first."""

    def read() -> list[AuditRecord]:
        with database.read() as session:
            return audit.listing(session, object_type="evidence").entries[::-1]

    return read


def test_every_act_is_told(desk: EvidenceDesk, database: Database, told: Callable[[], list[AuditRecord]], tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "auth.log").write_text("Failed password")
    (tmp_path / "mail").write_bytes(b"From: attacker")
    package, other = tmp_path / "case.evidence", tmp_path / "mail.evidence"
    link = desk.collect([folder, tmp_path / "mail"], package, [READER.public], OFFICER, AT)
    desk.seal(tmp_path / "mail", other, [READER.public], OFFICER, AT)
    desk.add(package, TRUST, "hand over", OFFICER, AT + timedelta(hours=1))
    desk.add(package, TRUST, "examine", OFFICER, AT + timedelta(hours=2))
    links, head = desk.verify(package, TRUST)
    desk.open(package, tmp_path / "out.tar", TRUST, READER)
    with tarfile.open(tmp_path / "out.tar") as tar:
        assert sorted(tar.getnames()) == ["logs", "logs/auth.log", "mail"]
    assert [one.action for one in links] == ["collect", "hand over", "examine"]
    entries = told()
    kinds = ["collect", "seal", "hand_over", "custody", "verify", "open"]
    assert [(entry.action, entry.result) for entry in entries] == [(f"evidence.{kind}", "success") for kind in kinds]
    mine = [entry for entry in entries if entry.action != "evidence.seal"]
    assert {entry.object_id for entry in mine} == {link.evidence}
    assert {entry.actor for entry in entries} == {"cli:alice"}
    assert [entry.detail.get("head") == head for entry in mine] == [False, False, True, True, False]
    assert (mine[0].detail["files"], mine[0].detail["sm3"], mine[1].detail["reason"]) == (["logs", "mail"], link.sm3, "incident 7")
    with database.read() as session:
        assert verify(session).ok
    assert sorted(path.name for path in tmp_path.glob(".*")) == []


def test_every_act_has_a_name() -> None:
    source = (Path(acts.__file__).parents[2] / "operations" / "evidence" / "service.py").read_text()
    for kind in ("collect", "seal", "hand_over", "custody", "verify", "open"):
        assert f'"evidence.{kind}"' in Path(acts.__file__).read_text()
        assert kind in source


def test_failures_are_told(desk: EvidenceDesk, told: Callable[[], list[AuditRecord]], tmp_path: Path) -> None:
    (tmp_path / "mail").write_bytes(b"From: attacker")
    package = tmp_path / "mail.evidence"
    desk.seal(tmp_path / "mail", package, [READER.public], OFFICER, AT)
    with pytest.raises((EvidenceError, CryptoError)):
        desk.open(package, tmp_path / "out", TRUST, PrivateKey.generate())
    assert not (tmp_path / "out").exists()
    package.write_bytes(package.read_bytes()[:-1])
    with pytest.raises(EvidenceError):
        desk.verify(package, TRUST)
    last = told()[-2:]
    assert [(entry.action, entry.result) for entry in last] == [("evidence.open", "failure"), ("evidence.verify", "failure")]
    assert "does not open" in last[0].detail["reason"]


def test_what_cannot_be_recorded_does_not_happen(desk: EvidenceDesk, database: Database, tmp_path: Path) -> None:
    (tmp_path / "mail").write_bytes(b"From: attacker")
    package = tmp_path / "mail.evidence"
    desk.seal(tmp_path / "mail", package, [READER.public], OFFICER, AT)
    before = package.read_bytes()
    with database.write() as session:
        session.execute(text("CREATE TRIGGER full BEFORE INSERT ON audit_entries BEGIN SELECT RAISE(ABORT, 'disk full'); END"))
    with pytest.raises(StateUnavailable, match="disk full"):
        desk.add(package, TRUST, "hand over", OFFICER, AT + timedelta(hours=1))
    with pytest.raises(StateUnavailable, match="disk full"):
        desk.open(package, tmp_path / "out", TRUST, READER)
    with pytest.raises(StateUnavailable, match="disk full"):
        desk.seal(tmp_path / "mail", tmp_path / "second", [READER.public], OFFICER, AT)
    assert package.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir() if not path.name.startswith("state.db")) == ["mail", "mail.evidence"]


def test_links_that_were_cut_off_are_noticed(desk: EvidenceDesk, tmp_path: Path) -> None:
    (tmp_path / "mail").write_bytes(b"From: attacker")
    package, old = tmp_path / "mail.evidence", tmp_path / "old.evidence"
    desk.seal(tmp_path / "mail", package, [READER.public], OFFICER, AT)
    shutil.copy(package, old)
    desk.add(package, TRUST, "hand over", OFFICER, AT + timedelta(hours=1))
    EvidenceDesk(None, Actor("court")).add(package, TRUST, "examine", OFFICER, AT + timedelta(hours=2))  # elsewhere: longer is fine
    desk.verify(package, TRUST)
    with pytest.raises(EvidenceError, match="audit trail knows"):
        desk.verify(old, TRUST)
    with pytest.raises(EvidenceError, match="audit trail knows"):
        desk.open(old, tmp_path / "out", TRUST, READER)
    assert EvidenceDesk(None, Actor("court")).verify(old, TRUST)[0][0].action == "seal"  # nobody there who could know


def test_killed_between_record_and_place(desk: EvidenceDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The trail knows a link that the package has not got yet: the next act puts it in place, and nothing else that lies there."""
    (tmp_path / "mail").write_bytes(b"From: attacker")
    package = tmp_path / "mail.evidence"
    desk.seal(tmp_path / "mail", package, [READER.public], OFFICER, AT)
    desk.add(package, TRUST, "hand over", OFFICER, AT + timedelta(hours=1))
    replace = os.replace

    def killed(made: Path, target: Path) -> None:
        if Path(target) == package:
            shutil.copy(made, tmp_path / "left")  # a killed process removes nothing
            raise KeyboardInterrupt
        replace(made, target)

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        desk.add(package, TRUST, "examine", OFFICER, AT + timedelta(hours=2))
    monkeypatch.setattr(os, "replace", replace)
    (tmp_path / ".mail.evidence.00").write_bytes(b"rubbish")
    with pytest.raises(EvidenceError, match="missing"):
        desk.verify(package, TRUST)
    (tmp_path / "left").rename(tmp_path / ".mail.evidence.01")
    links, _ = desk.verify(package, TRUST)
    assert [one.action for one in links] == ["seal", "hand over", "examine"]
    assert not (tmp_path / ".mail.evidence.01").exists()
