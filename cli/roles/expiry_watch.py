"""Looks after what ends soon: health file of the scheduler, alerts (docs/certificates.md)."""

from __future__ import annotations

import dataclasses
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kernel.config import Config
from kernel.db import Database
from kernel.event import timestamp
from operations.certificates.expiry import Expiry, expiring, expiring_files, in_order
from operations.certificates.expiry_alerts import expiry_detections, record_expiries

_SHOWN = 500
"""Entries of the health file; the alerts have them all."""


def certificate_files(config: Config) -> Iterator[tuple[str, Path]]:
    """Every file of [links] and its listeners that holds certificates or lists, and those of [certificates] watch."""
    for settings in (config.links, *config.links.listener):
        for path in (settings.certificate, settings.enc_certificate, settings.ca, settings.crl):
            if path is not None:
                yield "link", path
    for path in config.certificates.watch:
        yield "file", path


class ExpiryWatch:
    """Call it by the clock (``present`` says what it shows). An alert is recorded once for a certificate and a warning distance,
    also by the next process."""

    def __init__(self, database: Database, config: Config, present: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.found: list[Expiry] = []
        self.problems: list[str] = []
        self._database = database
        self._config = config
        self._present = present
        self._recorded: set[str] = set()

    def __call__(self) -> None:
        now, days = self._present(), self._config.certificates.warn_days
        files, self.problems = expiring_files(certificate_files(self._config), now, days)
        with self._database.read() as session:
            self.found = in_order([*expiring(session, now, days), *files])
        detections = expiry_detections(self.found, now, socket.gethostname(), days)
        fresh = [one for one in detections if one.id not in self._recorded]
        if fresh:
            with self._database.write() as session:
                record_expiries(session, fresh)
            self._recorded.update(one.id for one in fresh)

    def details(self) -> dict[str, Any]:
        """For the health file."""
        shown = [{**dataclasses.asdict(one), "not_after": timestamp(one.not_after)} for one in self.found[:_SHOWN]]
        return {"certificates": shown, "unreadable": self.problems}
