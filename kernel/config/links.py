"""[links]: links between hosts, always with certificates on both sides."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from kernel.config.mistakes import Mistakes
from kernel.config.names import is_name


class LinkListener(msgspec.Struct, forbid_unknown_fields=True):
    """[[links.listener]] — a protected input. See docs/links.md.

    kind    syslog (RFC 5425) or https (JSON lines, ECS bulk, forwarders)
    suite   domestic (RFC 8998), classic (TLS 1.3 with foreign algorithms, shown red) or tlcp (GB/T 38636)
    peers   names of certificates that may send; none = every one of the CA
    others  as in [links], for this listener only
    """

    id: str
    kind: Literal["syslog", "https"]
    port: int
    host: str = "::"
    suite: Literal["domestic", "classic", "tlcp"] = "domestic"
    peers: list[str] = []
    certificate: Path | None = None
    key: Path | None = None
    ca: Path | None = None
    crl: Path | None = None
    enc_certificate: Path | None = None
    enc_key: Path | None = None


class Links(msgspec.Struct, forbid_unknown_fields=True):
    """[links] — links between hosts, always with certificates on both sides.

    certificate, key, ca, crl  PEM files of this host, used by every listener that has none of its own, and by ``forward``
    enc_certificate, enc_key   the second pair, for TLCP
    max_connections            per listener; per_address of them from one address
    max_handshakes             at the same time; each within handshake_seconds
    idle_seconds               without a byte before a link is closed
    """

    listener: list[LinkListener] = []
    certificate: Path | None = None
    key: Path | None = None
    ca: Path | None = None
    crl: Path | None = None
    enc_certificate: Path | None = None
    enc_key: Path | None = None
    max_connections: int = 500
    per_address: int = 64
    max_handshakes: int = 32
    handshake_seconds: float = 10.0
    idle_seconds: float = 3600.0


def check_links(links: Links, mistakes: Mistakes) -> None:
    seen: set[str] = set()
    for index, listener in enumerate(links.listener):
        key = f"links.listener.{index}"
        if not is_name(listener.id) or listener.id in seen:
            mistakes.add(f"{key}.id", f"{listener.id!r}: a name of its own, of lower-case letters, digits, - and _")
        seen.add(listener.id)
        if not 1 <= listener.port <= 65535:
            mistakes.add(f"{key}.port", f"{listener.port} is no port (1 to 65535)")
        needed = ["certificate", "key", "ca"] + (["enc_certificate", "enc_key"] if listener.suite == "tlcp" else [])
        for name in needed:
            if getattr(listener, name) is None and getattr(links, name) is None:
                mistakes.add(f"{key}.{name}", f"is needed for {listener.suite}, here or in [links]: a PEM file (docs/links.md)")
    for name in ("max_connections", "per_address", "max_handshakes"):
        if getattr(links, name) < 1:
            mistakes.add(f"links.{name}", "must be at least 1")
    for name in ("handshake_seconds", "idle_seconds"):
        if getattr(links, name) <= 0:
            mistakes.add(f"links.{name}", "must be more than 0")
