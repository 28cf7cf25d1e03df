"""The section "Packets" of an alert's page and its API, over captures that the demo's senders wrote."""

from __future__ import annotations

import re
import shutil
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from collectors.packet_files import open_capture, packets_of
from collectors.packet_slice import CapturePlace, Conversation, SliceLimits, Span
from demo import packets as demo
from kernel.detection import Detection
from kernel.errors import StoreError
from kernel.event import timestamp
from operations.accounts import service as accounts
from operations.accounts.schema import Reach
from operations.alerts import service as alerts
from operations.audit import service as audit
from operations.audit.schema import SYSTEM
from operations.incidents import service as incidents
from soc_ui.alerts.packet_desk import AT_ONCE, MOST_WAITING, PacketDesk, conversation_of, span_of
from soc_ui.app import create_app
from soc_ui.services import Services
from tests.soc_ui.conftest import browser_of, post
from tests.soc_ui.seed import PASSWORD, USER, fill

needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
MOMENT = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
CLIENT, SERVER = "10.20.0.9", "203.0.113.80"
EVIL = b"/<script>alert(1)</script>"


def detection(identifier: str, **more: Any) -> Detection:
    event = {
        "@timestamp": timestamp(MOMENT), "event.id": identifier * 8, "event.dataset": "suricata.alert", "network.transport": "tcp",
        "source.ip": SERVER, "destination.ip": CLIENT, "source.port": 80, "destination.port": 40_000, "source.zone": "water-ot",
        **more,
    }  # fmt: skip
    return Detection(
        id=f"d-{identifier}", rule_id=f"r-{identifier}", rule_name="Tool fetched", engine="suricata", level="high",
        time=timestamp(MOMENT), event={name: value for name, value in event.items() if value is not None},
        event_ids=[event["event.id"]],
    )  # fmt: skip


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Services:
    return filled_with_packets(tmp_path_factory.mktemp("packets"))


