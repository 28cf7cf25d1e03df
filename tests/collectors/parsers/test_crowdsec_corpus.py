"""Real logs of servers and devices against the values that CrowdSec's own parsers extract (``parser.assert``)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from collectors.files import line_format
from collectors.parsers import PARSERS
from kernel.event import Event, conform
from kernel.record import RawRecord

RECEIVED = 1_795_400_000_000_000
ASSERTED = re.compile(r'(?:\.Evt\.Meta\["|GetMeta\(")(source_ip|target_user|user|username|http_verb|http_status)"[\])] == "(.*)"$')
FIELDS = {
    "source_ip": ("source.ip",),
    "target_user": ("user.name", "user.target.name"),
    "user": ("user.name",),
    "username": ("user.name",),
    "http_verb": ("http.request.method",),
    "http_status": ("http.response.status_code",),
}
PRODUCTS = [
    "apache2-logs",
    "asterisk-syslogs",
    "caddy-logs",
    "dovecot-logs",
    "harbor-bf",
    "iptables-logs",
    "k8s-audit-priv-pod-file",
    "keycloak-bf",
    "modsecurity",
    "mssql-text-logs",
    "nginx-http-generic-bf",
    "nginx-http-malformed",
    "pf-logs",
    "pgsql-logs",
    "postfix-logs",
    "proftpd-bf",
    "proftpd-user-enum",
    "smb-bf",
    "ssh-generic-test",
    "ssh-slow-bf",
    "sshd-bad-keyexchange-bf",
    "sshd-success-logs",
    "suricata-eve-detect",
    "suricata-logs-evelog",
    "windows-bf",
]


def events_of(folder: Path) -> list[Event]:
    events: list[Event] = []
    for file in sorted(folder.glob("*.log")):
        for line in file.read_bytes().splitlines():
            if line.strip():
                kind = line_format(line)
                kind = "syslog" if kind == "text" else kind
                events += [
                    conform(event, RECEIVED, {}) for event in PARSERS[kind](RawRecord("test", kind, RECEIVED, str(file), line))
                ]
    return events


@pytest.mark.parametrize("product", PRODUCTS)
def test_same_values_as_crowdsec(shared: Path, product: str) -> None:
    folder = shared / "corpora" / "logs" / "crowdsec-hub" / product
    events = events_of(folder)
    told = next(path for path in (folder / "parser.assert", folder / "scenario.assert") if path.exists())
    asserted = {
        (match[1], match[2].encode().decode("unicode_escape"))
        for line in told.read_text("utf-8").splitlines()
        if (match := ASSERTED.search(line)) and match[2] not in ("", "-")
    }
    missing = [
        (name, value)
        for name, value in sorted(asserted)
        if not any(str(event.get(field)) == value for event in events for field in FIELDS[name])
    ]
    assert asserted
    assert not missing


def test_every_line_of_the_hub_gives_an_event(shared: Path) -> None:
    folders = [path for path in (shared / "corpora" / "logs" / "crowdsec-hub").iterdir() if path.is_dir()]
    events = [event for folder in folders for event in events_of(folder)]
    assert len(events) > 400
    assert all(event["event.original"] and event["event.dataset"] for event in events)


def test_brute_force_lines_are_failed_logins(shared: Path) -> None:
    events = events_of(shared / "corpora" / "logs" / "crowdsec-hub" / "ssh-slow-bf")
    assert {event["event.outcome"] for event in events} == {"failure"}
    assert {event["event.dataset"] for event in events} == {"linux.auth"}
    assert {event["user.name"] for event in events} == {"hadoop"}
