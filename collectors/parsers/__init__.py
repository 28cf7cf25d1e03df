"""Raw records → ECS events: one file per format, found by name in ``PARSERS``."""

from __future__ import annotations

from typing import Final

from collectors.parsers import auditd, evtx_record, json_records, liandun_audit, suricata_eve, syslog, text, web_access
from kernel.record import Parser

PARSERS: Final[dict[str, Parser]] = {
    "evtx": evtx_record.parse,
    "json": json_records.parse,
    "eve": suricata_eve.parse,
    "file-stored": suricata_eve.parse_stored,
    "syslog": syslog.parse,
    "auditd": auditd.parse,
    "web-access": web_access.parse,
    "text": text.parse,
    "liandun-audit": liandun_audit.parse,
}
"""Format name of a RawRecord → parser. Each returns at least one event or raises ParseError."""
