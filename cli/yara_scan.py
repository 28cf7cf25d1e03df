"""YARA rules of playbooks, looked for in files: one scan at a time, in a process of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import lru_cache

import msgspec

from detectors.yara_apart import names_apart, scan_apart
from playbooks.actions.yara import RuleMatches

_TURN = 0.5
"""Seconds after which one that waits for its turn asks whether it may go on."""
_names = lru_cache(maxsize=32)(names_apart)


class YaraScan:
    """``playbooks.actions.yara.RuleScan``."""

    def __init__(self) -> None:
        self._turn = threading.Lock()

    def names(self, rules: str) -> list[str]:
        """Raises RuleError."""
        return _names(rules)

    def scan(self, rules: str, files: Sequence[tuple[str, bytes]], seconds: float, go_on: Callable[[], object]) -> RuleMatches:
        """Raises RuleError, StoreError, and what ``go_on`` raises."""
        while not self._turn.acquire(timeout=_TURN):
            go_on()
        try:
            looked = scan_apart(rules, files, seconds, go_on)
        finally:
            self._turn.release()
        return msgspec.convert({"matches": looked.matches, "failed": looked.failed}, RuleMatches, from_attributes=True)
