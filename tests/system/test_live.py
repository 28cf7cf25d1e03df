"""Live updates of a real console: gunicorn with eight threads, streams that stay, and pages that go on answering."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import delete, select

from kernel.db import Database, open_database
from kernel.detection import Detection, detection_id
from operations.accounts import keys, sessions
from operations.accounts import service as accounts
from operations.accounts.models import LoginSession, User
from operations.accounts.schema import Principal
from operations.alerts import service as alerts
from operations.audit.schema import SYSTEM
from operations.clock import now
from soc_ui.live.hub import MOST_STREAMS_OF_ONE
from tests.soc_ui.seed import PASSWORD
from tests.system.browser import CHROMIUM
from tests.system.platform import Platform, wait_until

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    found = Platform(tmp_path_factory.mktemp("live"), "--no-demo")
    found.start()
    yield found
    found.stop()


@pytest.fixture(scope="module")
def database(platform: Platform) -> Iterator[Database]:
    opened = open_database(platform.layout.state_url)
    for name in ("lin", "wu", "he"):
        accounts.create_user(opened, SYSTEM, name, PASSWORD, "analyst")
    yield opened
    opened.close()


def cookie(database: Database, name: str = "lin") -> str:
    with database.write() as session:
        user = session.execute(select(User).where(User.name == name)).scalar_one()
        return sessions.create_session(session, user.id, sessions.Asking("127.0.0.1", "test"), factor="totp")


def alert(database: Database, name: str) -> None:
    at = now()
    event = {"@timestamp": at, "event.id": f"{name}-{at}", "host.name": name}
    with database.write() as session:
        id_ = detection_id(name, [event["event.id"]])
        alerts.record_detections(session, [Detection(id_, name, name, "high", "sigma", at, [event["event.id"]], event)])


class Watcher:
    """A stream of ``/live``."""

    def __init__(self, platform: Platform, token: str, last: str = "") -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", platform.console_port, timeout=20)
        headers = {"Cookie": f"{sessions.SESSION_COOKIE}={token}"} | ({"Last-Event-ID": last} if last else {})
        self._connection.request("GET", "/live", headers=headers)
        self.answer = self._connection.getresponse()
        self.last = last

    def next(self) -> tuple[str, dict[str, Any]]:
        """The next event. Raises EOFError where the stream has ended."""
        kind, data = "", ""
        while True:
            line = self.answer.readline().decode()
            if not line:
                raise EOFError
            name, _, value = line.rstrip("\n").partition(": ")
            if name == "event":
                kind = value
            elif name == "data":
                data = value
            elif name == "id":
                self.last = value
            elif not name and kind:
                return kind, json.loads(data)

    def until(self, wanted: str) -> dict[str, Any]:
        while True:
            kind, body = self.next()
            if kind == wanted:
                return body

    def close(self) -> None:
        self._connection.close()
        self.answer.close()


def page(platform: Platform, token: str) -> float:
    """Seconds that a page took."""
    start = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", platform.console_port, timeout=20)
    connection.request("GET", "/alerts?view=all", headers={"Cookie": f"{sessions.SESSION_COOKIE}={token}"})
    assert connection.getresponse().status == 200
    connection.close()
    return time.monotonic() - start


def test_a_new_alert_is_seen_at_once(platform: Platform, database: Database) -> None:
    watcher = Watcher(platform, cookie(database))
    assert watcher.answer.status == 200
    assert watcher.answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert watcher.answer.headers["X-Accel-Buffering"] == "no"
    assert "default-src 'none'" in watcher.answer.headers["Content-Security-Policy"]
    watcher.until("hello")
    start = time.monotonic()
    alert(database, "seen")
    assert watcher.until("alert")["level"] == "high"
    assert time.monotonic() - start < 2
    watcher.close()


def test_more_streams_than_threads_leave_pages_alone(platform: Platform, database: Database) -> None:
    tokens = [cookie(database, name) for name in ("lin", "wu", "he")]
    watchers = [Watcher(platform, tokens[n % 3]) for n in range(3 * MOST_STREAMS_OF_ONE)]
    for watcher in watchers:
        watcher.until("hello")
    assert max(page(platform, tokens[0]) for _ in range(5)) < 5
    alert(database, "all-see-it")
    for watcher in watchers:
        watcher.until("alert")
    refused = Watcher(platform, tokens[0])
    assert refused.answer.status == 429
    for watcher in watchers:
        watcher.close()


def test_a_stream_ends_with_its_session(platform: Platform, database: Database) -> None:
    token = cookie(database)
    watcher = Watcher(platform, token)
    watcher.until("hello")
    with database.write() as session:
        user = session.execute(select(User).where(User.name == "lin")).scalar_one()
        session.execute(delete(LoginSession).where(LoginSession.user_id == user.id))
    start = time.monotonic()
    watcher.until("over")
    assert time.monotonic() - start < 8
    with pytest.raises(EOFError):
        watcher.next()
    watcher.close()


def test_without_a_session_there_is_no_stream(platform: Platform) -> None:
    assert Watcher(platform, "").answer.status == 302


def test_a_killed_console_loses_nothing(platform: Platform, database: Database) -> None:
    token = cookie(database)
    watcher = Watcher(platform, token)
    watcher.until("hello")
    last = watcher.last
    platform.kill("console")
    with pytest.raises((EOFError, OSError)):
        watcher.until("nothing of this name")
    for number in range(3):
        alert(database, f"while-away-{number}")

    def back() -> bool:
        try:
            return page(platform, token) >= 0
        except OSError:
            return False

    wait_until(back, 60, "the new console answers")
    again = Watcher(platform, token, last)
    seen = [again.until("alert") for _ in range(3)]
    assert len({one["id"] for one in seen}) == 3
    again.close()
    watcher.close()


def test_a_key_watches_too(platform: Platform, database: Database) -> None:
    with database.write() as session:
        user = session.execute(select(User).where(User.name == "lin")).scalar_one()
        token = keys.create_key(session, Principal(user.id, "lin", "", "analyst"), "watch", "read")[1]
    for sent, status in ((token, 200), ("ldn_wrong", 401)):
        connection = http.client.HTTPConnection("127.0.0.1", platform.console_port, timeout=20)
        connection.request("GET", "/api/v1/live", headers={"Authorization": f"Bearer {sent}"})
        answer = connection.getresponse()
        assert answer.status == status
        if status == 200:
            assert answer.readline() == b"retry: 2000\n"
        connection.close()
        answer.close()


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (Debian/Ubuntu: apt install chromium)")
def test_two_tabs_share_one_stream(platform: Platform, database: Database, chromium: Browser) -> None:
    alert(database, "before")
    url = f"http://127.0.0.1:{platform.console_port}"
    context = chromium.new_context(base_url=url)
    context.add_cookies(
        [
            {"name": name, "value": value, "url": url}
            for name, value in ((sessions.SESSION_COOKIE, cookie(database)), ("lang", "en"))
        ]
    )
    opened: list[str] = []
    context.on("request", lambda request: opened.append(request.url) if request.url.endswith("/live") else None)
    first, second = context.new_page(), context.new_page()
    for page_ in (first, second):
        page_.goto("/alerts?view=all")
        expect(page_.locator("#live")).to_have_text("Live")
    assert len(opened) == 1
    second.bring_to_front()
    alert(database, "after")
    expect(second.locator("[data-newbar]")).to_be_visible(timeout=3000)  # asking alone would take up to 5 s
    first.close()
    expect(second.locator("#live")).to_have_text("Live")
    alert(database, "the other tab takes over")
    expect(second.locator("[data-newbar]")).to_contain_text("2", timeout=8000)
    context.close()
