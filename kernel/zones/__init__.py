"""Security zones: the plan people write, the table workers look things up in, and what both add to events.

A *zone* is a set of address ranges, VLANs and sensors with one owner and one importance; a *conduit* says which services may cross
from which zones into which, until when and why (IEC 62443-3-2 zones and conduits; GB/T 22239-2019 8.1.2.1 c-d, 8.1.3.1 boundary
protection, 8.1.3.2 access control). What no conduit permits is denied.
"""

from kernel.zones.plan import Asset, Conduit, Zone, ZonePlan
from kernel.zones.table import ZoneTable

__all__ = ["Asset", "Conduit", "Zone", "ZonePlan", "ZoneTable"]
