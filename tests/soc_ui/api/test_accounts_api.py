"""What a hostile administrator, with a real session and the right headers, tries through the API; and that honest ones can work."""

from __future__ import annotations

from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from operations.accounts import keys
from operations.accounts.models import User
from operations.accounts.permissions import KEYLESS, POWERS
from operations.accounts.schema import Principal
from operations.audit import service as audit
from soc_ui.services import Services
from tests.soc_ui.api.test_api import Call, problem
from tests.soc_ui.conftest import browser_of, token_of
from tests.soc_ui.seed import ADMINISTRATORS, USER

NAMES = {role: name for role, (name, _) in ADMINISTRATORS.items()}


class Caller:
    """A logged-in browser that speaks to the API with everything it needs."""

    def __init__(self, app: APIFlask, name: str) -> None:
        self.browser: FlaskClient = browser_of(app, name)
        self._token = token_of(self.browser, "/account")

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        sent = {"X-CSRFToken": self._token, **headers}
        return self.browser.open("/api/v1" + path, method=method, json=body, headers=sent)


@pytest.fixture
def as_(app: APIFlask) -> dict[str, Caller]:
    return {role: Caller(app, name) for role, name in NAMES.items()} | {"analyst": Caller(app, USER)}


def id_of(services: Services, name: str) -> int:
    with services.database.read() as session:
        return session.execute(select(User.id).where(User.name == name)).scalar_one()


def new(as_: dict[str, Caller], name: str) -> int:
    made = as_["sysadmin"]("POST", "/accounts", {"name": name})
    assert made.status_code == 201, made.text
    body: dict[str, Any] = made.get_json()
    assert (body["role"], body["invited"]) == ("", True)
    assert "/setup?token=" in body["link"]
    return int(body["id"])


def test_an_account_gets_a_role_by_two_persons(as_: dict[str, Caller], services: Services) -> None:
    user_id = new(as_, "honest.way")
    made = as_["secadmin"]("POST", f"/accounts/{user_id}/proposals", {"role": "responder", "reason": "new colleague"})
    assert made.status_code == 201
    proposal = made.get_json()["id"]
    assert proposal in [one["id"] for one in as_["sysadmin"]("GET", "/proposals").get_json()["proposals"]]
    assert as_["sysadmin"]("GET", f"/accounts/{user_id}").get_json()["role"] == ""
    assert as_["sysadmin"]("POST", f"/proposals/{proposal}/confirm").get_json()["state"] == "confirmed"
    assert as_["sysadmin"]("GET", f"/accounts/{user_id}").get_json()["role"] == "responder"
    problem(as_["sysadmin"]("POST", f"/proposals/{proposal}/confirm"), 409)


def newest(services: Services) -> tuple[str, str, str]:
    with services.database.read() as session:
        entry = audit.listing(session, limit=1).entries[0]
    return entry.actor, entry.action, entry.result


def test_a_hostile_system_administrator(as_: dict[str, Caller], services: Services) -> None:
    evil, user_id = as_["sysadmin"], new(as_, "sock.puppet")
    problem(evil("POST", f"/accounts/{user_id}/proposals", {"role": "secadmin"}), 403)
    assert newest(services) == (NAMES["sysadmin"], "api.denied", "denied")
    problem(evil("POST", f"/accounts/{id_of(services, NAMES['sysadmin'])}/proposals", {"role": "analyst"}), 403)
    for role in POWERS:  # cannot disarm the other powers, nor harm itself
        victim = id_of(services, NAMES[role])
        status = 403 if role == "sysadmin" else 409
        problem(evil("PATCH", f"/accounts/{victim}", {"active": False}), status)
        problem(evil("DELETE", f"/accounts/{victim}"), status)
    reset = evil("POST", f"/accounts/{id_of(services, NAMES['auditadmin'])}/proposals", {"kind": "factors"}).get_json()
    problem(evil("POST", f"/proposals/{reset['id']}/confirm"), 403)
    for path in ("/alerts", "/events?query=*", "/audit", "/audit/verification", "/zoneplan", "/rules"):
        problem(evil("GET", path), 403)
    assert evil("POST", f"/proposals/{reset['id']}/refuse").get_json()["state"] == "withdrawn"


