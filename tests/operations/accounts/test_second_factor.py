"""Second factors: the codes themselves against their standards, and what an attacker with half of the secrets tries."""

from __future__ import annotations

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import select

from crypto.secret import MasterKey
from kernel.db import Database
from operations.accounts import factors, login, proposals, recovery, sessions, totp
from operations.accounts.models import Factor
from operations.accounts.schema import Policy, Principal
from operations.accounts.sessions import Asking
from operations.errors import Denied, Invalid, Locked
from tests.operations.accounts.conftest import HOME, PASSWORD, Clock, People

KEY = MasterKey(b"0123456789abcdef")
VECTORS = Path(__file__).resolve().parents[4] / "shared" / "gm-vectors" / "otp_gmt0021.json"
ASKING = Asking(HOME, "test")


@pytest.mark.parametrize(
    ("moment", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_codes_of_rfc_6238_appendix_b(moment: int, code: str) -> None:
    assert totp.code_at(b"12345678901234567890", moment // 30) == code


@pytest.mark.skipif(not VECTORS.exists(), reason=f"needs the vectors {VECTORS}")
def test_codes_of_gmt_0021() -> None:
    cases = [case for case in json.loads(VECTORS.read_text("utf-8"))["cases"] if case["result"] == "valid"]
    for case in cases:
        made = totp.gmt0021(
            bytes.fromhex(case["key"]), case["time_factor"], case["event"] or 0, (case["challenge"] or "").encode(), case["digits"]
        )
        assert made == case["otp"], case
    assert len(cases) >= 2


@pytest.mark.parametrize("digest", ["sha1", "sm3"])
def test_one_step_early_or_late_is_accepted_two_are_not(digest: str) -> None:
    secret, width = totp.new_secret(digest), totp.DIGESTS[digest]
    code = totp.code_at(secret, 1000, digest)
    found = [step for step in range(996, 1005) if totp.matching_step(secret, code, step * width, digest) is not None]
    assert found == [999, 1000, 1001]


class Phone:
    """An authenticator app: knows the secret and the time of its owner's clock."""

    def __init__(self, text: str, digest: str = "sha1") -> None:
        self._secret = base64.b32decode(text + "=" * (-len(text) % 8))
        self._digest = digest
        self.now = 1_800_000_000.0

    def code(self) -> str:
        return totp.code_at(self._secret, int(self.now) // totp.DIGESTS[self._digest], self._digest)


@pytest.fixture
def phone_time(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    at = {"now": 1_800_000_000.0}
    monkeypatch.setattr(factors, "now", lambda: at["now"])
    return at


def enrol(database: Database, name: str = "bob", policy: Policy = Policy()) -> tuple[Phone, list[str]]:
    """Log in for the first time and set up a device; returns it and the recovery codes."""
    who = half(database, name, policy)
    assert who.pending == "enrol"
    with database.write() as session:
        text, _ = factors.begin_totp(session, who, KEY, policy)
    device = Phone(text, policy.totp)
    with database.write() as session:
        factors.finish_totp(session, who, KEY, device.code())
        _, codes = factors.enrolled(session, who, "totp", ASKING, policy)
    return device, codes


def half(database: Database, name: str = "bob", policy: Policy = Policy(), address: str = HOME) -> Principal:
    """Logged in with the password alone."""
    outcome = login.log_in(database, name, PASSWORD, address, policy=policy)
    assert outcome.ok, outcome
    who = sessions.principal_of(database, outcome.token, address, policy=policy)
    assert who is not None
    return who


def answer(database: Database, who: Principal, code: str) -> str | None:
    return factors.prove(database, who, factors.check_code(who, KEY, code), ASKING, log_in=True)


@pytest.mark.parametrize("digest", ["sha1", "sm3"])
def test_nothing_is_allowed_before_the_second_factor(
    database: Database, person: People, phone_time: dict[str, float], digest: str
) -> None:
    person("bob", "analyst")
    policy = Policy(totp=digest)
    device, codes = enrol(database, policy=policy)
    assert len(set(codes)) == 10
    who = half(database, policy=policy)
    assert (who.pending, who.permissions) == ("factor", frozenset())
    device.now = phone_time["now"] = phone_time["now"] + 60
    token = answer(database, who, device.code())
    assert token is not None
    full = sessions.principal_of(database, token)
    assert full is not None
    assert (full.pending, full.factor, full.fresh, full.may("alerts.write")) == ("", "totp", True, True)
    assert full.session != who.session  # the token of before is worthless


def test_a_code_works_once_also_for_two_at_the_same_time(database: Database, person: People, phone_time: dict[str, float]) -> None:
    person("bob", "analyst")
    device, _ = enrol(database)
    with pytest.raises(Denied):
        answer(database, half(database), device.code())  # the code that was used to set it up
    device.now = phone_time["now"] = phone_time["now"] + 30
    half_sessions = [half(database) for _ in range(4)]

    def attempt(who: Principal) -> bool:
        try:
            return answer(database, who, device.code()) is not None
        except Denied:
            return False

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(attempt, half_sessions)) == 1


def test_an_older_code_than_the_last_one_is_refused(database: Database, person: People, phone_time: dict[str, float]) -> None:
    person("bob", "analyst")
    device, _ = enrol(database)
    device.now = phone_time["now"] + 30
    before = device.code()
    phone_time["now"] += 60
    device.now = phone_time["now"]
    assert answer(database, half(database), device.code())
    with pytest.raises(Denied):
        answer(database, half(database), before)


def test_a_stolen_recovery_code_works_once_and_is_seen(database: Database, person: People, phone_time: dict[str, float]) -> None:
    person("bob", "analyst")
    _, codes = enrol(database)
    assert answer(database, half(database), codes[3].lower().replace("-", " "))
    with pytest.raises(Denied):
        answer(database, half(database), codes[3])
    who = half(database)
    with database.read() as session:
        assert recovery.left(session, who.user_id) == 9
    with database.write() as session:
        fresh = factors.renew_codes(session, who)
    with pytest.raises(Denied):
        answer(database, half(database), codes[4])
    assert answer(database, half(database), fresh[0])


def test_codes_cannot_be_guessed_by_entering_the_password_in_between(
    database: Database, person: People, phone_time: dict[str, float]
) -> None:
    person("bob", "analyst")
    enrol(database)
    refused = 0
    for number in range(8):
        try:
            who = half(database, address=f"198.51.100.{number}")
        except AssertionError:
            break  # locked at the password already
        try:
            answer(database, who, f"{number:06d}")
        except Locked:
            break
        except Denied:
            refused += 1
    assert refused == 4
    assert login.log_in(database, "bob", PASSWORD, "198.51.100.99").reason == "locked"


def test_secrets_are_sealed_and_bound_to_their_account(database: Database, person: People, phone_time: dict[str, float]) -> None:
    person("bob", "analyst"), person("eve", "analyst")
    device, codes = enrol(database)
    with database.write() as session:
        [factor] = session.execute(select(Factor)).scalars()
        assert base64.b32encode(device._secret).decode() not in factor.material
        assert device._secret.hex() not in factor.material
        with pytest.raises(Exception, match="does not open"):
            KEY.unseal(factor.material, "totp:999")
    enrol(database, "eve")
    eve = half(database, "eve")
    with pytest.raises(Denied):
        answer(database, eve, codes[0])


def test_the_last_factor_stays_where_one_is_needed(database: Database, person: People, phone_time: dict[str, float]) -> None:
    person("bob", "analyst")
    _, codes = enrol(database)
    token = answer(database, half(database), codes[0])
    who = sessions.principal_of(database, token or "")
    assert who is not None
    with database.read() as session:
        [known] = factors.list_factors(session, who.user_id)
    with pytest.raises(Denied), database.write() as session:
        factors.remove(session, who, known.id)
    with database.write() as session:
        factors.remove(session, who, known.id, policy=Policy(second_factor="administrators"))


def test_a_wrong_code_enrols_nothing(database: Database, person: People, phone_time: dict[str, float]) -> None:
    person("bob", "analyst")
    who = half(database)
    with database.write() as session:
        factors.begin_totp(session, who, KEY)
    with pytest.raises(Invalid), database.write() as session:
        factors.finish_totp(session, who, KEY, "000000")
    with database.read() as session:
        assert factors.list_factors(session, who.user_id) == []


def test_a_reset_of_factors_needs_two_persons_and_leaves_the_password(
    database: Database, alice: Principal, person: People, phone_time: dict[str, float]
) -> None:
    sec, bob = person("sec", "secadmin"), person("bob", "analyst")
    enrol(database)
    with database.write() as session:
        made = proposals.propose_reset(session, alice, bob.user_id, "factors", reason="phone lost")
        proposals.confirm(session, sec, made.id)
    assert half(database).pending == "enrol"


def test_a_password_past_its_time_is_changed_before_anything_else(database: Database, person: People, time: Clock) -> None:
    person("bob", "analyst")
    policy = Policy(second_factor="administrators", unused_time=10**8)
    time.pass_seconds(84 * 86400)
    who = half(database, policy=policy)
    assert (who.pending, who.warn_days) == ("", 6)
    time.pass_seconds(6 * 86400)
    who = half(database, policy=policy)
    assert (who.pending, who.permissions) == ("password", frozenset())
    for old, new in ((PASSWORD, "Brand-New-Pass-1"), ("Brand-New-Pass-1", "Brand-New-Pass-2")):
        token = login.change_own_password(database, who, old, new, ASKING, policy=policy)
        who = sessions.principal_of(database, token, HOME, policy=policy) or who
    assert who.pending == ""
    with pytest.raises(Invalid, match="used before"):
        login.change_own_password(database, who, "Brand-New-Pass-2", PASSWORD, ASKING, policy=policy)


def test_one_session_at_a_time_where_that_is_asked_for(database: Database, person: People) -> None:
    person("bob", "analyst")
    policy = Policy(second_factor="administrators", single_session=True)
    first = login.log_in(database, "bob", PASSWORD, HOME, policy=policy).token
    second = login.log_in(database, "bob", PASSWORD, HOME, policy=policy).token
    assert sessions.principal_of(database, first, policy=policy) is None
    assert sessions.principal_of(database, second, policy=policy)


def test_one_ends_ones_own_sessions_and_nobody_elses(database: Database, person: People) -> None:
    bob, eve = person("bob", "analyst"), person("eve", "analyst")
    with database.read() as session:
        [mine] = sessions.list_sessions(session, bob)
    assert mine.current
    with pytest.raises(Exception, match="no such session"), database.write() as session:
        sessions.end_session(session, eve, mine.id)
    with database.write() as session:
        sessions.end_session(session, bob, mine.id)
    assert not sessions.still(database, bob)
    assert sessions.still(database, eve)
