"""The hunt page: one query over all stored events."""
