"""The four factors of risk and how they become a score. Pure: facts and numbers in, factors with their reasons out.

    risk = 100 × (exposure^a × vulnerability^b × threat^c × importance^d)^(1 / (a + b + c + d))

The weighted geometric mean orders subjects as the product of the factors does, but stays on a scale that people can read: four
factors of one half give 50, not 6. A factor of which nothing is known stands at an assumed value and says so; it is never zero.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from operations.risk.schema import FACTORS, Factor, Reason

Numbers = Mapping[str, Any]

CLEAR_TEXT = frozenset({"20", "21", "23", "69", "80", "110", "143", "161", "389", "512", "513", "514", "554", "1883", "5900"})
"""Ports of protocols that carry passwords or content in the clear (FTP, Telnet, HTTP, SNMP, RTSP, MQTT, VNC …)."""

UNAUTHENTICATED = frozenset({"102", "502", "2375", "2404", "6379", "9200", "11211", "20000", "27017", "44818", "47808"})
"""Ports of protocols that usually ask nobody who they are (S7, Modbus, IEC 104, DNP3, EtherNet/IP, BACnet, Redis …)."""

_CLEAR, _BARE, _STRANGER = 0.6, 0.75, 0.7
_EXPLOITED, _FLAWED, _EXPLOITED_PERHAPS, _PERHAPS, _NO_FLAW = 0.95, 0.8, 0.7, 0.55, 0.3
"""An open match of an advisory: affected and in KEV, affected, possibly and in KEV, possibly; none, though software is known."""
_MOST = 50_000
"""Counts are cut here: the threat is 1 long before."""


def score(factors: Mapping[str, Factor], weights: Mapping[str, float]) -> float:
    """0 to 100. At least one weight is above zero (settings.check)."""
    total = sum(weights[name] for name in FACTORS)
    logs = [weights[name] / total * math.log(factors[name].value) for name in FACTORS if factors[name].value > 0]
    zero = any(factors[name].value <= 0 and weights[name] > 0 for name in FACTORS)
    return 0.0 if zero else min(100.0, 100.0 * math.exp(sum(logs)))


def no_zone(numbers: Numbers) -> Factor:
    """Exposure of what lies in no zone: nobody knows who can reach it."""
    value = float(numbers["assumed"]["exposure"])
    return Factor(value, (Reason("exposure", "no_zone", value=value),), known=False)


def vulnerability(
    services: Sequence[str], *, stranger: bool, numbers: Numbers, software: int = 0, flaws: Mapping[str, int] | None = None
) -> Factor:
    """What the inventory has seen: services (``tcp/23 telnet``), and whether it is a ``stranger`` in a closed zone; open matches of
    advisories by kind (``flaws``: exploited, flawed, exploited_perhaps, perhaps) where ``software`` entries are known.
    Where none is, no patch level is known, which is said every time."""
    names: dict[str, list[str]] = {"clear_text": [], "unauthenticated": []}
    for service in services:
        port = service.partition(" ")[0].rpartition("/")[2]
        if port in CLEAR_TEXT:
            names["clear_text"].append(service)
        if port in UNAUTHENTICATED:
            names["unauthenticated"].append(service)
    found = [
        (code, value, ", ".join(sorted(names[code])[:6])) for code, value in (("unauthenticated", _BARE), ("clear_text", _CLEAR))
    ]
    reasons = [Reason("vulnerability", code, text=text, value=value) for code, value, text in found if text]
    if stranger:
        reasons.append(Reason("vulnerability", "stranger", value=_STRANGER))
    found_flaws = flaws or {}
    values = {"exploited": _EXPLOITED, "flawed": _FLAWED, "exploited_perhaps": _EXPLOITED_PERHAPS, "perhaps": _PERHAPS}
    reasons += [
        Reason("vulnerability", code, n=found_flaws[code], value=value) for code, value in values.items() if found_flaws.get(code)
    ]
    assumed = float(numbers["assumed"]["vulnerability"])
    if software:
        reasons.append(Reason("vulnerability", "software", n=software, value=_NO_FLAW))
        return Factor(max(reason.value for reason in reasons), tuple(reasons))
    unknown = Reason("vulnerability", "patches_unknown", value=assumed)
    if not reasons:
        return Factor(assumed, (unknown,), known=False)
    return Factor(max(assumed, *(reason.value for reason in reasons)), (*reasons, unknown))


def vulnerability_of_zone(devices: Sequence[Factor], numbers: Numbers) -> Factor:
    """The mean of the worst tenth of its devices: a zone is entered where it is weakest."""
    assumed = float(numbers["assumed"]["vulnerability"])
    if not devices:
        return Factor(assumed, (Reason("vulnerability", "no_devices", value=assumed),), known=False)
    worst = sorted((device.value for device in devices), reverse=True)[: max(1, len(devices) // 10)]
    value = sum(worst) / len(worst)
    known = sum(device.known for device in devices)
    reasons = [Reason("vulnerability", "weakest", n=len(devices), value=round(value, 2))]
    if known < len(devices):
        reasons.append(Reason("vulnerability", "devices_unknown", n=len(devices) - known))
    return Factor(value, tuple(reasons), known=known > 0)


def threat(alerts: Mapping[str, int], incidents: int, indicators: int, numbers: Numbers) -> Factor:
    """Open alerts by level, open incidents and indicators add up; each one more adds less: 1 - e^-points."""
    quiet, days = float(numbers["quiet"]), int(numbers["window_days"])
    points = sum(numbers["alerts"].get(level, 0) * min(number, _MOST) for level, number in alerts.items())
    points += numbers["incident"] * incidents + numbers["indicator"] * indicators
    reasons = [
        Reason("threat", "alerts", n=alerts[level], text=level, value=numbers["alerts"].get(level, 0.0))
        for level in numbers["alerts"]
        if alerts.get(level)
    ]
    if incidents:
        reasons.append(Reason("threat", "incidents", n=incidents, value=numbers["incident"]))
    if indicators:
        reasons.append(Reason("threat", "indicators", n=indicators, value=numbers["indicator"]))
    if not reasons:
        return Factor(quiet, (Reason("threat", "quiet", n=days, value=quiet),))
    return Factor(max(quiet, 1.0 - math.exp(-points)), tuple(reasons))


def importance(own: int, of_zone: int, zone: str, numbers: Numbers) -> Factor:
    """Marks 1 to 5 of the inventory; an asset without its own has those of its zone."""
    marks = own or of_zone
    if not 1 <= marks <= 5:
        value = float(numbers["assumed"]["importance"])
        return Factor(value, (Reason("importance", "unknown", value=value),), known=False)
    code = "own" if own else "of_zone"
    return Factor(marks / 5, (Reason("importance", code, n=marks, zones=(zone,) if not own else (), value=marks / 5),))
