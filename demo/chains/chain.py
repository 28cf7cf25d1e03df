"""What an attack of the demo is made of: records in order, each with the rules that must fire on it (the ground truth)."""

from __future__ import annotations

from demo.chains.expected import RULES
from demo.city import Host
from demo.plan import Build, Planned, Route, Step

LOOT, LOOT6 = "203.0.113.66", "2001:db8:bad::66"
"""Where the intruder's server would be (RFC 5737, RFC 3849)."""


class Chain:
    """Collects the records of one attack in order; ``wait`` moves its clock."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.records: list[Planned] = []
        self._clock = 0.0
        self._step = Step(name, "")

    def step(self, name: str, wait: float, asset: Host, technique: str) -> None:
        """The next step of the attack starts ``wait`` seconds after the last record; ``asset`` is what it is done to."""
        self._step = Step(self.name, name, asset.zone, asset.name.lower(), technique)
        self._clock += wait

    def send(self, route: Route, build: Build, *expects: str, gap: float = 0.4) -> None:
        """One record, and the clock moves on by ``gap`` seconds."""
        unknown = set(expects) - RULES.keys()
        if unknown:
            raise KeyError(f"no such rule: {sorted(unknown)}")
        self.records.append(Planned(self._clock, route, build, self._step, expects))
        self._clock += gap
