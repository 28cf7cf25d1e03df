"""Administration: the audit trail, API keys, webhooks."""
