"""Probes of this platform: how it is set up, watched and kept, by its own word."""
