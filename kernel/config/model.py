"""The whole configuration: one section each, and what types alone cannot say about them."""

from __future__ import annotations

from pathlib import Path

import msgspec

from kernel.config.accounts import Accounts, check_accounts
from kernel.config.alerts import Alerts, Detect, Webhooks, check_alerts, check_webhooks
from kernel.config.audit import Audit, check_audit
from kernel.config.certificates import Certificates, check_certificates
from kernel.config.compliance import Compliance, check_compliance
from kernel.config.ingest import Ingest, check_ingest
from kernel.config.keepers import Secrets, check_secrets
from kernel.config.links import Links, check_links
from kernel.config.mistakes import Mistakes
from kernel.config.platform import Console, Platform, check_console
from kernel.config.playbooks import Playbooks, check_playbooks
from kernel.config.store import Store, check_store


class Config(msgspec.Struct, forbid_unknown_fields=True):
    """The whole configuration; ``file`` is where it was read from ("" = defaults and environment only)."""

    platform: Platform = msgspec.field(default_factory=Platform)
    console: Console = msgspec.field(default_factory=Console)
    ingest: Ingest = msgspec.field(default_factory=Ingest)
    detect: Detect = msgspec.field(default_factory=Detect)
    store: Store = msgspec.field(default_factory=Store)
    alerts: Alerts = msgspec.field(default_factory=Alerts)
    webhooks: Webhooks = msgspec.field(default_factory=Webhooks)
    audit: Audit = msgspec.field(default_factory=Audit)
    accounts: Accounts = msgspec.field(default_factory=Accounts)
    links: Links = msgspec.field(default_factory=Links)
    certificates: Certificates = msgspec.field(default_factory=Certificates)
    secrets: Secrets = msgspec.field(default_factory=Secrets)
    playbooks: Playbooks = msgspec.field(default_factory=Playbooks)
    compliance: Compliance = msgspec.field(default_factory=Compliance)
    file: str = ""

    @property
    def data_dir(self) -> Path:
        return self.platform.data_dir


def check(config: Config, mistakes: Mistakes) -> None:
    """Add what would fail later, section by section."""
    check_console(config.console, mistakes)
    check_webhooks(config.webhooks, mistakes)
    check_store(config.store, config.platform.demo, mistakes)
    check_audit(config.audit, mistakes)
    check_accounts(config.accounts, mistakes)
    check_links(config.links, mistakes)
    check_certificates(config.certificates, mistakes)
    check_secrets(config.secrets, mistakes)
    check_playbooks(config.playbooks, mistakes)
    check_compliance(config.compliance, mistakes)
    check_ingest(config.ingest, mistakes)
    check_alerts(config.alerts, mistakes)
