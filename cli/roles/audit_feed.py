"""The platform's own audit trail as a source: what people do to the watchers is watched too.

Entry numbers are the offsets of one stream, so an entry that is put again after a kill is recognised and dropped.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import msgspec

from kernel.db import Database
from kernel.record import RawRecord, Sink
from operations.audit import service as audit

LOOK_SECONDS = 1.0


class AuditFeed:
    """Follows the audit trail from the checkpoint on."""

    def __init__(self, database: Database, sink: Sink, checkpoint: Path, *, source: str = "platform-audit") -> None:
        self.counters: dict[str, Any] = {"received": 0, "bytes": 0, "dropped": 0, "last_received": 0}
        self._database = database
        self._sink = sink
        self._checkpoint = checkpoint
        self._source = source
        self._stopping = threading.Event()

    def run(self) -> None:
        done = int(self._checkpoint.read_text()) if self._checkpoint.exists() else 0
        while not self._stopping.is_set():
            with self._database.read() as session:
                entries = audit.since(session, done)
            if not entries:
                self._stopping.wait(LOOK_SECONDS)
                continue
            now = time.time_ns() // 1000
            records = [
                RawRecord(self._source, "liandun-audit", now, "audit trail", msgspec.json.encode(entry), "liandun-audit", entry.id)
                for entry in entries
            ]
            self._sink.put(records)
            done = entries[-1].id
            temporary = self._checkpoint.with_suffix(".tmp")
            temporary.write_text(str(done))
            temporary.replace(self._checkpoint)
            self.counters["received"] += len(records)
            self.counters["bytes"] += sum(len(record.raw) for record in records)
            self.counters["last_received"] = now

    def stop(self) -> None:
        self._stopping.set()
