"""Probes on directories (LDAP, RFC 4511), by LDAP itself."""
