"""[detect], [alerts] and [webhooks]: which rules are loaded, what becomes one alert, where notices may go."""

from __future__ import annotations

from pathlib import Path

import msgspec

from kernel.config.mistakes import Mistakes
from kernel.config.names import is_network


class Detect(msgspec.Struct, forbid_unknown_fields=True):
    """[detect] — rules. Own rules (rules/) and imported sets (<data>/rules/) are always loaded unless switched off."""

    own_rules: bool = True
    rules: list[Path] = []
    placeholders: dict[str, list[str]] = {}
    yara_timeout_seconds: int = 20


class Alerts(msgspec.Struct, forbid_unknown_fields=True):
    """[alerts] — detections of the same rule on the same entities within ``window_minutes`` are one alert."""

    window_minutes: int = 60


class Webhooks(msgspec.Struct, forbid_unknown_fields=True):
    """[webhooks] — private or loopback networks that webhooks may be sent to (none unless listed)."""

    allowed_networks: list[str] = []


def check_alerts(alerts: Alerts, mistakes: Mistakes) -> None:
    if alerts.window_minutes < 1:
        mistakes.add("alerts.window_minutes", "must be at least 1")


def check_webhooks(webhooks: Webhooks, mistakes: Mistakes) -> None:
    for network in webhooks.allowed_networks:
        if not is_network(network):
            mistakes.add("webhooks.allowed_networks", f"{network!r} is no network, write e.g. 10.1.0.0/16 or fd00::/8")
