"""Probes of Redis, over its redis.conf."""
