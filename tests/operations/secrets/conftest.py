"""A data directory with sealed values of every kind."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select

from crypto.generations import KeyFile
from crypto.secret import MasterKey, generation_of
from crypto.sm2 import PrivateKey
from kernel.db import Database, open_database
from kernel.layout import Layout
from operations import clock
from operations.accounts import challenges, links
from operations.accounts.factors import totp_context
from operations.accounts.models import Challenge, Factor, LoginSession, User
from operations.audit.head_file import HeadFile
from operations.audit.keys import KeyStore
from operations.audit.schema import Actor
from operations.certificates import service as certificates
from operations.certificates.models import AuthorityRow
from operations.inbound import service as inbound
from operations.inbound.models import InboundSource
from operations.incidents import evidence_key
from operations.incidents.models import EvidenceKey
from operations.secrets.files import AuditKeys, Settings
from operations.secrets.models import PlaybookSecret
from operations.secrets.rotate import SecretPlaces
from operations.webhooks import service as webhooks
from operations.webhooks.guard import WebhookPolicy
from operations.webhooks.models import WebhookTarget
from playbooks.vault import service as vault
from tests.state_database import migrated

ACTOR = Actor("cli:test")
CONTEXT = "store.elasticsearch"


@dataclass
class City:
    """One data directory; ``wanted`` are its secrets in plain: (place, row) → secret."""

    layout: Layout
    config: Path
    wanted: dict[tuple[str, str], bytes]

    def database(self) -> Database:
        return open_database(self.layout.state_url)

    def key(self) -> MasterKey:
        return MasterKey.load(self.layout.master_key)

    def file(self) -> KeyFile:
        return KeyFile(self.layout.master_key)

    def places(self, database: Database, key: MasterKey) -> SecretPlaces:
        audit = AuditKeys(KeyStore(self.layout.master_key.parent, key), HeadFile(self.layout.audit_heads))
        return SecretPlaces(database, [audit, Settings(self.config, {}, CONTEXT)])

    def sealed(self) -> dict[tuple[str, str], str]:
        """Every sealed value as it lies there now."""
        database = self.database()
        found: dict[tuple[str, str], str] = {}
        with database.read() as session:
            for row in session.execute(select(WebhookTarget)).scalars():
                found["webhook", str(row.id)] = row.sealed_secret
            for source in session.execute(select(InboundSource)).scalars():
                found["inbound", str(source.id)], found["inbound before", str(source.id)] = (
                    source.sealed_secret,
                    source.sealed_previous,
                )
            for factor in session.execute(select(Factor)).scalars():
                found["totp", str(factor.id)] = factor.material
            for challenge in session.execute(select(Challenge)).scalars():
                found["challenge", str(challenge.id)] = challenge.value
            for authority in session.execute(select(AuthorityRow)).scalars():
                found["authority", authority.name] = authority.sealed_key
            for evidence in session.execute(select(EvidenceKey)).scalars():
                found["evidence", str(evidence.id)] = evidence.sealed
            for secret in session.execute(select(PlaybookSecret)).scalars():
                found["playbook", secret.name] = secret.sealed
        database.close()
        for path in self.layout.master_key.parent.glob("audit-*.key"):
            found["audit", path.stem.removeprefix("audit-")] = path.read_text().strip()
        found["config", ""] = self.config.read_text("utf-8").split('"')[1]
        return found

    def open_all(self, key: MasterKey) -> dict[tuple[str, str], bytes]:
        """Every secret in plain. Raises SecretError where one does not open."""
        contexts = {
            "webhook": "webhook:{}",
            "inbound": "inbound:{}",
            "inbound before": "inbound:{}",
            "authority": "authority:{}",
            "evidence": "incident evidence key:{}",
            "playbook": "playbook-secret:{}",
            "audit": "audit-key:{}",
            "config": CONTEXT,
        }
        opened = {}
        for (place, row), sealed in self.sealed().items():
            context = totp_context(1) if place in ("totp", "challenge") else contexts[place].format(row)
            opened[place, row] = key.unseal(sealed, context)
        return opened

    def generations(self) -> set[int]:
        return {generation_of(sealed) for sealed in self.sealed().values()}


def build_city(folder: Path, *, factors: int = 5, webhook_count: int = 3) -> City:
    """A small one; the generation of everything is 1."""
    layout = Layout(folder).create()
    database, key = migrated(layout.state_url), MasterKey.load(layout.master_key)
    with database.write() as session:
        token = links.create_setup_token(session)
    assert token
    links.redeem(database, token, "alice", "Correct-Horse-7", "192.0.2.1")
    policy = WebhookPolicy(allow=("10.0.0.0/8",))
    with database.write() as session:
        assert session.execute(select(User.id)).scalar_one() == 1
        for number in range(webhook_count):
            webhooks.create_target(session, ACTOR, key, name=f"w{number}", url=f"https://10.9.9.{number + 1}/", policy=policy)
        inbound.renew(session, ACTOR, key, inbound.create(session, ACTOR, key, name="scanner")[0].id)
        for number in range(factors):
            sealed = key.seal(f"sha1:{number:040x}".encode(), totp_context(1))
            session.add(
                Factor(
                    user_id=1, kind="totp", name=f"f{number}", material=sealed, credential="sha1", counter=0, created_at=clock.now()
                )
            )
        session.add(
            LoginSession(
                id="s" * 64, user_id=1, created_at=clock.now(), seen_at=clock.now(), expires_at=clock.shift(clock.now(), 9999),
                address="192.0.2.1", user_agent="test", factor="", proved_at=clock.now(),
            )
        )  # fmt: skip
        session.flush()
        challenges.put(session, "s" * 64, "totp", key.seal(b"sha1:00ff", totp_context(1)), seconds=86_400)
        certificates.create_root(session, ACTOR, key, "root", "City root")
        certificates.create_issuing(session, ACTOR, key, "issuing", "root", "City issuing")
        evidence_key.keys(session, key)
        vault.set_secret(session, ACTOR, key, "openc2-gateway", "geheim")
    for _ in range(2):
        KeyStore(layout.master_key.parent, key).save(PrivateKey.generate())
    config = folder / "liandun.toml"
    config.write_text(f'[store.elasticsearch]\npassword = "{key.seal(b"geheim", CONTEXT)}"  # 密码\n', "utf-8")
    config.chmod(0o640)
    database.close()
    city = City(layout, config, {})
    city.wanted = city.open_all(key)
    return city


@pytest.fixture
def city(tmp_path: Path) -> City:
    return build_city(tmp_path / "data")
