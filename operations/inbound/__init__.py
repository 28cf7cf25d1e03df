"""Inbound webhooks: other systems raise alerts by signed messages."""
