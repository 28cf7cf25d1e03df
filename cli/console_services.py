"""What the console stands on, put together: databases, rule catalogue, health of the sources."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cli.capture_places import capture_places
from cli.platform_health import PlatformReader
from cli.platform_rules import PLATFORM_RULES
from cli.ruleset import CatalogueReader
from cli.trust_health import TrustReader
from kernel.config import Config
from kernel.db import open_database, upgrade
from kernel.errors import ConfigError
from kernel.event import timestamp_from_micros
from kernel.health import RoleHealth, read_health
from kernel.layout import Layout
from kernel.master_key import open_master_key
from kernel.store.contract import EventStore
from kernel.store.open import open_store
from kernel.version import VERSION
from operations.accounts.ldap import LdapDirectory, LdapSettings
from operations.accounts.oidc import OidcProvider, OidcSettings
from operations.accounts.schema import DAY, Policy
from operations.audit.head_file import HeadFile
from operations.audit.heads import Trail
from operations.audit.keys import KeyStore
from operations.services.issue.means import ListenPoint
from operations.webhooks.guard import WebhookPolicy
from soc_ui.alerts.packet_desk import PacketDesk
from soc_ui.services import ConsoleSettings, RuleCatalogue, RuleFailure, Services, SourceHealth

_REFUSAL = re.compile(r"(?P<file>.+):(?P<line>\d+): sid (?P<sid>\d+|\?): (?P<reason>.*)")


def build_services(config: Config) -> Services:
    """Open everything (once in each console process)."""
    layout = Layout(config.data_dir)
    database = open_database(layout.state_url)
    upgrade(database)
    store = open_store(config, writable=False)
    public, key = config.console.public_url, open_master_key(config)
    return Services(
        database=database,
        store=store,
        version=VERSION,
        rules=RulesAndRefusals(layout),
        health=HealthReader(layout, store),
        trust=TrustReader(layout),
        platform=PlatformReader(config, layout, database.dialect),
        settings=ConsoleSettings(
            site_name=config.platform.city,
            secure_cookies=True if public.startswith("https:") else None,
            demo=config.platform.demo,
            public_origin=_origin(public),
            provider_name=config.accounts.oidc.name if config.accounts.oidc.issuer else "",
        ),
        master_key=key,
        trail=Trail(database, HeadFile(layout.audit_heads), KeyStore(layout.master_key.parent, key)),
        webhook_policy=WebhookPolicy(allow=tuple(config.webhooks.allowed_networks)),
        policy=account_policy(config),
        directory=_directory(config),
        provider=_provider(config),
        listen=listen_points(config),
        packets=PacketDesk(capture_places(config, layout)),
        known_hosts=config.playbooks.known_hosts,
    )


def listen_points(config: Config) -> tuple[ListenPoint, ...]:
    """Where the platform takes logs, as configured."""
    syslog = config.ingest.syslog
    plain = [ListenPoint(kind, syslog.host, port) for kind, port in (("tcp", syslog.tcp_port), ("udp", syslog.udp_port)) if port]
    return (*plain, *(ListenPoint("link", one.host, one.port, one.id) for one in config.links.listener))


def account_policy(config: Config) -> Policy:
    """The account rules as configured."""
    rules = config.accounts
    return Policy(
        scheme=rules.password_scheme,
        min_length=rules.password_length,
        history=rules.password_history,
        max_age=rules.password_days * DAY,
        max_failures=rules.max_failures,
        lock_time=rules.lock_minutes * 60,
        idle_time=rules.idle_minutes * 60,
        admin_idle_time=rules.admin_idle_minutes * 60,
        session_time=rules.session_hours * 3600,
        single_session=rules.single_session,
        unused_time=rules.unused_days * DAY,
        second_factor=rules.second_factor,
        totp=rules.totp,
        admin_networks=tuple(rules.admin_networks),
    )


def _directory(config: Config) -> LdapDirectory | None:
    rules = config.accounts.ldap
    if not rules.url:
        return None
    settings = LdapSettings(
        url=rules.url,
        base_dn=rules.base_dn,
        start_tls=rules.start_tls,
        ca_file=rules.ca_file,
        bind_dn=rules.bind_dn,
        password=_secret(rules.password_file, "accounts.ldap.password_file"),
        user_filter=rules.user_filter,
        group_filter=rules.group_filter,
        subject=rules.subject,
        display_name=rules.display_name,
        timeout=rules.timeout_seconds,
    )
    return LdapDirectory(settings, rules.groups)


def _provider(config: Config) -> OidcProvider | None:
    rules = config.accounts.oidc
    if not rules.issuer:
        return None
    settings = OidcSettings(
        issuer=rules.issuer,
        client_id=rules.client_id,
        client_secret=_secret(rules.client_secret_file, "accounts.oidc.client_secret_file"),
        ca_file=rules.ca_file,
        scopes=tuple(rules.scopes),
        name_claim=rules.name_claim,
        groups_claim=rules.groups_claim,
        second_factor_acr=tuple(rules.second_factor_acr),
        second_factor_amr=tuple(rules.second_factor_amr),
        clock_skew=rules.clock_skew_seconds,
        timeout=rules.timeout_seconds,
    )
    return OidcProvider(settings, rules.groups)


def _secret(file: Path | None, key: str) -> str:
    if file is None:
        return ""
    try:
        return file.read_text("utf-8").strip()
    except OSError as error:
        raise ConfigError(f"{key}: {file} cannot be read: {error.strerror}") from error


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""


class RulesAndRefusals:
    """The worker's catalogue, what the platform tells of itself, and what running sensors have refused."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._catalogue = CatalogueReader(layout.catalogue)

    def __call__(self) -> RuleCatalogue:
        catalogue = self._catalogue()
        ingest = read_health(self._layout.health).get("ingest")
        sources: dict[str, dict[str, Any]] = ingest.details.get("sources", {}) if ingest else {}
        lines = dict.fromkeys(line for source in sources.values() for line in source.get("problems", ()))
        refused = [_refusal(match) for line in lines if (match := _REFUSAL.match(line))]
        failures = [*catalogue.failures, *refused] if refused else catalogue.failures
        return replace(catalogue, rules=[*catalogue.rules, *PLATFORM_RULES], failures=failures)


