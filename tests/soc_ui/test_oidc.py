"""Sign-in by a small real OpenID provider in a process of its own: the honest way, and each way an answer can be false."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from flask.testing import FlaskClient

from operations.accounts import proposals
from operations.accounts.oidc import OidcProvider, OidcSettings
from operations.accounts.schema import Policy
from operations.accounts.service import create_user, list_users
from operations.audit import service as audit
from operations.audit.schema import SYSTEM
from soc_ui.app import create_app
from soc_ui.services import ConsoleSettings, Services
from tests.soc_ui.oidc_provider import ID, SECRET
from tests.soc_ui.seed import PASSWORD
from tests.soc_ui.test_console_login import bare

ROOT = Path(__file__).resolve().parents[2]


class Provider:
    """The running provider: who is signed in next, and what it does wrong."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer

    def next(self, **claims: Any) -> None:
        httpx.get(f"{self.issuer}/next", params={"claims": json.dumps(claims)})

    def fault(self, kind: str) -> None:
        httpx.get(f"{self.issuer}/fault", params={"kind": kind})


@pytest.fixture(scope="module")
def running() -> Iterator[Provider]:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "AUTHLIB_INSECURE_TRANSPORT": "1"}
    command = [sys.executable, "-m", "tests.soc_ui.oidc_provider", str(port)]
    process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    issuer = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            httpx.get(f"{issuer}/keys")
            break
        except httpx.HTTPError:
            assert process.poll() is None
            time.sleep(0.1)
    yield Provider(issuer)
    process.terminate()
    process.wait(20)


@pytest.fixture
def provider(running: Provider) -> Provider:
    running.fault("")
    running.next(sub="u-1", preferred_username="qian.er", name="钱二", groups=["soc"])
    return running


@pytest.fixture
def services(provider: Provider, tmp_path: Path) -> Services:
    settings = OidcSettings(provider.issuer, ID, SECRET, second_factor_acr=("gold",))
    return replace(
        bare(tmp_path),
        provider=OidcProvider(settings, {"soc": "analyst", "boss": "secadmin"}),
        settings=ConsoleSettings(provider_name="City ID"),
        policy=Policy(second_factor="administrators"),
    )


def browser_for(services: Services) -> FlaskClient:
    browser = create_app(services).test_client()
    browser.set_cookie("lang", "en")
    return browser


def there_and_back(browser: FlaskClient) -> str:
    """Go to the provider as a browser does; the address to come back to."""
    away = browser.get("/login/oidc?next=/rules").location
    asked = parse_qs(urlsplit(away).query)
    assert asked["code_challenge_method"] == ["S256"]
    back = httpx.get(away, follow_redirects=False).headers["location"]
    parts = urlsplit(back)
    return f"{parts.path}?{parts.query}"


def sign_in(browser: FlaskClient) -> Any:
    return browser.get(there_and_back(browser))


def test_the_honest_way(services: Services, provider: Provider) -> None:
    browser = browser_for(services)
    assert "Log in with City ID" in browser.get("/login").text
    answer = sign_in(browser)
    assert (answer.status_code, answer.location) == (302, "/rules")
    assert "has no role yet" in browser.get("/account").text
    with services.database.read() as session:
        [user] = list_users(session)
        [proposal] = proposals.list_proposals(session)
    assert (user.name, user.display_name, user.origin) == ("qian.er", "钱二", "oidc")
    assert (proposal.role, proposal.proposed_by) == ("analyst", "oidc")
    assert sign_in(browser_for(services)).status_code == 302
    with services.database.read() as session:
        assert len(list_users(session)) == 1


def test_another_person_with_the_same_name_gets_nothing(services: Services, provider: Provider) -> None:
    assert sign_in(browser_for(services)).status_code == 302
    provider.next(sub="u-2", preferred_username="qian.er")
    assert sign_in(browser_for(services)).status_code == 401
    create_user(services.database, SYSTEM, "local.one", PASSWORD, "analyst")
    provider.next(sub="u-3", preferred_username="LOCAL.one")
    assert sign_in(browser_for(services)).status_code == 401


def test_no_group_makes_an_administrator(services: Services, provider: Provider) -> None:
    provider.next(sub="u-4", preferred_username="boss", groups=["boss"])
    assert sign_in(browser_for(services)).status_code == 302
    with services.database.read() as session:
        assert proposals.list_proposals(session) == []


@pytest.mark.parametrize(
    ("claims", "page"),
    [({}, "/login/enrol"), ({"amr": ["pwd"]}, "/login/enrol"), ({"amr": ["pwd", "otp"]}, None), ({"acr": "gold"}, None)],
)
def test_our_second_factor_is_asked_for_unless_the_provider_checked_one(
    services: Services, provider: Provider, claims: dict[str, Any], page: str | None
) -> None:
    provider.next(sub="u-5", preferred_username="sun", **claims)
    browser = browser_for(replace(services, policy=Policy(second_factor="all")))
    assert sign_in(browser).status_code == 302
    assert browser.get("/account").location == page


@pytest.mark.parametrize(
    "kind", ["issuer", "audience", "shared", "nonce", "old", "early", "key", "unsigned", "secret", "described"]
)
def test_an_answer_that_is_false_in_one_way_lets_nobody_in(services: Services, provider: Provider, kind: str) -> None:
    browser = browser_for(services)
    if kind == "described":
        provider.fault(kind)
        assert browser.get("/login/oidc").status_code == 502
        return
    back = there_and_back(browser)
    provider.fault(kind)
    answer = browser.get(back)
    assert (answer.status_code, "did not let you in" in answer.text) == (401, True)
    assert browser.get("/account").status_code == 302
    with services.database.read() as session:
        assert list_users(session) == []
        assert audit.listing(session, limit=1).entries[0].result == "failure"


def test_a_clock_that_is_a_little_off_is_borne(services: Services, provider: Provider) -> None:
    browser = browser_for(services)
    back = there_and_back(browser)
    provider.fault("skew")
    assert browser.get(back).status_code == 302


def test_an_answer_works_once_and_in_the_browser_that_asked(services: Services, provider: Provider) -> None:
    victim, attacker = browser_for(services), browser_for(services)
    back = there_and_back(attacker)
    assert victim.get(back).status_code == 401  # log-in CSRF: somebody else's answer
    assert attacker.get(back).status_code == 302
    assert attacker.get(back).status_code == 401
    other = browser_for(services)
    there_and_back(other)
    forged = other.get("/login/oidc/callback?code=x&state=guessed")
    assert forged.status_code == 401
    other = browser_for(services)
    path, _, query = there_and_back(other).partition("?")
    assert other.get(f"{path}?{query}&iss=https://evil.example").status_code == 401  # RFC 9207


def test_without_a_provider_the_way_is_closed(tmp_path: Path) -> None:
    browser = browser_for(bare(tmp_path))
    assert browser.get("/login/oidc").status_code == 404
    assert browser.get("/login/oidc/callback").status_code == 404
