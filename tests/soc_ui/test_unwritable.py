"""What people and programs are told while nothing can be written: a full disk, a read-only file, a trail that takes no entry."""

from __future__ import annotations

import html
import re
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select, text

from kernel.db import Database, open_database
from operations import clock
from operations.accounts import keys
from operations.accounts.schema import Principal
from operations.alerts.models import Alert
from operations.audit.models import AuditEntry
from soc_ui.app import create_app
from soc_ui.services import Services
from tests.small_disk import fill_up, needs_mount, read_only, small_disk
from tests.soc_ui.conftest import browser_of, token_of
from tests.soc_ui.seed import ADMINISTRATORS, PASSWORD, USER

CAUSES = {
    "full": ("The disk of the state database is full.", "状态数据库所在的磁盘已满。", "Free space", "腾出空间"),
    "read-only": ("The state database is read-only.", "状态数据库处于只读状态。", "mounted read-only", "挂载为只读"),
    "audit": ("The audit trail does not take any entry.", "审计日志无法写入任何条目。", "audit verify", "audit verify"),
}
TITLES = ("Refused, nothing was changed: the audit trail cannot be written", "已拒绝，未作任何更改：审计日志无法写入")


@dataclass
class Stuck:
    """A console whose database takes nothing any more. ``reason`` as in StateUnavailable; ``keys`` by role."""

    reason: str
    services: Services
    keys: dict[str, str]
    browsers: dict[str, FlaskClient]
    csrf: dict[str, str]

    @property
    def standing(self) -> tuple[int, int]:
        """What must stay as it is: alerts that are new, entries of the trail."""
        with self.services.database.read() as session:
            new = session.execute(select(func.count()).where(Alert.status == "new")).scalar_one()
            return new, session.execute(select(func.count()).select_from(AuditEntry)).scalar_one()


@pytest.fixture(params=[pytest.param(name, marks=needs_mount) for name in ("full", "read-only")] + ["audit"])
def stuck(request: pytest.FixtureRequest, filled: Services, tmp_path: Path) -> Iterator[Stuck]:
    with ExitStack() as stack:
        folder = tmp_path if request.param == "audit" else stack.enter_context(small_disk(tmp_path / "disk", 16))
        _copy(filled.database, folder / "state.db")
        keeper = open_database(f"sqlite:///{folder / 'state.db'}")
        stack.callback(keeper.close)
        made = _keys(keeper)
        sound = create_app(replace(filled, database=keeper))
        people = {"analyst": USER, "sysadmin": ADMINISTRATORS["sysadmin"][0], "": ""}
        browsers = {role: browser_of(sound, name) if name else sound.test_client() for role, name in people.items()}
        tokens = {role: token_of(browser) for role, browser in browsers.items()}
        with keeper.write() as session:  # as a minute later: every request would note that the session is in use
            session.execute(text("UPDATE login_sessions SET seen_at = :then"), {"then": clock.shift(clock.now(), -60)})
        database = keeper
        if request.param == "full":
            fill_up(folder)
        elif request.param == "read-only":
            database = open_database(f"sqlite:///{folder / 'state.db'}")
            database.close()  # it connects again when it is asked
            stack.enter_context(read_only(folder))
            stack.callback(database.close)
        else:
            with keeper.engine.begin() as connection:
                connection.execute(text("ALTER TABLE audit_nodes RENAME TO gone"))
        services = replace(filled, database=database)
        application = create_app(services)
        for browser in browsers.values():
            browser.application = application
        yield Stuck(request.param, services, made, browsers, tokens)


def _copy(database: Database, target: Path) -> None:
    with closing(sqlite3.connect(str(database.engine.url.database))) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)


def _keys(database: Database) -> dict[str, str]:
    """A key that may write, and one that may only read."""
    with database.write() as session:
        owner = session.execute(text("SELECT id FROM users WHERE name = :name"), {"name": USER}).scalar_one()
        who = Principal(owner, USER, "", "analyst")
        return {scope: keys.create_key(session, who, f"program-{scope}", scope)[1] for scope in ("read", "write")}


