"""Warnings in the API: who may do what with whose, what is refused, and what hostile input comes to."""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Callable
from typing import Any

import docx as python_docx
import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from kernel.db import Database
from operations.accounts import keys
from operations.accounts.models import User
from operations.accounts.schema import Principal, Reach
from operations.accounts.service import create_user
from operations.audit import service as audit
from operations.audit.schema import SYSTEM
from operations.warnings import service
from operations.warnings.schema import Draft, WarningRecord
from soc_ui.app import create_app
from soc_ui.services import Services
from tests.soc_ui.conftest import browser_of, token_of
from tests.soc_ui.seed import PASSWORD, fill
from tests.soc_ui.seed_zones import fill_zones

TEXTS = ("nature", "threat", "extent", "objects", "effect", "measures")
BODY: dict[str, Any] = {
    "title": "勒索软件在多个区域横向移动", "importance": "special", "harm": "severe", **dict.fromkeys(TEXTS, "如题"),
    "organisations": ["交通局"], "zones": ["water-ot"],
}  # fmt: skip
PEOPLE: dict[str, tuple[str, Reach]] = {
    "the.sysadmin": ("sysadmin", Reach()),
    "the.secadmin": ("secadmin", Reach()),
    "the.auditadmin": ("auditadmin", Reach()),
    "the.analyst": ("analyst", Reach()),
    "the.responder": ("responder", Reach()),
    "the.duty": ("duty", Reach()),
    "the.leader": ("leader", Reach()),
    "the.auditor": ("auditor", Reach()),
    "own.bureau": ("bureau", Reach(("水务局",))),
    "foreign.bureau": ("bureau", Reach(("财政局",))),
    "zone.bureau": ("bureau", Reach((), ("water-ot",))),
    "no.bureau": ("bureau", Reach()),
    "own.analyst": ("analyst", Reach((), ("water-ot",))),
}
WRITER, DUTY, LEADER = (Principal(1, f"x.{role}", "", role) for role in ("analyst", "duty", "leader"))
VERSIONED = ("/submit", "/approve", "/discard", "/return", "/publish", "/adjust", "/lift")
STATES = ("draft", "submitted", "approved", "published", "lifted")


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Services:
    made = fill(tmp_path_factory.mktemp("warnings"), events=20)
    fill_zones(made, events=60)
    for name, (role, reach) in PEOPLE.items():
        create_user(made.database, SYSTEM, name, PASSWORD, role, reach=reach)
    return made


@pytest.fixture(scope="module")
def app(services: Services) -> APIFlask:
    return create_app(services)


class Caller:
    """Somebody with a session, who writes with its CSRF header."""

    def __init__(self, app: APIFlask, name: str) -> None:
        self.browser: FlaskClient = browser_of(app, name)
        self._token = token_of(self.browser, "/account")

    def __call__(self, method: str, path: str, body: Any = None, *, version: object = None, **more: Any) -> TestResponse:
        headers = {"X-CSRFToken": self._token} | ({} if version is None else {"If-Match": f'"{version}"'})
        return self.browser.open("/api/v1" + path, method=method, json=body, headers=headers, **more)


@pytest.fixture(scope="module")
def people(app: APIFlask) -> dict[str, Caller]:
    return {name: Caller(app, name) for name in PEOPLE}


def made(database: Database, state: str, **fields: Any) -> WarningRecord:
    """A warning in a state of its life, without the code under test in between."""
    lists = {name: tuple(fields.pop(name, BODY[name])) for name in ("organisations", "zones")}
    with database.write() as session:
        record = service.create(session, WRITER, Draft(**({key: BODY[key] for key in BODY if key not in lists} | lists | fields)))
        steps: list[Callable[[], WarningRecord]] = [
            lambda: service.submit(session, WRITER, record.id, expected_version=None),
            lambda: service.approve(session, LEADER, record.id, expected_version=None),
            lambda: service.publish(session, DUTY, record.id, expected_version=None),
            lambda: service.lift(session, DUTY, record.id, expected_version=None, note="over"),
        ]
        for step in steps[: STATES.index(state)]:
            record = step()
    return record


