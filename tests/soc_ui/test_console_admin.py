"""Administration: the audit trail, API keys, webhooks."""

from __future__ import annotations

import ast
import base64
import hashlib
import hmac
import html
import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import text

from crypto.secret import MasterKey
from operations.accounts import keys as key_service
from operations.accounts.schema import Principal
from operations.accounts.service import create_user
from operations.audit import service as audit
from operations.audit.bundle import verify as script
from operations.audit.head_file import HeadFile
from operations.audit.heads import Trail
from operations.audit.keys import KeyStore
from operations.audit.schema import SYSTEM, Actor, AuditRecord
from operations.duty import escalation
from operations.webhooks import service as webhook_service
from operations.webhooks.guard import WebhookPolicy
from operations.webhooks.sender import deliver_due
from soc_ui.admin import acts, objects
from soc_ui.app import create_app
from soc_ui.locale import speaking
from soc_ui.services import RuleCatalogue, RuleInfo, Services
from tests.soc_ui.conftest import browser_of, log_in
from tests.soc_ui.conftest import post as send
from tests.soc_ui.seed import ADMINISTRATORS, USER, fill
from tests.soc_ui.seed_administration import administer
from tests.soc_ui.test_console_escaping import EVIL, _Tags

PAGES = (
    "/audit",
    "/keys",
    "/keys?whose=all",
    "/webhooks",
    "/webhooks/1",
    "/webhooks/1?open=60",
    "/webhooks/deliveries?status=dead",
)
ADMIN_PAGES = ("/audit", "/webhooks", "/webhooks/1", "/webhooks/deliveries")
ROOT = Path(__file__).resolve().parents[2]
LOOPBACK = WebhookPolicy(allow=("127.0.0.0/8",), max_attempts=1)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Services:
    services = fill(tmp_path_factory.mktemp("administration"), events=0)
    administer(services)
    return replace(services, webhook_policy=LOOPBACK)


class Office:
    """Everybody who works here, each at the pages that are theirs: no single person may do all that these tests do."""

    def __init__(self, app: APIFlask, lang: str = "en") -> None:
        self.application = app
        self._browsers = {role: browser_of(app, name, lang) for role, (name, _) in ADMINISTRATORS.items()}
        self._analyst = browser_of(app, USER, lang)

    def of(self, path: str) -> FlaskClient:
        role = {"/audit": "auditadmin", "/webhooks": "sysadmin", "/people": "sysadmin", "/keys?whose=all": "secadmin"}
        return next((self._browsers[who] for start, who in role.items() if path.startswith(start)), self._analyst)

    def get(self, path: str, **more: Any) -> Any:
        return self.of(path).get(path, **more)

    def post(self, path: str, **more: Any) -> Any:
        return self.of(path).post(path, **more)


def post(browser: Office | FlaskClient, path: str, data: dict[str, Any], *, page: str = "/account") -> Any:
    return send(browser.of(path) if isinstance(browser, Office) else browser, path, data, page=page)


@pytest.fixture
def client(app: APIFlask) -> Office:
    return Office(app)


@pytest.fixture
def empty(tmp_path: Path) -> Office:
    return Office(create_app(fill(tmp_path, events=0)), "zh")


@pytest.fixture
def analyst(app: APIFlask) -> FlaskClient:
    return browser_of(app, "wang.wu")


def _newest(services: Services, **where: str) -> AuditRecord:
    with services.database.read() as session:
        return audit.listing(session, limit=1, **where).entries[0]


def _numbers(page: str) -> list[int]:
    return [int(number) for number in re.findall(r'<tr (?:id="d\d+" )?data-id="(\d+)"', page)]


def _secret(page: str) -> str:
    found = re.search(r'readonly value="([^"]+)"', page)
    assert found is not None
    return html.unescape(found[1])


# --- who may, and how the pages are made --------------------------------------------------------------------------------------


