"""Chinese vendors' shapes against the fields that the corpus expects (written apart from these parsers)."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from collectors.parsers import PARSERS, clock
from kernel.event import conform, timestamp_from_micros
from kernel.record import RawRecord

RECEIVED = 1_795_400_000_000_000  # 2026-11-23T02:13:20Z

FORMATS = [
    "aliyun-actiontrail",
    "bastion-qzsec-cmd",
    "dptech-policy",
    "h3c-attack-ipv6",
    "h3c-filter",
    "h3c-web-logout-gbk",
    "huawei-usg-policy",
    "huawei-usg-session",
    "huawei-vrp-login",
    "huaweicloud-cts",
    "sangfor-af-ips",
    "sangfor-af-waf",
    "topsec-ac",
    "topsec-mgmt",
    "venustech-ids-json",
]


def agrees(expected: Any, actual: Any) -> bool:
    """Expected times are prefixes (UTC) or epoch seconds; ECS arrays hold the expected word."""
    if isinstance(actual, str) and actual.endswith("Z") and isinstance(expected, str):
        return actual.startswith(expected.rstrip("Z"))
    if isinstance(actual, str) and actual.endswith("Z") and isinstance(expected, int):
        return actual == timestamp_from_micros(expected * 1_000_000)
    return expected in actual if isinstance(actual, list) else bool(expected == actual)


@pytest.mark.parametrize("name", FORMATS)
def test_expected_fields(shared: Path, name: str) -> None:
    wrong: list[str] = []
    lines = (shared / "corpora" / "logs" / "cn-vendors-synthetic" / f"{name}.ndjson").read_text("utf-8").splitlines()
    assert lines
    for line in lines:
        case = json.loads(line)
        raw = base64.b64decode(case["raw_b64"]) if "raw_b64" in case else case["raw"].encode()
        kind = "json" if raw.startswith(b"{") else "syslog"
        counters: dict[str, int] = {}
        event = conform(PARSERS[kind](RawRecord("test", kind, RECEIVED, "test", raw))[0], RECEIVED, counters)
        wrong += [
            f"{field}: {event.get(field)!r}, expected {value!r}"
            for field, value in case["expect"].items()
            if not agrees(value, event.get(field))
        ]
        assert not counters.get("type_mismatch")
    assert not wrong


def test_dptech_names_its_device_and_the_moment_behind_an_address() -> None:
    raw = (
        b"<142> 1 10.20.0.4 Nov 26 02:15:37 2026 FW-PRIVATE-01 54 POLICY:Deny 6|10.121.0.186|47114|10.50.0.51|6379|gige0_1|gige0_2"
    )
    event = PARSERS["syslog"](RawRecord("test", "syslog", RECEIVED, "test", raw))[0]
    assert event["@timestamp"] == clock.bsd("Nov 26 02:15:37 2026", RECEIVED)
    assert event["host.name"] == event["observer.hostname"] == "FW-PRIVATE-01"