READERS = {"the.analyst", "the.responder", "the.duty", "the.leader", "the.auditor"}
WRITERS = {"the.analyst", "the.responder", "the.duty"}
BUREAUS = {"own.bureau", "foreign.bureau", "zone.bureau", "no.bureau"}
RECEIVERS = {"own.bureau", "zone.bureau", "own.analyst"}
# act → state that it needs, method, path, body, who may, who may in principle but does not see this one (404)
ACTS: dict[str, tuple[str, str, str, Any, set[str], set[str]]] = {
    "read": ("published", "GET", "", None, READERS | RECEIVERS, {"foreign.bureau", "no.bureau"}),
    "read a draft": ("draft", "GET", "", None, READERS, BUREAUS | {"own.analyst"}),
    "bulletin": ("published", "GET", "/bulletin?format=docx", None, READERS | RECEIVERS, {"foreign.bureau", "no.bureau"}),
    "bulletin of a draft": ("draft", "GET", "/bulletin?format=docx", None, READERS, BUREAUS | {"own.analyst"}),
    "edit": ("draft", "PUT", "", BODY | {"title": "neu"}, WRITERS, set()),
    "submit": ("draft", "POST", "/submit", {}, WRITERS, set()),
    "discard": ("draft", "POST", "/discard", {"note": "x"}, WRITERS, set()),
    "approve": ("submitted", "POST", "/approve", {}, {"the.duty", "the.leader"}, set()),
    "return": ("submitted", "POST", "/return", {"note": "x"}, {"the.duty", "the.leader"}, set()),
    "publish": ("approved", "POST", "/publish", {}, {"the.duty"}, set()),
    "adjust": ("published", "POST", "/adjust", {"importance": "special", "harm": "extreme", "reason": "x"}, {"the.duty"}, set()),
    "lift": ("published", "POST", "/lift", {"note": "x"}, {"the.duty"}, set()),
    "sign": ("published", "POST", "/receive", {"organisation": "水务局", "edition": 1}, {"own.bureau"}, BUREAUS - {"own.bureau"}),
    "sign for another": ("published", "POST", "/receive", {"organisation": "交通局", "edition": 1}, set(), BUREAUS),
    "answer for another": (
        "published", "POST", "/feedback", {"organisation": "交通局", "edition": 1, "feedback": "x"}, set(), BUREAUS
    ),
}  # fmt: skip


@pytest.mark.parametrize(("act", "name"), list(itertools.product(ACTS, PEOPLE)))
def test_who_may_do_what_with_whose(services: Services, people: dict[str, Caller], act: str, name: str) -> None:
    state, method, path, body, allowed, unseen = ACTS[act]
    record = made(services.database, state)
    version = record.version if method == "PUT" or path in VERSIONED else None
    answer = people[name](method, f"/warnings/{record.id}{path}", body, version=version)
    expected = 200 if name in allowed else 404 if name in unseen else 403
    assert answer.status_code == expected, answer.text
    if expected != 200 and method != "GET":
        with services.database.read() as session:
            assert service.get(session, record.id).version == record.version
            assert service.detail(session, record.id).progress.received == 0
            newest = audit.listing(session, limit=1).entries[0]
        if expected == 403:
            assert (newest.action, newest.actor, newest.result) == ("api.denied", name, "denied")


