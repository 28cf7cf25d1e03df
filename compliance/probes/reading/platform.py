"""This platform, as a target: what its own services, configuration and processes say. Nothing is changed.

Each part is read in a transaction of its own: what cannot be read is an error for the probes that need it, and for no other.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import closing
from dataclasses import dataclass

import msgspec
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from compliance.probes.contract import Source
from compliance.probes.facts import Part
from compliance.probes.reading import own_alerts, own_events, own_machine, own_plan, own_trail, own_upkeep
from kernel.config import Config
from kernel.db import Database
from kernel.errors import LiandunError
from kernel.layout import Layout
from kernel.programs.time_left import TimeLeft
from kernel.store.contract import EventStore
from kernel.store.open import open_store
from kernel.system_clock import ClockState, clock_state
from operations import clock
from operations.accounts.schema import Policy
from operations.audit.head_file import HeadFile


@dataclass(frozen=True)
class Platform:
    """``policy``: the rules of accounts as configured; ``kernel_clock`` what the kernel says of the clock."""

    database: Database
    config: Config
    policy: Policy
    name: str = "platform"
    sources: tuple[Source, ...] = ("platform",)
    kernel_clock: Callable[[], ClockState | None] = clock_state

    def read(self, parts: Collection[str], time_left: TimeLeft) -> Mapping[str, Part]:
        """Part by part, until the time is over (then it raises what ``time_left`` does)."""
        found = {}
        for name in PARTS:
            if name in parts:
                time_left.left()
                found[name] = self._part(name)
        return found

    def _part(self, name: str) -> Part:
        ask, how = PARTS[name]
        try:
            return Part(msgspec.json.encode(ask(self)).decode(), how=how)
        except (LiandunError, SQLAlchemyError, OSError, ValueError) as error:
            told = error.message if isinstance(error, LiandunError) else str(getattr(error, "orig", None) or error)
            return Part("", " ".join(told.split())[:300] or type(error).__name__, how)

    def asked(self, ask: Callable[[Session, str], object]) -> object:
        """In a read transaction of its own, at this moment."""
        with self.database.read() as session:
            return ask(session, clock.now())

    def stored(self, ask: Callable[[EventStore], object]) -> object:
        """Of the event store, opened for reading."""
        with closing(open_store(self.config, writable=False)) as store:
            return ask(store)

    @property
    def layout(self) -> Layout:
        """Where its files are."""
        return Layout(self.config.data_dir)


PARTS: dict[str, tuple[Callable[[Platform], object], str]] = {
    "plan": (lambda one: one.asked(own_plan.plan), "./liandun zones export"),
    "inventory": (lambda one: one.asked(own_plan.inventory), "console, Assets"),
    "queue": (lambda one: one.asked(own_alerts.queue), "console, Alerts: new, oldest first"),
    "delivery": (lambda one: one.asked(own_alerts.delivery), "console, Platform: webhooks and their log"),
    "cases": (lambda one: one.asked(own_alerts.cases), "console, Incidents: overdue, drills; Warnings: overdue"),
    "playbooks": (lambda one: one.asked(own_alerts.playbooks), "console, Audit: playbook.release, playbook.approve"),
    "trail": (
        lambda one: one.asked(lambda session, now: own_trail.trail(session, now, HeadFile(one.layout.audit_heads).read())),
        "./liandun audit verify; ./liandun audit heads",
    ),
    "people": (
        lambda one: one.asked(lambda session, now: own_trail.people(session, now, one.policy)),
        "console, Accounts; [accounts] of the configuration",
    ),
    "backups": (lambda one: one.asked(own_trail.backups), "console, Audit: backup.create, backup.verify, backup.restored"),
    "store": (lambda one: one.stored(lambda store: own_events.store(store, one.config)), "./liandun store statistics; [store]"),
    "sources": (
        lambda one: one.stored(lambda store: own_events.sources(store, one.layout, clock.now())),
        "console, Sources; Search: count by event.dataset",
    ),
    "rules": (
        lambda one: one.asked(lambda session, now: own_events.rules(session, one.config, one.layout, now)),
        "console, Rules and Indicators",
    ),
    "machine": (lambda one: own_machine.machine(one.config, one.layout), "console, Platform; df"),
    "clock": (lambda one: own_machine.clock(one.kernel_clock()), "chronyc tracking; timedatectl"),
    "keys": (
        lambda one: one.asked(lambda session, _: own_machine.keys(session, one.config, one.layout)),
        "./liandun secrets status",
    ),
    "links": (
        lambda one: one.asked(lambda session, now: own_machine.links(session, one.config, now)),
        "[links], [ingest.syslog] and [console] of the configuration; console, Platform: certificates",
    ),
    "upkeep": (lambda one: one.asked(own_upkeep.upkeep), "console, Compliance: documents, findings, trend of the score"),
}
"""Name of a part → how it is read, and how a person sees the same."""
