"""Probes by the clock: which object is looked at by which way in, and what came of it (docs/compliance.md, Daily probes)."""