@pytest.mark.parametrize("name", PEOPLE)
def test_lists_drafts_and_tables(services: Services, people: dict[str, Caller], name: str) -> None:
    mine, other = made(services.database, "published"), made(services.database, "published", organisations=("公安局",), zones=())
    draft = made(services.database, "draft")
    answer = people[name]("GET", "/warnings?limit=500")
    assert answer.status_code == (200 if name in READERS | BUREAUS | {"own.analyst"} else 403)
    if answer.status_code == 200:
        body = answer.get_json()
        seen = {row["warning"]["id"] for row in body["warnings"]}
        assert {mine.id, other.id, draft.id} & seen == (
            {mine.id, other.id, draft.id} if name in READERS else {mine.id} if name in RECEIVERS else set()
        )
        assert (body["hidden"] > 0) == (name not in READERS)
        waiting = people[name]("GET", "/warnings/waiting").get_json()
        assert (waiting["sign"] > 0) == (name == "own.bureau")
    assert people[name]("POST", "/warnings", BODY).status_code == (201 if name in WRITERS else 403)
    assert people[name]("GET", "/warnings/settings").status_code == (
        200 if answer.status_code == 200 or name == "the.secadmin" else 403
    )
    table = {"value": {}, "source": "x", "to_be_confirmed": True}
    change = people[name]("PUT", "/warnings/settings/matrix", table, version=0)
    assert change.status_code == (422 if name == "the.secadmin" else 403)


def test_no_key_approves(services: Services, app: APIFlask) -> None:
    with services.database.read() as session:
        owner = session.execute(select(User.id).where(User.name == "the.duty")).scalar_one()
    with services.database.write() as session:
        token = keys.create_key(session, Principal(owner, "the.duty", "", "duty"), "all", "write")[1]
    record = made(services.database, "submitted")
    sent = {"Authorization": f"Bearer {token}", "If-Match": "*"}
    browser = app.test_client(use_cookies=False)
    assert browser.post(f"/api/v1/warnings/{record.id}/approve", json={}, headers=sent).status_code == 403
    ready = made(services.database, "approved")
    assert browser.post(f"/api/v1/warnings/{ready.id}/publish", json={}, headers=sent).status_code == 200


def test_the_story_with_versions(people: dict[str, Caller]) -> None:
    analyst, leader, duty, water = (people[name] for name in ("the.analyst", "the.leader", "the.duty", "own.bureau"))
    first = analyst("POST", "/warnings", BODY)
    assert (first.status_code, first.headers["ETag"]) == (201, '"1"')
    path = f"/warnings/{first.get_json()['id']}"
    assert analyst("POST", path + "/submit", {}).status_code == 428
    assert analyst("POST", path + "/submit", {}, version="x").status_code == 400
    assert analyst("POST", path + "/submit", {}, version=7).status_code == 412
    assert duty("POST", path + "/publish", {}, version=1).status_code == 409  # no draft goes out
    assert analyst("POST", path + "/submit", {"note": "请批"}, version=1).headers["ETag"] == '"2"'
    assert analyst("PUT", path, BODY, version=2).status_code == 409
    assert leader("POST", path + "/approve", {}, version=2).get_json()["approved_by"] == "the.leader"
    out = duty("POST", path + "/publish", {}, version=3).get_json()
    assert (out["status"], out["level"], out["organisations"]) == ("published", "orange", ["交通局", "水务局"])
    assert water("POST", path + "/feedback", {"organisation": "水务局", "edition": 1, "feedback": "x"}).status_code == 409
    signed = water("POST", path + "/receive", {"organisation": "水务局", "edition": 1}).get_json()
    assert [(row["organisation"], row["state"]) for row in signed["receipts"]] == [("水务局", "received")]
    assert water("POST", path + "/receive", {"organisation": "水务局", "edition": 1}).status_code == 409
    assert water("POST", path + "/receive", {"organisation": "水务局", "edition": 2}).status_code == 409
    answered = water("POST", path + "/feedback", {"organisation": "水务局", "edition": 1, "feedback": "done"}).get_json()
    assert answered["progress"] == {"organisations": 1, "received": 1, "answered": 1, "overdue": 0}
    assert duty("GET", path).get_json()["progress"] == {"organisations": 2, "received": 1, "answered": 1, "overdue": 0}
    same = {"importance": "special", "harm": "severe", "reason": "x"}
    assert duty("POST", path + "/adjust", same, version=4).status_code == 422
    assert duty("POST", path + "/adjust", same | {"level": "red"}, version=4).get_json()["edition"] == 2
    assert duty("POST", path + "/lift", {"note": "over"}, version=5).get_json()["status"] == "lifted"


