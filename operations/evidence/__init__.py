"""Evidence: a sealed payload with the signed record of everybody who held it (docs/evidence.md)."""