def filled_with_packets(folder: Path) -> Services:
    """A console with three alerts: packets of the first are kept, of the second none, the third tells of no conversation."""
    services = fill(folder, events=0)
    accounts.create_user(services.database, SYSTEM, "captain", PASSWORD, "responder", display_name="周队")
    accounts.create_user(services.database, SYSTEM, "boss", PASSWORD, "leader", display_name="领导")
    accounts.create_user(services.database, SYSTEM, "office.analyst", PASSWORD, "analyst", reach=Reach(zones=("office",)))
    captures = folder / "captures"
    captures.mkdir()
    start = MOMENT.timestamp()
    talk = demo.Conversation((CLIENT, 40_000), (SERVER, 80), start)
    talk.say(0, b"GET " + EVIL + b" HTTP/1.1\r\nHost: evil.example\r\n\r\n")
    talk.say(1, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    other = demo.Conversation((CLIENT, 40_001), (SERVER, 80), start + 0.1)
    (captures / "mirror.pcap").write_bytes(demo.pcap(talk.close() + other.close()))
    with services.database.write() as session:
        found = alerts.record_detections(
            session,
            [
                detection("a"),
                detection("b", **{"source.port": 81}),
                detection("c", **{"source.ip": None, "destination.ip": None}),
            ],
        )
    assert found.new_alert_ids == [1, 2, 3]
    return replace(services, packets=PacketDesk([CapturePlace(str(captures))]))


@pytest.fixture
def captain(filled: Services) -> FlaskClient:
    return browser_of(create_app(filled), "captain")


def part(browser: FlaskClient, path: str) -> str:
    answer = browser.get(path, headers={"HX-Request": "true"})
    assert answer.status_code == 200, answer.text
    return answer.text


def facts_of(page: str) -> list[str]:
    return re.findall(r"<b>(.*?)</b>", page)


def entries(services: Services, act: str) -> list[dict[str, Any]]:
    with services.database.read() as session:
        found = audit.listing(session, action=act, limit=50).entries
        return [{"actor": one.actor, **audit.find(session, one.id).detail} for one in found]


def test_the_page_asks_for_the_packets_when_it_is_scrolled_to_them(client: FlaskClient) -> None:
    page = client.get("/alerts/1").text
    assert 'hx-get="/alerts/1/packets" hx-trigger="revealed"' in page
    assert "packets" not in client.get("/alerts/3").text.lower().replace("/packets", ""), "its event names no conversation"


def test_facts_tell_how_many_packets_from_when(client: FlaskClient) -> None:
    page = part(client, "/alerts/1/packets")
    assert facts_of(page)[0] == "10"
    assert "<html" not in page
    assert "<html" in client.get("/alerts/1/packets").text, "without scripts it is a page of its own"
    assert "No packets of this conversation are kept" in part(client, "/alerts/2/packets")
    assert "names no two addresses" in part(client, "/alerts/3/packets")


def test_the_download_is_the_conversation_and_is_written_down_first(client: FlaskClient, filled: Services, tmp_path: Path) -> None:
    answer = client.get("/alerts/1/packets.pcap")
    assert answer.headers["Content-Disposition"] == "attachment; filename=liandun-alert-1.pcap"
    assert answer.headers["Content-Type"] == "application/vnd.tcpdump.pcap"
    (tmp_path / "x").write_bytes(answer.data)
    with open_capture(tmp_path / "x") as file:
        ports = {int.from_bytes(one.data[34:36], "big") for one in packets_of(file, "x")}
    assert ports == {80, 40_000}
    assert EVIL in answer.data
    told = entries(filled, "packets.export")
    assert (told[0]["actor"], told[0]["packets"]) == (USER, 10)
    assert len(told[0]["sm3"]) == 64
    assert client.get("/alerts/2/packets.pcap").status_code == 404
    assert len(entries(filled, "packets.export")) == len(told)


@needs_tshark
def test_the_table_and_the_layers_are_escaped_and_written_down(client: FlaskClient, filled: Services) -> None:
    page = part(client, "/alerts/1/packets/table")
    assert page.count('class="toggle"') == 10
    assert "GET /&lt;script&gt;alert(1)&lt;/script&gt; HTTP/1.1" in page
    assert "<script>alert" not in page
    assert f"{CLIENT} : 40000" in page
    layers = part(client, "/alerts/1/packets/4")
    assert re.findall(r'<summary class="mono">(\w+)</summary>', layers) == ["frame", "eth", "ip", "tcp", "http"]
    assert "http.request.uri" in layers
    assert "&lt;script&gt;" in layers
    assert "<script>alert" not in layers
    assert "<html" in client.get("/alerts/1/packets/4").text
    assert "<html" in client.get("/alerts/1/packets/table").text
    assert {one.get("packet") for one in entries(filled, "packets.read")} == {None, 4}
    for beyond in (0, 11, 2**62):
        assert client.get(f"/alerts/1/packets/{beyond}").status_code == 404


def test_without_tshark_the_page_says_what_to_install(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    assert "apt install tshark" in part(client, "/alerts/1/packets/table")


def test_a_helper_that_breaks_is_told_and_nothing_else_suffers(client: FlaskClient, filled: Services, tmp_path: Path) -> None:
    broken = replace(filled, packets=PacketDesk([CapturePlace(str(tmp_path))]))
    (tmp_path / "a.pcap").write_bytes(b"\xd4\xc3\xb2\xa1 no capture at all")
    page = part(browser_of(create_app(broken), USER), "/alerts/1/packets")
    assert "a.pcap: cut off in its first header" in page
    assert "No packets of this conversation" in page


def test_who_may_not_take_events_away_may_look_only(filled: Services) -> None:
    boss = browser_of(create_app(filled), "boss")
    assert "Download" not in part(boss, "/alerts/1/packets")
    assert boss.get("/alerts/1/packets.pcap").status_code == 403
    assert boss.get("/alerts/1/packets/table").status_code == 200
    assert post(boss, "/alerts/1/packets/evidence", {"reason": "x"}).status_code == 403


@pytest.fixture
def elsewhere(filled: Services) -> FlaskClient:
    """An analyst whose zones the alert does not concern."""
    return browser_of(create_app(filled), "office.analyst")


@pytest.mark.parametrize("path", ["packets", "packets/table", "packets/1", "packets.pcap"])
def test_outside_of_the_scope_there_is_no_such_alert(elsewhere: FlaskClient, path: str, filled: Services) -> None:
    before = len(entries(filled, "packets.read")) + len(entries(filled, "packets.export"))
    assert elsewhere.get(f"/alerts/1/{path}").status_code == 404
    assert len(entries(filled, "packets.read")) + len(entries(filled, "packets.export")) == before


def test_kept_as_evidence_of_the_incident(captain: FlaskClient, filled: Services) -> None:
    assert "Keep as evidence" not in part(captain, "/alerts/1/packets")
    assert post(captain, "/alerts/1/packets/evidence", {"reason": "command and control"}).status_code == 422
    answer = post(captain, "/incidents", {"title": "Tool", "ids": ["1"], "severity": "high"})
    assert answer.status_code == 302, answer.text
    incident_id = int(answer.headers["Location"].partition("?")[0].rsplit("/", 1)[-1])
    assert "Keep as evidence" in part(captain, "/alerts/1/packets")
    assert post(captain, "/alerts/1/packets/evidence", {"reason": ""}).status_code == 422
    answer = post(captain, "/alerts/1/packets/evidence", {"reason": "command and control"})
    assert answer.status_code == 302
    key = filled.master_key
    assert key is not None
    with filled.database.write() as session:
        pieces, _hidden = incidents.list_evidence(session, incident_id)
        record, octets = incidents.open_payload(session, key, SYSTEM, incident_id, pieces[0].id, "test")
    assert record.name == "liandun-alert-1.pcap"
    assert octets == captain.get("/alerts/1/packets.pcap").data


def test_the_api_tells_facts_and_gives_the_file(client: FlaskClient, filled: Services) -> None:
    facts = client.get("/api/v1/alerts/1/packets").json
    assert facts["state"] == "found"
    assert facts["conversation"] == {
        "source": SERVER, "target": CLIENT, "source_port": 80, "target_port": 40_000, "protocol": "tcp",
    }  # fmt: skip
    assert (facts["packets"], facts["cut"], facts["first"]) == (10, "", timestamp(MOMENT))
    assert client.get("/api/v1/alerts/3/packets").json["state"] == "no conversation"
    octets = client.get("/api/v1/alerts/1/packets.pcap")
    assert (octets.status_code, len(octets.data)) == (200, facts["octets"])
    assert client.get("/api/v1/alerts/2/packets.pcap").status_code == 404
    assert client.get("/api/v1/alerts/99/packets").status_code == 404
    nothing = create_app(replace(filled, packets=None))
    assert browser_of(nothing, USER).get("/api/v1/alerts/1/packets").json["state"] == "no captures"


def test_captures_that_cannot_be_read_in_time_are_answered_with_503(filled: Services) -> None:
    late = create_app(replace(filled, packets=PacketDesk([CapturePlace("/nowhere")], SliceLimits(seconds=-4.99))))
    browser = browser_of(late, USER)
    assert "took too long to read" in part(browser, "/alerts/1/packets")
    for path in ("/alerts/1/packets.pcap", "/api/v1/alerts/1/packets", "/api/v1/alerts/1/packets.pcap"):
        answer = browser.get(path)
        assert (answer.status_code, "more than" in answer.text) == (503, True), path


def test_who_looks_at_packets_keeps_few_threads_of_the_console() -> None:
    desk, done = PacketDesk([]), threading.Event()

    def looking() -> None:
        with desk._in_turn():
            done.wait(30)

    people = [threading.Thread(target=looking) for _ in range(AT_ONCE + MOST_WAITING)]
    for one in people:
        one.start()
    while desk._line._value:
        time.sleep(0.01)
    begun = time.monotonic()
    with pytest.raises(StoreError, match="many people"):
        desk.slice(Conversation("192.0.2.1", "192.0.2.2"), Span(0, 1))
    assert time.monotonic() - begun < 5
    done.set()
    for one in people:
        one.join()
    with desk._in_turn():
        pass


def test_a_conversation_is_read_from_client_and_server_where_an_event_names_no_source() -> None:
    event = {"client.ip": "2001:db8::1", "server.ip": "2001:db8::2", "client.port": "http", "server.port": 502}
    found = conversation_of(event)
    assert found is not None
    assert (found.source, found.target, found.source_port, found.target_port, found.protocol) == (
        "2001:db8::1", "2001:db8::2", 0, 502, "",
    )  # fmt: skip
    assert conversation_of({"source.ip": "camera", "destination.ip": CLIENT}) is None


def test_the_span_goes_around_the_connection_unless_its_times_are_absurd() -> None:
    base = {"@timestamp": "2026-11-26T12:00:00.000000Z"}
    plain = span_of(base)
    assert plain is not None
    assert plain.end - plain.start == 360 * 10**9
    longer = span_of(base | {"suricata.eve.flow.start": "2026-11-26T11:50:00.000000+0000"})
    assert longer is not None
    assert longer.end - longer.start == 960 * 10**9
    assert span_of(base | {"event.start": "1990-01-01T00:00:00Z", "event.end": "never"}) == plain
    assert span_of({}) is None
