"""Zones and conduits: the plan of the city as people keep it, and the snapshot that workers look things up in."""
