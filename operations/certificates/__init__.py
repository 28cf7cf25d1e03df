"""Authorities and the certificates they issued (docs/certificates.md)."""
