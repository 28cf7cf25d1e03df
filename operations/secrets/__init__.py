"""Sealed secrets as a whole: where they lie, and how the master key changes without losing one (docs/secrets.md)."""
