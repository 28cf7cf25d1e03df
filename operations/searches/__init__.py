"""Searches that are kept: saved under a name, shared within a scope, run by the clock."""
