"""The zone map, zones, conduits and the plan as a file."""
