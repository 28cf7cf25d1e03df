"""Accounts: first set-up, passwords, roles, lockout, sessions, keys."""

from __future__ import annotations

import string
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text

from kernel.db import Base, Database
from operations import clock
from operations.accounts import keys, links, login, passwords, service, sessions
from operations.accounts.models import ApiKey, User
from operations.accounts.password_rule import password_problems
from operations.accounts.schema import Policy, Principal
from operations.audit import service as audit
from operations.audit.schema import Actor
from operations.errors import Conflict, Denied, Invalid, Locked, NotFound
from tests.state_database import migrated

PASSWORD = "Correct-Horse-7"
HOME, ELSEWHERE = "192.0.2.1", "203.0.113.9"
BOSS = Actor("alice", HOME)


@pytest.fixture
def empty(tmp_path: Path) -> Database:
    return migrated(f"sqlite:///{tmp_path}/empty.db")


class Clock:
    """Time that stands still until it is moved."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.text = clock.now()
        monkeypatch.setattr(clock, "now", lambda: self.text)

    def pass_seconds(self, seconds: float) -> None:
        self.text = clock.shift(self.text, seconds)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_a_fresh_database_lets_nobody_in(empty: Database) -> None:
    with empty.read() as session:
        assert not service.any_user(session)
    for name in ("admin", "root", "liandun", "alice"):
        assert login.log_in(empty, name, name, HOME).reason in ("wrong", "locked")


def test_set_up_works_once(empty: Database) -> None:
    with empty.write() as session:
        token = links.create_setup_token(session)
    assert token
    with pytest.raises(Denied):
        links.redeem(empty, "guess", "alice", PASSWORD, HOME)
    with pytest.raises(Invalid):
        links.redeem(empty, token, "alice", "short", HOME)
    assert links.redeem(empty, token, "alice", PASSWORD, HOME).role == "sysadmin"
    with pytest.raises(Denied):
        links.redeem(empty, token, "mallory", PASSWORD, HOME)
    with empty.write() as session:
        assert links.create_setup_token(session) is None


def test_the_set_up_token_is_not_in_the_database_and_expires(empty: Database, time: Clock) -> None:
    with empty.write() as session:
        first = links.create_setup_token(session)
        second = links.create_setup_token(session)
    assert first
    assert second
    with empty.read() as session:
        stored = "".join(str(row) for row in session.execute(text("SELECT * FROM setup_tokens")))
        assert second not in stored
        assert not links.find(session, first)
        assert links.find(session, second)
        time.pass_seconds(24 * 3600 + 1)
        assert not links.find(session, second)


@pytest.mark.parametrize(
    ("password", "problems"),
    [
        (PASSWORD, []),
        ("Aa1Aa1Aa1Aa1", ["too_easy"]),
        ("Sh0rt-pass", ["too_short"]),
        ("only lower letters", ["too_few_classes"]),
        ("正确的马电池订书钉钉钉Aa", []),
        ("Bob-is-the-Best1", ["contains_name"]),
        ("Aa1-" * 65, ["too_long"]),
    ],
)
def test_password_rule(password: str, problems: list[str]) -> None:
    assert password_problems(password, "bob") == problems


@given(st.text(alphabet=string.ascii_lowercase + string.digits, min_size=12, max_size=40))
def test_two_classes_are_never_enough(password: str) -> None:
    assert "too_few_classes" in password_problems(password, "")


@pytest.mark.parametrize("scheme", ["argon2id", "pbkdf2-sm3"])
def test_log_in_and_out(database: Database, scheme: str) -> None:
    policy = Policy(scheme=scheme)
    service.create_user(database, BOSS, "Bob", "Another-Pass-77", "analyst", policy=policy)
    result = login.log_in(database, "bOB", "Another-Pass-77", HOME, policy=policy)
    assert result.ok
    who = sessions.principal_of(database, result.token, HOME)
    assert who
    assert (who.name, who.role, who.actor) == ("Bob", "analyst", Actor("Bob", HOME))
    with database.write() as session:
        sessions.log_out(session, result.token, who.actor)
    assert sessions.principal_of(database, result.token) is None


def test_a_hash_of_an_old_scheme_is_renewed_at_login(database: Database) -> None:
    assert login.log_in(database, "alice", PASSWORD, HOME, policy=Policy(scheme="pbkdf2-sm3")).ok
    with database.read() as session:
        stored = session.execute(select(User.password_hash)).scalar_one()
    assert stored.startswith("$pbkdf2-sm3$200000$")
    assert login.log_in(database, "alice", PASSWORD, HOME, policy=Policy(scheme="pbkdf2-sm3")).ok


def test_no_secret_is_stored_readable(database: Database, alice: Principal) -> None:
    token = login.log_in(database, "alice", PASSWORD, HOME).token
    with database.write() as session:
        _, key = keys.create_key(session, alice, "bot")
    with database.read() as session:
        dump = " ".join(str(row) for table in Base.metadata.sorted_tables for row in session.execute(select(table)))
    for secret in (PASSWORD, token, key):
        assert secret not in dump


def test_five_failures_lock_the_account_for_ten_minutes(database: Database, time: Clock) -> None:
    outcomes = [login.log_in(database, "alice", "wrong", f"198.51.100.{number}") for number in range(5)]
    assert [outcome.reason for outcome in outcomes] == ["wrong"] * 4 + ["locked"]
    locked = login.log_in(database, "Alice", PASSWORD, ELSEWHERE)
    assert (locked.reason, locked.seconds_left) == ("locked", 600)
    time.pass_seconds(599)
    assert login.log_in(database, "alice", PASSWORD, ELSEWHERE).seconds_left == 1
    time.pass_seconds(2)
    assert login.log_in(database, "alice", PASSWORD, ELSEWHERE).ok


def test_an_address_that_guesses_many_names_is_locked(database: Database) -> None:
    for number in range(5):
        login.log_in(database, f"user{number}", "wrong", ELSEWHERE)
    assert login.log_in(database, "alice", PASSWORD, ELSEWHERE).reason == "locked"
    assert login.log_in(database, "alice", PASSWORD, HOME).ok


def test_an_own_account_does_not_reset_the_count_of_the_address(database: Database) -> None:
    for number in range(4):
        login.log_in(database, f"user{number}", "wrong", ELSEWHERE)
        assert login.log_in(database, "alice", PASSWORD, ELSEWHERE).ok or number == 3
    assert login.log_in(database, "user9", "wrong", ELSEWHERE).reason == "locked"


def test_parallel_guesses_do_not_slip_past_the_limit(database: Database) -> None:
    with ThreadPoolExecutor(8) as pool:
        reasons = list(pool.map(lambda number: login.log_in(database, "alice", "wrong", f"198.51.100.{number}").reason, range(16)))
    looked_at = audit_count(database, "failure")
    assert looked_at == 5
    assert reasons.count("locked") >= 11


def audit_count(database: Database, result: str) -> int:
    with database.read() as session:
        page = audit.listing(session, limit=500, action="session.login")
    return sum(entry.result == result for entry in page.entries)


def test_an_administrator_can_unlock_others_but_not_herself(database: Database, alice: Principal) -> None:
    bob = service.create_user(database, BOSS, "bob", "Another-Pass-77", "analyst")
    for number in range(5):
        login.log_in(database, "bob", "wrong", f"198.51.100.{number}")
    with database.write() as session:
        service.unlock(session, alice, bob.id)
    assert login.log_in(database, "bob", "Another-Pass-77", HOME).ok
    with pytest.raises(Denied), database.write() as session:
        service.unlock(session, alice, alice.user_id)


def test_sessions_end_when_idle_and_at_eight_hours(database: Database, time: Clock) -> None:
    token = open_session(database, 1)
    time.pass_seconds(899)
    assert sessions.principal_of(database, token)
    time.pass_seconds(901)
    assert sessions.principal_of(database, token) is None

    token = open_session(database, 1)
    for _ in range(48):
        time.pass_seconds(599)
        assert sessions.principal_of(database, token)
    time.pass_seconds(60)
    assert sessions.principal_of(database, token) is None
    with database.write() as session:
        assert sessions.remove_stale(session) >= 2


def test_those_who_do_not_administer_may_rest_longer(database: Database, time: Clock) -> None:
    bob = service.create_user(database, BOSS, "bob", "Another-Pass-77", "analyst")
    token = open_session(database, bob.id)
    time.pass_seconds(1799)
    assert sessions.principal_of(database, token)
    time.pass_seconds(1801)
    assert sessions.principal_of(database, token) is None


def open_session(database: Database, user_id: int, factor: str = "totp") -> str:
    with database.write() as session:
        return sessions.create_session(session, user_id, sessions.Asking(HOME), factor=factor)


def test_switching_an_account_off_works_at_once(database: Database, alice: Principal) -> None:
    bob = service.create_user(database, BOSS, "bob", "Another-Pass-77", "analyst")
    token = login.log_in(database, "bob", "Another-Pass-77", HOME).token
    who = sessions.principal_of(database, token)
    assert who
    with database.write() as session:
        _, key = keys.create_key(session, who, "bot", "write")
        service.set_active(session, alice, bob.id, False)
    assert sessions.principal_of(database, token) is None
    assert keys.principal_of_key(database, key) is None
    assert login.log_in(database, "bob", "Another-Pass-77", HOME).reason == "disabled"


def test_changing_a_password_ends_sessions(database: Database, alice: Principal) -> None:
    token = login.log_in(database, "alice", PASSWORD, HOME).token
    with pytest.raises(Denied):
        passwords.change_password(database, BOSS, alice.user_id, "wrong", "Brand-New-Pass-1")
    with pytest.raises(Invalid):
        passwords.change_password(database, BOSS, alice.user_id, PASSWORD, PASSWORD)
    passwords.change_password(database, BOSS, alice.user_id, PASSWORD, "Brand-New-Pass-1")
    assert sessions.principal_of(database, token) is None
    assert login.log_in(database, "alice", "Brand-New-Pass-1", HOME).ok


@pytest.mark.parametrize("name", ["", "x", "a b", "a" * 65, "bob\n", "<b>", "bob'--"])
def test_bad_names(database: Database, name: str) -> None:
    with pytest.raises(Invalid):
        service.create_user(database, BOSS, name, "Another-Pass-77", "leader")


def test_names_are_unique_without_regard_to_case(database: Database) -> None:
    with pytest.raises(Conflict):
        service.create_user(database, BOSS, "ALICE", "Another-Pass-77", "leader")


def analyst(database: Database, name: str = "bob") -> Principal:
    made = service.create_user(database, BOSS, name, "Another-Pass-77", "analyst")
    return Principal(made.id, name, "", "analyst", address=HOME)


def test_keys(database: Database, time: Clock) -> None:
    bob = analyst(database)
    with database.write() as session:
        record, key = keys.create_key(session, bob, "backup", "read", days=1)
    who = keys.principal_of_key(database, key, HOME)
    assert who
    assert (who.actor.name, who.may("alerts.read"), who.may("alerts.write"), who.may("accounts.manage")) == (
        "key:backup (bob)",
        True,
        False,
        False,
    )
    assert keys.principal_of_key(database, key + "x") is None
    time.pass_seconds(86400)
    assert keys.principal_of_key(database, key) is None

    with database.write() as session:
        record, key = keys.create_key(session, bob, "bot", "write")
        keys.revoke_key(session, bob, record.id)
    assert keys.principal_of_key(database, key) is None


def test_looking_again_at_a_key_is_no_use_of_it(database: Database) -> None:
    bob = analyst(database)
    with database.write() as session:
        record, key = keys.create_key(session, bob, "watch", "read")

    def used() -> str | None:
        with database.read() as session:
            return session.execute(select(ApiKey.used_at).where(ApiKey.id == record.id)).scalar_one()

    assert keys.principal_of_key(database, key, HOME, active=False)
    assert used() is None
    assert keys.principal_of_key(database, key, HOME)
    assert used()


def test_a_key_of_somebody_else_cannot_be_revoked(database: Database, alice: Principal) -> None:
    who = analyst(database)
    with database.write() as session:
        record, _ = keys.create_key(session, alice, "bot")
        assert keys.list_keys(session, who) == []
        with pytest.raises(NotFound):
            keys.revoke_key(session, who, record.id)


def test_the_addresses_of_one_ipv6_network_count_as_one(database: Database) -> None:
    for number in range(5):
        login.log_in(database, f"user{number}", "wrong", f"2001:db8:1:2::{number}")
    assert login.log_in(database, "alice", PASSWORD, "2001:db8:1:2:ffff::1").reason == "locked"
    assert login.log_in(database, "alice", PASSWORD, "2001:db8:1:3::1").ok


def test_one_ipv4_address_counts_as_one_however_it_is_written(database: Database) -> None:
    for number in range(5):
        login.log_in(database, f"user{number}", "wrong", ELSEWHERE if number % 2 else f"::ffff:{ELSEWHERE}")
    assert login.log_in(database, "alice", PASSWORD, ELSEWHERE).reason == "locked"


def test_the_present_password_cannot_be_guessed_at_an_open_session(database: Database, alice: Principal) -> None:
    for _ in range(5):
        with pytest.raises(Denied):
            login.change_own_password(database, alice, "wrong", "New-Password-2027")
    with pytest.raises(Locked) as refusal:
        login.change_own_password(database, alice, PASSWORD, "New-Password-2027")
    assert 0 < refusal.value.seconds_left <= 600
    assert login.log_in(database, "alice", PASSWORD, ELSEWHERE).reason == "locked"
    with database.read() as session:
        results = [entry.result for entry in audit.listing(session, action="account.password").entries]
    assert results == ["denied"] + ["failure"] * 5


def test_knowing_the_present_password_is_not_counted(database: Database, alice: Principal) -> None:
    for _ in range(6):
        with pytest.raises(Invalid):
            login.change_own_password(database, alice, PASSWORD, "weak")
    login.change_own_password(database, alice, PASSWORD, "New-Password-2027")
    assert login.log_in(database, "alice", "New-Password-2027", HOME).ok


def test_a_set_up_token_makes_one_account_however_many_try_at_once(empty: Database) -> None:
    with empty.write() as session:
        token = links.create_setup_token(session)
    assert token

    def try_it(number: int) -> bool:
        try:
            links.redeem(empty, token, f"admin{number}", PASSWORD, HOME)
        except Denied:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(try_it, range(6))) == 1
