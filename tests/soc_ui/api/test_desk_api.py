"""Tickets and services over the API: each role × each act × a foreign organisation, and what hostile callers try."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from werkzeug.test import TestResponse

from operations.accounts import keys
from operations.accounts.permissions import PERMISSIONS
from operations.audit import service as audit
from soc_ui.app import create_app
from soc_ui.services import Services
from tests.soc_ui.seed import ADMINISTRATORS, fill
from tests.soc_ui.seed_desk import PERMIT, TRAFFIC, WATER, as_, fill_desk
from tests.soc_ui.seed_zones import fill_zones

Ask = Callable[..., TestResponse]

CALLERS = {
    "sysadmin": ADMINISTRATORS["sysadmin"][0],
    "secadmin": ADMINISTRATORS["secadmin"][0],
    "auditadmin": ADMINISTRATORS["auditadmin"][0],
    "analyst": "lin.mei",
    "responder": "chu.zhi",
    "duty": "zhao.zhiban",
    "duty2": "sun.zhiban",
    "leader": "ling.dao",
    "bureau": "shui.wu",
    "foreign": "jiao.tong",
}
ROLE = {"duty2": "duty", "foreign": "bureau"}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Services:
    services = fill(tmp_path_factory.mktemp("desk"), events=20)
    fill_zones(services, events=60)
    fill_desk(services)
    return services


@pytest.fixture(scope="module")
def app(desk: Services) -> APIFlask:
    return create_app(desk)


@pytest.fixture(scope="module")
def tokens(desk: Services) -> dict[str, str]:
    made = {}
    for caller, name in CALLERS.items():
        owner, _database = as_(desk, name)
        with desk.database.write() as session:
            made[caller] = keys.create_key(session, owner, caller, "write")[1]
    return made


@pytest.fixture
def ask(app: APIFlask, tokens: dict[str, str]) -> Ask:
    browser = app.test_client(use_cookies=False)

    def request(method: str, path: str, who: str, *, match: str | None = "*", **more: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {tokens[who]}"} | ({"If-Match": match} if match is not None else {})
        return browser.open("/api/v1" + path, method=method, headers=headers, **more)

    return request


def may(who: str, permission: str) -> bool:
    return permission in PERMISSIONS[ROLE.get(who, who)]


def new_ticket(ask: Ask, **more: Any) -> int:
    body = {"kind": "remediation", "title": "整改", "bureau": WATER} | more
    answer = ask("POST", "/tickets", "duty", json=body)
    assert answer.status_code == 201, answer.text
    return int(answer.get_json()["id"])


def new_application(ask: Ask, who: str = "bureau", kind: str = "quota", **form: Any) -> int:
    body = {"gigabytes": 5, "days": 30, "reason": "x"} if kind == "quota" else dict(PERMIT)
    answer = ask("POST", f"/services/{kind}/applications", who, json={"form": body | form})
    assert answer.status_code == 201, answer.text
    return int(answer.get_json()["id"])


@pytest.mark.parametrize("who", CALLERS)
def test_reading_is_by_permission_and_organisation(ask: Ask, who: str) -> None:
    """Ticket 1 and application 1 concern the water bureau; the traffic bureau does not learn that they exist."""
    for path, permission in (("/tickets", "tickets.read"), ("/services/applications", "services.read")):
        listed = ask("GET", path, who)
        one = ask("GET", f"{path}/1", who)
        if not may(who, permission):
            assert (listed.status_code, one.status_code) == (403, 403), path
        elif who == "foreign":
            assert one.status_code == 404
            rows = next(value for value in listed.get_json().values() if isinstance(value, list))
            assert not [row for row in rows if row["bureau"] == WATER]
        else:
            assert (listed.status_code, one.status_code) == (200, 200), path
            assert one.headers["ETag"]
    if may(who, "tickets.read"):
        assert (ask("GET", "/tickets", who).get_json()["hidden"] > 0) == (who in ("bureau", "foreign"))
        assert ask("GET", "/tickets/1/attachments/1", who).status_code == (404 if who == "foreign" else 200)


TICKET_ACTS = ("receipt", "take", "finish", "send_back", "resend", "close", "transfer", "delegate", "edit")
HANDLER_NOW, ISSUER_NOW = {"receipt", "take", "send_back", "transfer"}, {"close", "transfer", "edit"}


@pytest.mark.parametrize("who", CALLERS)
@pytest.mark.parametrize("what", TICKET_ACTS)
def test_each_role_and_each_act_of_a_new_ticket(ask: Ask, who: str, what: str) -> None:
    """A ticket of the operator's duty officer to the water bureau that nobody has signed for."""
    ticket = new_ticket(ask)
    body = {"act": what, "note": "why", "title": "新标题"} if what == "edit" else {"act": what, "note": "why"}
    if what in ("transfer", "delegate"):
        body |= {"assignee": "shui.er", "until": "2099-01-01T00:00:00Z"}
    answer = ask("POST", f"/tickets/{ticket}/acts", who, json=body)
    if not may(who, "tickets.write"):
        expected = {403}
    elif who == "foreign":
        expected = {404}
    elif who == "bureau":
        expected = {200} if what in HANDLER_NOW else {422} if what == "delegate" else {403}
    else:
        expected = {200} if what in ISSUER_NOW else {403}
    assert answer.status_code in expected, (answer.status_code, answer.text)
    assert ask("GET", f"/tickets/{ticket}", "duty").get_json()["ticket"]["version"] == (2 if expected == {200} else 1)


