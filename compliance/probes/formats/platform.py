"""What the platform says of itself: one record for each part, as JSON in the evidence (reading: compliance/probes/reading/own_*).

``at`` is when it was read; moments are @timestamp text, "" = never or not yet. Lists of examples end after MOST_NAMED.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

MOST_NAMED = 50
"""Examples that a part names; numbers beside them count all."""
DAY = 86_400


class Store(msgspec.Struct, frozen=True):
    """The event store. ``damaged``: parts that could not be read."""

    engine: str
    retention_days: int
    demo: bool
    events: int
    earliest: str
    latest: str
    damaged: tuple[str, ...]


class CollectorFact(msgspec.Struct, frozen=True):
    """A source as the ingest role tells of it."""

    name: str
    received: int
    error: str


class Sources(msgspec.Struct, frozen=True):
    """``silent``: data sets that had events in the week before, and none during the last day. ``runs``: the ingest role lives."""

    runs: bool
    collectors: tuple[CollectorFact, ...]
    speaking: tuple[str, ...]
    silent: tuple[str, ...]


class CopyFact(msgspec.Struct, frozen=True):
    """How far signed heads have got to a place outside of the database."""

    place: str
    size: int
    time: str
    error: str


class Look(msgspec.Struct, frozen=True):
    """Somebody verified or exported the audit trail."""

    time: str
    actor: str
    act: str
    result: str


class Trail(msgspec.Struct, frozen=True):
    """The audit trail. ``since``: entries up to this one were covered by a signed head already when this check began.

    problem  what is wrong with it, "" where the tree and every head came out
    """

    at: str
    size: int
    since: int
    heads: int
    problem: str
    signed_at: str
    copies: tuple[CopyFact, ...]
    looks: tuple[Look, ...]


class Person(msgspec.Struct, frozen=True):
    """An account that is there. ``unused_days`` since it was used last, or made."""

    name: str
    role: str
    active: bool
    local: bool
    factors: int
    needs_factor: bool
    invited: bool
    unused_days: int
    ended: bool


class Numbers(msgspec.Struct, frozen=True):
    """Rules of accounts that are in force; times in seconds."""

    second_factor: str
    password_length: int
    password_history: int
    password_age: int
    failures: int
    lock: int
    idle: int
    admin_idle: int
    unused: int


class People(msgspec.Struct, frozen=True):
    """Accounts. ``missing``: powers that no active account holds; ``keys``: keys of programs of people who cannot log in."""

    people: tuple[Person, ...]
    missing: tuple[str, ...]
    numbers: Numbers
    keys: tuple[str, ...]


class Backups(msgspec.Struct, frozen=True):
    """When a backup was made, opened and checked, and restored for a test last."""

    at: str
    made: str
    checked: str
    restored: str
    restored_by: str


class Clock(msgspec.Struct, frozen=True):
    """The clock of this machine, as its kernel tells."""

    synchronised: bool
    error_seconds: float


class OriginFact(msgspec.Struct, frozen=True):
    """Indicators in force of one origin."""

    name: str
    live: int
    changed_at: str


class Rules(msgspec.Struct, frozen=True):
    """Rules that the worker runs, by engine; ``failed`` could not be loaded; ``newest`` is when a rule file was written last."""

    at: str
    engines: dict[str, int]
    failed: int
    newest: dict[str, str]
    origins: tuple[OriginFact, ...]


class Keys(msgspec.Struct, frozen=True):
    """The master key. ``mode``: rights of its file, octal; ``problem``: it does not open; ``sealed``: values under it."""

    keeper: str
    mode: str
    generations: int
    problem: str
    sealed: int


class Endpoint(msgspec.Struct, frozen=True):
    """A place where the platform listens. ``sealed``: what protects it, "" = nothing."""

    name: str
    host: str
    port: int
    sealed: str
    remote: bool


class EndingFact(msgspec.Struct, frozen=True):
    """A certificate or list that ends within 30 days; ``days_left`` 0 = has ended."""

    kind: str
    place: str
    not_after: str
    days_left: int


class Links(msgspec.Struct, frozen=True):
    """Where it listens, and certificates that end."""

    endpoints: tuple[Endpoint, ...]
    ending: tuple[EndingFact, ...]
    unreadable: tuple[str, ...]


class RoleFact(msgspec.Struct, frozen=True):
    """A process of the platform."""

    name: str
    alive: bool
    problem: str


class Machine(msgspec.Struct, frozen=True):
    """Processes, disk and spool; octets."""

    roles: tuple[RoleFact, ...]
    disk_size: int
    disk_free: int
    spool: int
    spool_limit: int


def days_between(start: str, end: str) -> float:
    """Days from one moment to another."""
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds() / DAY
