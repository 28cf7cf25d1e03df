"""What is to be sent: a record that knows how to write itself once its moment is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

Build = Callable[[datetime], bytes]
"""Moment (with zone) → the bytes of one record."""


class Route(Enum):
    """How a record reaches the platform."""

    TCP = "syslog over TCP"
    UDP = "syslog over UDP"
    JSON = "line of the watched JSON file"
    PCAP = "file in the watched pcap folder"


@dataclass(frozen=True, slots=True)
class Step:
    """What an intruder does: in which attack, to which asset in which zone, by which technique (MITRE ATT&CK id).

    run  number of the attack's repetition, so that two of the same kind are not mixed up
    """

    chain: str
    name: str
    zone: str = ""
    asset: str = ""
    technique: str = ""
    run: int = 0


@dataclass(frozen=True, slots=True)
class Planned:
    """One record of the plan.

    after    demo seconds after the start of its plan
    step     None: a normal day's record
    expects  names of the rules that this record (or it with those before it) makes fire, see ``chains.expected``
    """

    after: float
    route: Route
    build: Build
    step: Step | None = None
    expects: tuple[str, ...] = field(default=())