def test_who_wrote_in_it_does_not_approve_it(people: dict[str, Caller]) -> None:
    duty = people["the.duty"]
    record = people["the.analyst"]("POST", "/warnings", BODY).get_json()
    duty("PUT", f"/warnings/{record['id']}", BODY | {"title": "neu"}, version=1)
    duty("POST", f"/warnings/{record['id']}/submit", {}, version=2)
    for name in ("the.duty",):
        assert people[name]("POST", f"/warnings/{record['id']}/approve", {}, version=3).status_code == 403
    assert people["the.leader"]("POST", f"/warnings/{record['id']}/approve", {}, version=3).status_code == 200


@pytest.mark.parametrize(
    "extra",
    [
        {"status": "published"}, {"approved_by": "the.analyst"}, {"author": "the.leader"}, {"number": 1, "year": 2026},
        {"version": 9},
        {"contributors": []}, {"id": 1}, {"edition": 5}, {"published_at": "2026-01-01T00:00:00Z"}, {"pattern_key": "x"},
    ],
)  # fmt: skip
def test_nothing_is_assigned_that_the_form_does_not_have(people: dict[str, Caller], app: APIFlask, extra: dict[str, Any]) -> None:
    analyst = people["the.analyst"]
    assert analyst("POST", "/warnings", BODY | extra).status_code == 422
    record = analyst("POST", "/warnings", BODY).get_json()
    assert analyst("PUT", f"/warnings/{record['id']}", BODY | extra, version=1).status_code == 422
    form = BODY | extra | {"csrf_token": token_of(analyst.browser, "/account"), "version": "1"}
    assert analyst.browser.post(f"/warnings/{record['id']}/edit", data=form).status_code in (302, 409)
    after = analyst("GET", f"/warnings/{record['id']}").get_json()["warning"]
    assert {name: after[name] for name in extra if name in after and name != "version"} == {
        name: record[name] for name in extra if name in record and name != "version"
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""), ("title", "x" * 201), ("title", "a\ud800"), ("level", "purple"), ("importance", "huge"), ("harm", None),
        ("measures", "x" * 10_001), ("organisations", ["没有的局"]), ("zones", ["nowhere"]), ("zones", ["../x"]),
        ("zones", "water-ot"),
        ("organisations", ["交通局"] * 65), ("alert", -1), ("alert", "1 OR 1=1"),
    ],
)  # fmt: skip
def test_impossible_values_are_refused(people: dict[str, Caller], field: str, value: Any) -> None:
    answer = people["the.analyst"]("POST", "/warnings", BODY | {field: value})
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")


def test_an_alert_that_is_not_there_is_not_found(people: dict[str, Caller]) -> None:
    assert people["the.analyst"]("POST", "/warnings", BODY | {"alert": 999_999}).status_code == 404


EVIL = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}${7*7}#{7*7}\u202egpj.exe\x1b[2J"


