"""Sigma rules of playbooks, looked for in the event store: one hunt at a time, for each reads much."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import msgspec

from detectors.sigma.hunt import Hunt
from kernel.errors import StoreError
from kernel.store.contract import EventStore, TimeRange

_TURN = 0.5
"""Seconds after which one that waits for its turn asks whether it may go on."""
_compiled = lru_cache(maxsize=32)(Hunt)


class SigmaHunt:
    """``playbooks.actions.sigma.RuleHunt``. Without a store it only says whether rules are right."""

    def __init__(self, opened: Callable[[], EventStore] | None = None) -> None:
        """``opened`` opens the store when it is first needed, for reading; raises StoreError."""
        self._opened = opened
        self._store: EventStore | None = None
        self._turn = threading.Lock()

    def titles(self, rule: str) -> list[str]:
        """Raises RuleError."""
        return _compiled(rule).titles

    def find(self, rule: str, start: str, end: str, go_on: Callable[[], object]) -> Mapping[str, Any]:
        """Raises RuleError, StoreError, QueryError, and what ``go_on`` raises."""
        hunt = _compiled(rule)
        if self._opened is None:
            raise StoreError("there is no event store here", "run the playbook in the platform")
        while not self._turn.acquire(timeout=_TURN):
            go_on()
        try:
            self._store = self._store or self._opened()
            found = hunt.run(self._store, TimeRange(start, end), go_on)
        finally:
            self._turn.release()
        return msgspec.structs.asdict(found)

    def close(self) -> None:
        """Close the store."""
        if self._store is not None:
            self._store.close()
