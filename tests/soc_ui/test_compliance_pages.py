"""Pages of compliance: systems, the map, controls, verdicts with reasons, foreign eyes, hostile texts."""

from __future__ import annotations

import re
from io import BytesIO

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from openpyxl import load_workbook
from werkzeug.test import TestResponse

from compliance.assessment import record
from compliance.assessment.schema import Finding
from compliance.probing import service as probing
from compliance.probing.schema import TargetDraft
from operations.accounts.schema import Principal
from operations.audit.schema import Actor
from soc_ui.services import Services
from tests.soc_ui.conftest import browser_of, post, token_of
from tests.soc_ui.seed import ADMINISTRATORS, fill
from tests.soc_ui.seed_desk import WATER, fill_desk
from tests.soc_ui.seed_zones import fill_zones

EVIL = '"><script>alert(1)</script>'
PASSWORDS = "8.1.4.1.a"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Services:
    services = fill(tmp_path_factory.mktemp("compliance"), events=20)
    fill_zones(services, events=40)
    fill_desk(services)
    return services


@pytest.fixture
def sec(app: APIFlask) -> FlaskClient:
    return browser_of(app, ADMINISTRATORS["secadmin"][0])


def made(browser: FlaskClient, name: str, **more: object) -> str:
    answer = post(browser, "/compliance/new", {"name": name, "level": "S3A3", "state": "running", **more})
    assert answer.status_code == 302, answer.text
    return str(answer.headers["Location"].partition("?")[0])


def objects_of(browser: FlaskClient, address: str) -> list[int]:
    return [int(one) for one in re.findall(r"/objects/(\d+)/removal", browser.get(address).text)]


def test_a_system_from_its_form_to_a_score(sec: FlaskClient, app: APIFlask, filled: Services) -> None:
    people = "leader; 赵局\nsecurity；钱安；5550 1234"
    address = made(sec, "供水调度", organisation=WATER, zones=["water-ot"], extensions=["8.5"], people=people, filing_number="31-1")
    page = sec.get(address).text
    for word in ("S3A3G3", "31-1", "Industrial control", "赵局", "Security officer", "Not yet assessed"):
        assert word in page
    assert post(sec, f"{address}/objects", {"kind": "server_os", "name": "h1"}).status_code == 302
    assert post(sec, f"{address}/objects", {"inventory": "1"}).status_code == 302
    assert post(sec, f"{address}/objects", {"kind": "server_os", "name": "h1"}).status_code == 409
    first = min(objects_of(sec, address))
    system = int(address.rpartition("/")[2])
    with filled.database.write() as session:
        found = [Finding(PASSWORDS, first, "met", reproduce="grep PASS /etc/login.defs", evidence="ab" * 32)]
        record.record_many(session, Actor("probe host.login_defs"), system, found, source="probe")
    control = f"{address}/controls/{PASSWORDS}"
    page = sec.get(control).text
    for word in ("L3-CES1-01", "grep PASS /etc/login.defs", "probe host.login_defs", "A-18", "host.pam_pwquality"):
        assert word in page, word
    said = {"object": str(first), "version": "1", "verdict": "not_met", "reason": "弱口令 123456"}
    assert post(sec, control, said).status_code == 302
    again = post(sec, control, said)
    assert (again.status_code, "Nothing was changed" in again.text) == (409, True)
    page = sec.get(control).text
    assert "弱口令 123456" in page
    assert "probe: Compliant" in " ".join(page.split())
    with_tickets = browser_of(app, "zhao.zhiban").get(control).text
    assert re.search(r"/tickets/\d+\">#\d+ 供水调度 8\.1\.4\.1\.a", with_tickets), "drift made a ticket"
    page = sec.get(address).text
    assert "A-18" in page
    assert "✕1" in page
    assert post(sec, f"{address}/score", {"template": "2025"}).status_code == 302
    assert "0.00" in sec.get("/compliance").text
    assert post(sec, control, {"object": str(first), "version": "2", "reason": "误判", "withdraw": "1"}).status_code == 302
    assert "✕1" not in sec.get(address).text