@pytest.mark.parametrize("who", CALLERS)
def test_comments_and_attachments(ask: Ask, who: str) -> None:
    ticket = new_ticket(ask)
    wanted = 403 if not may(who, "tickets.write") else 404 if who == "foreign" else 0
    assert ask("POST", f"/tickets/{ticket}/comments", who, json={"note": "x"}).status_code == (wanted or 204)
    sent = {"name": "a.txt", "text": "x"}
    assert ask("POST", f"/tickets/{ticket}/attachments", who, json=sent).status_code == (wanted or 201)


SERVICE_ACTS = ("accept", "issue", "confirm", "reject", "withdraw", "revoke")


@pytest.mark.parametrize("who", CALLERS)
@pytest.mark.parametrize("what", SERVICE_ACTS)
def test_each_role_and_each_act_of_an_application(ask: Ask, who: str, what: str) -> None:
    """A quota that the water bureau applied for, brought to where the act is possible."""
    one = new_application(ask)
    before = {"issue": ["accept"], "confirm": ["accept"], "revoke": ["accept", "issue"]}.get(what, [])
    for step in before:
        assert ask("POST", f"/services/applications/{one}/acts", "responder", json={"act": step}).status_code == 200
    answer = ask("POST", f"/services/applications/{one}/acts", who, json={"act": what, "note": "why"})
    if not may(who, "services.read"):
        expected = 403
    elif who == "foreign":
        expected = 404
    elif what == "confirm":
        expected = 409  # there is nothing to confirm
    elif what == "withdraw":
        expected = 200 if who == "bureau" else 403
    elif what == "revoke":
        expected = 200 if who == "bureau" or may(who, "services.handle") else 403
    else:
        expected = 200 if may(who, "services.handle") else 403
    assert answer.status_code == expected, answer.text


@pytest.mark.parametrize("who", CALLERS)
def test_who_applies_and_who_sets_periods(ask: Ask, who: str) -> None:
    body = {"form": {"gigabytes": 5, "days": 30, "reason": "x"}}
    assert ask("POST", "/services/quota/applications", who, json=body).status_code == (201 if may(who, "services.apply") else 403)
    terms = {"accept_hours": 8, "issue_hours": 48, "source": "局务会 2026-11"}
    answer = ask("PUT", "/services/quota/terms", who, json=terms)
    assert answer.status_code == (200 if may(who, "services.handle") else 403)


def test_a_dangerous_permit_needs_two_people_one_of_them_of_the_zone_plan(ask: Ask) -> None:
    one = new_application(ask, kind="cross-zone-permit")
    acts = f"/services/applications/{one}/acts"
    assert ask("POST", acts, "duty", json={"act": "accept"}).status_code == 200
    assert ask("POST", acts, "duty", json={"act": "issue"}).get_json()["state"] == "to_confirm"
    assert ask("POST", acts, "duty", json={"act": "confirm"}).status_code == 403
    assert ask("POST", acts, "duty2", json={"act": "confirm"}).status_code == 403
    assert ask("POST", acts, "bureau", json={"act": "confirm"}).status_code == 403
    done = ask("POST", acts, "secadmin", json={"act": "confirm"}).get_json()
    assert (done["state"], done["grant_id"]) == ("issued", f"permit-{one}")


