"""The two attacks of the demo. Commands are shaped like real ones and lead nowhere: all addresses and names are reserved ones."""

from __future__ import annotations

import random
from collections.abc import Callable

from demo.chains.phishing import phishing
from demo.chains.portal import portal
from demo.city import City
from demo.plan import Planned

CHAINS: tuple[Callable[[City, random.Random], list[Planned]], ...] = (phishing, portal)
"""They take turns; each is different in hosts and addresses every time, the same for the same seed."""
