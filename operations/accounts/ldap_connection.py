"""A connection to a directory, over TLS and nothing else: the certificate is checked, referrals are not followed."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import ldap3
from ldap3.core.exceptions import LDAPStartTLSError

from kernel.errors import LiandunError


class NoTls(LiandunError):
    """The directory does not speak TLS; nothing was sent to it."""


def server_of(url: str, ca_file: Path | None, seconds: int) -> Any:
    """The directory; ``ca_file``: whose certificates are trusted instead of the system's."""
    tls = ldap3.Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=str(ca_file) if ca_file else None, version=ssl.PROTOCOL_TLS_CLIENT)
    return ldap3.Server(url, tls=tls, connect_timeout=seconds, get_info=ldap3.NONE)


def opened(server: Any, dn: str, password: str, *, start_tls: bool, seconds: int, read_only: bool) -> Any:
    """A connection that speaks TLS and is not bound yet. Raises NoTls, LDAPException, OSError."""
    connection = ldap3.Connection(
        server,
        user=dn or None,
        password=password or None,
        authentication=ldap3.SIMPLE if dn else ldap3.ANONYMOUS,
        receive_timeout=seconds,
        read_only=read_only,
        raise_exceptions=False,
        auto_referrals=False,  # a referral would carry the password to another server
    )
    connection.open()
    if not server.ssl and not (start_tls and _has_started_tls(connection)):
        connection.unbind()
        raise NoTls("the directory does not speak TLS", "use ldaps://, or give it a certificate")
    return connection


def _has_started_tls(connection: Any) -> bool:
    """False where the directory answers that it cannot; what goes wrong in the handshake raises LDAPException."""
    try:
        return bool(connection.start_tls())
    except LDAPStartTLSError:
        if (connection.result or {}).get("result"):
            return False
        raise