def test_the_menu_shows_what_one_may_open_and_the_rest_is_refused(client: Office, analyst: FlaskClient) -> None:
    for start, mine, foreign in (
        ("/people", ("/people", "/webhooks", "/sources"), ("/audit", "/alerts", "/hunt", "/rules", "/zones")),
        ("/audit", ("/audit", "/keys"), ("/people", "/webhooks", "/alerts", "/hunt", "/rules", "/zones", "/sources")),
        ("/keys?whose=all", ("/people", "/people/proposals", "/rules", "/zones"), ("/audit", "/webhooks", "/alerts", "/hunt")),
    ):
        browser = client.of(start)
        menu = browser.get("/account").text
        assert all(f'href="{path}"' in menu for path in mine), start
        assert not any(f'href="{path}"' in menu for path in foreign), start
        assert {browser.get(path).status_code for path in foreign} == {403}, start
    menu = analyst.get("/rules").text
    assert 'href="/keys"' in menu
    assert not any(f'href="{path}"' in menu for path in ("/people", "/webhooks", "/audit"))
    assert [analyst.get(path).status_code for path in ADMIN_PAGES] == [403] * len(ADMIN_PAGES)
    for path in ("/audit/verify", "/audit/export", "/webhooks", "/webhooks/1/delete", "/webhooks/deliveries/1/replay"):
        assert post(analyst, path, {}).status_code == 403


def test_a_leader_has_no_administration_at_all(app: APIFlask, filled: Services) -> None:
    create_user(filled.database, SYSTEM, "guest.one", "Night-Shift-2026", "leader")
    browser = browser_of(app, "guest.one", "zh")
    assert "管理</div>" not in browser.get("/rules").text
    assert browser.get("/keys").status_code == 403


