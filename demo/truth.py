"""The ground truth: what was really done, beside what is sent, so that a test or a person can compare it with the alerts."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from demo.chains.expected import RULES
from demo.plan import Planned
from kernel.event import timestamp


class GroundTruth:
    """A file of JSON lines, one for each record of an attack; ``report`` is told of each new step."""

    def __init__(self, file: Path | None, report: Callable[[str], None]) -> None:
        self._report = report
        self._last: tuple[str, str] = ("", "")
        self._file = None
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._file = file.open("a", encoding="utf-8")

    def note(self, moment: datetime, planned: Planned) -> None:
        """Keep a record of an attack; benign ones are not written down."""
        step = planned.step
        if step is None:
            return
        if (step.chain, step.name) != self._last:
            self._last = (step.chain, step.name)
            self._report(f"attack {step.chain}: {step.name} ({step.zone}, {step.asset}, {step.technique})")
        if self._file is None:
            return
        rules = [RULES[name] for name in planned.expects]
        line = {
            "chain": step.chain,
            "run": step.run,
            "step": step.name,
            "time": timestamp(moment),
            "zone": step.zone,
            "asset": step.asset,
            "technique": step.technique,
            "route": planned.route.value,
            "expected": [rule.id for rule in rules],
            "engines": sorted({rule.engine for rule in rules}),
        }
        self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
        self._file.flush()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