def test_texts_stay_texts(services: Services, people: dict[str, Caller]) -> None:
    analyst, leader, duty, water = (people[name] for name in ("the.analyst", "the.leader", "the.duty", "own.bureau"))
    evil = BODY | dict.fromkeys(("title", *TEXTS), EVIL)
    record = analyst("POST", "/warnings", evil).get_json()
    path = f"/warnings/{record['id']}"
    pages = [analyst.browser.get(path + "/edit").text]
    analyst("POST", path + "/submit", {"note": EVIL}, version=1)
    leader("POST", path + "/return", {"note": EVIL}, version=2)
    analyst("POST", path + "/submit", {"note": EVIL}, version=3)
    leader("POST", path + "/approve", {"note": EVIL}, version=4)
    duty("POST", path + "/publish", {"note": EVIL}, version=5)
    assert water("POST", path + "/receive", {"organisation": "水务局", "edition": 1, "comment": EVIL}).status_code == 200
    answer = {"organisation": "水务局", "edition": 1, "feedback": EVIL}
    assert water("POST", path + "/feedback", answer).status_code == 200
    assert (
        duty("POST", path + "/adjust", {"importance": "special", "harm": "extreme", "reason": EVIL}, version=6).status_code == 200
    )
    assert duty("POST", path + "/lift", {"note": EVIL}, version=7).status_code == 200
    for who in (duty, water):
        pages += [who.browser.get(address).text for address in (path, "/warnings?view=all", f"/warnings?q={EVIL[:20]}", "/")]
    for page in pages:
        assert "<script>alert" not in page
        assert "<img src=x" not in page
    for page in pages[1:]:  # what a form sends back is exact
        assert "\u202e" not in page
        assert "\x1b" not in page
    assert any("{{7*7}}" in page for page in pages)
    assert "49" not in pages[1].split("{{7*7}}")[1][:8]
    file = duty("GET", path + "/bulletin?format=docx")
    told = "\n".join(paragraph.text for paragraph in python_docx.Document(io.BytesIO(file.data)).paragraphs)
    assert "<script>alert(1)</script>" in told
    assert "{{7*7}}" in told
    assert "\u202e" not in told


def test_what_a_bureau_reads_names_nobody_else(services: Services, people: dict[str, Caller]) -> None:
    record = made(services.database, "published", organisations=("交通局", "公安局"))
    water = people["own.bureau"]
    told = [json.dumps(water("GET", f"/warnings/{record.id}").get_json(), ensure_ascii=False)]
    told += [json.dumps(row, ensure_ascii=False) for row in water("GET", "/warnings").get_json()["warnings"]]
    file = water("GET", f"/warnings/{record.id}/bulletin?format=docx").data
    table = python_docx.Document(io.BytesIO(file)).tables[0]
    told += [cell.text for row in table.rows for cell in row.cells] + [water.browser.get(f"/warnings/{record.id}").text]
    assert any("水务局" in text for text in told)
    assert not any(name in text for text in told for name in ("交通局", "公安局", 'x.analyst"]'))


def test_tables_of_the_site(people: dict[str, Caller]) -> None:
    security = people["the.secadmin"]
    now = security("GET", "/warnings/settings/deadlines")
    body = now.get_json()
    value = body["value"] | {"red": {"receipt": 0.5, "feedback": 6}}
    wanted = {"value": value, "source": "市网安办〔2026〕7 号", "to_be_confirmed": False}
    assert security("PUT", "/warnings/settings/deadlines", wanted).status_code == 428
    assert security("PUT", "/warnings/settings/deadlines", wanted, version=9).status_code == 412
    changed = security("PUT", "/warnings/settings/deadlines", wanted, version=body["version"])
    assert (changed.status_code, changed.get_json()["to_be_confirmed"]) == (200, False)
    assert security("PUT", "/warnings/settings/deadlines", wanted, version=body["version"]).status_code == 412
    assert security("PUT", "/warnings/settings/nonsense", wanted, version=0).status_code == 404
    bad = wanted | {"value": {"red": {"receipt": "1e999"}}}
    assert security("PUT", "/warnings/settings/deadlines", bad, version=changed.get_json()["version"]).status_code == 422


@pytest.mark.parametrize(
    "path", ["/warnings/0", "/warnings/99999999", "/warnings/-1", "/warnings/1%27", "/warnings/9223372036854775808"]
)
def test_numbers_that_are_none(people: dict[str, Caller], path: str) -> None:
    assert people["the.duty"]("GET", path).status_code == 404


@pytest.mark.parametrize(
    "query", ["nonsense=1", "limit=0", "status=loud", "cursor=1;drop", "order=random", "level=blue&level=purple"]
)
def test_filters_that_do_not_exist_are_refused(people: dict[str, Caller], query: str) -> None:
    assert people["the.duty"]("GET", f"/warnings?{query}").status_code == 422
