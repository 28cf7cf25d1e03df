"""What the platform says of its work: the plan, the inventory, alerts, incidents, playbooks, upkeep (see formats.platform)."""

from __future__ import annotations

import msgspec


class ZoneFact(msgspec.Struct, frozen=True):
    """A zone. ``marks``: how many ranges, VLANs and sensors tell it."""

    id: str
    layer: str
    owner: str
    marks: int
    admission: str


class ConduitFact(msgspec.Struct, frozen=True):
    """A conduit. ``state``: in-force, expiring, expired or pending."""

    id: str
    services: tuple[str, ...]
    reason: str
    approver: str
    state: str


class Plan(msgspec.Struct, frozen=True):
    """Zones and conduits in force."""

    zones: tuple[ZoneFact, ...]
    conduits: tuple[ConduitFact, ...]


class Inventory(msgspec.Struct, frozen=True):
    """Assets. ``unnamed``: registered ones without a bureau; ``unheard``: registered ones that were not seen for a week.

    strangers  seen where registered devices only may be, for more than a week, and nobody has registered or retired them
    """

    registered: int
    observed: int
    unnamed: int
    unheard: int
    strangers: tuple[str, ...]


class AlertFact(msgspec.Struct, frozen=True):
    """An alert that nobody has taken up."""

    id: int
    rule: str
    level: str
    created_at: str


class Queue(msgspec.Struct, frozen=True):
    """The alerts: how many there are, and those that wait untouched for more than a day, the oldest first."""

    total: int
    crossings: int
    waiting: tuple[AlertFact, ...]
    waiting_crossings: tuple[AlertFact, ...]


class TargetFact(msgspec.Struct, frozen=True):
    """A place that alerts are sent to. ``failures``: rounds since the last success."""

    name: str
    kind: str
    enabled: bool
    failures: int


class Delivery(msgspec.Struct, frozen=True):
    """Messages of the last 30 days by what became of them."""

    targets: tuple[TargetFact, ...]
    delivered: int
    dead: int


class DrillFact(msgspec.Struct, frozen=True):
    """A drill."""

    number: str
    title: str
    detected_at: str
    closed: bool


class Cases(msgspec.Struct, frozen=True):
    """Incidents and warnings. ``late``: reports to the authority that are due and not made; ``slow``: other clocks that are over.

    unanswered  receipts and feedback of early warnings that are late
    bad_evidence  packages whose seal or custody record is not in order, of ``evidence`` that were checked
    """

    at: str
    incidents: int
    late: tuple[str, ...]
    slow: tuple[str, ...]
    drills: tuple[DrillFact, ...]
    unanswered: tuple[str, ...]
    evidence: int
    bad_evidence: tuple[str, ...]


class Playbooks(msgspec.Struct, frozen=True):
    """Acts of the audit trail. ``alone``: versions that their own author put in force, and runs that their starter approved."""

    released: int
    approvals: int
    alone: tuple[str, ...]


class Upkeep(msgspec.Struct, frozen=True):
    """Documents whose review is over, findings whose day is over, and when an assessment was kept last.

    provisional  something had no verdict then
    """

    at: str
    in_force: int
    reviews: tuple[str, ...]
    findings: int
    overdue: int
    scored_at: str
    provisional: bool
