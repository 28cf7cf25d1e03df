"""A filled console and browsers without a window: the Flask test client, logged in or not."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from soc_ui.app import create_app
from soc_ui.services import Services
from tests.soc_ui.seed import PASSWORD, USER, fill

Browser = Callable[..., FlaskClient]


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
    """Logged in as the administrator, English so that expectations are readable."""
    browser = app.test_client()
    log_in(browser)
    browser.set_cookie("lang", "en")
    return browser


def token_of(browser: FlaskClient, path: str = "/login") -> str:
    """The CSRF token of a page."""
    found = re.search(r'name="csrf-token" content="([0-9a-f]{64})"', browser.get(path, follow_redirects=True).text)
    assert found is not None
    return found[1]


def post(browser: FlaskClient, path: str, data: dict[str, Any], *, page: str = "/rules") -> Any:
    """Send a form as a person would: with the token of ``page``."""
    return browser.post(path, data={**data, "csrf_token": token_of(browser, page)})


def log_in(browser: FlaskClient, name: str = USER, password: str = PASSWORD) -> Any:
    return post(browser, "/login", {"name": name, "password": password}, page="/login")


@pytest.fixture
def empty(tmp_path: Path) -> FlaskClient:
    """A console in which nothing has happened yet, logged in, in Chinese."""
    browser = create_app(fill(tmp_path, events=0)).test_client()
    log_in(browser)
    return browser
