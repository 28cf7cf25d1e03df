"""A few searches an account at a time, and none for a connection that was closed."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.serving import make_server

from kernel.store.lake import Lake
from kernel.store.lake.asked import Asked
from kernel.store.lake.manifest import Manifest
from kernel.store.lake.reader import Reader
from kernel.store.stopping import SearchEnded, check
from operations.accounts.models import User
from operations.accounts.schema import Principal
from operations.accounts.sessions import SESSION_COOKIE
from operations.audit import service as audit
from soc_ui.app import create_app
from soc_ui.searching import MOST_AT_ONCE, Places, TooManySearches, searching
from soc_ui.services import Services
from tests.soc_ui.conftest import browser_of, post
from tests.soc_ui.seed import USER

SEARCHES = (
    "/hunt?q=a&last=all",
    "/hunt/histogram.json?q=a&last=all",
    "/hunt/top?q=a&last=all&field=user.name",
    "/hunt/complete?q=user.name:&at=10",
    "/api/v1/events?query=a",
    "/api/v1/events/histogram?query=a",
    "/api/v1/events/top?query=a&field=user.name",
    "/api/v1/events/statistics?query=a&field=user.name",
    "/api/v1/events/complete?query=user.name:&at=10",
)


def places_of(app: APIFlask) -> Places:
    places = app.extensions["liandun_searches"]
    assert isinstance(places, Places)
    return places


@pytest.fixture
def busy(app: APIFlask, filled: Services) -> Iterator[Callable[[], None]]:
    """All places of the account are taken until the fixture is called, or the test ends."""
    with filled.database.read() as session:
        account = session.execute(select(User.id).where(User.name == USER)).scalar_one()
    held = [places_of(app).take(account) for _ in range(MOST_AT_ONCE)]

    def free() -> None:
        for give_back in held:
            give_back()

    yield free
    free()
    assert places_of(app).total() == 0


@pytest.mark.parametrize("address", SEARCHES)
def test_one_search_too_many_is_refused_and_says_so(client: FlaskClient, busy: Callable[[], None], address: str) -> None:
    answer = client.get(address)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "5")
    busy()
    assert client.get(address).status_code == 200


def test_an_export_too_many_is_refused_and_not_in_the_trail(
    client: FlaskClient, filled: Services, busy: Callable[[], None]
) -> None:
    form = {"q": "process.name:svchost.exe", "last": "all", "format": "jsonl"}
    assert post(client, "/hunt/export", form, page="/account").status_code == 429
    with filled.database.read() as session:
        assert not audit.listing(session, action="events.export", limit=1).entries
    busy()
    assert post(client, "/hunt/export", form, page="/account").data
    with filled.database.read() as session:
        assert audit.listing(session, action="events.export", limit=1).entries


def test_the_words_are_those_of_the_page(app: APIFlask, busy: Callable[[], None]) -> None:
    assert "3 searches of one account" in browser_of(app, USER).get("/hunt?q=a").text
    assert "3" in browser_of(app, USER, lang="zh").get("/hunt?q=a").text
    part = browser_of(app, USER).get("/hunt/top?field=a", headers={"HX-Request": "true"})
    assert (part.status_code, part.mimetype) == (429, "text/plain")


def test_others_and_other_pages_are_not_held_up(client: FlaskClient, sysadmin: FlaskClient, busy: Callable[[], None]) -> None:
    assert client.get("/hunt/searches").status_code == 200
    assert sysadmin.get("/sources").status_code == 200


@pytest.mark.parametrize("address", [*SEARCHES, "/hunt?q=user.name:(a", "/hunt?q=a&cursor=wrong", "/hunt?q=a|top%20user.name"])
def test_every_place_is_given_back(client: FlaskClient, app: APIFlask, address: str) -> None:
    client.get(address)
    assert places_of(app).total() == 0


def test_an_export_holds_its_place_until_all_is_sent(client: FlaskClient, app: APIFlask) -> None:
    answer = post(client, "/hunt/export", {"q": "", "last": "all", "format": "csv"}, page="/account")
    assert places_of(app).total() == 1
    assert answer.data
    assert places_of(app).total() == 0
    post(client, "/hunt/export", {"q": "", "last": "all", "format": "csv"}, page="/account").close()
    assert places_of(app).total() == 0


def test_places_are_counted_under_many_threads() -> None:
    places, most, running, lock = Places(), [0], [0], threading.Lock()

    def ask() -> None:
        for _ in range(200):
            try:
                give_back = places.take(7)
            except TooManySearches:
                continue
            with lock:
                running[0] += 1
                most[0] = max(most[0], running[0])
            with lock:
                running[0] -= 1
            give_back()
            give_back()

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert 1 <= most[0] <= MOST_AT_ONCE
    assert places.total() == 0


@pytest.mark.parametrize("name", ["gunicorn.socket", "werkzeug.socket"])
def test_who_closes_the_connection_ends_the_search(app: APIFlask, client: FlaskClient, name: str) -> None:
    here, there = socket.socketpair()
    with here, there:
        who = Principal(1, "lin", "", "analyst")
        with app.test_request_context(environ_overrides={name: here}), searching(who):
            check()
            there.close()
            with pytest.raises(SearchEnded):
                check()
        ended = client.get("/api/v1/events?query=a", environ_overrides={name: here})
        assert (ended.status_code, ended.get_json()["detail"]) == (400, "the search was ended")
    assert places_of(app).total() == 0


def test_a_page_that_is_left_ends_its_running_statement(filled: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over real connections: as many costly searches as may run, left one after the other, leave room for the next."""
    assert isinstance(filled.store, Lake)
    begun = threading.Semaphore(0)
    run = Reader.run

    def costly(self: Reader, manifest: Manifest, asked: Asked, sql: str) -> Any:
        if "svchost.exe" in str(asked.root):
            begun.release()
            sql = "SELECT count(*) FROM {files}, range(3000000) AS a(x), range(300000) AS b(y) WHERE (x * y) % 7 = 3"
        return run(self, manifest, asked, sql)

    monkeypatch.setattr(Reader, "run", costly)
    app = create_app(filled)
    cookie = browser_of(app, USER).get_cookie(SESSION_COOKIE)
    assert cookie is not None
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()

    def ask(path: str) -> HTTPConnection:
        connection = HTTPConnection("127.0.0.1", server.server_port, timeout=30)
        connection.request("GET", path, headers={"Cookie": f"{SESSION_COOKIE}={cookie.value}"})
        return connection

    try:
        left = [ask("/hunt?last=all&q=process.name:svchost.exe") for _ in range(MOST_AT_ONCE)]
        assert all(begun.acquire(timeout=20) for _ in left)
        assert ask("/hunt?last=all&q=no.such:x").getresponse().status == 429
        for connection in left:
            connection.close()
        over = time.monotonic() + 15
        while places_of(app).total() and time.monotonic() < over:
            time.sleep(0.05)
        assert places_of(app).total() == 0
        assert ask("/hunt?last=all&q=no.such:x").getresponse().status == 200
    finally:
        server.shutdown()
        thread.join()