def test_a_hostile_security_administrator(as_: dict[str, Caller], services: Services) -> None:
    evil = as_["secadmin"]
    mine = id_of(services, NAMES["secadmin"])
    problem(evil("POST", "/accounts", {"name": "my.own"}), 403)
    problem(evil("POST", f"/accounts/{mine}/proposals", {"role": "sysadmin"}), 403)
    problem(evil("POST", f"/accounts/{id_of(services, NAMES['sysadmin'])}/proposals", {"role": "secadmin"}), 409)
    problem(evil("POST", f"/accounts/{id_of(services, NAMES['auditadmin'])}/proposals", {"role": ""}), 409)
    problem(evil("POST", f"/accounts/{mine}/proposals", {"kind": "password"}), 403)
    user_id = new(as_, "sleeper")
    own = evil("POST", f"/accounts/{user_id}/proposals", {"role": "analyst"}).get_json()
    problem(evil("POST", f"/proposals/{own['id']}/confirm"), 403)
    assert newest(services) == (NAMES["secadmin"], "api.denied", "denied")
    problem(evil("PATCH", f"/accounts/{user_id}", {"active": False}), 403)
    for path in ("/alerts", "/alerts/1", "/events?query=*", "/audit", "/webhooks", "/sources"):
        problem(evil("GET", path), 403)


def test_a_hostile_audit_administrator_and_analyst(as_: dict[str, Caller], services: Services) -> None:
    user_id = new(as_, "target.account")
    waiting = as_["secadmin"]("POST", f"/accounts/{user_id}/proposals", {"role": "leader"}).get_json()["id"]
    for role in ("auditadmin", "analyst"):
        evil = as_[role]
        for method, path, body in (
            ("GET", "/accounts", None),
            ("GET", "/proposals", None),
            ("POST", "/accounts", {"name": "x.y"}),
            ("PATCH", f"/accounts/{user_id}", {"active": False}),
            ("DELETE", f"/accounts/{user_id}", None),
            ("POST", f"/accounts/{user_id}/proposals", {"role": "analyst"}),
            ("POST", f"/proposals/{waiting}/confirm", None),
            ("POST", f"/proposals/{waiting}/refuse", None),
        ):
            problem(evil(method, path, body), 403)
    problem(as_["analyst"]("GET", "/audit"), 403)
    for path in ("/alerts", "/events?query=*", "/webhooks", "/zones"):
        problem(as_["auditadmin"]("GET", path), 403)


@pytest.mark.parametrize(
    "body",
    [
        {"name": "x.y", "role": "sysadmin"},
        {"name": "x.y", "active": True},
        {"name": "x.y", "id": 1},
        {"name": "x.y", "password": "Correct-Horse-7"},
    ],
)
def test_nothing_is_slipped_in_when_an_account_is_made(as_: dict[str, Caller], body: Any) -> None:
    """Mass assignment: fields that the form does not have are refused, not taken."""
    problem(as_["sysadmin"]("POST", "/accounts", body), 422)


def test_nothing_is_slipped_in_when_an_account_is_changed(as_: dict[str, Caller], services: Services) -> None:
    user_id = new(as_, "slip.in")
    for body in ({"active": True, "role": "sysadmin"}, {"role": "sysadmin"}, {"active": True, "version": 1}):
        problem(as_["sysadmin"]("PATCH", f"/accounts/{user_id}", body), 422)


def test_no_key_reaches_accounts(call: Call, services: Services) -> None:
    for who in ("sysadmin:write", "secadmin:write"):
        me = call("GET", "/me", as_=who).get_json()
        assert not set(me["permissions"]) & KEYLESS
        problem(call("GET", "/accounts", as_=who), 403)
        problem(call("POST", "/accounts", as_=who, json={"name": "x.y"}), 403)
        problem(call("POST", "/proposals/1/confirm", as_=who), 403)