def test_two_people_never_overwrite_each_other(ask: Ask) -> None:
    ticket = new_ticket(ask)
    first = ask("GET", f"/tickets/{ticket}", "duty").headers["ETag"]
    path, edit = f"/tickets/{ticket}/acts", {"act": "edit", "title": "甲"}
    assert ask("POST", path, "duty", match=None, json=edit).status_code == 428
    assert ask("POST", path, "duty", match="x", json=edit).status_code == 400
    changed = ask("POST", path, "duty", match=first, json=edit)
    assert changed.status_code == 200
    assert ask("POST", path, "duty2", match=first, json=edit | {"title": "乙"}).status_code == 412
    assert ask("GET", f"/tickets/{ticket}", "duty").get_json()["ticket"]["title"] == "甲"
    one = new_application(ask)
    etag = ask("GET", f"/services/applications/{one}", "duty").headers["ETag"]
    path = f"/services/applications/{one}/acts"
    assert ask("POST", path, "duty", match=None, json={"act": "accept"}).status_code == 428
    assert ask("POST", path, "duty", match=etag, json={"act": "accept"}).status_code == 200
    assert ask("POST", path, "duty2", match=etag, json={"act": "reject", "note": "x"}).status_code == 412
    terms = ask("GET", "/services/scan/terms", "duty")
    body = {"accept_hours": 1, "issue_hours": 2, "source": "x"}
    assert ask("PUT", "/services/scan/terms", "duty", match=terms.headers["ETag"], json=body).status_code == 200
    assert ask("PUT", "/services/scan/terms", "duty2", match=terms.headers["ETag"], json=body).status_code == 412


def test_an_edit_changes_only_what_it_names(ask: Ask) -> None:
    ticket = new_ticket(ask, due_at="2099-01-01T08:00:00+08:00", body="原文")
    ask("POST", f"/tickets/{ticket}/acts", "duty", json={"act": "edit", "title": "新"})
    detail = ask("GET", f"/tickets/{ticket}", "duty").get_json()
    assert (detail["ticket"]["title"], detail["ticket"]["due_at"]) == ("新", "2099-01-01T00:00:00.000000Z")
    assert detail["body"] == "原文"
    ask("POST", f"/tickets/{ticket}/acts", "duty", json={"act": "edit", "until": ""})
    assert ask("GET", f"/tickets/{ticket}", "duty").get_json()["ticket"]["due_at"] is None


@pytest.mark.parametrize("extra", [{"state": "done"}, {"issuer": TRAFFIC}, {"created_by": "x"}, {"id": 1}, {"version": 9}])
def test_mass_assignment_is_refused(ask: Ask, extra: dict[str, Any]) -> None:
    body = {"kind": "remediation", "title": "x"} | extra
    assert ask("POST", "/tickets", "duty", json=body).status_code == 422
    assert ask("POST", f"/tickets/{new_ticket(ask)}/acts", "duty", json={"act": "edit"} | extra).status_code == 422


@pytest.mark.parametrize("extra", [{"state": "issued"}, {"bureau": TRAFFIC}, {"grant_id": "x"}, {"expires_at": "2099-01-01"}])
def test_a_form_takes_no_field_that_it_does_not_have(ask: Ask, extra: dict[str, Any]) -> None:
    form = {"gigabytes": 1, "days": 1, "reason": "x"} | extra
    assert ask("POST", "/services/quota/applications", "bureau", json={"form": form}).status_code == 422


