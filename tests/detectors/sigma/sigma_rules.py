"""Small rules and events for the Sigma tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from detectors.sigma.engine import SigmaEngine


def rule(detection: dict[str, Any], *, number: int = 0, **more: Any) -> dict[str, Any]:
    """A rule on the events of :func:`event` unless ``logsource`` says otherwise."""
    base: dict[str, Any] = {
        "title": f"Rule {number}",
        "id": f"00000000-0000-4000-8000-{number:012d}",
        "status": "test",
        "level": "high",
        "author": "Liandun",
        "logsource": {"product": "liandun", "service": "test"},
        "detection": detection,
    }
    return base | more


def event(**fields: Any) -> dict[str, Any]:
    """An event of dataset ``liandun.test``."""
    return {"event.id": "e1", "@timestamp": "2026-11-23T04:40:00.000000Z", "event.dataset": "liandun.test"} | fields


def engine_of(folder: Path, *documents: dict[str, Any], **options: Any) -> SigmaEngine:
    """Engine with these documents as its only rules."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, document in enumerate(documents):
        (folder / f"rule{number:03d}.yml").write_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False), "utf-8")
    return SigmaEngine.load([folder], **options)


def fires(folder: Path, detection: dict[str, Any], fields: dict[str, Any], **more: Any) -> bool:
    """Whether a rule of this detection fires on an event of these fields."""
    options = {"placeholders": more.pop("placeholders")} if "placeholders" in more else {}
    engine = engine_of(folder, rule(detection, **more), **options)
    assert not engine.failures, engine.failures
    return bool(engine.match(event(**fields)))