def words(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_form_gets_a_page_that_says_why_and_what_to_do(stuck: Stuck, lang: str) -> None:
    before, browser = stuck.standing, stuck.browsers["analyst"]
    browser.set_cookie("lang", lang)
    form = {"ids": "1", "action": "acknowledge", "csrf_token": stuck.csrf["analyst"]}
    answer = browser.post("/alerts/bulk", data=form)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
    at = 0 if lang == "en" else 1
    told = words(answer.text)
    assert TITLES[at] in told
    assert CAUSES[stuck.reason][at] in told
    assert CAUSES[stuck.reason][at + 2] in told
    assert "sqlite" not in answer.text.lower()
    assert stuck.standing == before


def test_nobody_gets_in(stuck: Stuck) -> None:
    before = stuck.standing
    form = {"name": USER, "password": PASSWORD, "csrf_token": stuck.csrf[""]}
    answer = stuck.browsers[""].post("/login", data=form)
    assert answer.status_code == 503
    assert TITLES[1] in words(answer.text)
    assert "liandun_session" not in str(answer.headers)
    assert stuck.standing == before


def test_a_part_of_a_page_gets_the_words_as_text(stuck: Stuck) -> None:
    """Who searches for what is audited, so a search is refused too; htmx puts no error into a page, our script shows the text."""
    browser = stuck.browsers["analyst"]
    answer = browser.get("/hunt?q=*", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.mimetype) == (503, "text/plain")
    assert answer.text.startswith(TITLES[0] + ". " + CAUSES[stuck.reason][0])


def test_reading_goes_on(stuck: Stuck) -> None:
    for path in ("/", "/alerts", "/alerts/1", "/rules", "/sources"):
        assert stuck.browsers["analyst"].get(path, follow_redirects=True).status_code == 200, path
    header = {"Authorization": f"Bearer {stuck.keys['read']}"}
    assert stuck.browsers[""].get("/api/v1/alerts", headers=header).status_code == 200


@pytest.mark.parametrize(("accepts", "at"), [("", 0), ("en", 0), ("zh-CN,zh;q=0.9,en;q=0.5", 1)])
def test_a_program_gets_a_problem_with_a_reason(stuck: Stuck, accepts: str, at: int) -> None:
    before = stuck.standing
    headers = {"Authorization": f"Bearer {stuck.keys['write']}", "Accept-Language": accepts}
    answer = stuck.browsers[""].post("/api/v1/alerts/1/notes", json={"note": "seen"}, headers=headers)
    assert (answer.status_code, answer.mimetype) == (503, "application/problem+json")
    assert answer.headers["Content-Language"] == ("en", "zh-CN")[at]
    assert answer.headers["Retry-After"] == "30"
    body = answer.get_json()
    assert (body["status"], body["reason"]) == (503, stuck.reason)
    assert body["detail"] == f"{TITLES[at]}. {CAUSES[stuck.reason][at]}"
    assert CAUSES[stuck.reason][at + 2] in body["hint"]
    assert stuck.standing == before


def test_a_session_at_the_api_is_told_the_same(stuck: Stuck) -> None:
    headers = {"X-CSRFToken": stuck.csrf["analyst"]}
    answer = stuck.browsers["analyst"].post("/api/v1/alerts/1/notes", json={"note": "seen"}, headers=headers)
    assert (answer.status_code, answer.get_json()["reason"]) == (503, stuck.reason)


def test_a_refusal_that_cannot_be_written_down_is_told_as_such(stuck: Stuck) -> None:
    headers = {"Authorization": f"Bearer {stuck.keys['read']}"}
    answer = stuck.browsers[""].post("/api/v1/alerts/1/notes", json={"note": "seen"}, headers=headers)
    assert (answer.status_code, answer.get_json()["reason"]) == (503, stuck.reason)
    form = {"ids": "1", "action": "acknowledge", "csrf_token": stuck.csrf["sysadmin"]}
    assert stuck.browsers["sysadmin"].post("/alerts/bulk", data=form).status_code == 503


@needs_mount
def test_it_goes_on_when_there_is_room_again(filled: Services, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 16) as folder:
        _copy(filled.database, folder / "state.db")
        database = open_database(f"sqlite:///{folder / 'state.db'}")
        browser = browser_of(create_app(replace(filled, database=database)), USER)
        form = {"ids": "1", "action": "acknowledge", "csrf_token": token_of(browser)}
        filler = fill_up(folder)
        assert browser.post("/alerts/bulk", data=form).status_code == 503
        filler.unlink()
        assert browser.post("/alerts/bulk", data=form).status_code == 302
        database.close()
