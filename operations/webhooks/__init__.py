"""Signed HTTP notifications of new alerts (Standard Webhooks), delivered from an outbox."""
