"""Live packets between two zones → Suricata on a mirror port → spool → pipeline → store → alerts, IPv4 and IPv6 alike."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from collectors.packet_slice import SECOND, CapturePlace, Conversation, Span, slice_packets
from collectors.suricata.config import PACKETS
from kernel.db import open_database
from kernel.event import Event
from kernel.query import parse_query
from kernel.store.contract import TimeRange
from kernel.store.lake import Lake
from operations.alerts.models import Alert
from tests.system.namespaces import OFFICE, WATER, City, available, city, open_folder
from tests.system.platform import ROOT, Platform, wait_until

pytestmark = [pytest.mark.suricata, pytest.mark.slow]

PLAN = """
zones:
  - {id: office, name: 办公区, layer: network, ranges: [10.80.0.0/16, "2001:db8:80::/48"]}
  - {id: water-ot, name: 水务控制网, layer: perception, importance: 5, ranges: [10.60.0.0/16, "2001:db8:60::/48"]}
  - {id: water-it, name: 水务信息网, layer: network, sensors: [mirror-1], ranges: [10.61.0.0/16]}
conduits:
  - {id: reports, from: [office], to: [water-ot], services: [http], reason: 报表, approver: 王工}
assets:
  - {id: plc-1, name: 一号泵站, kind: plc, addresses: [10.60.0.101, "2001:db8:60::101"], bureau: 水务局}
"""

RULES = """
alert tcp $ZONE_OFFICE any -> $MODBUS_SERVER 502 (msg:"office asks a controller"; flow:to_server,established; sid:1000001;)
alert http $ZONE_WATER_OT any -> $ZONE_OFFICE any (msg:"never: the other way round"; flow:to_server; sid:1000002;)
alert tcp any any -> any any (msg:"broken"; nosuchkeyword; sid:1000003;)
"""

EICAR = "X5O!P%@AP[4\\\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"

SERVERS = f"""
import http.server, socket, socketserver, threading
class Modbus(socketserver.BaseRequestHandler):
    def handle(self):
        while (asked := self.request.recv(260)):
            self.request.sendall(asked[:4] + bytes([0, 5, asked[6], 3, 2, 0, 42]))  # one register: 42
