"""Pages of incidents: making one from the queue, its tabs and forms, what a second person's change does, hostile texts."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import update

from operations.accounts.models import User
from operations.accounts.schema import Reach
from operations.accounts.service import create_user
from operations.audit.schema import SYSTEM
from operations.incidents import service
from soc_ui.services import Services
from tests.soc_ui.conftest import browser_of, post
from tests.soc_ui.seed import PASSWORD, USER, fill
from tests.soc_ui.seed_zones import fill_zones

HOSTILE = "<script>alert(1)</script>{{7*7}}\"'><img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Services:
    services = fill(tmp_path_factory.mktemp("incidents"), events=60)
    fill_zones(services, events=800)
    with services.database.write() as session:
        session.execute(update(User).where(User.name == USER).values(role="responder"))
    create_user(services.database, SYSTEM, "only.analyst", PASSWORD, "analyst")
    create_user(services.database, SYSTEM, "the.leader", PASSWORD, "leader")
    create_user(services.database, SYSTEM, "water.bureau", PASSWORD, "bureau", reach=Reach(zones=("water-ot",)))
    return services


def made(browser: FlaskClient, **form: Any) -> str:
    """Make an incident by hand; its address."""
    answer = post(browser, "/incidents", {"title": "测试", "zones": ["gov-cloud"], **form})
    assert answer.status_code == 302, answer.text
    return str(answer.headers["Location"]).partition("?")[0]


def version(browser: FlaskClient, here: str) -> str:
    found = re.search(r'name="version" value="(\d+)"', browser.get(here).text)
    assert found is not None
    return found[1]


def test_from_the_queue_to_the_closing(client: FlaskClient) -> None:
    queue = client.get("/alerts?view=all").text
    assert 'formaction="/incidents/new"' in queue
    ids = re.findall(r'<tr data-id="(\d+)"', queue)[:3]
    form = post(client, "/incidents/new", {"ids": ids})
    assert form.status_code == 200
    assert all(f'name="ids" value="{number}"' in form.text for number in ids)
    here = made(client, ids=ids, title="Brute force", severity="high")
    assert "Brute force" in client.get(f"/alerts/{ids[0]}").text
    page = client.get(here)
    assert page.status_code == 200
    assert "Suggested" in page.text
    assert "to be confirmed" in page.text

    decision = {"class_code": "0206", "object": "important", "loss": "serious", "harm": "slight"}
    assert (
        post(client, f"{here}/decide", {**decision, "version": version(client, here)}).headers["Location"].endswith("done=incident")
    )
    assert "Credential attack · Fairly serious" in client.get(here).text
    tasks = client.get(f"{here}/tasks").text
    assert "Lock or reset the attacked accounts" in tasks
    task = re.search(r'id="task-(\d+)"', tasks)
    assert task is not None
    post(client, f"{here}/tasks/{task[1]}", {"version": "1", "status": "done", "result": "checked"})
    assert "checked" in client.get(f"{here}/tasks").text
    post(client, f"{here}/timeline", {"kind": "note", "text": "call the bureau"})
    post(client, f"{here}/indicators", {"kind": "domain", "value": "evil[.]example"})
    post(client, f"{here}/assets", {"kind": "service", "name": "Portal", "layer": "application", "impact": "slow"})
    for tab, text in (("timeline", "call the bureau"), ("indicators", "evil.example"), ("assets", "Portal")):
        found = client.get(f"{here}/{tab}")
        assert found.status_code == 200
        assert text in found.text
    early = post(client, f"{here}/phase", {"phase": "closed", "cause": "resolved", "reason": "x", "version": version(client, here)})
    assert early.status_code == 422
    assert "go through the review first" in early.text
    post(client, f"{here}/phase", {"phase": "review", "version": version(client, here)})
    post(client, f"{here}/phase", {"phase": "closed", "cause": "resolved", "reason": "done", "version": version(client, here)})
    assert "Closed" in client.get(here).text
    told = client.get(f"{here}/timeline").text
    assert "Phase: Detection → Review" in told
    assert "Phase: Review → Closed (Resolved; done)" in told
    assert "Decided: Credential attack · Fairly serious" in told
    assert 'name="title"' not in client.get(here).text


def test_evidence_is_sealed_handed_on_and_opened(client: FlaskClient) -> None:
    here = made(client, title="Evidence")
    sent = {"file": (BytesIO(b"<b>mail</b>"), "../../etc/<passwd>.html"), "origin": "ws-1", "reason": "case 7"}
    assert post(client, f"{here}/evidence", sent).headers["Location"].endswith("done=incident")
    page = client.get(f"{here}/evidence").text
    assert "in order" in page
    assert "&lt;passwd&gt;.html" in page
    piece = re.search(r'action="(/incidents/\d+/evidence/\d+)"', page)
    assert piece is not None
    post(client, piece[1], {"version": "1", "action": "hand over", "reason": "to the police"})
    opened = post(client, f"{piece[1]}/open", {"reason": "look"})
    assert opened.data == b"<b>mail</b>"
    assert opened.mimetype == "application/octet-stream"
    assert re.fullmatch(r'attachment; filename="[0-9a-f]{32}\.bin"', opened.headers["Content-Disposition"])
    assert post(client, f"{piece[1]}/copy", {"reason": "court"}).data.startswith(b"LDEVID1")
    page = client.get(f"{here}/evidence").text
    assert [word for word in ("sealed", "handed over", "opened", "copied") if f"<td>{word}</td>" not in page] == []
    assert client.get(f"{here}/evidence/authority.pem").data.startswith(b"-----BEGIN CERTIFICATE-----")
    assert post(client, f"{piece[1]}/open", {"reason": " "}).status_code == 422
    assert post(client, f"{here}/evidence/events", {"reason": "x"}).status_code == 422  # it has no alert


def test_two_people_never_overwrite_each_other(client: FlaskClient) -> None:
    here = made(client)
    old = version(client, here)
    post(client, f"{here}/phase", {"phase": "containment", "version": old})
    late = post(client, f"{here}/phase", {"phase": "recovery", "version": old})
    assert late.headers["Location"].endswith("done=incident_conflict")
    assert "Somebody else changed this" in client.get(late.headers["Location"]).text
    without = post(client, f"{here}/phase", {"phase": "recovery"})
    assert without.headers["Location"].endswith("done=incident_conflict")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_hostile_texts_stay_texts(app: APIFlask, lang: str) -> None:
    browser = browser_of(app, USER, lang)
    here = made(browser, title=HOSTILE, description=HOSTILE, reporter=HOSTILE, organisations=HOSTILE)
    post(browser, f"{here}/tasks", {"title": HOSTILE, "phase": "review"})
    post(browser, f"{here}/timeline", {"kind": "decision", "text": HOSTILE})
    post(browser, f"{here}/indicators", {"kind": "url", "value": "http://a.example/<script>alert(1)</script>", "note": HOSTILE})
    post(browser, f"{here}/assets", {"kind": "service", "name": HOSTILE, "organisation": HOSTILE, "impact": HOSTILE})
    post(browser, f"{here}/pause", {"reason": HOSTILE, "version": version(browser, here)})
    for path in (here, *(f"{here}/{tab}" for tab in ("timeline", "tasks", "indicators", "assets")), "/incidents?view=all"):
        page = browser.get(path)
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert "<img src=x" not in page.text
        assert "49" not in re.findall(r"alert\(1\)&lt;/script&gt;(\d+)", page.text)


def test_filters_are_in_the_address(client: FlaskClient) -> None:
    here = made(client, title="Filter me", severity="low", drill="1", origin="drill")
    number = here.rpartition("/")[2]
    for query, shown in [("", True), ("q=filter", True), ("q=nothing+at+all", False), ("drill=1", True), ("drill=0", False),
                         ("severity=low&zone=gov-cloud", True), ("phase=closed", False), ("clock=overdue", False),
                         ("sort=due", True), ("sort=level", True)]:  # fmt: skip
        page = client.get(f"/incidents?{query}")
        assert page.status_code == 200
        assert (f'data-id="{number}"' in page.text) == shown, query
    assert "DRILL" in client.get(here).text
    assert client.get("/incidents?cursor=nonsense").status_code == 422
    assert client.get("/incidents?level=9&level=x&phase=y&class_code=zz&drill=7").status_code == 200


def test_who_may_do_what(app: APIFlask, client: FlaskClient) -> None:
    here = made(client)
    analyst, leader = browser_of(app, "only.analyst"), browser_of(app, "the.leader")
    assert 'action="' + here + '/decide"' not in analyst.get(here).text
    assert post(analyst, f"{here}/decide", {"version": "1"}).status_code == 403
    assert 'action="' + here + '/decide"' in leader.get(here).text
    assert 'action="' + here + '/phase"' not in leader.get(here).text
    for path in (here, f"{here}/tasks", f"{here}/timeline", "/incidents"):
        assert leader.get(path).status_code == 200
    for path in ("/incidents", f"{here}/tasks", f"{here}/timeline", f"{here}/merge", f"{here}/change"):
        assert post(leader, path, {}).status_code == 403
    for power in ("xu.xitong", "an.quan", "shen.ji"):
        assert browser_of(app, power).get("/incidents").status_code == 403
        assert browser_of(app, power).get(here).status_code == 403


def test_a_bureau_sees_its_zones_only(app: APIFlask, client: FlaskClient) -> None:
    foreign, own = made(client, title="Cloud only"), made(client, title="Water too", zones=["water-ot", "gov-cloud"])
    bureau = browser_of(app, "water.bureau")
    listed = bureau.get("/incidents").text
    assert "Water too" in listed
    assert "Cloud only" not in listed
    assert "outside of your zones" in listed
    assert bureau.get(own).status_code == 200
    for path in (foreign, f"{foreign}/tasks", f"{foreign}/timeline", f"{foreign}/indicators", f"{foreign}/assets"):
        assert bureau.get(path).status_code == 404


def test_a_refused_form_says_why_in_both_languages(app: APIFlask) -> None:
    for lang, words in (("en", "Give a title."), ("zh", "请填写标题。")):
        answer = post(browser_of(app, USER, lang), "/incidents", {"title": " "})
        assert answer.status_code == 422
        assert words in answer.text


def test_no_form_without_the_token(client: FlaskClient) -> None:
    here = made(client)
    for path in ("/incidents", "/incidents/new", f"{here}/decide", f"{here}/phase", f"{here}/tasks", f"{here}/indicators"):
        assert client.post(path, data={"title": "x"}).status_code == 400


def test_the_clock_shows_in_words(client: FlaskClient, filled: Services) -> None:
    here = made(client, title="Old", detected_at="2026-01-01T00:00")
    assert "overdue by" in client.get("/incidents?q=Old").text
    with filled.database.read() as session:
        row = service.get_incident(session, int(here.rpartition("/")[2]))
    assert {one.state for one in row.clocks} == {"overdue"}


def test_the_sheet_is_served(client: FlaskClient) -> None:
    page = client.get("/incidents").text
    sheet = re.search(r'href="(/[^"]*incidents[^"]*\.css[^"]*)"', page)
    assert sheet is not None
    assert client.get(sheet[1]).status_code == 200
    assert Path("soc_ui/static/css/incidents.css").exists()
