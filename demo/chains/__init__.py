"""The attacks of the demo. Commands are shaped like real ones and lead nowhere: all addresses and names are reserved ones."""

from __future__ import annotations

import random
from collections.abc import Callable

from demo.chains.camera import camera
from demo.chains.controller import controller
from demo.chains.insider import insider
from demo.chains.ipv6_only import ipv6_only
from demo.chains.mining import mining
from demo.chains.phishing import phishing
from demo.chains.portal import portal
from demo.chains.rogue import rogue
from demo.city import City
from demo.plan import Planned

CHAINS: dict[str, Callable[[City, random.Random], list[Planned]]] = {
    "phishing": phishing,
    "portal": portal,
    "rogue": rogue,
    "camera": camera,
    "controller": controller,
    "insider": insider,
    "mining": mining,
    "ipv6": ipv6_only,
}
"""By name, in the order in which they come first; hosts and addresses differ every time, and are the same for the same seed."""