def test_decisions_need_a_person_who_may_decide(sec: FlaskClient, app: APIFlask) -> None:
    address = made(sec, "决定系统")
    leader = browser_of(app, "zhao.zhiban")
    assert post(leader, f"{address}/hazards", {"trigger": "A-29", "value": "found", "reason": "x"}).status_code == 403
    assert post(sec, f"{address}/hazards", {"trigger": "A-29", "value": "found", "reason": "暴露面"}).status_code == 302
    assert post(sec, f"{address}/hazards", {"trigger": "A-77", "value": "found", "reason": "x"}).status_code == 422
    assert "暴露面" in sec.get(address).text
    control = f"{address}/controls/8.1.3.4.b"
    body = {"object": "0", "version": "0", "applies": "0", "reason": "无邮件服务"}
    assert post(sec, f"{control}/applicability", body).status_code == 302
    assert "无邮件服务" in sec.get(control).text
    assert post(sec, f"{control}/applicability", {**body, "version": "1", "withdraw": "1"}).status_code == 302
    assert post(sec, control, {"object": "0", "version": "0", "verdict": "met", "reason": "网关"}).status_code == 302


def test_who_sees_what(sec: FlaskClient, app: APIFlask) -> None:
    ours, theirs = made(sec, "水务的", organisation=WATER), made(sec, "平台的")
    water, auditing = browser_of(app, "shui.wu"), browser_of(app, ADMINISTRATORS["auditadmin"][0])
    assert ours in water.get("/compliance").text
    assert theirs not in water.get("/compliance").text
    assert water.get(theirs).status_code == 404
    assert water.get(f"{theirs}/controls/{PASSWORDS}").status_code == 404
    assert ">Judge<" not in water.get(f"{ours}/controls/{PASSWORDS}").text
    assert post(water, f"{ours}/controls/{PASSWORDS}", {"verdict": "met", "reason": "x"}).status_code == 403
    assert auditing.get("/compliance").status_code == 403


def test_forms_keep_what_was_typed_and_changes_name_their_version(sec: FlaskClient) -> None:
    answer = post(sec, "/compliance/new", {"name": "错级", "level": "S9A9", "state": "running"})
    assert (answer.status_code, 'value="S9A9"' in answer.text) == (422, True)
    address = made(sec, "改名前")
    wanted = {"name": "改名后", "level": "S2A2", "state": "building", "version": "1"}
    assert post(sec, f"{address}/edit", wanted).status_code == 302
    assert post(sec, f"{address}/edit", wanted).status_code == 409
    page = sec.get(address).text
    assert "改名后" in page
    assert "level 3 only" in page
    assert sec.get(f"{address}/controls/{PASSWORDS}").status_code == 422


def test_hostile_texts_and_addresses(sec: FlaskClient) -> None:
    address = made(sec, EVIL, people=f"leader; {EVIL}", description=EVIL, filing_number=EVIL)
    post(sec, f"{address}/objects", {"kind": "server_os", "name": EVIL, "note": EVIL})
    (number,) = objects_of(sec, address)
    control = f"{address}/controls/{PASSWORDS}"
    post(sec, control, {"object": str(number), "version": "0", "verdict": "met", "reason": EVIL, "evidence": EVIL})
    for path in ("/compliance", address, f"{address}/edit", control):
        assert "<script>alert" not in sec.get(path).text, path
    for path in (f"{address}/controls/none", f"{address}/controls/6.2.1", f"{address}/controls/8.2.1.1", "/compliance/999"):
        assert sec.get(path).status_code == 404, path
    assert sec.get(f"{address}?result=x&kind=%00&cursor=x").status_code == 422


def test_a_control_shows_what_it_has_to_do_with_and_that_this_is_own_work(sec: FlaskClient, app: APIFlask) -> None:
    address = made(sec, "对照系统")
    page = sec.get(f"{address}/controls/{PASSWORDS}").text
    for word in ("own work, to be confirmed", "A.8.5", "authenticate securely", "technology", "Credential Access", "brute-force"):
        assert word in page, word
    assert "own work" not in sec.get(f"{address}/controls/8.1.2.3").text, "no counterpart"
    page = browser_of(app, ADMINISTRATORS["secadmin"][0], lang="zh").get(f"{address}/controls/{PASSWORDS}").text
    for word in ("自行对照，待确认", "安全鉴别", "凭据访问"):
        assert word in page, word


