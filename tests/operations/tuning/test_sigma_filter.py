"""Exceptions as Sigma filters: loaded by pySigma, and silencing the rule in our own engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sigma.collection import SigmaCollection
from sigma.filters import SigmaFilter

from detectors.sigma.engine import SigmaEngine
from kernel.rule_tuning.condition import Condition, Conditions
from operations.errors import Invalid
from operations.tuning.schema import MeasureRecord
from operations.tuning.sigma_filter import sigma_filter

RULE = r"""title: Encoded command
id: ca2092a1-c273-4878-9b4b-0d60115bf5ea
status: test
description: d
author: a
date: 2026-01-01
level: high
logsource:
    product: windows
    category: process_creation
detection:
    selection:
        process.command_line|contains: ' -enc'
    condition: selection
"""


def exception(*conditions: Condition) -> MeasureRecord:
    return MeasureRecord(
        id=7,
        kind="exception",
        state="active",
        rule_id="ca2092a1-c273-4878-9b4b-0d60115bf5ea",
        rule_name="编码命令: 'x'",
        level="high",
        conditions=conditions,
        reason="备份代理 runs it: daily",
        owner="lin",
        expires_at=None,
        source_alert=None,
        proposer_id=1,
        proposed_by="lin",
        proposed_at="2026-11-26T00:00:00.000000Z",
        decided_by="an",
        decided_at=None,
        decision="",
        true_positives=0,
        ended_by="",
        ended_at=None,
        ending="",
        version=2,
    )


CASES = [
    (Condition("host.name", "equals", "BACKUP-01"), "backup-01", "web1"),
    (Condition("user.name", "equals", "svc*"), "svc*", "svcx"),
    (Condition("process.executable", "equals", r"\\srv\tools\a.exe"), r"\\srv\tools\a.exe", r"\srv\tools\a.exe"),
    (Condition("process.executable", "wildcard", r"C:\Backup\*"), r"C:\Backup\agent.exe", r"C:\Other\agent.exe"),
    (Condition("process.executable", "wildcard", r"\\srv\*\a?.exe"), r"\\srv\x\ab.exe", r"\srv\x\ab.exe"),
    (Condition("source.ip", "cidr", "10.21.0.0/16"), "10.21.3.4", "10.22.3.4"),
    (Condition("source.ip", "cidr", "2001:db8::/32"), "2001:db8::1", "2001:db9::1"),
]


@pytest.mark.parametrize(("condition", "hidden", "shown"), CASES)
def test_the_filter_silences_what_the_exception_hides(tmp_path: Path, condition: Condition, hidden: str, shown: str) -> None:
    text = sigma_filter(exception(condition), "sigma", RULE)
    (tmp_path / "rule.yml").write_text(RULE, "utf-8")
    (tmp_path / "filter.yml").write_text(text, "utf-8")
    engine = SigmaEngine.load([tmp_path])
    assert not engine.failures
    for value, expected in ((hidden, 0), (shown, 1)):
        event: dict[str, Any] = {
            "@timestamp": "2026-11-26T00:00:00.000000Z",
            "event.id": value,
            "event.dataset": "windows.sysmon",
            "winlog.channel": "Microsoft-Windows-Sysmon/Operational",
            "winlog.event_id": "1",
            "process.command_line": "powershell -enc AAAA",
            condition.field: value,
        }
        assert len(engine.process([event])) == expected, value
        assert Conditions((condition,)).hold(event, {}) is (expected == 0)


def test_pysigma_loads_it_and_puts_it_to_the_rule() -> None:
    conditions = (*(case[0] for case in CASES[:2]), Condition("host.name", "wildcard", "b*"), CASES[5][0])
    text = sigma_filter(exception(*conditions), "sigma", RULE)
    loaded = SigmaFilter.from_yaml(text)
    assert loaded.title == "Exception 7 of 编码命令: 'x'"
    assert [one.reference for one in loaded.filter.rules] == ["ca2092a1-c273-4878-9b4b-0d60115bf5ea"]  # type: ignore[union-attr]
    both = SigmaCollection.from_yaml(f"{RULE}---\n{text}")
    both.apply_filters([one for one in both.rules if isinstance(one, SigmaFilter)]) if hasattr(both, "apply_filters") else None
    assert not both.errors
    rule = loaded.apply_on_rule(SigmaCollection.from_yaml(RULE).rules[0])  # type: ignore[arg-type]
    [parsed] = rule.detection.parsed_condition  # type: ignore[union-attr]
    assert "not" in parsed.condition
    assert parsed.parse()


@pytest.mark.parametrize(
    ("engine", "text", "told"),
    [
        ("yara", RULE, "Sigma rule"),
        ("sigma", "a: [", "cannot be read"),
        ("sigma", "title: x\n", "no logsource"),
        ("sigma", "", "no log"),
    ],
)
def test_what_cannot_be_a_filter_is_refused(engine: str, text: str, told: str) -> None:
    with pytest.raises(Invalid, match=told):
        sigma_filter(exception(CASES[0][0]), engine, text)
