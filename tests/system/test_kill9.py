"""kill -9 of every process in the middle of 200,000 records: nothing lost, nothing doubled."""

from __future__ import annotations

import json
import random
import socket
import threading
import time
from pathlib import Path

import pytest

from kernel.query import parse_query
from kernel.store.contract import TimeRange
from kernel.store.lake import Lake
from tests.system.platform import Platform, wait_until

SYSLOG_RECORDS = 100_000
JSON_RECORDS = 100_000
CONNECTIONS = 4
BROKEN_EVERY = 1000
VICTIMS = ("ingest", "worker", "ingest", "supervisor", "worker", "scheduler", "ingest", "console", "supervisor", "worker")


def send_syslog(port: int, connection: int, count: int, errors: list[str]) -> None:
    """RFC 5424 over one TCP connection that is never re-opened; two of the connections use octet counting, two LF."""
    octet_counted = connection % 2 == 0
    try:
        with socket.create_connection(("127.0.0.1", port)) as sock:
            for start in range(0, count, 200):
                chunk = bytearray()
                for number in range(start, min(start + 200, count)):
                    line = f"<38>1 2026-11-23T04:00:00.{number:06d}Z host{connection} app {number} - - record {connection}/{number}"
                    data = line.encode()
                    chunk += b"%d %s" % (len(data), data) if octet_counted else data + b"\n"
                sock.sendall(chunk)
                time.sleep(0.03)
            sock.shutdown(socket.SHUT_WR)
    except OSError as error:
        errors.append(f"connection {connection}: {error}")


def write_json(path: Path, count: int) -> None:
    with path.open("ab", buffering=0) as file:
        for start in range(0, count, 200):
            lines = []
            for number in range(start, min(start + 200, count)):
                if number % BROKEN_EVERY == 7:
                    lines.append(b'{"broken": %d' % number)
                else:
                    lines.append(json.dumps({"@timestamp": "2026-11-23T04:00:00Z", "message": f"json {number}"}).encode())
            file.write(b"\n".join(lines) + b"\n")
            time.sleep(0.008)


def everything(lake: Lake) -> tuple[list[str], list[str]]:
    """Message and id of every stored event that was sent (not those of the audit trail), page by page as the console reads them."""
    messages, ids, cursor = [], [], ""
    while True:
        page = lake.search(
            parse_query("NOT event.module:liandun"), TimeRange(), limit=10_000, cursor=cursor, fields=["message", "event.id"]
        )
        messages += [event["message"] for event in page.events]
        ids += [event["event.id"] for event in page.events]
        cursor = page.cursor
        if not cursor:
            return messages, ids


@pytest.mark.slow
def test_every_record_is_stored_once(tmp_path: Path) -> None:
    events = tmp_path / "events.jsonl"
    events.touch()
    config = f'[[ingest.tail]]\nid = "json-file"\npaths = ["{events}"]\nformat = "json"\n'
    platform = Platform(tmp_path / "data", config=config)
    platform.start()
    errors: list[str] = []
    senders = [threading.Thread(target=write_json, args=(events, JSON_RECORDS))]
    senders += [
        threading.Thread(target=send_syslog, args=(platform.syslog_port, number, SYSLOG_RECORDS // CONNECTIONS, errors))
        for number in range(CONNECTIONS)
    ]
    dice = random.Random(3)
    try:
        for sender in senders:
            sender.start()
        for victim in VICTIMS:
            time.sleep(dice.uniform(0.2, 1.2))
            platform.kill(victim)
            if victim == "supervisor":
                time.sleep(0.3)
                platform.start()
            else:
                platform.wait_for_roles()
        for sender in senders:
            sender.join(180)
        assert errors == []
        lake = Lake.open(platform.layout.lake, writable=False)

        def settled() -> bool:
            counters = lake.counters()
            return (
                sum(n for name, n in counters.items() if name.split(".")[0] in ("stored", "quarantined"))
                >= SYSLOG_RECORDS + JSON_RECORDS
            )

        wait_until(settled, 120, f"all records stored: {lake.counters()}\n{platform.logs()}")
        counters = lake.counters()
    finally:
        platform.stop()
    broken = JSON_RECORDS // BROKEN_EVERY
    assert counters["stored.syslog-tcp"] == SYSLOG_RECORDS
    assert counters["stored.json-file"] == JSON_RECORDS - broken
    assert counters["quarantined.json-file"] == broken
    messages, ids = everything(lake)
    lake.close()
    assert len(messages) == len(set(messages)) == len(set(ids)) == SYSLOG_RECORDS + JSON_RECORDS - broken