class Web(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"{EICAR}"
        self.send_response(200); self.send_header("Content-Length", str(len(body))); self.end_headers(); self.wfile.write(body)
    def log_message(self, *_): pass
class Tcp6(socketserver.ThreadingTCPServer):
    address_family, allow_reuse_address = socket.AF_INET6, True
class Web6(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
for server in (Tcp6(("::", 502), Modbus), Web6(("::", 8080), Web)):  # "::" takes IPv4 too
    threading.Thread(target=server.serve_forever).start()
print("ready")
"""

READ_REGISTER = """
import socket, sys
with socket.create_connection((sys.argv[1], 502), 10) as plc:
    plc.sendall(bytes([0, 1, 0, 0, 0, 6, 1, 3, 0, 0, 0, 1]))  # read holding register 0 of unit 1
    assert plc.recv(260)[-1] == 42
"""

FETCH = """
import sys, urllib.request
host = f"[{sys.argv[1]}]" if ":" in sys.argv[1] else sys.argv[1]
assert b"EICAR" in urllib.request.urlopen(f"http://{host}:8080/report.com", timeout=10).read()
"""


@pytest.fixture
def town() -> Iterator[City]:
    if not available() or shutil.which("suricata") is None:
        pytest.skip("needs suricata, iproute2, and root for network namespaces")
    with city() as made:
        yield made


def test_a_crossing_without_a_conduit_raises_an_alert_live_in_both_families_and_a_conduit_none(town: City) -> None:
    with open_folder() as folder:
        rules = folder / "rules"
        rules.mkdir()
        (rules / "own.rules").write_text(RULES)
        (rules / "eicar.yar").write_text(
            'rule eicar { meta: level = "high" strings: $a = "EICAR-STANDARD-ANTIVIRUS-TEST-FILE" condition: $a }'
        )
        (folder / "plan.yml").write_text(PLAN)
        config = f'[[ingest.interface]]\nid = "mirror-1"\nname = "mirror"\n[detect]\nown_rules = false\nrules = ["{rules}"]\n'
        platform = Platform(folder / "data", config=config, prefix=town.prefix(town.sensor))
        environment = os.environ | {"LIANDUN_DATA": str(platform.layout.root), "PYTHONPATH": str(ROOT)}
        subprocess.run(
            [sys.executable, "-m", "cli", "zones", "import", str(folder / "plan.yml")], env=environment, cwd=ROOT, check=True
        )
        town.serve(town.water, SERVERS)
        platform.start()
        try:
            _watch(town, platform, folder)
        finally:
            platform.stop()


def _watch(town: City, platform: Platform, folder: Path) -> None:
    log = platform.layout.suricata / "mirror-1" / "etc" / "console.log"
    wait_until(lambda: log.exists() and "Engine started" in log.read_text(), 90, "Suricata watches")
    for address in WATER:
        town.python(town.office, READ_REGISTER, address)
        town.python(town.office, FETCH, address)

    def told() -> bool:
        found = _alerts(platform)
        pairs = list(zip(OFFICE, WATER, strict=True))
        return all((engine, *pair) in found for pair in pairs for engine in ("zone", "suricata")) and _sightings(platform) == 2

    try:
        wait_until(told, 60, "alerts of both families")
    except AssertionError as error:
        raise AssertionError(f"{error}\n{_alerts(platform)}\n{platform.logs()}") from None
    # the permitted conduit stays silent; so does the rule for the other direction
    alerts = _alerts(platform)
    assert {rule for (engine, *_), rules in alerts.items() if engine == "zone" for rule in rules} == {"zone-crossing-denied"}
    assert {rule for (engine, *_), rules in alerts.items() if engine == "suricata" for rule in rules} == {"suricata:1:1000001"}
    wait_until(
        lambda: sum(event["event.dataset"] == "suricata.http" for event in _events(platform)) == 2, 20, "events in the store"
    )
    events = _events(platform)
    for client, server in zip(OFFICE, WATER, strict=True):
        verdicts = {
            (event["zone.verdict"], event["zone.service"], event.get("zone.conduit"))
            for event in events
            if event.get("zone.crossing") and {event.get("client.ip"), event.get("server.ip")} == {client, server}
        }
        assert verdicts == {("denied", "modbus", None), ("permitted", "http", "reports")}
    crossings = [event for event in events if event.get("zone.crossing")]
    assert {event["zone.crossing"] for event in crossings} == {"office>water-ot"}
    assert {event["observer.name"] for event in crossings} == {"mirror-1"}
    assert {event["observer.ingress.zone"] for event in crossings} == {"water-it"}
    assert {event.get("destination.asset.id") for event in crossings if event["event.dataset"] == "ot.modbus"} == {"plc-1"}
    wait_until(lambda: _sensor(platform)["packets"] > 20 and bool(_sensor(platform)["problems"]), 30, "health of the sensor")
    source = _sensor(platform)
    assert (source["dropped"], source["rules_loaded"], source["rules_failed"], source["files"]) == (0, 2, 1, 2)
    own = folder / "rules" / "own.rules"
    assert source["problems"] == [f"{own}:4: sid 1000003: unknown rule keyword 'nosuchkeyword'."]
    _packets_are_kept(town, platform)


def _packets_are_kept(town: City, platform: Platform) -> None:
    """Of the connections that the rule told of, in both families; Suricata writes its last 4 KiB when more comes."""
    ring = CapturePlace(str(platform.layout.suricata / "mirror-1" / "log"), f"{PACKETS}.")
    span = Span(0, time.time_ns() + 300 * SECOND)

    def kept() -> bool:
        for address in WATER:
            town.python(town.office, READ_REGISTER, address)
        asked = bytes([0, 1, 0, 0, 0, 6, 1, 3, 0, 0, 0, 1])
        talks = [Conversation(*pair, 0, 502, "tcp") for pair in zip(OFFICE, WATER, strict=True)]
        return all(asked in slice_packets([ring], talk, span).pcap for talk in talks)

    wait_until(kept, 60, "packets of both families")
    quiet = [Conversation(*pair, 0, 8080, "tcp") for pair in zip(OFFICE, WATER, strict=True)]
    assert [slice_packets([ring], talk, span).packets for talk in quiet] == [0, 0], "no alert by Suricata"


def _sensor(platform: Platform) -> dict[str, Any]:
    source: dict[str, Any] = platform.health()["ingest"].details["sources"]["mirror-1"]
    return source


def _alerts(platform: Platform) -> dict[tuple[str, str, str], set[str]]:
    """(engine, source, destination as the client and server of it) → rule ids."""
    found: dict[tuple[str, str, str], set[str]] = {}
    with closing(open_database(platform.layout.state_url)) as database, database.read() as session:
        for alert in session.execute(select(Alert)).scalars():
            ends = sorted((str(alert.source_ip), str(alert.destination_ip)), key=lambda address: address in WATER)
            found.setdefault((alert.engine, ends[0], ends[1]), set()).add(alert.rule_id)
    return found


def _sightings(platform: Platform) -> int:
    """How often YARA has found the file: one alert, since it is one file, counted up by the second host that fetched it."""
    with closing(open_database(platform.layout.state_url)) as database, database.read() as session:
        return sum(session.execute(select(Alert.count).where(Alert.engine == "yara")).scalars())


def _events(platform: Platform) -> list[Event]:
    lake = Lake.open(platform.layout.lake, writable=False)
    with closing(lake):
        page = lake.search(parse_query("event.module:suricata"), TimeRange(), limit=1000, fields=["*"])
    return [json.loads(json.dumps(event)) for event in page.events]
