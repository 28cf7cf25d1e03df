"""From the set-up link to the first page: links, second factors, forced steps, and what an attacker on the way tries."""

from __future__ import annotations

import base64
import html
import re
import statistics
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from crypto.secret import MasterKey
from kernel.store.lake import Lake
from operations.accounts import factors, links, sessions, totp
from operations.accounts.schema import Policy
from operations.accounts.service import create_user, list_users
from operations.accounts.sessions import SESSION_COOKIE
from operations.audit import service as audit
from operations.audit.schema import SYSTEM
from soc_ui.app import create_app
from soc_ui.services import ConsoleSettings, Services
from tests.soc_ui.conftest import enter, post, token_of
from tests.soc_ui.seed import PASSWORD
from tests.state_database import migrated

FORM = {"name": "first", "password": PASSWORD, "again": PASSWORD}


class Phone:
    """An authenticator app that read the secret off the page."""

    def __init__(self, page: str) -> None:
        found = re.search(r'<code class="secret">([A-Z2-7 ]+)</code>', page)
        assert found is not None
        text = found[1].replace(" ", "")
        self._secret = base64.b32decode(text + "=" * (-len(text) % 8))

    def code(self, now: float) -> str:
        return totp.code_at(self._secret, int(now) // 30)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    at = {"now": 1_800_000_000.0}
    monkeypatch.setattr(factors, "now", lambda: at["now"])
    return at


def bare(folder: Path, *, demo: bool = False, policy: Policy = Policy()) -> Services:
    database = migrated(f"sqlite:///{folder / 'state.db'}")
    store = Lake.open(folder / "lake", writable=True, demo=True)
    settings = ConsoleSettings(demo=demo)
    return Services(
        database=database, store=store, version="test", settings=settings, master_key=MasterKey(b"0123456789abcdef"), policy=policy
    )


def english(services: Services) -> FlaskClient:
    browser = create_app(services).test_client()
    browser.set_cookie("lang", "en")
    return browser


def first_link(services: Services) -> str:
    with services.database.write() as session:
        return links.create_setup_token(session) or ""


def setup(browser: FlaskClient, token: str, **form: str) -> Any:
    return post(browser, "/setup", FORM | form | {"token": token}, page=f"/setup?token={token}")


def shown_links(page: str) -> dict[str, str]:
    return {role: html.unescape(url) for url, role in re.findall(r'value="([^"]+)" aria-label="[^"]+" data-link="(\w+)"', page)}


def test_the_first_visitor_makes_the_system_administrator_and_gets_links_for_the_other_powers(tmp_path: Path) -> None:
    services = bare(tmp_path)
    token, browser = first_link(services), english(services)
    assert "set-up link that ./run printed" in browser.get("/login").text
    assert "at least 12 characters" in browser.get(f"/setup?token={token}").text
    for wrong, words in (
        ({"again": "other"}, "The two passwords differ."),
        ({"password": "short", "again": "short"}, "The password does not fit"),
        ({"password": "First-first-99", "again": "First-first-99"}, "The password does not fit"),
        ({"password": "Aa1Aa1Aa1Aa1", "again": "Aa1Aa1Aa1Aa1"}, "easily guessed"),
        ({"name": "a b"}, "An account name has"),
    ):
        answer = setup(browser, token, **wrong)
        assert answer.status_code == 422
        assert words in answer.text
    assert setup(browser, "guess").status_code == 403
    answer = setup(browser, token)
    assert answer.status_code == 200
    made = shown_links(answer.text)
    assert sorted(made) == ["auditadmin", "secadmin"]
    assert browser.get("/").location == "/login/enrol"  # nothing before the second factor
    for role, url in made.items():
        other = english(services)
        entered = setup(other, url.split("token=")[1], name=f"the-{role}", next="https://elsewhere.example/")
        assert (entered.status_code, entered.location) == (302, "/")  # never away from this site
        assert setup(english(services), url.split("token=")[1], name="late").status_code == 403
    with services.database.read() as session:
        assert {user.role for user in list_users(session)} == {"sysadmin", "secadmin", "auditadmin"}
    assert setup(english(services), token, name="second").status_code == 403


def test_the_demonstration_shows_the_city_to_an_analyst_without_a_phone(tmp_path: Path) -> None:
    services = bare(tmp_path, demo=True, policy=Policy(second_factor="administrators"))
    token, browser = first_link(services), english(services)
    page = setup(browser, token).text
    made = shown_links(page)
    assert sorted(made) == ["analyst", "auditadmin", "secadmin"]
    look = re.search(r'href="([^"]+)">Look at the city', page)
    assert look is not None
    hidden = re.search(r'name="next" value="([^"]*)"', browser.get(html.unescape(look[1])).text)
    assert hidden is not None
    answer = setup(browser, made["analyst"].split("token=")[1], name="analyst", next=hidden[1])  # in the same browser
    assert (answer.status_code, answer.location) == (302, "/")
    assert browser.get("/").status_code == 200
    assert browser.get("/alerts?view=all").status_code == 200
    assert browser.get("/people").status_code == 403


def enrolled(services: Services, browser: FlaskClient, now: float) -> tuple[Phone, list[str]]:
    """Go through the page of the second factor; the phone and the recovery codes."""
    phone = Phone(browser.get("/login/enrol").text)
    answer = post(browser, "/login/enrol", {"code": phone.code(now)}, page="/login/enrol")
    assert answer.status_code == 200
    return phone, re.findall(r'<li class="mono">([A-Z2-7-]+)</li>', answer.text)


def test_a_second_factor_is_set_up_before_any_page_and_asked_for_ever_after(tmp_path: Path, clock: dict[str, float]) -> None:
    services = bare(tmp_path)
    create_user(services.database, SYSTEM, "ana", PASSWORD, "analyst")
    browser = english(services)
    assert enter(browser, "ana").status_code == 302
    for path in ("/", "/alerts", "/hunt", "/account", "/keys", "/password"):
        assert browser.get(path).location == "/login/enrol", path
    assert browser.get("/api/v1/alerts").status_code == 403
    assert browser.get("/overview/numbers", headers={"HX-Request": "true"}).headers["HX-Redirect"] == "/login/enrol"
    wrong = post(browser, "/login/enrol", {"code": "000000"}, page="/login/enrol")
    assert (wrong.status_code, "The code is wrong" in wrong.text) == (422, True)
    before = browser.get_cookie(SESSION_COOKIE)
    phone, codes = enrolled(services, browser, clock["now"])
    assert len(codes) == 10
    assert browser.get("/").status_code == 200
    after = browser.get_cookie(SESSION_COOKIE)
    assert before is not None
    assert after is not None
    assert before.value != after.value
    thief = english(services)
    thief.set_cookie(SESSION_COOKIE, before.value)
    assert thief.get("/").location.startswith("/login")  # a session from before the second factor is no session now

    again = english(services)
    assert enter(again, "ana").status_code == 302
    assert again.get("/alerts").location == "/login/verify"
    replayed = post(again, "/login/verify", {"proof": phone.code(clock["now"])}, page="/login/verify")
    assert replayed.status_code == 401
    clock["now"] += 30
    assert post(again, "/login/verify", {"proof": phone.code(clock["now"])}, page="/login/verify").location == "/start"
    assert again.get("/").status_code == 200

    lost = english(services)
    enter(lost, "ana")
    assert post(lost, "/login/verify", {"proof": codes[0]}, page="/login/verify").location == "/start"
    assert "Recovery codes left: 9 of 10" in lost.get("/account").text
    stolen = english(services)
    enter(stolen, "ana")
    assert post(stolen, "/login/verify", {"proof": codes[0]}, page="/login/verify").status_code == 401


def test_guessing_the_second_factor_locks_with_the_time_left(tmp_path: Path, clock: dict[str, float]) -> None:
    services = bare(tmp_path)
    create_user(services.database, SYSTEM, "ana", PASSWORD, "analyst")
    browser = english(services)
    enter(browser, "ana")
    enrolled(services, browser, clock["now"])
    thief = english(services)
    enter(thief, "ana")
    codes = [post(thief, "/login/verify", {"proof": f"{n:06d}"}, page="/login/verify").status_code for n in range(5)]
    assert codes == [401] * 4 + [429]
    page = post(thief, "/login/verify", {"proof": "123456"}, page="/login/verify").text
    assert re.search(r'data-countdown="(5\d\d|600)"', page)
    assert browser.get("/").status_code == 200  # who is in stays in


def test_a_step_that_is_done_cannot_be_done_again(tmp_path: Path, clock: dict[str, float]) -> None:
    services = bare(tmp_path)
    create_user(services.database, SYSTEM, "ana", PASSWORD, "analyst")
    browser = english(services)
    enter(browser, "ana")
    enrolled(services, browser, clock["now"])
    for path in ("/login/enrol", "/login/verify", "/login/password"):
        assert browser.get(path).location == "/start"
        assert post(browser, path, {"code": "000000", "password": "x"}).location == "/start"


def test_forms_of_the_way_in_need_our_token(tmp_path: Path) -> None:
    services = bare(tmp_path)
    create_user(services.database, SYSTEM, "ana", PASSWORD, "analyst")
    browser = english(services)
    enter(browser, "ana")
    for path in ("/login/enrol", "/login/verify", "/login/password", "/setup", "/login"):
        assert browser.post(path, data={"csrf_token": "0" * 64}).status_code == 400, path


def test_a_planted_session_is_not_taken_over(tmp_path: Path) -> None:
    """Session fixation: a cookie that somebody else knows is worthless after logging in."""
    services = bare(tmp_path, policy=Policy(second_factor="administrators"))
    create_user(services.database, SYSTEM, "ana", PASSWORD, "analyst")
    create_user(services.database, SYSTEM, "eve", PASSWORD, "analyst")
    attacker, victim = english(services), english(services)
    enter(attacker, "eve")
    planted = attacker.get_cookie(SESSION_COOKIE)
    assert planted is not None
    victim.set_cookie(SESSION_COOKIE, planted.value)
    enter(victim, "ana")
    mine = victim.get_cookie(SESSION_COOKIE)
    assert mine is not None
    assert mine.value != planted.value
    assert attacker.get("/account").status_code == 302  # the open session ended with the log-in over it


def test_sensitive_acts_ask_again_and_carry_the_form_over(tmp_path: Path, clock: dict[str, float]) -> None:
    services = bare(tmp_path, policy=Policy(fresh_time=0))
    create_user(services.database, SYSTEM, "sys", PASSWORD, "sysadmin")
    browser = english(services)
    enter(browser, "sys")
    phone, _ = enrolled(services, browser, clock["now"])
    answer = post(browser, "/people", {"name": "zhao.qi", "display_name": "赵琪"})
    assert answer.status_code == 403
    assert 'name="display_name" value="赵琪"' in answer.text
    with services.database.read() as session:
        assert [user.name for user in list_users(session)] == ["sys"]
    wrong = post(browser, "/people", {"name": "zhao.qi", "proof": "000000"})
    assert (wrong.status_code, "wrong or was used" in wrong.text) == (403, True)
    clock["now"] += 30
    assert "Hand this link to" in post(browser, "/people", {"name": "zhao.qi", "proof": phone.code(clock["now"])}).text


def test_without_a_second_factor_the_password_is_the_proof(tmp_path: Path) -> None:
    services = bare(tmp_path, policy=Policy(fresh_time=0, second_factor="administrators"))
    create_user(services.database, SYSTEM, "ana", PASSWORD, "analyst")
    browser = english(services)
    enter(browser, "ana")
    key = {"name": "job", "scope": "read", "days": "7"}
    assert post(browser, "/keys", key).status_code == 403
    assert post(browser, "/keys", key | {"proof": "wrong"}).status_code == 403
    assert "ldn_" in post(browser, "/keys", key | {"proof": PASSWORD}).text


def test_neither_words_nor_time_tell_whether_an_account_exists(tmp_path: Path) -> None:
    services = bare(tmp_path, policy=Policy(max_failures=1000))
    create_user(services.database, SYSTEM, "ana", PASSWORD, "analyst")
    with services.database.write() as session:
        create = list_users(session)[0]
    assert create.name == "ana"
    browser = english(services)
    pages, times = {}, {}
    for name in ("ana", "nobody-has-this-name"):
        taken = []
        for _ in range(5):
            token = token_of(browser, "/login")
            begun = time.perf_counter()
            answer = browser.post("/login", data={"name": name, "password": "Wrong-Password-1", "csrf_token": token})
            taken.append(time.perf_counter() - begun)
        assert answer.status_code == 401
        pages[name] = answer.text.replace(name, "NAME")
        times[name] = statistics.median(taken)
    assert len(set(pages.values())) == 1
    # The hash dominates (a quarter of a second); without it the unknown name would be a hundred times quicker.
    assert 0.2 < times["ana"] / times["nobody-has-this-name"] < 5


def test_a_password_past_its_time_is_changed_first(tmp_path: Path) -> None:
    services = bare(tmp_path, policy=Policy(second_factor="administrators", max_age=0))
    create_user(services.database, SYSTEM, "ana", PASSWORD, "analyst")
    browser = english(services)
    enter(browser, "ana")
    assert browser.get("/alerts").location == "/login/password"
    form = {"old": PASSWORD, "password": PASSWORD, "again": PASSWORD}
    refused = post(browser, "/login/password", form, page="/login/password")
    assert (refused.status_code, "used before" in refused.text) == (422, True)
    form |= {"password": "Brand-New-Pass-1", "again": "Brand-New-Pass-1"}
    answer = post(browser, "/login/password", form, page="/login/password")
    assert answer.location == "/start"


def test_switched_off_in_the_middle_of_an_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Access ends within seconds also where an answer is still being sent."""
    from soc_ui import access

    services = bare(tmp_path, policy=Policy(second_factor="administrators"))
    made = create_user(services.database, SYSTEM, "ana", PASSWORD, "analyst")
    app = create_app(services)
    browser = app.test_client()
    with services.database.write() as session:
        token = sessions.create_session(session, made.id, sessions.Asking("127.0.0.1"))
    monkeypatch.setattr(access, "RECHECK_SECONDS", 0.0)
    browser.set_cookie(SESSION_COOKIE, token)
    with browser.application.test_request_context(headers={"Cookie": f"{SESSION_COOKIE}={token}"}):
        app.preprocess_request()
        chunks = access.while_allowed(iter([b"one", b"two", b"three"]))
        assert next(chunks) == b"one"
        with services.database.write() as session:
            sessions.end_all(session, made.id)
        assert list(chunks) == []


def test_administrators_from_elsewhere_are_refused_everywhere(tmp_path: Path) -> None:
    services = bare(tmp_path, policy=Policy(admin_networks=("10.9.0.0/16",)))
    made = create_user(services.database, SYSTEM, "sys", PASSWORD, "sysadmin")
    browser = english(services)
    answer = enter(browser, "sys")
    assert (answer.status_code, "cannot log in from this address" in answer.text) == (401, True)
    with services.database.write() as session:
        token = sessions.create_session(session, made.id, sessions.Asking("10.9.0.1"), factor="totp")
    browser.set_cookie(SESSION_COOKIE, token)  # stolen, or carried out of the network
    assert browser.get("/people").status_code == 403
    assert browser.get("/api/v1/accounts").status_code == 403
    inside = {"REMOTE_ADDR": "10.9.0.1"}
    assert browser.get("/people", environ_overrides=inside).status_code == 200


def test_the_way_in_is_written_down(tmp_path: Path, clock: dict[str, float]) -> None:
    services = bare(tmp_path)
    browser = english(services)
    setup(browser, first_link(services))
    enrolled(services, browser, clock["now"])
    with services.database.read() as session:
        entries = audit.listing(session, limit=50).entries
    actions = [entry.action for entry in reversed(entries)]
    assert actions == ["setup.token", "account.create", "session.login", "setup.token", "setup.token", "factor.add"]
    dump = str(entries)
    assert PASSWORD not in dump


def test_a_console_without_a_master_key_says_so(tmp_path: Path) -> None:
    services = replace(bare(tmp_path), master_key=None)
    create_user(services.database, SYSTEM, "ana", PASSWORD, "analyst")
    browser = english(services)
    enter(browser, "ana")
    assert "has no master key" in browser.get("/login/enrol").text


OPEN = {"/login", "/setup", "/favicon.ico", "/api/v1/openapi.json", "/api/v1/docs"}


def _answers(browser: FlaskClient) -> set[tuple[str, str]]:
    """Every address (but that for leaving) that this browser gets something from; writing with the right CSRF header."""
    token = token_of(browser, "/login")
    found = set()
    for rule in browser.application.url_map.iter_rules():
        if rule.endpoint == "accounts.logout":
            continue
        path = re.sub(r"<[^>]+>", "1", rule.rule)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            answer = browser.open(path, method=method, headers={"X-CSRFToken": token} if method != "GET" else {})
            if answer.status_code < 300:
                found.add((method, path))
    return found


def test_no_address_is_open_to_a_stranger(tmp_path: Path) -> None:
    services = bare(tmp_path)
    create_user(services.database, SYSTEM, "ana", PASSWORD, "analyst")
    assert _answers(english(services)) == {("GET", path) for path in OPEN}


def test_no_address_is_open_to_a_password_alone(tmp_path: Path) -> None:
    """Whoever knows the password but not the second factor reaches the page that asks for it, and nothing else."""
    services = bare(tmp_path)
    create_user(services.database, SYSTEM, "ana", PASSWORD, "analyst")
    browser = english(services)
    enter(browser, "ana")
    reached = {path for _method, path in _answers(browser)}
    assert reached - OPEN == {"/login/enrol"}