def test_nobody_applies_for_others_or_hides_behind_them(ask: Ask) -> None:
    body = {"form": {"gigabytes": 5, "days": 30, "reason": "x"}, "bureau": TRAFFIC}
    assert ask("POST", "/services/quota/applications", "bureau", json=body).status_code == 403
    own = {"kind": "remediation", "title": "x", "bureau": TRAFFIC}
    assert ask("POST", "/tickets", "bureau", json=own).status_code == 422
    assert (
        ask("POST", "/tickets", "bureau", json={"kind": "remediation", "title": "x", "zones": ["traffic-iot"]}).status_code == 422
    )
    foreign = dict(PERMIT) | {"source": "traffic-iot", "target": "data-platform"}
    assert ask("POST", "/services/cross-zone-permit/applications", "bureau", json={"form": foreign}).status_code == 422
    ticket = new_ticket(ask)
    moved = ask("POST", f"/tickets/{ticket}/acts", "bureau", json={"act": "transfer", "bureau": TRAFFIC})
    assert moved.status_code == 403
    stolen = ask("POST", f"/tickets/{ticket}/acts", "duty", json={"act": "transfer", "assignee": "jiao.tong"})
    assert stolen.status_code == 422


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "remediation", "title": " "},
        {"kind": "remediation", "title": "x" * 201},
        {"kind": "remediation", "title": "x", "body": "x" * 20_001},
        {"kind": "other", "title": "x"},
        {"kind": "remediation", "title": "x", "level": "worst"},
        {"kind": "remediation", "title": "x", "bureau": "没有的局"},
        {"kind": "remediation", "title": "x", "due_at": "soon"},
        {"kind": "remediation", "title": "x", "due_at": "2020-01-01"},
        {"kind": "remediation", "title": "x", "zones": ["no-zone"]},
        {"kind": "remediation", "title": "x", "links": [{"kind": "alert", "value": "../../etc"}]},
        {"kind": "remediation", "title": "x", "links": [{"kind": "file", "value": "x"}]},
        {"kind": "remediation", "title": "x\ud800"},
        {"kind": "remediation", "title": ["x"]},
        [],
    ],
)
def test_bodies_that_do_not_fit(ask: Ask, body: Any) -> None:
    assert ask("POST", "/tickets", "duty", json=body).status_code in (400, 422)


@pytest.mark.parametrize(
    "form",
    [
        {"services": ["https\ud800"]},
        {"services": [{"x": 1}]},
        {"services": "x" * 500},
        {"services": ["no such service"]},
        {"days": 0},
        {"days": 181},
        {"days": True},
        {"days": 1e400},
        {"reason": "\ud800" * 3000},
        {"reason": None},
        {"source": ["water-ot"]},
        {"target": "water-ot"},
    ],
)
def test_forms_that_do_not_fit(ask: Ask, form: dict[str, Any]) -> None:
    body = {"form": dict(PERMIT) | form}
    assert ask("POST", "/services/cross-zone-permit/applications", "bureau", json=body).status_code in (400, 422)


@pytest.mark.parametrize(
    "path",
    [
        "/tickets/999999",
        "/tickets/1/attachments/999",
        "/tickets/2/attachments/1",
        "/services/applications/999999",
        "/services/none/terms",
        "/tickets/99999999999999999999",
    ],
)
def test_what_is_not_there(ask: Ask, path: str) -> None:
    assert ask("GET", path, "duty").status_code == 404


@pytest.mark.parametrize("query", ["cursor=x", "state=open", "mine=maybe", "statee=done", "about=x", "limit=0", "sort=title"])
def test_parameters_that_do_not_fit(ask: Ask, query: str) -> None:
    answer = ask("GET", f"/tickets?{query}", "duty")
    assert answer.status_code == 422 or (query == "about=x" and answer.get_json()["tickets"] == [])


def test_walking_gives_every_ticket_once(ask: Ask) -> None:
    for sort in ("updated", "due"):
        seen: list[int] = []
        cursor = ""
        while True:
            page = ask("GET", f"/tickets?limit=3&sort={sort}&cursor={cursor}", "duty").get_json()
            seen += [row["id"] for row in page["tickets"]]
            cursor = page["next_cursor"]
            if not cursor:
                break
        assert len(seen) == len(set(seen)) == sum(page["boxes"].values())


def test_refused_writes_are_in_the_trail(ask: Ask, desk: Services) -> None:
    ask("POST", "/tickets", "leader", json={"kind": "remediation", "title": "x"})
    with desk.database.read() as session:
        newest = audit.since(session, 0, limit=100_000)[-1]
    assert (newest.action, newest.result, newest.actor) == ("api.denied", "denied", "key:leader (ling.dao)")
    assert Path(newest.object_id).name == "tickets"
