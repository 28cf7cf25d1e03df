"""The tree of processes and the graph of events on the page of an alert and in the API, for an own small attack."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import select

from kernel.detection import Detection, detection_id
from kernel.event import Event
from kernel.store.contract import Commit
from operations.accounts.schema import Reach
from operations.accounts.service import create_user
from operations.alerts import service as alerts
from operations.alerts.models import Alert
from operations.audit.models import AuditEntry
from operations.audit.schema import SYSTEM
from operations.clock import now, shift
from soc_ui.services import Services
from tests.soc_ui.conftest import browser_of
from tests.soc_ui.seed import PASSWORD, fill

HOSTILE = 'x"><script>alert(1)</script>.exe'


def start_event(at: str, number: int, name: str, parent: int, **more: Any) -> Event:
    return {
        "@timestamp": at, "event.id": f"around-{number}", "event.category": ["process"], "event.type": ["start"],
        "event.dataset": "windows.sysmon", "host.name": "ws-around", "host.zone": "egov-extranet", "user.name": "zhang.wei",
        "process.entity_id": f"guid-{number}", "process.parent.entity_id": f"guid-{parent}", "process.pid": number,
        "process.parent.pid": parent, "process.name": name, "process.executable": f"C:\\{name}",
        "process.parent.executable": f"C:\\p{parent}.exe", "process.command_line": f"{name} /go", **more,
    }  # fmt: skip


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Services:
    services = fill(tmp_path_factory.mktemp("around"), events=20)
    moment = now()
    line = [
        start_event(shift(moment, -60), 100, "winword.exe", 50),
        start_event(shift(moment, -50), 200, "powershell.exe", 100),
        start_event(shift(moment, -40), 300, HOSTILE, 200),
        start_event(shift(moment, -30), 400, "net.exe", 300),
    ]
    services.store.commit(Commit(line, consumer="around", position=1))
    with services.database.write() as session:
        id_ = detection_id("around", ["around-200"])
        found = Detection(id_, "around", "Around", "high", "sigma", line[1]["@timestamp"], ["around-200"], line[1])
        alerts.record_detections(session, [found])
    create_user(services.database, SYSTEM, "elsewhere", PASSWORD, "analyst", reach=Reach(zones=("water-ot",)))
    create_user(services.database, SYSTEM, "bureau.egov", PASSWORD, "bureau", reach=Reach(zones=("egov-extranet",)))
    return services


@pytest.fixture
def alert(filled: Services) -> int:
    with filled.database.read() as session:
        return session.execute(select(Alert.id).where(Alert.rule_id == "around")).scalar_one()


def drawing_of(page: str) -> dict[str, Any]:
    found = re.search(r'data-graph="([^"]*)"', page)
    assert found is not None
    told: dict[str, Any] = json.loads(html.unescape(found[1]))
    return told


def test_the_page_offers_both_and_loads_neither(client: FlaskClient, alert: int) -> None:
    page = client.get(f"/alerts/{alert}").text
    assert f"/alerts/{alert}/processes" in page
    assert f"/alerts/{alert}/graph" in page
    assert "data-graph=" not in page
    assert "cytoscape.min.js" not in page


def test_processes_are_told_as_a_list_and_drawn_from_left_to_right(client: FlaskClient, alert: int) -> None:
    part = client.get(f"/alerts/{alert}/processes", headers={"HX-Request": "true"}).text
    assert "<html" not in part
    assert part.index("p50.exe") < part.index("winword.exe") < part.index("powershell.exe") < part.index("net.exe")
    assert "<script>alert" not in part
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in part
    drawing = drawing_of(part)
    places = {node["label"]: node["x"] for node in drawing["nodes"]}
    order = ["p50.exe", "winword.exe", "powershell.exe", HOSTILE, "net.exe"]
    assert sorted(places, key=lambda name: places[name]) == order
    assert len(drawing["edges"]) == 4
    assert [node["role"] for node in drawing["nodes"]].count("self") == 1


def test_a_page_of_its_own_without_scripts(client: FlaskClient, alert: int) -> None:
    for kind in ("processes", "graph"):
        page = client.get(f"/alerts/{alert}/{kind}").text
        assert "<html" in page
        assert "winword.exe" in page
        assert "<script>alert" not in page


def test_the_graph_says_who_started_what(client: FlaskClient, alert: int) -> None:
    drawing = drawing_of(client.get(f"/alerts/{alert}/graph?minutes=5").text)
    edges = {(edge["source"], edge["target"]): edge["label"] for edge in drawing["edges"]}
    assert edges[("user:zhang.wei", "host:ws-around")] == "acts on ×4"
    assert edges[("process:C:\\p200.exe", f"process:C:\\{HOSTILE}")] == "starts ×1"
    links = next(node["links"] for node in drawing["nodes"] if node["id"] == "host:ws-around")
    assert client.get(links[0][1]).status_code == 200
    assert client.get(links[1][1]).status_code == 200


@pytest.mark.parametrize("minutes", ["0", "-5", "99999999", "x", ""])
def test_other_spans_fall_back(client: FlaskClient, alert: int, minutes: str) -> None:
    assert client.get(f"/alerts/{alert}/graph", query_string={"minutes": minutes}).status_code == 200


def test_each_look_is_in_the_audit_trail(client: FlaskClient, filled: Services, alert: int) -> None:
    client.get(f"/alerts/{alert}/processes")
    with filled.database.read() as session:
        last = session.execute(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)).scalar_one()
    assert last.action == "events.search"
    assert json.loads(last.detail) == {"alert": str(alert), "view": "processes"}


@pytest.mark.parametrize(("name", "status"), [("elsewhere", 404), ("bureau.egov", 403)])
def test_who_may_not_see_the_alert_or_events_sees_neither(app: APIFlask, alert: int, name: str, status: int) -> None:
    browser = browser_of(app, name)
    for kind in ("processes", "graph"):
        assert browser.get(f"/alerts/{alert}/{kind}").status_code == status
        assert browser.get(f"/api/v1/alerts/{alert}/{kind}").status_code == status


def test_an_unknown_alert_is_not_found(client: FlaskClient) -> None:
    assert client.get("/alerts/99999999/processes").status_code == 404
    assert client.get("/api/v1/alerts/99999999/graph").status_code == 404


def test_the_api_tells_the_same(client: FlaskClient, alert: int) -> None:
    tree = client.get(f"/api/v1/alerts/{alert}/processes").get_json()
    assert [one["name"] for one in tree["processes"]] == ["p50.exe", "winword.exe", "powershell.exe", HOSTILE, "net.exe"]
    graph = client.get(f"/api/v1/alerts/{alert}/graph?minutes=240").get_json()
    assert {node["kind"] for node in graph["nodes"]} == {"host", "user", "process"}
    assert client.get(f"/api/v1/alerts/{alert}/graph?minutes=241").status_code == 422


def test_an_alert_without_a_process_says_so(client: FlaskClient, filled: Services) -> None:
    with filled.database.read() as session:
        other = session.execute(select(Alert.id).where(Alert.engine == "suricata").limit(1)).scalar_one()
    assert "names no process" in client.get(f"/alerts/{other}/processes").text


def test_the_library_is_served_from_here(client: FlaskClient, alert: int) -> None:
    part = client.get(f"/alerts/{alert}/processes").text
    found = re.search(r'data-library="([^"]+)"', part)
    assert found is not None
    assert client.get(found[1]).status_code == 200
    assert Path(found[1]).name == "cytoscape.min.js"
