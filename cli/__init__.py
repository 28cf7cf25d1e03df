"""Composition root: one file per command. The only room that knows all others."""
