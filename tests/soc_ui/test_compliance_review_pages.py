"""The auditor in the console: reads all of compliance, comments, asks for evidence; hand-out links without an account."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from compliance.review import handouts
from compliance.review.models import HandoutCallRow, HandoutRow
from operations.accounts.service import create_user
from operations.audit.models import AuditEntry
from operations.audit.schema import SYSTEM
from soc_ui.services import Services
from tests.soc_ui.conftest import browser_of, post, token_of
from tests.soc_ui.seed import PASSWORD, fill
from tests.soc_ui.seed_compliance import PASSWORDS, SEC, fill_documents, fill_findings
from tests.soc_ui.seed_desk import fill_desk
from tests.soc_ui.seed_zones import fill_zones

EVIL = '"><script>alert(1)</script>'
AUDITOR, SECRET = "wai.shen", "Gansu-Lotus-88"


def day(days: float) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Services:
    services = fill(tmp_path_factory.mktemp("review"), events=20)
    fill_zones(services, events=40)
    fill_desk(services)
    create_user(services.database, SYSTEM, AUDITOR, PASSWORD, "auditor")
    return services


@pytest.fixture(scope="module")
def place(filled: Services) -> tuple[str, int]:
    """Address of a system, and its host."""
    system, host = fill_findings(filled)
    fill_documents(filled)
    return f"/compliance/{system}", host


@pytest.fixture
def auditor(app: APIFlask) -> FlaskClient:
    return browser_of(app, AUDITOR)


@pytest.fixture
def sec(app: APIFlask) -> FlaskClient:
    return browser_of(app, SEC)


@pytest.fixture(autouse=True)
def fresh(filled: Services) -> None:
    """The calls of the test before do not count."""
    with filled.database.write() as session:
        session.query(HandoutCallRow).delete()


def link(browser: FlaskClient, address: str, **more: str) -> str:
    wanted = {"what": "assessment", "recipient": "测评机构 王工", "expires_at": day(7), **more}
    answer = post(browser, f"{address}/handouts", wanted)
    found = re.search(r'value="http://localhost(/handout/[\w-]+)"', answer.text)
    assert found is not None, answer.text
    return found[1]


def open_(browser: FlaskClient, path: str, password: str = "") -> object:
    return browser.post(path, data={"password": password, "csrf_token": token_of(browser, path)})


def test_an_auditor_reads_all_and_changes_nothing(auditor: FlaskClient, place: tuple[str, int]) -> None:
    address, host = place
    control = f"{address}/controls/{PASSWORDS}"
    for path in ("", "/progress", "/documents", "/reports", "/handouts", f"/controls/{PASSWORDS}/evidence/{host}"):
        assert auditor.get(f"{address}{path}").status_code == 200, path
    for path in ("findings", "findings/1", "waivers", "documents", "documents/1", "requests"):
        page = auditor.get(f"/compliance/{path}")
        assert page.status_code == 200, path
        assert "btn-primary" not in page.text.replace("I have read it", "").partition('id="content"')[2] or path == "documents/1", (
            path
        )
    for path in (control, f"{control}/decisions", f"{control}/applicability", f"{address}/score", f"{address}/handouts"):
        assert post(auditor, path, {}).status_code == 403, path
    for path in ("findings/1/assign", "findings/1/waivers", "documents/new", "documents/1/editions", "requests/1/answers"):
        assert post(auditor, f"/compliance/{path}", {}).status_code == 403, path


def test_evidence_is_asked_for_answered_and_closed(
    auditor: FlaskClient, app: APIFlask, place: tuple[str, int]
) -> None:  # fmt: skip
    address, host = place
    control = f"{address}/controls/{PASSWORDS}"
    assert post(auditor, f"{address}/comments", {"item": PASSWORDS, "object": str(host), "text": EVIL}).status_code == 302
    assert "<script>alert" not in auditor.get(control).text
    wish = {"item": PASSWORDS, "object": str(host), "text": "请提供口令策略配置"}
    assert post(auditor, f"{address}/requests", {**wish, "item": "9.9"}).status_code == 422
    made = post(auditor, f"{address}/requests", wish)
    assert made.status_code == 302
    request = made.headers["Location"].partition("?")[0]
    assert "请提供口令策略配置" in auditor.get(control).text
    water = browser_of(app, "shui.wu")
    assert "请提供口令策略配置" in water.get("/compliance/requests?state=open").text
    assert post(water, f"{request}/closing", {"text": "x", "version": "1"}).status_code == 403
    assert post(water, f"{request}/answers", {"evidence": "ab" * 32, "version": "1"}).status_code == 422
    sent = {"file": (BytesIO(b"minlen = 12\n"), "pwquality.conf"), "text": "已整改", "version": "1"}
    assert post(water, f"{request}/answers", sent).status_code == 302
    page = auditor.get(request).text
    for words in ("pwquality.conf", "the seal holds", "已整改", "Answered"):
        assert words in page, words
    reference = re.search(r'name="reference" value="([0-9a-f]{64})"', page)
    assert reference is not None
    assert post(auditor, f"{address}/evidence", {"reference": reference[1]}).data == b"minlen = 12\n"
    assert post(auditor, f"{address}/evidence", {"reference": "cd" * 32}).status_code == 404
    assert post(auditor, f"{request}/closing", {"text": "补充截图", "send_back": "1", "version": "2"}).status_code == 302
    assert post(water, f"{request}/answers", {"document": "1", "version": "3"}).status_code == 302
    assert "网络安全管理制度" in auditor.get(request).text
    assert post(auditor, f"{request}/closing", {"version": "3"}).status_code == 409
    assert post(auditor, f"{request}/closing", {"version": "4"}).status_code == 302
    assert "Closed by the auditor" in water.get(request).text
    stranger = browser_of(app, "jiao.tong")
    for path in (request, f"{address}/handouts"):
        assert stranger.get(path).status_code == 404, path
    assert post(stranger, f"{request}/answers", {"text": "x"}).status_code == 404
    assert post(stranger, f"{address}/evidence", {"reference": reference[1]}).status_code == 404
    chinese = browser_of(app, AUDITOR, lang="zh").get(request).text
    for words in ("证据请求", "已由审计人员关闭", "封存完好", "请求与答复"):
        assert words in chinese, words


def test_a_link_opens_the_assessment_and_nothing_else(
    sec: FlaskClient, anonymous: FlaskClient, place: tuple[str, int], filled: Services
) -> None:
    address, _ = place
    path = link(sec, address)
    assert path not in sec.get(f"{address}/handouts").text, "it is shown once"
    landing = anonymous.get(path)
    assert (landing.status_code, "供水调度系统" in landing.text) == (200, False)
    page = open_(anonymous, path)
    assert page.status_code == 200  # type: ignore[attr-defined]
    assert "供水调度系统" in page.text  # type: ignore[attr-defined]
    assert page.headers["X-Robots-Tag"] == "noindex, nofollow"  # type: ignore[attr-defined]
    for other in (address, f"{address}/reports", "/", "/compliance/findings", f"{address}/progress.json"):
        away = anonymous.get(other)
        assert (away.status_code, away.location.partition("?")[0]) == (302, "/login"), other
    assert anonymous.get(f"/api/v1{address.replace('compliance', 'compliance/systems')}").status_code == 401
    assert anonymous.post(path).status_code == 400, "without the token of the form"
    with filled.database.read() as session:
        calls = session.query(AuditEntry).where(AuditEntry.action == "handout.open").order_by(AuditEntry.id.desc()).limit(2)
        assert [(one.actor.startswith("handout:"), one.result) for one in calls] == [(True, "success")] * 2


def test_a_file_behind_a_password_until_it_is_revoked(sec: FlaskClient, anonymous: FlaskClient, place: tuple[str, int]) -> None:
    address, _ = place
    path = link(sec, address, what="gap", password=SECRET, recipient=EVIL)
    landing = anonymous.get(path).text
    assert "Gap analysis" not in landing
    assert "差距" not in landing
    assert open_(anonymous, path, "wrong").status_code == 403  # type: ignore[attr-defined]
    got = open_(anonymous, path, SECRET)
    assert (got.status_code, got.data[:2]) == (200, b"PK")  # type: ignore[attr-defined]
    assert "attachment" in got.headers["Content-Disposition"]  # type: ignore[attr-defined]
    listed = sec.get(f"{address}/handouts").text
    assert "<script>alert" not in listed
    assert "127.0.0.1" in listed
    found = re.search(r"/handouts/(\d+)/revocation", listed)
    assert found is not None
    revoke = f"{address}/handouts/{found[1]}/revocation"
    assert post(sec, revoke, {"reason": "", "version": "1"}).status_code == 422
    assert post(sec, revoke, {"reason": "测评结束", "version": "1"}).status_code == 302
    assert post(sec, revoke, {"reason": "测评结束", "version": "2"}).status_code == 409
    assert anonymous.get(path).status_code == 404
    assert anonymous.get("/handout/nothing").status_code == 404


def test_expired_and_called_too_often(sec: FlaskClient, anonymous: FlaskClient, place: tuple[str, int], filled: Services) -> None:
    address, _ = place
    path = link(sec, address)
    with filled.database.write() as session:
        row = session.query(HandoutRow).order_by(HandoutRow.id.desc()).first()
        assert row is not None
        row.expires_at = "2026-01-01T00:00:00.000000Z"
    assert anonymous.get(path).status_code == 404
    for _ in range(handouts.MOST_CALLS):
        anonymous.get("/handout/x")
    late = anonymous.get("/handout/x")
    assert (late.status_code, "Retry-After" in late.headers) == (429, True)
    for wrong in ({"expires_at": day(365)}, {"expires_at": "soon"}, {"what": "all"}, {"password": "short"}):
        wanted = {"what": "assessment", "recipient": "x", "expires_at": day(7), **wrong}
        assert post(sec, f"{address}/handouts", wanted).status_code == 422, wrong


def test_the_same_by_the_api(app: APIFlask, place: tuple[str, int]) -> None:
    address, host = place
    base, system = "/api/v1/compliance", address.rpartition("/")[2]

    def headers(browser: FlaskClient, tag: str = "") -> dict[str, str]:
        return {"X-CSRFToken": token_of(browser, "/account")} | ({"If-Match": tag} if tag else {})

    auditor, water, sec = (browser_of(app, name) for name in (AUDITOR, "shui.wu", SEC))
    said = {"item": PASSWORDS, "object_id": host, "text": "接口意见"}
    assert auditor.post(f"{base}/systems/{system}/comments", json=said, headers=headers(auditor)).status_code == 201
    assert auditor.get(f"{base}/systems/{system}/comments?item={PASSWORDS}").get_json()["comments"][0]["text"] == "接口意见"
    asked = auditor.post(f"{base}/systems/{system}/requests", json={**said, "due_on": "2099-01-01"}, headers=headers(auditor))
    assert asked.status_code == 201
    one = f"{base}/requests/{asked.get_json()['id']}"
    assert water.post(f"{base}/systems/{system}/requests", json=said, headers=headers(water)).status_code == 403
    assert water.post(f"{one}/answers", json={"text": "答"}, headers=headers(water)).status_code == 428
    done = water.post(f"{one}/answers", json={"text": "答"}, headers=headers(water, asked.headers["ETag"]))
    assert done.get_json()["request"]["state"] == "answered"
    closed = auditor.post(f"{one}/closing", json={}, headers=headers(auditor, done.headers["ETag"]))
    assert closed.get_json()["request"]["state"] == "closed"
    assert [row["id"] for row in water.get(f"{base}/requests?state=closed&system={system}").get_json()["requests"]][:1] == [
        asked.get_json()["id"]
    ]
    wish = {"what": "assessment", "recipient": "x", "expires_at": f"{day(3)}:00Z"}
    assert auditor.post(f"{base}/systems/{system}/handouts", json=wish, headers=headers(auditor)).status_code == 403
    made = sec.post(f"{base}/systems/{system}/handouts", json=wish, headers=headers(sec))
    assert made.status_code == 201, made.text
    assert app.test_client().get(made.get_json()["path"]).status_code == 200
    listed = auditor.get(f"{base}/systems/{system}/handouts").get_json()["handouts"]
    assert listed[0]["id"] == made.get_json()["handout"]["id"]
    assert "token" not in " ".join(listed[0])
    gone = sec.post(
        f"{base}/systems/{system}/handouts/{listed[0]['id']}/revocation",
        json={"reason": "r"},
        headers=headers(sec, f'"{listed[0]["version"]}"'),
    )
    assert gone.get_json()["state"] == "revoked"


def test_the_menu_says_what_waits(auditor: FlaskClient, app: APIFlask, place: tuple[str, int]) -> None:
    def waiting(browser: FlaskClient) -> int:
        """The number beside Compliance in the menu."""
        text = browser.get("/compliance").text
        found = re.search(r'title="Compliance".*?</a>', text, re.DOTALL)
        assert found is not None
        number = re.search(r"</span>(\d+)</b>", found[0])
        return int(number[1]) if number else 0

    water, leader = browser_of(app, "shui.wu"), browser_of(app, "ling.dao")
    before, mine = waiting(water), waiting(auditor)
    assert waiting(leader) >= 1, "the waiver of the seed waits for a second person"
    request = post(auditor, f"{place[0]}/requests", {"text": "拓扑图"}).headers["Location"].partition("?")[0]
    assert (waiting(water), waiting(auditor)) == (before + 1, mine)
    post(water, f"{request}/answers", {"text": "见平台", "version": "1"})
    assert (waiting(water), waiting(auditor)) == (before, mine + 1)
    post(auditor, f"{request}/closing", {"version": "2"})
    assert waiting(auditor) == mine
