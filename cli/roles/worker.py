"""The worker role: the pipeline. The only process that writes to the event store."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.exc import OperationalError

from cli.roles.health import tell_health
from cli.roles.process import stop_event
from cli.roles.upkeep import Upkeep
from cli.ruleset import RuleSet, fingerprint, load_ruleset, write_catalogue
from collectors.parsers import PARSERS
from collectors.parsers.clock import Clock
from kernel.config import Config
from kernel.db import Database, open_database, upgrade
from kernel.detection import Detection
from kernel.errors import StateUnavailable, StoreError
from kernel.event import Event
from kernel.indicators.index import IndexSource
from kernel.layout import Layout
from kernel.pipeline import Pipeline
from kernel.rule_tuning.screen import Screen
from kernel.rule_tuning.snapshot import TuningSource
from kernel.spool import SpoolReader
from kernel.store.open import open_store
from kernel.zones.enrich import ZoneEnricher
from kernel.zones.sightings import Inventory, Sighting
from kernel.zones.snapshot import ZoneSource
from operations.alerts.service import record_detections
from operations.assets.inventory import record_sightings, record_singly

log = logging.getLogger("liandun.worker")

PUBLISH_BATCH = 250
RULES_LOOK_SECONDS = 5.0


class Publisher:
    """Detections → alerts, in transactions small enough for others to write in between."""

    def __init__(self, database: Database, window_seconds: float) -> None:
        self._database = database
        self._window = window_seconds

    def __call__(self, detections: Sequence[Detection]) -> None:
        for start in range(0, len(detections), PUBLISH_BATCH):
            try:
                with self._database.write() as session:
                    record_detections(session, detections[start : start + PUBLISH_BATCH], window=self._window)
            except OperationalError as error:  # like StateUnavailable (full disk, locked, away): the pipeline waits and tries again
                raise StoreError(f"the state database cannot be written: {error.orig}") from error


class AssetWitness:
    """Devices that events show → inventory."""

    def __init__(self, database: Database, zones: ZoneSource) -> None:
        self._database = database
        self._inventory = Inventory(zones)

    def __call__(self, events: Sequence[Event]) -> Callable[[], None] | None:
        sightings = self._inventory.sightings(events)
        return (lambda: self._write(sightings)) if sightings else None

    def _write(self, sightings: list[Sighting]) -> None:
        """Raises StoreError while the database is away; at the end what the last sighting that cannot be written raised."""
        failed: Exception | None = None
        for start in range(0, len(sightings), PUBLISH_BATCH):
            batch = sightings[start : start + PUBLISH_BATCH]
            try:
                failed = self._write_batch(batch) or failed
            except OperationalError as error:
                raise StoreError(f"the state database cannot be written: {error.orig}") from error
        if failed is not None:
            raise failed

    def _write_batch(self, batch: list[Sighting]) -> Exception | None:
        try:
            with self._database.write() as session:
                record_sightings(session, batch)
        except (StateUnavailable, OperationalError):
            raise
        except Exception:  # one of them cannot be written; the others shall be
            with self._database.write() as session:
                return record_singly(session, batch)
        return None


class RuleReload(threading.Thread):
    """Loads rules again, beside the running pipeline, when a rule file has changed; ``fresh`` holds them until they are taken."""

    def __init__(self, config: Config, loaded: RuleSet, zones: ZoneSource, indicators: IndexSource) -> None:
        super().__init__(name="rule-reload", daemon=True)
        self._zones = zones
        self._indicators = indicators
        self.fresh: RuleSet | None = None
        self._config = config
        self._known = loaded.fingerprint

    def run(self) -> None:
        while True:
            time.sleep(RULES_LOOK_SECONDS)
            try:
                if fingerprint(self._config) != self._known:
                    ruleset = load_ruleset(self._config, self._zones, self._indicators)
                    self._known = ruleset.fingerprint
                    self.fresh = ruleset
            except Exception:  # the rules in use stay in use; the log and the rules page say what is wrong
                log.exception("rules could not be reloaded")


class Worker:
    """The pipeline with its upkeep."""

    def __init__(self, config: Config) -> None:
        self.layout = Layout(config.data_dir)
        self.database = open_database(self.layout.state_url)
        upgrade(self.database)
        self.store = open_store(config, writable=True)
        self.zones = ZoneSource(self.layout.zones)
        self.tuning = TuningSource(self.layout.rule_tuning)
        self.indicators = IndexSource(self.layout.indicators)
        self.ruleset = load_ruleset(config, self.zones, self.indicators)
        write_catalogue(self.ruleset, self.layout.catalogue)
        self.reader = SpoolReader(self.layout.spool)
        self.pipeline = Pipeline(
            self.reader,
            self.store,
            parsers=PARSERS,
            detectors=self.ruleset.detectors,
            publish=Publisher(self.database, config.alerts.window_minutes * 60.0),
            enrichers=[ZoneEnricher(self.zones)],
            screen=Screen(self.tuning),
            witnesses=[AssetWitness(self.database, self.zones)],
        )
        Clock.zone = ZoneInfo(config.ingest.time_zone)
        self.upkeep = Upkeep(self.store, config.store.retention_days)
        self._reload = RuleReload(config, self.ruleset, self.zones, self.indicators)

    def run(self, stop: threading.Event) -> None:
        self._reload.start()
        threading.Thread(target=self.upkeep.run, args=(stop,), name="upkeep", daemon=True).start()
        self.pipeline.run(stop, after_batch=self._take_fresh_rules)

    def _take_fresh_rules(self) -> None:
        if (fresh := self._reload.fresh) is not None:
            self._reload.fresh = None
            self.pipeline.replace_detectors(fresh.detectors)
            self.ruleset = fresh
            write_catalogue(fresh, self.layout.catalogue)
            log.info("rules reloaded: %d in use, %d could not be loaded", len(fresh.catalogue.rules), len(fresh.catalogue.failures))

    def problem(self) -> str:
        return self.pipeline.problem or self.upkeep.problem

    def details(self) -> dict[str, Any]:
        return {
            "position": self.pipeline.position,
            "waiting_bytes": self.reader.waiting_bytes(self.pipeline.position),
            "last_commit": self.pipeline.last_commit,
            "rules": len(self.ruleset.catalogue.rules),
            "rule_failures": len(self.ruleset.catalogue.failures),
            "zone_plan": self.zones.revision,
            "rule_tuning": self.tuning.revision,
            "indicators": self.indicators.revision,
        }

    def close(self) -> None:
        self.store.close()
        self.database.close()


def run(config: Config) -> int:
    stop = stop_event()
    worker = Worker(config)
    tell_health(worker.layout, "worker", worker.details, worker.problem)
    log.info("%d rules in use, %d could not be loaded", len(worker.ruleset.catalogue.rules), len(worker.ruleset.catalogue.failures))
    with contextlib.closing(worker):
        worker.run(stop)
    return 0