def test_chinese(app: APIFlask, sec: FlaskClient) -> None:
    address = made(sec, "中文系统", extensions=["8.4"])
    browser = browser_of(app, ADMINISTRATORS["secadmin"][0], lang="zh")
    page = browser.get(address).text + browser.get(f"{address}/controls/{PASSWORDS}").text
    for word in ("未测评", "安全计算环境", "物联网", "以标准原文为准", "服务器操作系统"):
        assert word in page, word


def test_reports_are_files_and_a_check_list_comes_back(sec: FlaskClient, app: APIFlask, filled: Services) -> None:
    address = made(sec, "报告系统", organisation=WATER)
    post(sec, f"{address}/objects", {"kind": "server_os", "name": "h1"})
    assert f"{address}/reports" in sec.get(address).text
    page = sec.get(f"{address}/reports").text
    for word in ("Self-assessment report", "Evidence package", "oscal-results", "Take a check-list in"):
        assert word in page, word
    plan = post(sec, f"{address}/reports", {"kind": "gap", "format": "docx", "language": "zh", "template": "2021"})
    assert (plan.status_code, plan.data[:2]) == (200, b"PK")
    assert "attachment" in plan.headers["Content-Disposition"]
    signed = post(sec, f"{address}/reports", {"kind": "evidence"})
    assert (signed.status_code, signed.data[:2]) == (200, b"PK")
    assert post(sec, f"{address}/reports", {"kind": "../x", "format": EVIL}).status_code == 422

    sheet = post(sec, f"{address}/reports", {"kind": "checklist", "language": "zh"}).data
    book = load_workbook(BytesIO(sheet))
    rows = max(book.worksheets, key=lambda one: one.max_row)
    head = {str(cell.value): cell.column for cell in rows[1]}
    (line,) = [row[0].row for row in rows.iter_rows(min_row=2) if {PASSWORDS, "h1"} <= {cell.value for cell in row}]
    rows.cell(line, head["判定"]).value, rows.cell(line, head["依据"]).value = "不符合", "现场查看 <b>"
    out = BytesIO()
    book.save(out)

    def taken(browser: FlaskClient, octets: bytes, **more: str) -> TestResponse:
        return post(browser, f"{address}/checklist", {"file": (BytesIO(octets), "check.xlsx"), **more})

    compared = taken(sec, out.getvalue())
    assert (compared.status_code, "1 changes" in compared.text, "现场查看 &lt;b&gt;" in compared.text) == (200, True, True)
    control = f"{address}/controls/{PASSWORDS}"
    assert "现场查看" not in sec.get(control).text
    assert "Recorded." in taken(sec, out.getvalue(), record="1").text
    assert "现场查看 &lt;b&gt;" in sec.get(control).text
    assert taken(sec, b"PK no workbook").status_code == 422
    assert taken(sec, b"").status_code == 422

    stranger = browser_of(app, "jiao.tong")
    for answer in (stranger.get(f"{address}/reports"), post(stranger, f"{address}/reports", {"kind": "gap"})):
        assert answer.status_code == 404
    assert taken(stranger, out.getvalue()).status_code in (403, 404)


def test_what_nobody_has_compared_is_confirmed_with_its_source(sec: FlaskClient, app: APIFlask) -> None:
    page = sec.get("/compliance/to-confirm?kind=unit&q=6.1.1+modal").text
    assert page.count('name="field" value="modal"') == 1
    form = {"record": "6.1.1", "field": "modal", "version": "0", "value": '"shall"', "source": f"p. 6 {EVIL}"}
    assert post(sec, "/compliance/to-confirm", form | {"source": ""}).status_code == 422
    assert post(sec, "/compliance/to-confirm", form | {"value": "nonsense"}).status_code == 422
    assert post(sec, "/compliance/to-confirm", form | {"record": "1.2.3"}).status_code == 404
    assert post(browser_of(app, ADMINISTRATORS["auditadmin"][0]), "/compliance/to-confirm", form).status_code == 403
    assert post(sec, "/compliance/to-confirm", form).status_code == 302
    assert post(sec, "/compliance/to-confirm", form).status_code == 409
    page = sec.get("/compliance/to-confirm?state=confirmed").text
    assert "p. 6 &#34;&gt;&lt;script" in page
    assert EVIL not in page
    again = {"record": "6.1.1", "field": "modal", "version": "1", "withdraw": "1"}
    assert post(sec, "/compliance/to-confirm", again).status_code == 302
    assert "Nothing here is to be confirmed." in sec.get("/compliance/to-confirm?state=confirmed").text
    assert sec.get("/compliance/to-confirm?start=999999999").status_code == 200


