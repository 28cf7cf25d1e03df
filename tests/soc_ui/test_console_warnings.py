"""Pages of warnings: the board and its filters, the forms of each step, the tables of the site, the overview, the menu."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from operations.warnings import service
from operations.warnings.schema import TEXTS
from soc_ui.app import create_app
from soc_ui.services import Services
from tests.soc_ui.conftest import browser_of, post
from tests.soc_ui.seed import ADMINISTRATORS, PASSWORD, USER, fill
from tests.soc_ui.seed_warnings import ORANGE, fill_warnings
from tests.soc_ui.seed_zones import fill_zones

FORM = {
    "title": ORANGE.title, "importance": "special", "harm": "severe", "level": "", "organisations": list(ORANGE.organisations),
    "zones": list(ORANGE.zones), **{name: getattr(ORANGE, name) for name in TEXTS},
}  # fmt: skip


class Story:
    """A console with warnings in every state, and the people of it."""

    def __init__(self, folder: Path) -> None:
        self.services: Services = fill(folder, events=60)
        fill_zones(self.services, events=200)
        self.ids = fill_warnings(self.services, PASSWORD)
        self.app: APIFlask = create_app(self.services)

    def of(self, name: str, lang: str = "en") -> FlaskClient:
        return browser_of(self.app, name, lang)

    def version(self, number: int) -> int:
        with self.services.database.read() as session:
            return service.get(session, number).version


@pytest.fixture
def story(tmp_path: Path) -> Story:
    return Story(tmp_path)


def rows(page: str) -> set[int]:
    return {int(number) for number in re.findall(r'<tr data-id="(\d+)"', page)}


def alert_of(page: str) -> str:
    found = re.search(r'role="alert">(.*?)</div></div>', page, re.DOTALL)
    return html.unescape(re.sub(r"<[^>]+>", "", found[1])) if found else ""


def test_the_board_and_its_filters(story: Story) -> None:
    duty, ids = story.of("zhou.ban"), story.ids
    assert duty.get("/warnings").location == "/warnings?status=draft&status=submitted&status=approved&status=published"
    assert rows(duty.get("/warnings?view=all").text) == set(ids.values())
    for query, expected in {
        "status=draft": {"draft"},
        "status=submitted&status=approved": {"submitted", "approved"},
        "level=red": {"approved"},
        "level=orange": {"overdue"},
        "overdue=1": {"overdue"},
        "organisation=财政局": {"overdue"},
        "zone=water-ot": {"overdue", "adjusted", "lifted"},
        "q=勒索 移动": {"overdue"},
        "q=100%25": set(),
        "status=loud&level=purple&view=all": set(ids),
        "source=pattern": set(),
    }.items():
        assert rows(duty.get(f"/warnings?{query}").text) == {ids[name] for name in expected}, query
    assert "No warning matches these filters" in duty.get("/warnings?source=pattern").text
    assert duty.get("/warnings?cursor=x&view=all").status_code == 422
    page = duty.get("/warnings?view=all").text
    order = [int(number) for number in re.findall(r'<tr data-id="(\d+)"', page)]
    assert order == sorted(order, reverse=True)
    oldest = [int(number) for number in re.findall(r'<tr data-id="(\d+)"', duty.get("/warnings?order=oldest").text)]
    assert oldest == sorted(order)


def test_a_level_is_a_word_and_not_a_colour_only(story: Story) -> None:
    page = story.of("zhou.ban", "zh").get("/warnings?view=all").text
    for word in ("红色", "橙色", "黄色", "蓝色"):
        assert f"<span>{word}</span>" in page
    assert "橙色（Ⅱ级）" in story.of("zhou.ban", "zh").get(f"/warnings/{story.ids['overdue']}").text


def test_the_matrix_of_receipts(story: Story) -> None:
    page = html.unescape(story.of("zhou.ban").get(f"/warnings/{story.ids['overdue']}").text)
    matrix = page[page.index('id="receipts"') :]
    by_name = {name: matrix[matrix.index(f"<b>{name}</b>") :].split("</tr>")[0] for name in ("交通局", "水务局", "财政局")}
    assert "overdue since" in by_name["交通局"]
    assert "reminded" in by_name["财政局"]
    assert "shui.wu" in by_name["水务局"]
    assert "已转运维单位" in by_name["水务局"]
    assert "overdue since" not in by_name["水务局"]
    old = html.unescape(story.of("zhou.ban").get(f"/warnings/{story.ids['adjusted']}").text)
    assert "Edition 1, replaced" in old


def test_from_an_alert_to_lifted_by_forms_alone(story: Story) -> None:
    analyst, leader, duty, water = (story.of(name) for name in (USER, "he.ling", "zhou.ban", "shui.wu"))
    alert = analyst.get("/alerts/1").text
    assert '/warnings/new?alert=1"' in alert
    form = html.unescape(analyst.get("/warnings/new?alert=1").text)
    assert re.search(r'name="title" value="[^"]{5,}"', form)
    assert 'name="alert" value="1"' in form
    made = post(analyst, "/warnings/new", {**FORM, "alert": "1"}).location
    number = int(re.findall(r"/warnings/(\d+)", made)[0])
    path = f"/warnings/{number}"
    assert 'href="/alerts/1"' in analyst.get(path).text
    assert post(analyst, path + "/submit", {"version": story.version(number)}).location.endswith("done=warning_submit")
    assert 'name="version"' not in analyst.get(path).text  # nothing for an analyst to do now
    assert post(leader, path + "/return", {"version": story.version(number), "note": "范围不清"}).status_code == 302
    edited = {**FORM, "extent": "全市", "version": story.version(number)}
    assert post(analyst, path + "/edit", edited).location.endswith("done=warning")
    post(analyst, path + "/submit", {"version": story.version(number)})
    assert post(leader, path + "/approve", {"version": story.version(number)}).location.endswith("done=warning_approve")
    out = {"version": story.version(number), "organisations": ["交通局"], "zones": ["water-ot"]}
    assert post(duty, path + "/publish", out).location.endswith("done=warning_publish")
    mine = water.get("/warnings?mine=1").text
    assert number in rows(mine)
    assert "Sign for it" in water.get(path).text
    post(water, path + "/receive", {"edition": "1", "organisation": "水务局", "comment": "ok"})
    assert "Give feedback" in water.get(path).text
    post(water, path + "/feedback", {"edition": "1", "organisation": "水务局", "feedback": "已关闭 445 端口"})
    assert "已关闭 445 端口" in duty.get(path).text
    worse = {"version": story.version(number), "importance": "special", "harm": "extreme", "reason": "扩散", "measures": "断网"}
    assert post(duty, path + "/adjust", worse).location.endswith("done=warning_adjust")
    assert "Sign for it" in water.get(path).text  # the new edition is to be signed anew
    assert post(duty, path + "/lift", {"version": story.version(number), "note": "消除"}).location.endswith("done=warning_lift")
    page = duty.get(path).text
    acts = ["Lifted", "Level adjusted", "Feedback given", "Signed for", "Published", "Approved", "Edited", "Sent back", "Drafted"]
    assert [act for act in acts if f"<b>{act}</b>" in page] == acts


def test_two_people_never_overwrite_each_other(story: Story) -> None:
    analyst, number = story.of(USER), story.ids["draft"]
    version = story.version(number)
    assert post(analyst, f"/warnings/{number}/edit", {**FORM, "version": version}).status_code == 302
    second = post(analyst, f"/warnings/{number}/edit", {**FORM, "title": "mine", "version": version})
    assert second.status_code == 409
    assert "Somebody else changed this warning" in alert_of(second.text)
    assert 'value="mine"' in second.text  # what was typed is not lost
    for act in ("submit", "discard"):
        stale = post(analyst, f"/warnings/{number}/{act}", {"version": version, "note": "typed text"})
        assert stale.status_code == 409
        assert "typed text" in stale.text
    for missing in ({}, {"version": ""}, {"version": "x"}, {"version": "-1"}):
        assert post(analyst, f"/warnings/{number}/submit", missing).status_code == 409


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_refusals_speak_the_language_of_the_page(story: Story, lang: str) -> None:
    duty, water = story.of("zhou.ban", lang), story.of("shui.wu", lang)
    overdue, draft = story.ids["overdue"], story.ids["draft"]
    level = {"version": story.version(overdue), "importance": "special", "harm": "severe", "reason": "x", "measures": "y"}
    lift = {"version": story.version(overdue)}
    lost = {**FORM, "version": story.version(draft), "zones": ["x"]}
    signed, old = ({"edition": edition, "organisation": "水务局"} for edition in ("1", "0"))
    refused = [
        (duty, f"/warnings/{overdue}/adjust", level, ("the level stays the same", "级别没有变化")),
        (duty, f"/warnings/{overdue}/lift", lift, ("is empty", "此项必填")),
        (duty, f"/warnings/{draft}/edit", lost, ("plan", "规划")),
        (water, f"/warnings/{overdue}/receive", signed, ("signed", "签收")),
        (water, f"/warnings/{overdue}/receive", old, ("edition", "新版本")),
    ]
    for browser, path, form, words in refused:
        assert words[lang == "zh"].lower() in alert_of(post(browser, path, form).text).lower()
    approve = {"version": story.version(story.ids["submitted"])}
    assert post(story.of(USER, lang), f"/warnings/{story.ids['submitted']}/approve", approve).status_code == 403


def test_an_author_is_told_to_ask_a_second_person(story: Story) -> None:
    duty = story.of("zhou.ban")
    number = story.ids["draft"]
    post(duty, f"/warnings/{number}/submit", {"version": story.version(number)})
    page = duty.get(f"/warnings/{number}").text
    assert "a second person has to approve it" in page
    assert "/approve" not in page
    refused = post(duty, f"/warnings/{number}/approve", {"version": story.version(number)})
    assert (refused.status_code, "Ask a second person" in alert_of(refused.text)) == (403, True)


def test_a_bureau_sees_its_own_only(story: Story) -> None:
    water, ids = story.of("shui.wu"), story.ids
    page = water.get("/warnings?view=all").text
    assert rows(page) == {ids["overdue"], ids["adjusted"], ids["lifted"]}
    one = water.get(f"/warnings/{ids['overdue']}").text
    assert "交通局" not in one.replace(ORANGE.extent, "")
    assert "财政局" not in one
    for name in ("draft", "submitted", "approved"):
        for ending in ("", "/bulletin.pdf", "/bulletin.docx"):
            assert water.get(f"/warnings/{ids[name]}{ending}").status_code == 404
    assert water.get("/warnings/new").status_code == 403
    for act in ("submit", "discard", "approve", "return", "publish", "adjust", "lift"):
        assert post(water, f"/warnings/{ids['overdue']}/{act}", {"version": 4, "note": "x"}).status_code == 403


def test_the_menu_and_the_overview_tell_what_waits(story: Story) -> None:
    def count(name: str) -> str:
        found = re.search(r'/warnings".*?</a>', story.of(name).get("/").text, re.DOTALL)
        assert found is not None
        return "".join(re.findall(r"</span>(\d+)</b>", found[0]))

    assert {name: count(name) for name in (USER, "zhou.ban", "he.ling", "shui.wu")} == {
        USER: "", "zhou.ban": "2", "he.ling": "1", "shui.wu": "2",
    }  # fmt: skip
    page = story.of("zhou.ban").get("/").text
    for text in ("Warnings in force", "1 to approve", "1 to publish", "2 overdue", ORANGE.title):
        assert text in page
    assert "1 to sign" in story.of("shui.wu").get("/").text


@pytest.mark.parametrize("kind", ["pdf", "docx"])
def test_the_bulletin_as_a_file(story: Story, kind: str) -> None:
    answer = story.of("shui.wu").get(f"/warnings/{story.ids['overdue']}/bulletin.{kind}")
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].endswith(f"-1.{kind}")
    assert answer.data[:4] == (b"%PDF" if kind == "pdf" else b"PK\x03\x04")
    assert story.of("shui.wu").get(f"/warnings/{story.ids['overdue']}/bulletin.exe").status_code == 404


def test_the_security_administrator_changes_the_tables_and_sees_no_warning(story: Story) -> None:
    security = story.of(ADMINISTRATORS["secadmin"][0])
    page = security.get("/warnings/settings").text
    assert page.count("to be confirmed") >= 3
    hours = {
        f"{level}.{step}": value
        for level in ("red", "orange", "yellow", "blue")
        for step, value in (("receipt", "0.5"), ("feedback", "6"))
    }
    change = {**hours, "version": "0", "source": "市网安办〔2026〕7 号"}
    assert post(security, "/warnings/settings/deadlines", {**change, "red.receipt": "soon"}).status_code == 422
    assert post(security, "/warnings/settings/deadlines", {**change, "red.receipt": "9"}).status_code == 422
    assert post(security, "/warnings/settings/deadlines", change).status_code == 302
    assert post(security, "/warnings/settings/deadlines", change).status_code == 409
    assert "市网安办〔2026〕7 号" in security.get("/warnings/settings").text
    for path in ("/warnings?view=all", f"/warnings/{story.ids['overdue']}", "/warnings/new"):
        assert security.get(path).status_code == 403
    reader = story.of("zhou.ban")
    shown = reader.get("/warnings/settings").text
    assert "市网安办〔2026〕7 号" in shown
    assert "<select name=" not in shown
    assert post(reader, "/warnings/settings/deadlines", {**change, "version": "1"}).status_code == 403
    for power in ("sysadmin", "auditadmin"):
        assert story.of(ADMINISTRATORS[power][0]).get("/warnings/settings").status_code == 403


def test_addresses_of_answers_can_be_asked_for_again(story: Story) -> None:
    duty = story.of("zhou.ban")
    assert duty.get(f"/warnings/{story.ids['overdue']}/adjust").location == f"/warnings/{story.ids['overdue']}"
    assert duty.get("/warnings/settings/matrix").location == "/warnings/settings#matrix"
    assert duty.get(f"/warnings/{story.ids['overdue']}/edit").location == f"/warnings/{story.ids['overdue']}"


def test_the_audit_trail_knows_warnings_by_name(story: Story) -> None:
    page = story.of(ADMINISTRATORS["auditadmin"][0], "zh").get("/audit?object=warning").text
    for text in ("发布预警", "催办预警", "调整预警", f'title="warning:{story.ids["overdue"]}">预警'):
        assert text in page


def test_an_empty_console_says_what_to_do(empty: FlaskClient) -> None:
    page = empty.get("/warnings?view=all").text
    assert "还没有预警" in page
    assert 'href="/warnings/new"' in page
