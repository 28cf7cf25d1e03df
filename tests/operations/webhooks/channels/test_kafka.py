"""Kafka, by a real broker with TLS and SCRAM."""

from __future__ import annotations

import json
import os
import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from operations.errors import Invalid
from operations.webhooks import service
from operations.webhooks.channels.kafka import _Guard
from operations.webhooks.guard import WebhookPolicy
from tests.operations.webhooks.bench import PATIENT, POLICY, Bench
from tests.operations.webhooks.kafka_server import PASSWORD, USER, Broker, kafka_jars, missing
from tests.operations.webhooks.receivers import Authority

SHORT = WebhookPolicy(allow=("127.0.0.0/8",), deadline=10.0)


def target(bench: Bench, url: str, authority: Authority | None = None, *, secret: str = "", **more: Any) -> int:
    settings = {"topic": "alerts", "ca": authority.pem if authority else ""} | more
    return bench.target("kafka", url, settings=settings, secret=secret)[0].id


@pytest.mark.slow
def test_records_arrive_over_tls_with_their_keys(bench: Bench, authority: Authority, shared: Path, tmp_path: Path) -> None:
    lacking = missing()
    if lacking and not os.environ.get("LIANDUN_REQUIRE_ALL"):
        pytest.skip(f"needs {lacking}")
    folder = tmp_path / "kafka"
    folder.mkdir()
    with Broker(folder, kafka_jars(shared)).running(authority.path) as broker:
        url = f"kafkas://127.0.0.1:{broker.secured}"
        target_id = target(bench, url, authority, secret=PASSWORD, user=USER)
        bench.tell(host="web-0")
        assert bench.send(PATIENT).failed == 1  # there is no such topic yet, and none is made
        broker.make_topic("alerts")
        bench.later()
        for number in range(1, 4):
            bench.tell(host=f"主机-{number}", event_type="ticket.created" if number == 3 else "alert.created")
        assert bench.send(PATIENT).delivered == 4
        found = broker.records("alerts", 4)
        assert sorted(one.key.decode() for one in found) == sorted(one.message_id for one in bench.deliveries())
        assert {json.loads(one.value)["data"]["host"] for one in found} == {"web-0", "主机-1", "主机-2", "主机-3"}
        kinds = sorted(dict(one.headers)["event-type"].decode() for one in found)
        assert kinds == ["alert.created"] * 3 + ["ticket.created"]

        with bench.database.write() as session:
            service.delete_target(session, bench.who.actor, target_id)
        for secret, trusted in (("wrong", authority), (PASSWORD, None)):  # neither a wrong password nor a foreign certificate
            other = target(bench, url, trusted, secret=secret, user=USER)
            bench.tell(host="never")
            assert bench.send(SHORT).failed == 1
            assert bench.error()
            with bench.database.write() as session:
                service.delete_target(session, bench.who.actor, other)


def test_a_broker_cannot_send_us_elsewhere() -> None:
    """What a broker advertises is looked up and judged like what was configured."""
    with _Guard(POLICY.networks(), "kafkas") as guard:
        assert guard.addresses("127.0.0.1", 9093)
        assert guard.addresses("169.254.169.254", 80) == []
        assert "169.254.169.254" in guard.refused
        assert guard.addresses("10.1.2.3", 9093) == guard.addresses("fd00::1", 9093) == []
        assert guard.addresses("8.8.8.8", 9093)
    with _Guard(POLICY.networks(), "kafka") as plain:
        assert plain.addresses("8.8.8.8", 9092) == []


def test_a_broker_that_hangs_is_left(bench: Bench) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        threading.Thread(target=_take, args=(silent,), daemon=True).start()
        target(bench, f"kafka://127.0.0.1:{silent.getsockname()[1]}")
        bench.tell()
        assert bench.send().failed == 1
    assert bench.error()


@pytest.mark.parametrize(
    ("url", "settings"),
    [
        ("kafkas://broker.example.cn", {}),
        ("kafkas://broker.example.cn", {"topic": "a b"}),
        ("kafkas://broker.example.cn", {"topic": ".."}),
        ("kafkas://broker.example.cn/x", {"topic": "a"}),
        ("kafkas://broker.example.cn", {"topic": "a", "mechanism": "GSSAPI"}),
        ("kafka://127.0.0.1:9092", {"topic": "a", "user": "u"}),
        ("kafka://8.8.8.8", {"topic": "a"}),
        ("kafkas://10.1.2.3", {"topic": "a"}),
        ("http://broker.example.cn", {"topic": "a"}),
    ],
)
def test_what_is_no_target_is_refused(bench: Bench, url: str, settings: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        bench.target("kafka", url, settings=settings)


def _take(silent: socket.socket) -> None:
    kept = []
    while True:
        try:
            kept.append(silent.accept()[0])
        except OSError:
            return
