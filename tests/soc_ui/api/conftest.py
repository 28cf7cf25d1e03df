"""The whole application over a filled console, and callers with keys of several roles and scopes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from crypto.secret import MasterKey
from operations.accounts import keys
from operations.accounts import service as accounts
from operations.accounts.schema import Principal
from operations.audit.schema import SYSTEM
from operations.webhooks.guard import WebhookPolicy
from soc_ui.app import create_app
from soc_ui.services import Services

Call = Callable[..., TestResponse]


@pytest.fixture(scope="module")
def services(filled: Services) -> Services:
    return replace(filled, master_key=MasterKey(b"0123456789abcdef"), webhook_policy=WebhookPolicy(allow=("127.0.0.0/8",)))


@pytest.fixture(scope="module")
def app(services: Services) -> APIFlask:
    return create_app(services)


@pytest.fixture(scope="module")
def tokens(services: Services) -> dict[str, str]:
    """Keys by ``role`` or ``role:scope``."""
    made: dict[str, str] = {}
    for role in ("sysadmin", "secadmin", "auditadmin", "analyst", "leader"):
        user = accounts.create_user(services.database, SYSTEM, f"the-{role}", "Correct-Horse-7", role)
        owner = Principal(user.id, user.name, "", role)
        with services.database.write() as session:
            for scope in ("read", "write"):
                made[f"{role}:{scope}"] = keys.create_key(session, owner, f"{role}-{scope}", scope)[1]
    return made


def fitting(method: str, path: str) -> str:
    """The key of somebody who may do this: no role may do everything."""
    if path.startswith("/audit"):
        return "auditadmin:write"
    if path.startswith("/webhooks"):
        return "sysadmin:write"
    if method in ("PUT", "DELETE") and path.startswith(("/zone", "/conduits")):
        return "secadmin:write"
    return "analyst:write"


@pytest.fixture
def call(app: APIFlask, tokens: dict[str, str]) -> Call:
    """``call("GET", "/alerts", as_="analyst:write", json=…, query=…, headers=…)`` with a key, without cookies."""
    browser: FlaskClient = app.test_client(use_cookies=False)

    def request(
        method: str, path: str, *, as_: str | None = None, query: Any = None, headers: Any = None, **more: Any
    ) -> TestResponse:
        as_ = fitting(method, path) if as_ is None else as_
        sent = {"Authorization": f"Bearer {tokens[as_]}"} if as_ else {}
        return browser.open("/api/v1" + path, method=method, query_string=query, headers={**sent, **(headers or {})}, **more)

    return request