def _refusal(match: re.Match[str]) -> RuleFailure:
    return RuleFailure(match["file"], int(match["line"]), f"Suricata: sid {match['sid']}: {match['reason']}")


class HealthReader:
    """Sources as ingest (what came in) and the store's durable counters (what became of it) tell them."""

    def __init__(self, layout: Layout, store: EventStore) -> None:
        self._layout = layout
        self._store = store

    def __call__(self) -> Sequence[SourceHealth]:
        roles = read_health(self._layout.health)
        ingest, worker = roles.get("ingest"), roles.get("worker")
        counters = self._store.counters()
        problem = _role_problem("ingest", ingest) or _role_problem("worker", worker)
        live: dict[str, dict[str, Any]] = dict(ingest.details.get("sources", {})) if ingest else {}
        if (links := roles.get("links")) is not None:
            gone = _role_problem("links", links)
            live |= {name: {**one, "error": one.get("error") or gone} for name, one in links.details.get("sources", {}).items()}
        names = [*live, *sorted({name.partition(".")[2] for name in counters if name.startswith("received.")} - set(live))]
        behind = _seconds_behind(ingest, worker)
        return [_source(name, live.get(name, {}), counters, problem, behind) for name in names]


def _source(name: str, live: dict[str, Any], counters: dict[str, int], problem: str, behind: float) -> SourceHealth:
    received = counters.get(f"received.{name}", 0)
    last = int(live.get("last_received", 0))
    return SourceHealth(
        id=name,
        kind=str(live.get("kind", "")),
        received=received,
        stored=counters.get(f"stored.{name}", 0),
        quarantined=counters.get(f"quarantined.{name}", 0),
        dropped=int(live.get("dropped", 0)),
        lag_seconds=behind if live else 0.0,
        last_received=timestamp_from_micros(last) if last else "",
        eps_history=tuple(live.get("rates", ())),
        eps_step_seconds=int(live.get("rate_step_seconds", 5)),
        error=str(live.get("error", "")) or (problem if live else ""),
        problems=tuple(live.get("problems", ())),
    )


def _role_problem(name: str, role: RoleHealth | None) -> str:
    if role is None or not role.alive:
        return f"the {name} role does not run"
    return role.problem


def _seconds_behind(ingest: RoleHealth | None, worker: RoleHealth | None) -> float:
    """How old the newest committed record is while records wait; 0 when nothing waits."""
    if ingest is None or worker is None or not worker.details.get("waiting_bytes"):
        return 0.0
    return max(0.0, worker.updated - float(worker.details.get("last_commit") or worker.started))
