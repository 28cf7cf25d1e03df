"""The secret store of playbooks: they name a secret, it is sealed here (docs/playbooks.md, Secrets)."""