def test_daily_probes_are_shown_with_what_failed(sec: FlaskClient, filled: Services) -> None:
    address = made(sec, "每日核查")
    assert "Daily probes" not in sec.get(address).text
    assert post(sec, f"{address}/objects", {"kind": "server_os", "name": EVIL}).status_code == 302
    (host,) = objects_of(sec, address)
    system, who = int(address.rpartition("/")[2]), Principal(0, "sec", "", "secadmin")
    with filled.database.write() as session:
        ssh = TargetDraft(system, host, "ssh", place="h1:2222", login="audit", secret="hidden-name")
        failed = probing.add(session, who, ssh)
        probing.add(session, who, TargetDraft(system, 0, "platform"))
        probing.note(session, failed, f"no route to host {EVIL}")
        probing.add(session, who, TargetDraft(system, 0, "nessus-report", place="scans/*.nessus"))
        probing.add(session, who, TargetDraft(system, 0, "huawei-config"))
    page = sec.get(address).text
    for word in (
        "Daily probes 4",
        "scans/*.nessus",
        "Report of Nessus",
        "brought by hand",
        "h1:2222",
        "could not be read",
        "no route to host",
        "the system as a whole",
        "waits for its first look",
    ):
        assert word in page
    assert "<script>alert" not in page
    assert "hidden-name" not in page


def test_whole_system_compensation_and_risk_with_their_history(sec: FlaskClient, app: APIFlask) -> None:
    address = made(sec, "裁定系统", organisation=WATER)
    post(sec, f"{address}/objects", {"kind": "server_os", "name": "h1"})
    (host,) = objects_of(sec, address)
    control = f"{address}/controls/{PASSWORDS}"
    decide = f"{control}/decisions"
    wish = {"kind": "compensation", "version": "0", "value": "0.5", "reason": "堡垒机统一认证"}
    assert post(sec, decide, wish).status_code == 422, "nothing was said yet"
    post(sec, control, {"object": str(host), "version": "0", "verdict": "not_met", "reason": "弱口令"})
    assert post(browser_of(app, "zhao.zhiban"), decide, wish).status_code == 403
    for value in ("1.5", "viel", "NaN"):
        refused = post(sec, decide, {**wish, "value": value})
        assert (refused.status_code, "堡垒机统一认证" in refused.text) == (422, True), value
    assert post(sec, decide, {**wish, "kind": "hazard"}).status_code == 422
    assert post(sec, decide, wish).status_code == 302
    assert post(sec, decide, wish).status_code == 409
    leader = browser_of(app, "ling.dao")
    assert post(leader, decide, {**wish, "version": "1", "value": "0.3", "reason": EVIL}).status_code == 302
    risk = {"kind": "risk", "target": f"{host}:0", "value": "low", "reason": "内网隔离"}
    assert post(leader, decide, {**risk, "target": "x"}).status_code == 422
    assert post(leader, decide, risk).status_code == 302
    page = sec.get(control).text
    for words in ("Whole-system compensation", "0.5 → 0.3", "堡垒机统一认证", "内网隔离", "ling.dao"):
        assert words in page, words
    assert "<script>alert" not in page
    gone = {"kind": "compensation", "object": "0", "version": "2", "withdraw": "1", "reason": "堡垒机下线"}
    assert post(sec, decide, gone).status_code == 302
    page = " ".join(sec.get(control).text.split())
    assert "0.3 → taken back" in page
    chinese = browser_of(app, ADMINISTRATORS["secadmin"][0], lang="zh").get(control).text
    assert "整体测评修正" in chinese
    assert post(browser_of(app, "jiao.tong"), decide, wish).status_code == 403


