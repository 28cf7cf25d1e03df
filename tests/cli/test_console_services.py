"""cli/console_services.py: what roles say of themselves, as the console shows it."""

from __future__ import annotations

from pathlib import Path

from cli.console_services import RulesAndRefusals
from kernel.health import HealthFile
from kernel.layout import Layout
from soc_ui.services import RuleFailure


def test_rules_that_a_sensor_refused_stand_among_those_that_could_not_be_loaded(tmp_path: Path) -> None:
    layout = Layout(tmp_path).create()
    rules = RulesAndRefusals(layout)
    assert rules().failures == ()
    line = "/srv/rules/a b.rules:12: sid 2000123: unknown rule keyword 'x: y'."
    sources = {"mirror": {"problems": [line]}, "captures": {"problems": [line]}, "syslog": {}}
    HealthFile(layout.health, "ingest").write({"sources": sources})
    assert list(rules().failures) == [
        RuleFailure("/srv/rules/a b.rules", 12, "Suricata: sid 2000123: unknown rule keyword 'x: y'.")
    ]