def test_a_session_without_the_csrf_header_changes_nothing(as_: dict[str, Caller]) -> None:
    browser = as_["sysadmin"].browser
    problem(browser.post("/api/v1/accounts", json={"name": "x.y"}), 403)
    problem(browser.post("/api/v1/accounts", json={"name": "x.y"}, headers={"X-CSRFToken": "0" * 64}), 403)


def test_the_list_is_filtered_sorted_and_paged(as_: dict[str, Caller]) -> None:
    for name in ("page.one", "page.two", "page.three"):
        new(as_, name)
    caller = as_["sysadmin"]
    seen: list[str] = []
    cursor = ""
    while True:
        body = caller("GET", f"/accounts?text=page.&limit=2&sort=-name&cursor={cursor}").get_json()
        seen += [one["name"] for one in body["accounts"]]
        cursor = body["next_cursor"]
        if not cursor:
            break
    assert seen == ["page.two", "page.three", "page.one"]
    assert {one["role"] for one in caller("GET", "/accounts?role=-").get_json()["accounts"]} == {""}
    assert NAMES["auditadmin"] in [one["name"] for one in caller("GET", "/accounts?role=auditadmin").get_json()["accounts"]]
    problem(caller("GET", "/accounts?sort=password_hash"), 422)
    problem(caller("GET", "/accounts?cursor=x"), 422)


def test_a_key_is_narrowed_never_widened(as_: dict[str, Caller], call: Call) -> None:
    analyst = as_["analyst"]
    made = analyst("POST", "/keys", {"name": "k", "permissions": ["alerts.read", "alerts.write"], "networks": ["127.0.0.0/8"]})
    assert made.status_code == 201
    key = made.get_json()
    header = {"Authorization": f"Bearer {key['key']}"}
    assert set(call("GET", "/me", as_="", headers=header).get_json()["permissions"]) == {"alerts.read", "alerts.write"}
    path = f"/keys/{key['id']}"
    assert as_["secadmin"]("PATCH", path, {"permissions": ["alerts.read"]}).status_code == 200
    problem(call("POST", "/alerts/1/notes", as_="", headers=header, json={"note": "x"}), 403)
    problem(analyst("PATCH", path, {"permissions": ["alerts.read", "alerts.write"]}), 422)
    for wider in ([], ["0.0.0.0/0"], ["127.0.0.2", "10.0.0.0/8"], ["::/0"], ["126.0.0.0/7"]):  # unbinds a stolen key
        problem(as_["secadmin"]("PATCH", path, {"permissions": ["alerts.read"], "networks": wider}), 422)
        assert call("GET", "/me", as_="", headers=header).status_code == 200
    assert as_["secadmin"]("PATCH", path, {"permissions": ["alerts.read"], "networks": ["127.9.0.0/16"]}).status_code == 200
    problem(call("GET", "/me", as_="", headers=header), 401)


def test_a_key_does_not_grow_with_its_owner(as_: dict[str, Caller], services: Services) -> None:
    """A program was given an analyst's key; when the person becomes audit administrator, the key does not."""
    user_id = new(as_, "was.analyst")
    with services.database.write() as session:
        session.get_one(User, user_id).role = "analyst"
        owner = Principal(user_id, "was.analyst", "", "analyst", "127.0.0.1")
        _, writing = keys.create_key(session, owner, "program", "write")
        _, reading = keys.create_key(session, owner, "reader", "read")

    def may(token: str) -> frozenset[str]:
        found = keys.principal_of_key(services.database, token, "127.0.0.1")
        assert found is not None
        return found.permissions

    before = may(writing), may(reading)
    for role in ("auditadmin", "", "responder", "sysadmin", "analyst"):
        made = as_["secadmin"]("POST", f"/accounts/{user_id}/proposals", {"role": role})
        if made.status_code == 409:  # one power never becomes another
            continue
        assert as_["sysadmin"]("POST", f"/proposals/{made.get_json()['id']}/confirm").status_code == 200
        assert may(writing) <= before[0]
        assert may(reading) <= before[1]
        if role == "auditadmin":
            assert not any(name.startswith("audit.") for name in may(writing) | may(reading))
    assert (may(writing), may(reading)) == before
