"""What an account at a cloud provider has, in the same words for each provider."""

from __future__ import annotations

import ipaddress

import msgspec

from compliance.probes.facts import Facts, Unreadable


class Rule(msgspec.Struct, frozen=True):
    """A rule of a security group that lets something in. ``low`` to ``high``: ports, -1 where the protocol has none or all."""

    group: str
    source: str
    protocol: str
    low: int
    high: int

    @property
    def from_everywhere(self) -> bool:
        """Also where the rest of the world is let in by halves: no network of one's own is wider than these."""
        if not self.source:
            return True
        try:
            network = ipaddress.ip_network(self.source, strict=False)
        except ValueError:  # another group, or a list of prefixes
            return False
        return network.prefixlen < (8 if network.version == 4 else 16)

    def shown(self) -> str:
        ports = "all ports" if self.low < 0 else f"{self.low}" if self.low == self.high else f"{self.low}-{self.high}"
        return f"{self.group}: {self.source or 'everywhere'} {self.protocol} {ports}"


class Key(msgspec.Struct, frozen=True):
    """An access key that is in use, and how old it is."""

    user: str
    name: str
    days: int


class User(msgspec.Struct, frozen=True):
    """Somebody who may log in at the console; ``factor``: with a second factor."""

    name: str
    factor: bool


class Trail(msgspec.Struct, frozen=True):
    """A record of what is done in the account. ``everything``: all regions, reads and writes; ``kept``: delivered to a store."""

    name: str
    on: bool
    everything: bool
    kept: bool


class Base(msgspec.Struct, frozen=True):
    """A managed database. None: the export does not say it."""

    id: str
    public: bool | None
    encrypted: bool | None
    backup_days: int | None


class Bucket(msgspec.Struct, frozen=True):
    """Of an object store. ``acl``: private, public-read, public-read-write; ``encryption``: algorithm, "" = none."""

    name: str
    acl: str
    encryption: str


def rules(facts: Facts) -> list[Rule]:
    """Raises Unreadable."""
    return facts.rows("rules", list[Rule])


def bases(facts: Facts) -> list[Base]:
    """Raises Unreadable."""
    return facts.rows("databases", list[Base])


def buckets(facts: Facts) -> list[Bucket]:
    """Raises Unreadable."""
    return facts.rows("buckets", list[Bucket])


def said(value: bool | int | None, base: Base, what: str) -> bool | int:
    """What the export says. Raises Unreadable where it does not."""
    if value is None:
        raise Unreadable(f"the export does not say {what} of {base.id}", f"导出文件没有 {base.id} 的相应内容")
    return value
