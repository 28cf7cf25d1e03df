"""Triggers: what starts playbooks by itself, how often, and what it gives them (docs/playbooks.md, Triggers)."""
