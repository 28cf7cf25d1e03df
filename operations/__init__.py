"""The domain: accounts, audit, alerts, webhooks. Each folder holds models (tables), service (the rules), schema (API)."""
