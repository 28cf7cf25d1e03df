"""Every address of the console and the API: called by nobody, by every role, and by a bureau that the object does not concern."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from compliance.assessment.record import record
from compliance.documents import service as documents
from compliance.documents.schema import DocumentDraft
from compliance.remediation import service as findings
from compliance.remediation import waivers
from compliance.remediation.following import follow
from compliance.remediation.schema import WaiverDraft
from compliance.review import service as review
from compliance.review.schema import About
from compliance.systems import service as systems
from compliance.systems.schema import SystemDraft
from operations import clock
from operations.accounts.permissions import CITY_WIDE, ROLES
from operations.accounts.schema import Principal, Reach
from operations.accounts.service import create_user
from operations.alerts import service as alerts
from operations.alerts.schema import AlertFilter
from operations.audit.schema import SYSTEM
from operations.services import service as desk
from operations.tickets import service as tickets
from operations.tickets.schema import Draft
from soc_ui.app import create_app
from soc_ui.permission_table import Entry, entries, markdown
from soc_ui.services import Services
from tests.soc_ui.conftest import browser_of, token_of
from tests.soc_ui.seed import PASSWORD, fill
from tests.soc_ui.seed_desk import WATER, as_, people
from tests.soc_ui.seed_zones import fill_zones

TABLE = Path(__file__).resolve().parents[2] / "docs" / "security" / "permissions.md"
UNKNOWN = 999_999
AWAY = ("accounts.logout", "account.end_session", "accounts.login", "accounts.setup", "directory.begin", "directory.callback")
"""They end or begin a session, which the next call needs."""
Ask = Callable[..., TestResponse]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Services:
    services = fill(tmp_path_factory.mktemp("permissions"), events=40)
    fill_zones(services, events=400)
    people(services)
    for role in ROLES:
        reach = Reach(organisations=(WATER,)) if role == "bureau" else Reach()
        create_user(services.database, SYSTEM, f"the.{role}", PASSWORD, role, reach=reach)
    return services


@pytest.fixture(scope="module")
def app(filled: Services) -> APIFlask:
    return create_app(filled)


@pytest.fixture(scope="module")
def ask(app: APIFlask) -> Ask:
    """``ask("the.analyst", entry, arguments)``: with session and CSRF token, and nothing useful in the body."""
    browsers: dict[str, Any] = {}

    def request(name: str, entry: Entry, arguments: dict[str, Any]) -> TestResponse:
        if name not in browsers:
            browser = browser_of(app, name)
            browsers[name] = (browser, token_of(browser, "/account"))
        browser, token = browsers[name]
        headers = {"X-CSRFToken": token, "If-Match": '"0"'}
        body: dict[str, Any] = {"json": {"nonsense": 1}} if entry.rule.startswith("/api/") else {"data": {"nonsense": "1"}}
        if entry.method == "GET":
            body = {}
        answer: TestResponse = browser.open(address(entry, arguments), method=entry.method, headers=headers, **body)
        return answer

    return request


def address(entry: Entry, arguments: dict[str, Any]) -> str:
    """The rule with its arguments; ``any(…)`` takes its first word, what is not known a number or word that names nothing."""

    def value(found: re.Match[str]) -> str:
        kind, name = found["kind"] or "", found["name"]
        if name in arguments:
            return str(arguments[name])
        if kind.startswith("any("):
            return kind[4:].split(",")[0].strip(" )")
        return str(UNKNOWN) if kind == "int" else "nothing"

    return re.sub(r"<(?:(?P<kind>[^:>]+(?:\([^)]*\))?):)?(?P<name>\w+)>", value, entry.rule)


def every(app: APIFlask) -> list[Entry]:
    return [entry for entry in entries(app) if entry.endpoint not in AWAY]


def test_the_page_of_the_documentation_is_that_of_the_code(app: APIFlask) -> None:
    if os.environ.get("LIANDUN_WRITE_DOCS"):
        TABLE.write_text(markdown(app), "utf-8")
    assert TABLE.read_text("utf-8") == markdown(app), "run this test with LIANDUN_WRITE_DOCS=1"


def test_nobody_comes_in_without_signing_in(app: APIFlask) -> None:
    let_in = []
    for entry in every(app):
        answer = app.test_client().open(address(entry, {}), method=entry.method)
        if entry.rule.startswith("/api/"):
            kept_out = answer.status_code == 401
        else:
            kept_out = answer.status_code == 302 and answer.location.startswith("/login")
        if not kept_out and not entry.open:
            let_in.append((entry.method, entry.rule, answer.status_code))
    assert let_in == []


@pytest.mark.parametrize("role", ROLES)
def test_who_has_not_the_permission_is_refused_everywhere(app: APIFlask, ask: Ask, role: str) -> None:
    wrong = []
    for entry in every(app):
        if entry.open or not entry.permissions:
            continue
        status = ask(f"the.{role}", entry, {}).status_code
        refused = status == 403 or (entry.rule == "/" and status == 302)  # sent to where the role begins
        if refused is entry.allows(role) and not (refused and _asks_more(role, entry)):
            wrong.append((entry.method, entry.rule, entry.endpoint, status))
    assert wrong == []


def _asks_more(role: str, entry: Entry) -> bool:
    """403 for another reason: what cannot be cut to zones, for who has a scope; the note of a shift, for who is not on duty."""
    if role == "bureau" and CITY_WIDE.intersection(entry.permissions):
        return True
    whole = entry.endpoint in ("zone_plan.page", "zone_plan.download", "api_zones.get_plan")
    return (role == "bureau" and whole) or entry.endpoint == "duty.write_handover"


def _compliance(session: Session, who: Principal, system: int) -> dict[str, Any]:
    """What belongs to the assessment of a system."""
    record(session, SYSTEM, system, "8.1.4.1.b", None, "not_met", source="person", reason="r")
    follow(session, system)
    (finding,) = findings.list_findings(session, system).findings
    waiver = waivers.ask(session, who, finding.id, WaiverDraft("r", "m", clock.shift(clock.now(), 86_400)))
    document = documents.create_document(session, who, DocumentDraft("policy", "t", "o", WATER)).id
    request = review.ask(session, who, About(system), "t").id
    return {"finding_id": finding.id, "waiver_id": waiver.id, "document_id": document, "request_id": request}


@pytest.fixture(scope="module")
def theirs(filled: Services, app: APIFlask) -> dict[str, Any]:
    """One object of each kind that concerns the water authority and its zone alone."""
    duty, whole = as_(filled, "zhao.zhiban")
    water, own = as_(filled, "shui.wu")
    made: dict[str, Any] = {"zone_id": "water-ot"}
    with whole.write() as session:
        made["ticket_id"] = tickets.create(session, duty, Draft("remediation", "t", "b", "high", WATER, zones=("water-ot",))).id
    with own.write() as session:
        made["application_id"] = desk.apply(session, water, "quota", {"gigabytes": 1, "days": 30, "reason": "r"}).id
    with own.read() as session:
        mine = set(alerts.matching_ids(session, AlertFilter(), 1000))
    with as_(filled, "jiao.tong")[1].read() as session:
        made["alert_id"] = min(mine - set(alerts.matching_ids(session, AlertFilter(), 1000)))
    with whole.write() as session:
        draft = SystemDraft("供水调度", "S3A3", organisation=WATER)
        made["system_id"] = systems.create_system(session, duty, draft).id
        record(session, SYSTEM, made["system_id"], "8.1.4.1.a", None, "met", source="person", reason="r")
        record(session, SYSTEM, made["system_id"], "6.1.1", None, "met", source="person", reason="r")
        made |= _compliance(session, duty, made["system_id"])
    responder = browser_of(app, "the.responder")
    headers = {"X-CSRFToken": token_of(responder, "/account")}
    body = {"title": "t", "zones": ["water-ot"], "origin": "patrol"}
    answer = responder.post("/api/v1/incidents", json=body, headers=headers)
    assert answer.status_code == 201, answer.get_json()
    made["incident_id"] = answer.get_json()["id"]
    return made


def test_nobody_of_another_bureau_sees_or_changes_an_object(app: APIFlask, ask: Ask, theirs: dict[str, Any]) -> None:
    wrong: list[tuple[str, str, int]] = []
    asked: set[str] = set()
    for entry in every(app):
        known = entry.arguments & (theirs.keys() - {"zone_id"})
        if not known or not entry.allows("bureau"):
            continue
        asked |= known
        status = ask("jiao.tong", entry, theirs).status_code
        if status not in ((404, 422, 428) if entry.method != "GET" else (404,)):
            wrong.append((entry.method, entry.rule, status))
        if entry.method == "GET" and entry.arguments <= theirs.keys() and entry.endpoint != "incident_evidence.authority":
            assert ask("shui.wu", entry, theirs).status_code == 200, entry.rule
    assert wrong == []
    assert asked == theirs.keys() - {"zone_id"}
