"""[audit]: signed heads of the audit trail."""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec

from kernel.config.mistakes import Mistakes


class Audit(msgspec.Struct, forbid_unknown_fields=True):
    """[audit] — signed heads of the audit trail, and where they are kept besides this machine. See docs/audit-log.md.

    head_seconds  how often a head is signed, if the trail has grown
    syslog        ``udp://``, ``tcp://`` or ``tls://host[:port]`` that heads are sent to (RFC 5424); "" = none
    webhook       name of a webhook target that heads are sent to; "" = none
    """

    head_seconds: int = 300
    syslog: str = ""
    webhook: str = ""


def check_audit(audit: Audit, mistakes: Mistakes) -> None:
    if not 1 <= audit.head_seconds <= 86_400:
        mistakes.add("audit.head_seconds", f"{audit.head_seconds} is not between 1 and 86400")
    if not audit.syslog:
        return
    try:
        parts = urlsplit(audit.syslog)
        sound = parts.scheme in ("udp", "tcp", "tls") and bool(parts.hostname) and parts.port != 0 and not parts.path.strip("/")
    except ValueError:
        sound = False
    if not sound:
        mistakes.add(
            "audit.syslog", f"{audit.syslog!r}: write udp://HOST:PORT, tcp://HOST:PORT or tls://HOST:PORT, IPv6 in brackets"
        )
