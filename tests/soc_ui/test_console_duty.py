"""Pages of duty and supervision: who sees them, hand-over, roster files, hostile texts, files for spreadsheets and printers."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from pathlib import Path

import openpyxl
import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from operations import clock
from operations.audit import service as audit
from operations.duty import roster
from operations.duty.shifts import today
from operations.services.metering import meter
from soc_ui.app import create_app
from soc_ui.services import Services
from tests.operations.statements import statements
from tests.soc_ui.conftest import browser_of, post
from tests.soc_ui.seed import ADMINISTRATORS, fill
from tests.soc_ui.seed_desk import TRAFFIC, WATER, fill_desk, fill_duty
from tests.soc_ui.seed_zones import fill_zones
from tests.soc_ui.test_console_escaping import EVIL, _Tags


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Services:
    services = fill(tmp_path_factory.mktemp("duty"), events=30)
    fill_zones(services, events=80)
    fill_desk(services)
    fill_duty(services)
    meter(services.database, services.store)
    return services


@pytest.fixture
def duty(app: APIFlask) -> FlaskClient:
    return browser_of(app, "zhao.zhiban")


def revision(browser: FlaskClient) -> str:
    found = re.search(r'name="revision" value="(\d+)"', browser.get("/duty/roster").text)
    assert found is not None
    return found[1]


def on_duty(services: Services) -> str:
    with services.database.read() as session:
        return roster.on_duty(session).now[0].name


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("zhao.zhiban", 200),
        ("ling.dao", 200),
        ("shui.wu", 403),
        (ADMINISTRATORS["sysadmin"][0], 403),
        (ADMINISTRATORS["secadmin"][0], 403),
        (ADMINISTRATORS["auditadmin"][0], 403),
    ],
)
def test_pages_by_role(app: APIFlask, name: str, wanted: int) -> None:
    browser = browser_of(app, name)
    for path in ("/duty", "/duty/roster", "/duty/handovers", "/duty/roster.csv"):
        assert browser.get(path).status_code == wanted, path
    assert ('href="/duty"' in browser.get("/account").text) == (wanted == 200)


def test_a_reader_has_nothing_to_press(app: APIFlask) -> None:
    browser = browser_of(app, "ling.dao")
    for path in ("/duty", "/duty/roster"):
        assert 'action="/duty' not in browser.get(path).text
    for path in ("/duty/log", "/duty/handovers", "/duty/escalations", "/duty/roster", "/duty/shifts", "/duty/roster/import"):
        assert post(browser, path, {"text": "x"}).status_code == 403, path


def test_the_top_bar_names_who_is_on_duty(filled: Services, duty: FlaskClient) -> None:
    shown = {"zhao.zhiban": "赵值班", "sun.zhiban": "孙值班"}[on_duty(filled)]
    assert re.search(rf'href="/duty" title="On duty now">.*?On duty {shown}<', duty.get("/alerts?view=all").text, re.DOTALL)


def test_the_note_is_changed_by_who_leaves_only(app: APIFlask, filled: Services) -> None:
    leaving = on_duty(filled)
    other = "sun.zhiban" if leaving == "zhao.zhiban" else "zhao.zhiban"
    one = browser_of(app, leaving)
    version = re.search(r'action="/duty/handovers">.*?name="version" value="(\d+)"', one.get("/duty").text, re.DOTALL)
    assert version is not None
    assert post(one, "/duty/handovers", {"note": "补充一条", "version": version[1]}).status_code == 302
    assert post(one, "/duty/handovers", {"note": "x", "version": version[1]}).status_code == 409
    assert post(one, "/duty/handovers/1/accept", {"version": "2"}).status_code == 403
    assert "补充一条" in browser_of(app, other).get("/duty/handovers").text


def test_a_roster_from_a_file(duty: FlaskClient) -> None:
    day = (today(clock.now()) + timedelta(days=30)).isoformat()
    text = f"day,shift,rank,name\r\n{day},day,1,zhao.zhiban\r\n{day},night,1,sun.zhiban\r\n"
    sent = {"file": (io.BytesIO(text.encode("utf-8-sig")), "r.csv"), "revision": revision(duty)}
    answer = post(duty, "/duty/roster/import", sent)
    assert answer.status_code == 302
    assert f"from={day}" in answer.location
    rows = list(csv.reader(io.StringIO(duty.get(f"/duty/roster.csv?from={day}").data.decode("utf-8-sig"))))
    assert [row[:4] for row in rows[1:]] == [[day, "day", "1", "zhao.zhiban"], [day, "night", "1", "sun.zhiban"]]
    broken = text + f"{day},night,2,zhao.zhiban\r\n{day},night,3,=cmd\r\n"
    sent = {"file": (io.BytesIO(broken.encode()), "r.csv"), "revision": revision(duty)}
    answer = post(duty, "/duty/roster/import", sent)
    assert answer.status_code == 422
    assert "Line 5" in answer.text
    for bad in (b"", b"\xff\xff", b"x" * 300_000):
        sent = {"file": (io.BytesIO(bad), "r.csv"), "revision": revision(duty)}
        assert post(duty, "/duty/roster/import", sent).status_code == 422


def test_places_one_by_one(duty: FlaskClient) -> None:
    day = (today(clock.now()) + timedelta(days=40)).isoformat()
    sent = {"day": day, "shift": "day", "rank": "1", "name": "zhao.zhiban", "revision": revision(duty), "from": day}
    assert post(duty, "/duty/roster", sent).status_code == 302
    assert post(duty, "/duty/roster", sent | {"rank": "2"}).status_code == 409  # the revision is an old one
    answer = post(duty, "/duty/roster", sent | {"rank": "2", "revision": revision(duty)})
    assert answer.status_code == 422
    assert "is on duty already" in answer.text
    page = duty.get(f"/duty/roster?from={day}").text
    link = re.search(r'action="(/duty/roster/\d+/clear)"', page)
    assert link is not None
    assert post(duty, link[1], {"revision": revision(duty), "from": day}).status_code == 302
    assert "赵值班</span>" not in duty.get(f"/duty/roster?from={day}").text
    assert duty.get("/duty/roster?from=9999-99-99").status_code == 200


def test_shifts_are_set(duty: FlaskClient) -> None:
    sent = {"id": ["early", "late", ""], "name": ["早", "晚", ""], "name_en": ["Early", "", ""],
            "begins": ["08:00", "16:00", "08:30"],
            "ends": ["16:00", "08:00", "20:30"], "revision": revision(duty)}  # fmt: skip
    overlapping = sent | {"begins": ["08:00", "15:00", ""]}
    assert "Shifts of a day do not overlap." in post(duty, "/duty/shifts", overlapping).text
    assert post(duty, "/duty/shifts", sent).status_code == 302
    assert "Early" in duty.get("/duty/roster").text
    back = sent | {"id": ["day", "night"], "begins": ["08:30", "20:30"], "ends": ["20:30", "08:30"], "revision": revision(duty)}
    assert post(duty, "/duty/shifts", back).status_code == 302


def test_escalate_from_an_alert_and_answer(app: APIFlask, filled: Services) -> None:
    browser = browser_of(app, "lin.mei")
    assert "/duty/escalations" in browser.get("/alerts/1").text
    sent = {"kind": "alert", "id": "1", "reason": "看不懂", "next": "/alerts/1"}
    answer = post(browser, "/duty/escalations", sent)
    assert answer.location == "/alerts/1?done=escalated"
    assert post(browser, "/duty/escalations", sent | {"next": "//evil.example"}).location == "/?done=escalated"
    called = browser_of(app, on_duty(filled))
    page = called.get("/duty").text
    assert "看不懂" in page
    number = re.search(r"/duty/escalations/(\d+)/acknowledge", page)
    assert number is not None
    assert post(called, f"/duty/escalations/{number[1]}/acknowledge", {}).status_code == 302
    assert post(called, f"/duty/escalations/{number[1]}/acknowledge", {}).status_code == 409
    assert post(browser, "/duty/escalations", sent | {"id": "999999"}).status_code == 404


def test_hostile_texts_stay_text(app: APIFlask, filled: Services, duty: FlaskClient) -> None:
    one = browser_of(app, on_duty(filled))
    post(one, "/duty/log", {"kind": "note", "text": EVIL})
    post(one, "/duty/escalations", {"kind": "other", "id": "x", "reason": EVIL})
    wrong = post(one, "/duty/handovers", {"note": EVIL, "version": "99"})
    assert wrong.status_code == 409
    bad = post(one, "/duty/roster", {"day": EVIL, "shift": EVIL, "rank": "1", "name": EVIL, "revision": revision(one)})
    assert bad.status_code == 422
    for text in (one.get("/duty").text, one.get("/duty?cursor=" + "9" * 18).text, wrong.text, bad.text):
        tags = _Tags()
        tags.feed(text)
        assert tags.found == []
    assert one.get("/duty?cursor=" + EVIL).status_code == 422


def test_supervision_and_the_files_of_a_year(app: APIFlask, filled: Services, duty: FlaskClient) -> None:
    page = duty.get("/services/supervision").text
    assert WATER in page
    assert "Cross-zone permit" in page
    assert "counted every hour, last at" in page  # so that what came in since then is missed by nobody
    year = today(clock.now()).year
    for kind, start in (("xlsx", b"PK"), ("docx", b"PK"), ("pdf", b"%PDF-")):
        answer = duty.get(f"/services/summary.{kind}?bureau={WATER}&year={year}")
        assert answer.data.startswith(start)
        assert answer.headers["Content-Disposition"].startswith("attachment")
    book = openpyxl.load_workbook(io.BytesIO(duty.get(f"/services/summary.xlsx?bureau={WATER}&year={year}").data))
    assert book.sheetnames == ["Services", "Usage", "Tickets"]
    with filled.database.read() as session:
        acts = [row for row in audit.since(session, 0, limit=100_000) if row.action == "service.summary"]
    assert {row.object_id for row in acts} == {WATER}
    water = browser_of(app, "shui.wu")
    assert f"bureau={TRAFFIC}" not in water.get("/services/supervision").text
    assert water.get(f"/services/summary.xlsx?bureau={TRAFFIC}&year={year}").status_code == 422
    assert water.get(f"/services/summary.exe?bureau={WATER}").status_code == 404
    assert browser_of(app, ADMINISTRATORS["auditadmin"][0]).get("/services/supervision").status_code == 403


def test_what_supervision_counts_is_kept_for_those_who_see_the_same(filled: Services) -> None:
    app = create_app(filled)
    everything, water = browser_of(app, "zhao.zhiban"), browser_of(app, "shui.wu")
    with statements(filled.database) as sent:
        pages = [browser.get("/services/supervision") for browser in (everything, everything, water, water)]
    assert [page.status_code for page in pages] == [200] * 4
    assert sum("julianday" in one for one in sent) == 2


def test_every_page_says_it_in_chinese(app: APIFlask) -> None:
    browser = browser_of(app, "zhao.zhiban", "zh")
    for path, words in (("/duty", "值班日志"), ("/duty/roster", "呼叫顺序"), ("/services/supervision", "年度总结")):
        assert words in browser.get(path).text


def test_an_empty_duty_room(tmp_path: Path) -> None:
    browser = browser_of(create_app(fill(tmp_path, events=0)), "lin.mei")
    page = browser.get("/duty").text
    assert "Nobody is on duty now." in page
    assert "On duty no one" in page
    assert "Nothing was metered in this month" in browser.get("/services/supervision").text
