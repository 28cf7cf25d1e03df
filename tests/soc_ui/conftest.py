"""A filled console and browsers without a window: the Flask test client, logged in or not."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import select

from operations.accounts import sessions
from operations.accounts.models import User
from soc_ui.app import create_app
from soc_ui.services import Services
from tests.soc_ui.seed import ADMINISTRATORS, PASSWORD, USER, fill

Browser = Callable[..., FlaskClient]


@pytest.fixture(autouse=True)
def _headers_that_a_server_can_send(monkeypatch: pytest.MonkeyPatch) -> None:
    """The browser without a window takes any text; servers write headers as ISO 8859-1 (PEP 3333) and fail at other letters."""
    ask = FlaskClient.open

    def checked(browser: FlaskClient, *args: Any, **kwargs: Any) -> Any:
        answer = ask(browser, *args, **kwargs)
        assert all(value.isascii() for _name, value in answer.headers), answer.headers
        return answer

    monkeypatch.setattr(FlaskClient, "open", checked)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Services:
    return fill(tmp_path_factory.mktemp("console"), events=400)


@pytest.fixture(scope="module")
def app(filled: Services) -> APIFlask:
    return create_app(filled)


@pytest.fixture
def anonymous(app: APIFlask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def client(app: APIFlask) -> FlaskClient:
    """Logged in as an analyst, English so that expectations are readable."""
    return browser_of(app, USER)


@pytest.fixture
def sysadmin(app: APIFlask) -> FlaskClient:
    return browser_of(app, ADMINISTRATORS["sysadmin"][0])


@pytest.fixture
def secadmin(app: APIFlask) -> FlaskClient:
    return browser_of(app, ADMINISTRATORS["secadmin"][0])


@pytest.fixture
def auditadmin(app: APIFlask) -> FlaskClient:
    return browser_of(app, ADMINISTRATORS["auditadmin"][0])


def browser_of(app: APIFlask, name: str, lang: str = "en") -> FlaskClient:
    """A browser in which ``name`` is logged in."""
    browser = app.test_client()
    log_in(browser, name)
    browser.set_cookie("lang", lang)
    return browser


def token_of(browser: FlaskClient, path: str = "/login") -> str:
    """The CSRF token of a page."""
    found = re.search(r'name="csrf-token" content="([0-9a-f]{64})"', browser.get(path, follow_redirects=True).text)
    assert found is not None
    return found[1]


def post(browser: FlaskClient, path: str, data: dict[str, Any], *, page: str = "/account") -> Any:
    """Send a form as a person would: with the token of ``page``."""
    return browser.post(path, data={**data, "csrf_token": token_of(browser, page)})


def log_in(browser: FlaskClient, name: str = USER) -> None:
    """A session as logging in with a second factor leaves it; how one gets there is tested in test_console_login."""
    services = browser.application.extensions["liandun"]
    with services.database.write() as session:
        user = session.execute(select(User).where(User.name == name)).scalar_one()
        token = sessions.create_session(session, user.id, sessions.Asking("127.0.0.1", "test"), factor="totp")
    browser.set_cookie(sessions.SESSION_COOKIE, token)


def enter(browser: FlaskClient, name: str = USER, password: str = PASSWORD) -> Any:
    """Send the log-in form: name and password, the first step."""
    return post(browser, "/login", {"name": name, "password": password}, page="/login")


@pytest.fixture
def empty(tmp_path: Path) -> FlaskClient:
    """A console in which nothing has happened yet, logged in, in Chinese."""
    browser = create_app(fill(tmp_path, events=0)).test_client()
    log_in(browser)
    return browser
