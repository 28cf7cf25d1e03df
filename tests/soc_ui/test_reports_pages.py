"""Reports through the console and the API: made, shown, verified, downloaded, scheduled, refused, and hidden from a scope."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from apiflask import APIFlask

from operations.accounts.schema import Reach
from operations.accounts.service import create_user
from operations.audit.schema import SYSTEM
from soc_ui.app import create_app
from soc_ui.services import Services
from tests.soc_ui.conftest import browser_of, post, token_of
from tests.soc_ui.seed import PASSWORD, fill
from tests.soc_ui.seed_desk import WATER
from tests.soc_ui.seed_zones import fill_zones


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Services:
    services = fill(tmp_path_factory.mktemp("reports"), events=40)
    fill_zones(services, events=40)
    for name, role, reach in (
        ("r.duty", "duty", Reach()),
        ("r.leader", "leader", Reach()),
        ("r.analyst", "analyst", Reach()),
        ("r.water", "duty", Reach(organisations=(WATER,))),
    ):
        create_user(services.database, SYSTEM, name, PASSWORD, role, reach=reach)
    return services


@pytest.fixture(scope="module")
def app(filled: Services) -> APIFlask:
    return create_app(filled)


def test_a_report_is_made_shown_and_downloaded(app: APIFlask, tmp_path: Path) -> None:
    duty, leader, water = (browser_of(app, name) for name in ("r.duty", "r.leader", "r.water"))
    form = {"kind": "monthly", "day": "2026-10-15", "organisation": "", "language": "zh"}
    made = post(duty, "/reports", form)
    assert made.status_code == 303, made.text
    page = leader.get(made.location)
    assert page.status_code == 200
    assert "in order" in page.text
    assert "not what was issued" not in page.text
    number = made.location.rsplit("/", 1)[1]
    assert leader.get(f"/reports/{number}.pdf").data.startswith(b"%PDF")
    assert leader.get(f"/reports/{number}/proof.txt").text.startswith("liandun operations report v1\n")
    assert leader.get(f"/reports/{number}.exe").status_code == 404
    assert f"/reports/{number}" in leader.get("/reports?kind=monthly&origin=demand&for=-").text
    assert "No report matches" in leader.get("/reports?kind=weekly").text
    for path in (f"/reports/{number}", f"/reports/{number}.pdf", f"/api/v1/reports/{number}", f"/api/v1/reports/{number}/file"):
        assert water.get(path).status_code == 404, path
    assert water.get("/api/v1/reports").get_json()["hidden"] >= 1
    assert post(water, "/reports", form).status_code == 422
    assert post(leader, "/reports", form).status_code == 403
    assert browser_of(app, "r.analyst").get("/reports").status_code == 403
    for wrong in ({"day": "x"}, {"kind": "<script>"}, {"organisation": "<script>alert(1)</script>"}, {"day": "9999-12-31"}):
        answer = post(duty, "/reports", form | wrong)
        assert answer.status_code == 422
        assert "<script>alert(1)" not in answer.text


def test_the_api_makes_reads_and_changes_schedules_under_their_version(app: APIFlask) -> None:
    duty = browser_of(app, "r.duty")
    headers = {"X-CSRFToken": token_of(duty, "/account")}
    answer = duty.post("/api/v1/reports", json={"kind": "daily", "day": date(2026, 1, 1).isoformat()}, headers=headers)
    assert answer.status_code == 201, answer.text
    detail = duty.get(f"/api/v1/reports/{answer.get_json()['id']}").get_json()
    assert detail["verdict"]["signature"]
    assert detail["verdict"]["certificate"]
    assert detail["figures"]["now"]["alerts"] == 0
    assert (
        duty.post("/api/v1/reports", json={"kind": "daily", "day": "2026-01-01", "issued_by": "x"}, headers=headers).status_code
        == 422
    )
    one = duty.get("/api/v1/reports/schedules/daily")
    wanted = {"enabled": False, "minute": 30, "each": True, "language": "en"}
    path = "/api/v1/reports/schedules/daily"
    assert duty.put(path, json=wanted, headers=headers).status_code == 428
    assert duty.put(path, json=wanted, headers=headers | {"If-Match": one.headers["ETag"]}).status_code == 200
    assert duty.put(path, json=wanted, headers=headers | {"If-Match": one.headers["ETag"]}).status_code == 412
    stale = post(duty, "/reports/schedules/daily", {"version": "1", "time": "08:00", "language": "zh"})
    assert stale.status_code == 409
    assert post(duty, "/reports/schedules/daily", {"version": "2", "time": "8:99", "language": "zh"}).status_code == 422
    assert post(duty, "/reports/schedules/daily", {"version": "2", "time": "08:00", "language": "zh"}).status_code == 303
    water = browser_of(app, "r.water")
    assert post(water, "/reports/schedules/daily", {"version": "3", "time": "08:00", "language": "zh"}).status_code == 403
