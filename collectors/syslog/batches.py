"""How records are put together for the spool."""

BATCH = 1000
"""Records of one batch at most."""

GATHER = 0.02
"""Seconds that a small batch waits for company, so that one fsync serves many records."""