def test_the_evidence_of_a_verdict(sec: FlaskClient, app: APIFlask) -> None:
    address = made(sec, "证据系统", organisation=WATER)
    post(sec, f"{address}/objects", {"kind": "server_os", "name": "h1"})
    (host,) = objects_of(sec, address)
    control, content = f"{address}/controls/{PASSWORDS}", f"PASS_MIN_LEN 6\n{EVIL}\n".encode()
    page = f"{control}/evidence/{host}"
    water = browser_of(app, "shui.wu")
    assert "The verdict names no evidence" in water.get(page).text
    kept = post(water, page, {"file": (BytesIO(content), "login.defs"), "note": "h1"})
    assert kept.status_code == 302
    found = re.search(r"kept=([0-9a-f]{64})", kept.headers["Location"])
    assert found is not None
    post(sec, control, {"object": str(host), "version": "0", "verdict": "not_met", "reason": "弱", "evidence": found[1]})
    assert f"{page}" in sec.get(control).text
    text = water.get(page).text
    assert "the seal holds" in text
    assert "PASS_MIN_LEN" not in text, "raw evidence is opened on record"
    raw = post(water, f"{page}/raw", {}).text
    assert "PASS_MIN_LEN 6" in raw
    assert "<script>alert" not in raw
    got = post(water, f"{page}/raw", {"download": "1"})
    assert (got.data, got.headers["Content-Type"]) == (content, "application/octet-stream")
    binary = post(water, page, {"file": (BytesIO(b"\x00\xff"), "a.bin")})
    assert binary.status_code == 302
    assert post(water, page, {"file": (BytesIO(b""), "a")}).status_code == 422
    stranger, audit = browser_of(app, "jiao.tong"), browser_of(app, ADMINISTRATORS["auditadmin"][0])
    assert stranger.get(page).status_code == 404
    assert post(stranger, f"{page}/raw", {}).status_code == 404
    assert audit.get(page).status_code == 403
    assert sec.get(f"{control}/evidence/99999").status_code == 404
    api = f"/api/v1/compliance/systems/{address.rpartition('/')[2]}"
    told = water.get(f"{api}/verdicts/{PASSWORDS}/{host}/evidence").get_json()
    assert (told["place"], told["problem"], told["sealed"], told["sm3"]) == ("kept", "", True, found[1])
    assert water.get(f"{api}/verdicts/{PASSWORDS}/{host}/evidence/raw").data == content
    headers = {"X-CSRFToken": token_of(water, "/account")}
    sent = {"file": (BytesIO(b"via api"), "a.txt"), "note": "n"}
    assert water.post(f"{api}/evidence", data=sent, headers=headers).status_code == 201
    assert [one["name"] for one in water.get(f"{api}/evidence").get_json()["evidence"]] == ["a.txt", "a.bin", "login.defs"]
    history = sec.get(f"{api}/decisions/history?subject={PASSWORDS}").get_json()
    assert history["decisions"] == []


def test_the_map_of_systems_shows_each_class(sec: FlaskClient, app: APIFlask, filled: Services) -> None:
    address = made(sec, f"地图 {EVIL}", organisation=WATER, extensions=["8.5"])
    post(sec, f"{address}/objects", {"kind": "server_os", "name": "h1"})
    (host,) = objects_of(sec, address)
    found = [Finding("8.1.4.1.a", host, "not_met", "弱"), Finding("8.1.4.1.b", host, "met", "")]
    with filled.database.write() as session:
        system = int(address.rpartition("/")[2])
        record.record_many(session, Actor("probe x"), system, found, source="probe", on_drift=lambda _s, _d: None)
    page = sec.get("/compliance/map?q=地图").text
    assert page.count("hm-bad") == 1
    assert "✕1" in page
    assert EVIL not in page
    assert address in browser_of(app, "shui.wu").get("/compliance/map?q=地图").text
    assert address not in browser_of(app, "jiao.tong").get("/compliance/map?q=地图").text
