"""What the console and the API stand on, handed in by the composition root (cli) so that no view opens anything itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from flask import current_app, g

from crypto.secret import MasterKey
from kernel.db import Database
from kernel.store.contract import EventStore
from operations.accounts.ldap import Directory
from operations.accounts.oidc import OidcProvider
from operations.accounts.schema import Policy
from operations.audit.heads import Trail
from operations.reach import ORGANISATIONS_KEY, SESSION_KEY
from operations.services.issue.means import ListenPoint, Means
from operations.webhooks.guard import WebhookPolicy
from soc_ui.alerts.packet_desk import PacketDesk
from soc_ui.reach import ReachedStore


@dataclass(frozen=True)
class RuleInfo:
    """One loaded rule as people see it. ``level`` is one of ``kernel.detection.LEVELS``; ``file`` is relative to the rule set.

    title_zh, description_zh, source_text_zh, falsepositives_zh  shown on Chinese pages instead of ``title``, ``description``,
    ``source_text`` and the English false positives of its alerts, where the rule has them
    """

    id: str
    title: str
    level: str
    engine: str  # sigma | correlation | suricata | yara | zone
    tags: tuple[str, ...] = ()
    source_text: str = ""
    file: str = ""
    status: str = ""
    description: str = ""
    author: str = ""
    references: tuple[str, ...] = ()
    title_zh: str = ""
    description_zh: str = ""
    source_text_zh: str = ""
    falsepositives_zh: tuple[str, ...] = ()


@dataclass(frozen=True)
class RuleFailure:
    """A rule that could not be loaded. ``line`` is 1-based, 0 if unknown."""

    file: str
    line: int
    reason: str


@dataclass(frozen=True)
class RuleCatalogue:
    """All rules in use and all that could not be loaded."""

    rules: Sequence[RuleInfo] = ()
    failures: Sequence[RuleFailure] = ()

    def find(self, rule_id: str) -> RuleInfo | None:
        """The rule with this id, or None."""
        return next((rule for rule in self.rules if rule.id == rule_id), None)


@dataclass(frozen=True)
class SourceHealth:
    """Counters of one source since the store was made.

    lag_seconds    age of the oldest record of this source that waits in the spool; 0 if none waits
    last_received  ``@timestamp`` text of the last record, "" if none came yet
    eps_history    records per second, oldest first, equal steps of ``eps_step_seconds``
    error          why it does not work, "" if it does
    problems       what it leaves out while it works: rules that a sensor refused, one line each
    """

    id: str
    kind: str
    received: int = 0
    stored: int = 0
    quarantined: int = 0
    dropped: int = 0
    lag_seconds: float = 0.0
    last_received: str = ""
    eps_history: Sequence[float] = ()
    eps_step_seconds: int = 5
    error: str = ""
    problems: Sequence[str] = ()


@dataclass(frozen=True)
class LinkPeer:
    """Another end of links. ``agreed``: protocol, suite and group; ``links`` that are open; ``not_after`` of its certificate."""

    name: str
    origin: str
    agreed: str
    domestic: bool
    links: int
    not_after: str


@dataclass(frozen=True)
class LinkListener:
    """A protected input, or the forwarder of this host. ``suite``: domestic (RFC 8998), tlcp, classic (foreign), "" = none yet."""

    id: str
    suite: str
    peers: Sequence[LinkPeer] = ()
    refused: int = 0
    error: str = ""

    @property
    def foreign(self) -> bool:
        """Foreign algorithms are allowed here, or are in use."""
        return self.suite == "classic" or any(not peer.domestic for peer in self.peers if peer.links)


@dataclass(frozen=True)
class EndingCertificate:
    """Ends within ``days_left`` days, 0 = has ended. ``kind`` and ``place`` as in operations.certificates.expiry."""

    kind: str
    place: str
    subject: str
    not_after: str
    days_left: int


@dataclass(frozen=True)
class TrustHealth:
    """Links, and certificates that end soon; ``unreadable``: files that could not be looked at, one line each."""

    links: Sequence[LinkListener] = ()
    ending: Sequence[EndingCertificate] = ()
    unreadable: Sequence[str] = ()

    @property
    def foreign(self) -> list[LinkListener]:
        return [one for one in self.links if one.foreign]


@dataclass(frozen=True)
class RoleState:
    """One process. ``problem`` in its own words; ``memory`` resident, in octets; ``details`` short facts, name → value."""

    name: str
    alive: bool
    pid: int
    started: str
    told: str
    problem: str = ""
    memory: int = 0


@dataclass(frozen=True)
class PlatformHealth:
    """This machine and the platform's processes on it.

    waiting, spool_limit   octets that wait in the spool, and how many may
    disk_free, disk_size   octets of the file system that holds the data
    clock                  "steady" (disciplined by NTP or PTP), "adrift" (nothing disciplines it), "" = the kernel does not say
    clock_error_seconds    the kernel's bound of the clock's error, None where it has none
    state                  kind of the state database, and its octets (embedded one)
    """

    roles: Sequence[RoleState] = ()
    waiting: int = 0
    spool_limit: int = 0
    disk_free: int = 0
    disk_size: int = 0
    clock: str = ""
    clock_error_seconds: float | None = None
    state: str = "sqlite"
    state_bytes: int = 0


@dataclass(frozen=True)
class ConsoleSettings:
    """Settings of the console.

    provider_name   how the sign-in service is called on the log-in page; "" = there is none
    public_origin   as browsers write it (https://soc.example.cn); "" = as the request says
    secure_cookies  None = follow the request's scheme (a cookie set over https is never sent over http)
    """

    site_name: str = ""
    secure_cookies: bool | None = None
    demo: bool = False
    public_origin: str = ""
    provider_name: str = ""


@dataclass
class Services:
    """Everything a view may use. ``rules`` and ``health`` are read again at each request, so they may change underneath.

    master_key  seals the signing secrets of webhooks and of one-time passwords; without it neither can be made
    trail       signs heads of the audit trail and has its head file; without it only the database is verified
    policy      numbers of the account rules
    directory   who else knows names and passwords; provider: who else signs people in
    listen      where the platform takes logs, for applicants
    packets     where kept packets lie
    known_hosts file of host keys of those hosts that playbooks may reach by SSH; None = none is configured
    reach       ids of the zones that can be seen, None = all; see :func:`services`
    """

    database: Database
    store: EventStore
    version: str
    rules: Callable[[], RuleCatalogue] = RuleCatalogue
    health: Callable[[], Sequence[SourceHealth]] = tuple
    trust: Callable[[], TrustHealth] = TrustHealth
    platform: Callable[[], PlatformHealth] = PlatformHealth
    settings: ConsoleSettings = field(default_factory=ConsoleSettings)
    master_key: MasterKey | None = None
    trail: Trail | None = None
    webhook_policy: WebhookPolicy = field(default_factory=WebhookPolicy)
    policy: Policy = field(default_factory=Policy)
    directory: Directory | None = None
    provider: OidcProvider | None = None
    listen: Sequence[ListenPoint] = ()
    packets: PacketDesk | None = None
    known_hosts: Path | None = None
    reach: frozenset[str] | None = None


def services() -> Services:
    """The services of the running application, limited to the zones that the person behind this request may see.

    Access control by scope is here and nowhere else in the console: whoever asks for the database or the event store gets one that
    knows its limits. ``reach`` is part of the key of everything that is kept between requests.
    """
    if "services" in g:
        bound = g.services
        assert isinstance(bound, Services)
        return bound
    return whole_services()


def whole_services() -> Services:
    """Without the limits of who asks: to find out who somebody is, not to show them anything."""
    found = current_app.extensions["liandun"]
    assert isinstance(found, Services)
    return found


def means() -> Means:
    """What issuing a service needs from outside."""
    return Means(services().master_key, services().listen)


def limit_to(zones: frozenset[str] | None, organisations: frozenset[str] = frozenset()) -> None:
    """From here to the end of this request :func:`services` shows these zones only (None = all), and what was sent to these
    organisations."""
    g.pop("services", None)
    if zones is not None:
        whole = services()
        limits = {SESSION_KEY: zones, ORGANISATIONS_KEY: organisations}
        g.services = replace(whole, database=whole.database.carrying(limits), store=ReachedStore(whole.store, zones), reach=zones)


def source_health() -> list[SourceHealth]:
    """The health of all sources, read once for a request (it is shown at several places of a page)."""
    if "source_health" not in g:
        g.source_health = list(services().health())
    found = g.source_health
    assert isinstance(found, list)
    return found
