"""The three powers, and makers of people."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kernel.db import Database
from operations import clock
from operations.accounts import service, sessions
from operations.accounts.schema import Policy, Principal, Reach
from operations.audit.schema import SYSTEM

PASSWORD = "Another-Pass-77"
HOME = "192.0.2.1"
People = Callable[..., Principal]


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


@pytest.fixture
def person(database: Database) -> People:
    """``person("name", "role", factor="totp")``: an account, and its principal as a real session gives it."""

    def make(name: str, role: str = "", *, factor: str = "totp", reach: Reach = Reach(), policy: Policy = Policy()) -> Principal:
        made = service.create_user(database, SYSTEM, name, PASSWORD, role or "leader", reach=reach)
        if not role:
            with database.write() as session:
                service.other(session, Principal(0, "", "", ""), made.id).role = ""
        with database.write() as session:
            token = sessions.create_session(session, made.id, sessions.Asking(HOME, "test"), factor=factor, policy=policy)
        who = sessions.principal_of(database, token, HOME, policy=policy)
        assert who is not None
        return who

    return make
