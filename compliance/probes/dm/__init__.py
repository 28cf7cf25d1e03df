"""Probes of DM 8, over what dm_export.sql printed."""