@pytest.mark.parametrize("path", PAGES)
def test_every_page_keeps_to_the_strict_policy(client: Office, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert not re.search(r"<script(?![^>]*\bsrc=)|\son[a-z]+=|\sstyle=|<style", answer.text)


@pytest.mark.parametrize(
    "path",
    [
        "/audit/verify",
        "/audit/export",
        "/keys",
        "/keys/1/revoke",
        "/webhooks",
        "/webhooks/1",
        "/webhooks/1/switch",
        "/webhooks/1/secret",
        "/webhooks/1/test",
        "/webhooks/1/delete",
        "/webhooks/deliveries/1/replay",
    ],
)
def test_a_form_without_our_token_changes_nothing(client: Office, filled: Services, path: str) -> None:
    before = _newest(filled).id
    assert client.post(path, data={"name": "x", "scope": "read", "days": "1", "enabled": "off"}).status_code == 400
    assert client.post(path, data={"csrf_token": "0" * 64}).status_code == 400
    assert _newest(filled).id == before


def test_pages_are_chinese_and_an_empty_console_says_what_to_do_next(empty: Office) -> None:
    for path, words in (
        ("/audit", "审计日志尚未校验"),
        ("/audit?actor=nobody", "请去掉一个筛选条件"),
        ("/keys", "在旁边的表单中创建密钥"),
        ("/webhooks", "尚未配置 Webhook"),
        ("/webhooks/deliveries", "尚未发送任何消息"),
        ("/webhooks/deliveries?status=dead", "没有处于此状态的消息"),
    ):
        answer = empty.get(path)
        assert answer.status_code == 200
        assert words in answer.text, path


def test_hostile_names_and_details_stay_text(client: Office, filled: Services) -> None:
    with filled.database.write() as session:
        audit.append(session, Actor(EVIL, EVIL), EVIL, EVIL, EVIL, result=EVIL[:16], detail={EVIL: EVIL, "more": {EVIL: [EVIL]}})
    post(client, "/keys", {"name": EVIL, "scope": "read", "days": "1"})
    made = post(client, "/webhooks", {"name": EVIL, "url": "https://example.com/?q='>%3Cscript%3E", "min_level": "low"})
    number = re.search(r'<span class="faint mono">#(\d+)</span>', made.text)
    assert number is not None
    refused = post(client, "/webhooks", {"name": EVIL, "url": EVIL, "min_level": EVIL})
    assert refused.status_code == 422
    pages = [client.get(path).text for path in (*PAGES, f"/webhooks/{number[1]}")]
    for page in (made.text, refused.text, *pages):
        tags = _Tags()
        tags.feed(page)
        assert tags.found == []
        assert "49javascript" not in page
    post(client, f"/webhooks/{number[1]}/delete", {})


# --- the audit trail ----------------------------------------------------------------------------------------------------------


def test_paging_shows_every_entry_once_newest_first(client: Office, filled: Services) -> None:
    newest, seen, url = _newest(filled).id, [], "/audit"
    while url:
        page = client.get(url).text
        seen += _numbers(page)
        following = re.search(r'href="([^"]+)" rel="next"', page)
        url = html.unescape(following[1]) if following else ""
    assert seen == list(range(newest, 0, -1))
    assert client.get("/audit?cursor=rubbish").status_code == 422


@pytest.mark.parametrize(
    ("query", "fits"),
    [
        ("actor=wang.wu", lambda entry: entry.actor == "wang.wu"),
        ("action=session.login&result=failure", lambda entry: (entry.action, entry.result) == ("session.login", "failure")),
        ("result=denied", lambda entry: entry.result == "denied"),
        ("object=webhook", lambda entry: entry.object_type == "webhook"),
        ("object=alert:3", lambda entry: (entry.object_type, entry.object_id) == ("alert", "3")),
        ("last=15m&actor=lin.mei", lambda entry: entry.actor == USER),
        ("from=2001-01-01T00:00&to=2002-01-01T00:00", lambda entry: False),
        ("from=2001-01-01T00:00&to=2002-01-01T00:00&last=1h&object=key", lambda entry: entry.object_type == "key"),
    ],
)
def test_filters_show_exactly_what_fits(client: Office, filled: Services, query: str, fits: Callable[[AuditRecord], bool]) -> None:
    with filled.database.read() as session:
        everything = audit.listing(session, limit=1000).entries
    expected = [entry.id for entry in everything if fits(entry)]
    assert _numbers(client.get(f"/audit?{query}").text) == expected[:50]


def test_a_wrong_time_is_told(client: Office) -> None:
    assert client.get("/audit?from=yesterday").status_code == 400
    assert client.get("/audit?last=soon").status_code == 400


def test_the_links_of_a_row_narrow_the_filters_in_force(client: Office) -> None:
    page = client.get("/audit?result=failure").text
    link = re.search(r'<td><a href="([^"]+)" title="session.login">', page)
    assert link is not None
    assert parse_qs(urlsplit(html.unescape(link[1])).query) == {"result": ["failure"], "action": ["session.login"]}


def test_verifying_says_up_to_where_and_is_an_entry_itself(client: Office, filled: Services) -> None:
    checked = _newest(filled).id
    answer = post(client, "/audit/verify", {"next": "/audit?actor=wang.wu"}, page="/audit")
    assert answer.location == "/audit?actor=wang.wu"
    entry = _newest(filled)
    assert (entry.action, entry.actor, entry.result, entry.detail) == (
        "audit.verify",
        ADMINISTRATORS["auditadmin"][0],
        "success",
        {"checked": checked},
    )
    assert f"Verified up to #{checked}" in client.get("/audit").text
    assert post(client, "/audit/verify", {"next": "//evil.example"}).location == "/"


def test_a_broken_chain_is_told_with_the_entry_that_does_not_fit(tmp_path: Path) -> None:
    services = fill(tmp_path, events=0)
    administer(services)
    with services.database.engine.begin() as connection:  # as somebody who has the database file: triggers away first
        connection.execute(text("DROP TRIGGER audit_entries_no_update"))
        connection.execute(text("UPDATE audit_entries SET actor = 'somebody.else' WHERE id = 7"))
    browser = browser_of(create_app(services), ADMINISTRATORS["auditadmin"][0])
    post(browser, "/audit/verify", {})
    page = browser.get("/audit").text
    assert "The trail is broken at entry #7." in page
    assert "Its content was changed." in page
    assert _newest(services, action="audit.verify").result == "failure"


def _with_trail(services: Services, folder: Path) -> Services:
    """As the platform has it: a head file and a signing key."""
    (folder / "secret").mkdir()
    return replace(
        services,
        trail=Trail(services.database, HeadFile(folder / "heads.jsonl"), KeyStore(folder / "secret", MasterKey(bytes(16)))),
    )


def test_the_state_of_the_tree_and_the_proof_of_one_entry_are_shown(tmp_path: Path) -> None:
    services = _with_trail(fill(tmp_path, events=0), tmp_path)
    administer(services)
    browser = browser_of(create_app(services), ADMINISTRATORS["auditadmin"][0])
    page = browser.get("/audit").text
    assert "none yet" in page
    assert "no signed head covers this entry yet" in browser.get("/audit/7/proof").text
    assert services.trail is not None
    head = services.trail.sign()
    assert head is not None
    page = browser.get("/audit").text
    assert f"#{head.size}" in page
    assert head.log in page
    assert "Head file" in page
    assert 'href="/audit/7/proof"' in browser.get("/audit?cursor=9").text
    assert "The proof holds." in browser.get("/audit/7/proof").text
    told = json.loads(browser.get("/audit/7/proof?as=json").data)
    assert script.check_proof(told, head.log)["first"] == 7
    assert browser.get("/audit/99999/proof").status_code == 404
    with services.database.engine.begin() as connection:
        connection.execute(text("DROP TRIGGER audit_entries_no_update"))
        connection.execute(text("UPDATE audit_entries SET actor = 'somebody.else' WHERE id = 7"))
    assert "The proof does not hold" in browser.get("/audit/7/proof").text
    browser.set_cookie("lang", "zh")
    assert "证明不成立" in browser.get("/audit/7/proof").text


def test_an_export_is_signed_and_a_cut_head_file_is_told_on_the_page(tmp_path: Path) -> None:
    services = _with_trail(fill(tmp_path, events=0), tmp_path)
    administer(services)
    browser = browser_of(create_app(services), ADMINISTRATORS["auditadmin"][0])
    post(browser, "/audit/export", {})
    assert services.trail is not None
    [head] = services.trail.head_file.read().heads
    assert _newest(services, action="audit.export").id == head.size
    services.trail.head_file.path.write_bytes(b"")
    post(browser, "/audit/verify", {})
    page = browser.get("/audit").text
    assert "The head file was changed, cut or replaced." in page
    assert post(browser, "/audit/export", {}).status_code == 200  # exported all the same, without a head


def test_the_export_is_what_the_filters_show_and_is_recorded_first(client: Office, filled: Services) -> None:
    with filled.database.read() as session:
        expected = [entry.id for entry in audit.listing(session, limit=1000, actor="wang.wu", result="denied").entries]
    answer = post(client, "/audit/export", {"actor": "wang.wu", "result": "denied"}, page="/audit")
    assert "attachment" in answer.headers["Content-Disposition"]
    lines = [json.loads(line) for line in answer.data.splitlines()]
    assert [line["id"] for line in lines] == expected
    assert {(line["actor"], line["result"]) for line in lines} == {("wang.wu", "denied")}
    assert _newest(filled, action="audit.export").detail == {"actor": "wang.wu", "result": "denied"}
    whole = [json.loads(line)["id"] for line in post(client, "/audit/export", {}).data.splitlines()]
    assert whole == list(range(len(whole), 0, -1))


def test_every_recorded_act_has_a_name(app: APIFlask) -> None:
    used = set()
    for path in (path for room in ("operations", "soc_ui") for path in (ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and len(node.args) > 2 and ast.unparse(node.func).endswith("append"):
                action = node.args[2]
                used |= {action.value} if isinstance(action, ast.Constant) and isinstance(action.value, str) else set()
    assert len(used) > 15
    with app.test_request_context():
        assert used <= set(acts.names())


def _written_kinds() -> tuple[set[str], set[str]]:
    """Kinds of objects that code hands to the audit trail as texts, and the places that hand over something reckoned."""
    kinds, reckoned = set(), set()
    for path in (path for room in ("operations", "soc_ui", "cli") for path in (ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or ast.unparse(node.func) not in ("audit.append", "service.append"):
                continue
            given = [*node.args[3:4], *(one.value for one in node.keywords if one.arg == "object_type")]
            for kind in given:
                if isinstance(kind, ast.Constant):
                    kinds.add(str(kind.value))
                else:
                    reckoned.add(path.relative_to(ROOT).as_posix())
    return kinds, reckoned


def test_every_recorded_kind_of_object_has_a_name_in_both_languages(app: APIFlask) -> None:
    kinds, reckoned = _written_kinds()
    assert reckoned == {"operations/duty/escalation.py"}, "whose kinds are those of escalations; a new place needs its kinds here"
    kinds |= set(escalation.KINDS)
    assert {"account", "audit", "backup", "ticket", "report_schedule"} <= kinds
    with app.test_request_context(), speaking("en"):
        english = {kind: str(name) for kind, name in objects.names().items()}
    with app.test_request_context(), speaking("zh"):
        chinese = {kind: str(name) for kind, name in objects.names().items()}
    assert kinds <= set(english)
    assert all(re.search("[\u4e00-\u9fff]", name) for kind, name in chinese.items() if kind not in ("api", "webhook")), chinese
    assert not any(re.search("[\u4e00-\u9fff]", name) for name in english.values())


# --- keys ---------------------------------------------------------------------------------------------------------------------


def test_a_key_is_shown_once_works_and_stops_when_revoked(client: Office, filled: Services) -> None:
    answer = post(client, "/keys", {"name": "nightly job", "scope": "read", "days": "7"})
    assert answer.status_code == 200
    key = _secret(answer.text)
    assert key not in client.get("/keys").text
    program = client.application.test_client(use_cookies=False)
    header = {"Authorization": f"Bearer {key}"}
    me = program.get("/api/v1/me", headers=header)
    assert (me.status_code, me.json["name"], me.json["scope"]) == (200, USER, "read")
    entry = _newest(filled, action="key.create")
    assert (entry.actor, entry.detail) == (
        USER,
        {"name": "nightly job", "scope": "read", "days": 7, "permissions": [], "networks": []},
    )
    assert key not in json.dumps(entry.detail)
    answer = post(client, f"/keys/{entry.object_id}/revoke", {})
    assert "Key revoked." in client.get(answer.location).text
    assert program.get("/api/v1/me", headers=header).status_code == 401


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"name": "  "}, "A key needs a name"),
        ({"name": "x" * 129}, "A key needs a name"),
        ({"days": "0"}, "1 to 366 days"),
        ({"days": "367"}, "1 to 366 days"),
        ({"days": "many"}, "1 to 366 days"),
        ({"scope": "root"}, "A value breaks a rule"),
    ],
)
def test_a_wrong_key_is_refused_and_the_form_kept(client: Office, filled: Services, wrong: dict[str, str], words: str) -> None:
    before = _newest(filled).id
    answer = post(client, "/keys", {"name": "kept name", "scope": "write", "days": "30"} | wrong)
    assert answer.status_code == 422
    assert words in answer.text
    assert "readonly" not in answer.text
    assert "kept name" in answer.text or "name" in wrong
    assert _newest(filled).id == before


def test_one_sees_and_revokes_ones_own_keys_an_administrator_all(client: Office, analyst: FlaskClient, filled: Services) -> None:
    assert "triage script" not in client.get("/keys").text
    assert "triage script" in client.get("/keys?whose=all").text
    page = analyst.get("/keys?whose=all").text
    assert "triage script" in page
    assert "grafana" not in page
    with filled.database.write() as session:
        everybodys = key_service.list_keys(session, Principal(0, "", "", "secadmin"))
    foreign = next(key.id for key in everybodys if key.owner == USER and not key.revoked_at)
    own = next(key.id for key in everybodys if key.name == "triage script")
    assert post(analyst, f"/keys/{foreign}/revoke", {}, page="/keys").status_code == 404
    overseer = client.of("/keys?whose=all")
    assert post(overseer, f"/keys/{own}/revoke", {"whose": "all"}).location == "/keys?whose=all&done=key"


def test_the_state_of_each_key_is_shown(client: Office) -> None:
    rows = re.findall(r"<tr data-id.*?</tr>", client.get("/keys").text, re.DOTALL)
    states = {
        name: re.search(r"</svg>(active|expired|revoked)</span>", row) for row in rows for name in re.findall(r">([^<]+)</b>", row)
    }
    assert {name: states[name][1] for name in ("grafana", "soar-prod")} == {"grafana": "expired", "soar-prod": "revoked"}  # type: ignore[index]


# --- webhooks -----------------------------------------------------------------------------------------------------------------


class _Receiver(HTTPServer):
    """A receiver on loopback that keeps what it got; it answers ``status``."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.status = 200
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(b"answer of the receiver")

    def log_message(self, format: str, *args: object) -> None:
        """Access lines are not wanted in test output."""


@pytest.fixture
def receiver() -> Iterator[_Receiver]:
    server = _Receiver()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def _add(client: Office, url: str, name: str = "ticket system") -> tuple[int, str]:
    answer = post(client, "/webhooks", {"name": name, "url": url, "min_level": "high"})
    assert answer.status_code == 200, answer.text
    number = re.search(r'<span class="faint mono">#(\d+)</span>', answer.text)
    assert number is not None
    return int(number[1]), _secret(answer.text)


def _deliver(services: Services) -> None:
    assert services.master_key is not None
    deliver_due(services.database, services.master_key, LOOPBACK)


def test_a_dead_message_shows_its_attempts_and_is_sent_again(client: Office, filled: Services, receiver: _Receiver) -> None:
    target, secret = _add(client, f"http://127.0.0.1:{receiver.server_port}/in")
    assert secret not in client.get(f"/webhooks/{target}").text
    receiver.status = 503
    answer = post(client, f"/webhooks/{target}/test", {})
    assert "No attempt yet" in client.get(answer.location).text
    _deliver(filled)
    page = client.get(answer.location).text
    assert "given up" in page
    assert "HTTP 503" in page
    assert "answer of the receiver" in page
    delivery = _numbers(client.get(f"/webhooks/{target}?status=dead").text)
    assert delivery[0] in _numbers(client.get("/webhooks/deliveries?status=dead").text)
    receiver.status = 200
    back = post(client, f"/webhooks/deliveries/{delivery[0]}/replay", {"next": f"/webhooks/{target}?open={delivery[0]}"})
    assert back.location == f"/webhooks/{target}?open={delivery[0]}&done=replay"
    _deliver(filled)
    assert _numbers(client.get(f"/webhooks/{target}?status=delivered").text) == delivery
    headers, body = receiver.got[-1]
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    post(client, f"/webhooks/{target}/delete", {})


def test_a_target_is_edited_switched_renewed_and_deleted(client: Office, filled: Services) -> None:
    target, first = _add(client, "https://example.com/hook", "relay")
    with filled.database.read() as session:
        version = webhook_service.get_target(session, target).version
    form = {"name": "relay two", "url": "https://example.com/other", "min_level": "low", "version": version}
    assert post(client, f"/webhooks/{target}", form).location == f"/webhooks/{target}?done=webhook"
    late = post(client, f"/webhooks/{target}", form | {"name": "too late"})
    assert late.status_code == 409
    assert "Somebody else changed this webhook" in late.text
    assert "too late" not in late.text
    post(client, f"/webhooks/{target}/switch", {"enabled": "off"})
    renewed = _secret(post(client, f"/webhooks/{target}/secret", {}).text)
    assert renewed != first
    assert client.get(f"/webhooks/{target}/secret").location == f"/webhooks/{target}"
    with filled.database.read() as session:
        row = webhook_service.get_target(session, target)
    assert (row.name, row.url, row.min_level, row.enabled) == ("relay two", "https://example.com/other", "low", False)
    assert post(client, f"/webhooks/{target}/delete", {}).location == "/webhooks?done=webhook_deleted"
    assert client.get(f"/webhooks/{target}").status_code == 404
    told = _of_object(filled, target)[:5]  # SQLite may have given the number to another one before
    assert [entry.action for entry in told] == [
        "webhook.delete",
        "webhook.renew_secret",
        "webhook.change",
        "webhook.change",
        "webhook.create",
    ]
    assert renewed not in json.dumps([entry.detail for entry in told])


def _of_object(services: Services, target: int) -> list[AuditRecord]:
    with services.database.read() as session:
        return audit.listing(session, object_type="webhook", object_id=str(target)).entries


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"name": ""}, "A webhook needs a name"),
        ({"url": "ftp://example.com/"}, "This URL is not accepted"),
        ({"url": "https://user:pass@example.com/"}, "This URL is not accepted"),
        ({"url": "https://10.0.0.1/"}, "This URL is not accepted"),
        ({"url": "https://[fd00::1]/"}, "This URL is not accepted"),
        ({"url": ""}, "This URL is not accepted"),
        ({"min_level": "loud"}, "Choose a level from the list"),
    ],
)
@pytest.mark.parametrize("path", ["/webhooks", "/webhooks/1"])
def test_a_wrong_target_is_refused_and_the_form_kept(
    client: Office, filled: Services, path: str, wrong: dict[str, str], words: str
) -> None:
    with filled.database.read() as session:
        before = webhook_service.list_targets(session)
    form = {"name": "kept name", "url": "https://example.com/", "min_level": "low"}
    form["version"] = str(next(target.version for target in before if target.id == 1))
    answer = post(client, path, form | wrong)
    assert answer.status_code == 422
    assert words in answer.text
    assert "kept name" in answer.text or "name" in wrong
    with filled.database.read() as session:
        assert webhook_service.list_targets(session) == before


def test_what_no_longer_fits_the_policy_can_still_be_switched_off(client: Office, filled: Services) -> None:
    assert filled.master_key is not None
    with filled.database.write() as session:
        target, _secret = webhook_service.create_target(
            session, SYSTEM, filled.master_key, name="old", url="https://10.9.9.9/", policy=WebhookPolicy(allow=("10.0.0.0/8",))
        )
    post(client, f"/webhooks/{target.id}/switch", {"enabled": "off"})
    refused = post(client, f"/webhooks/{target.id}/switch", {"enabled": "on"})
    assert refused.status_code == 422
    assert "This URL is not accepted" in refused.text
    with filled.database.read() as session:
        assert not webhook_service.get_target(session, target.id).enabled
    post(client, f"/webhooks/{target.id}/delete", {})


def test_deliveries_page_by_keyset(client: Office) -> None:
    seen: list[int] = []
    url = "/webhooks/1"
    while url:
        page = client.get(url).text
        seen += _numbers(page)
        following = re.search(r'href="([^"]+)" rel="next"', page)
        url = html.unescape(following[1]) if following else ""
    assert seen == list(range(61, 0, -1))
    assert client.get("/webhooks/1?cursor=rubbish").status_code == 422
    assert client.get("/webhooks/1?open=rubbish").status_code == 200


def test_without_a_master_key_no_webhook_can_be_made(filled: Services) -> None:
    browser = browser_of(create_app(replace(filled, master_key=None)), ADMINISTRATORS["sysadmin"][0])
    assert "This console has no master key" in browser.get("/webhooks").text
    for path in ("/webhooks", "/webhooks/1/secret"):
        answer = post(browser, path, {"name": "x", "url": "https://example.com/", "min_level": "low"})
        assert answer.status_code == 503
        assert "This console has no master key" in answer.text


# --- rules --------------------------------------------------------------------------------------------------------------------


def test_a_rule_never_shows_where_its_file_lies_on_this_machine(filled: Services) -> None:
    rule = RuleInfo("deep", "Deep", "low", "sigma", file="/srv/liandun/rules/sigma/windows/deep.yml")
    browser = create_app(replace(filled, rules=lambda: RuleCatalogue((rule,)))).test_client()
    log_in(browser)
    for path in ("/rules", "/rules/deep"):
        assert "/srv/liandun" not in browser.get(path).text
    assert 'title="sigma/windows/deep.yml"' in browser.get("/rules/deep").text
