"""The draft of a Sigma rule finds in our own engine what the query finds, and pySigma reads it."""

from __future__ import annotations

from pathlib import Path

from detectors.sigma.engine import SigmaEngine
from kernel.event import Event
from kernel.query import matches, parse_query

EVENTS: list[Event] = [
    {"host.name": "WS1", "process.name": "powershell.exe", "process.command_line": "powershell -enc SQBFAFg=", "process.pid": 44},
    {
        "host.name": "ws2",
        "process.name": "cmd.exe",
        "process.executable": r"C:\Windows\System32\cmd.exe",
        "user.name": "svc_backup",
    },
    {"host.name": "srv", "source.ip": "10.1.2.3", "destination.ip": "2001:db8::7", "destination.port": 502},
    {"host.name": "srv", "source.ip": "192.0.2.9", "destination.port": 22, "message": "Failed password for root from 192.0.2.9"},
    {"host.name": "a*b", "file.path": r"C:\a*b\what?.txt", "user.name": "root"},
    {"user.name": "操作员甲", "message": "登录失败 100%", "event.outcome": "failure"},
    {},
]
for _number, _event in enumerate(EVENTS):
    _event |= {"@timestamp": "2026-11-23T04:00:00.000000Z", "event.id": f"e{_number}", "event.dataset": "demo.log"}


def found_by_rule(draft: str, folder: Path) -> list[str]:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "draft.yml").write_text(draft, "utf-8")
    engine, failures = SigmaEngine.load([folder])
    assert not failures
    return sorted({event_id for detection in engine.detect(EVENTS) for event_id in detection.event_ids})


def found_by_query(text: str) -> list[str]:
    query = parse_query(text)
    return [event["event.id"] for event in EVENTS if matches(query, event)]
