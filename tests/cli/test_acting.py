"""The audit trail names who the operating system says, not who the environment says."""

from __future__ import annotations

import os
import pwd

import pytest

from cli import acting


def test_the_environment_does_not_say_who(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "somebody-else")
    own = pwd.getpwuid(os.getuid()).pw_name
    assert (acting.user_name(), acting.actor().name, acting.who().name) == (own, f"cli:{own}", f"cli:{own}")


def test_a_user_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 54_321_098)
    assert acting.actor().name == "cli:uid 54321098"
