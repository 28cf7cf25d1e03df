"""redis.conf: hardened, neglected, settings one by one; passwords are taken out."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.probes.contract import Probe
from compliance.probes.formats.redis import without_secrets
from compliance.probes.reading.redis_file import RedisFile
from compliance.probes.registry import of_source
from compliance.probes.result import Result
from compliance.probes.run import run

_ALL = of_source("redis")
_HARD = """# a comment
bind 10.1.1.5 -::1
protected-mode yes
port 0
tls-port 6379
tls-protocols "TLSv1.2 TLSv1.3"
requirepass "Zheng Que-1\\" x"
masterauth Zheng-Que-2
timeout 300
logfile /var/log/redis/redis.log
rename-command FLUSHALL ""
rename-command FLUSHDB ""
rename-command CONFIG xK3
rename-command SHUTDOWN ""
"""
_WEAK = 'bind 0.0.0.0\nprotected-mode no\nport 6379\ntimeout 0\nlogfile ""\nenable-debug-command yes\n'
_LESS = {"redis.grants.commands": "partly"}


def _results(folder: Path, text: str) -> dict[str, Result]:
    (folder / "redis.conf").write_text(text)
    return {one.probe: one for one in run([RedisFile("redis.conf", folder / "redis.conf")], _ALL, seconds=20)}


@pytest.mark.parametrize("probe", _ALL, ids=lambda one: one.id)
def test_a_hardened_and_a_neglected_one(tmp_path: Path, probe: Probe) -> None:
    good, bad = _results(tmp_path, _HARD)[probe.id], _results(tmp_path, _WEAK)[probe.id]
    assert (good.outcome, bad.outcome) == ("met", _LESS.get(probe.id, "not_met")), (good.reason, bad.reason)


@pytest.mark.parametrize(
    ("probe", "text", "outcome"),
    [
        ("redis.accounts.authentication", _HARD + "requirepass foobared\n", "not_met"),
        ("redis.accounts.authentication", _WEAK + "user default on >Zheng-Que-1 ~* +@all\n", "met"),
        ("redis.accounts.authentication", _HARD + "user app on nopass ~app:* +get\n", "not_met"),
        ("redis.accounts.authentication", _HARD + "user app off nopass ~app:* +get\n", "met"),
        ("redis.accounts.authentication", _HARD + "aclfile /etc/redis/users.acl\n", "error"),
        ("redis.grants.sources", "port 6379\n", "partly"),
        ("redis.grants.sources", "bind * -::*\nprotected-mode no\n", "not_met"),
        ("redis.grants.sources", "bind 127.0.0.1 -::1\nprotected-mode no\n", "met"),
        ("redis.encryption.transport", "bind 127.0.0.1\n", "not_applicable"),
        ("redis.encryption.transport", _HARD + "port 6380\n", "partly"),
        ("redis.encryption.transport", _HARD + "tls-protocols TLSv1.1\n", "not_met"),
        ("redis.session.idle_timeout", _HARD + "timeout 3600\n", "partly"),
        ("redis.session.idle_timeout", _HARD + "timeout soon\n", "error"),
        ("redis.grants.commands", _WEAK + "user default on >x ~* +@all -@dangerous\n", "met"),
        ("redis.audit.log", _WEAK + "syslog-enabled yes\n", "met"),
        ("redis.audit.log", _HARD + "loglevel warning\n", "partly"),
        ("redis.audit.log", _HARD + "include /etc/redis/more.conf\n", "error"),
        ("redis.audit.log", "hello world\n", "error"),
        ("redis.audit.log", "", "error"),
    ],
)
def test_settings(tmp_path: Path, probe: str, text: str, outcome: str) -> None:
    found = _results(tmp_path, text)[probe]
    assert found.outcome == outcome, found.reason


def test_no_password_is_kept(tmp_path: Path) -> None:
    text = _HARD + "user app on >Zheng-Que-3 #" + "ab" * 32 + " ~* +@all\n"
    told = "".join(one.evidence + one.reason for one in _results(tmp_path, text).values())
    for secret in ("Zheng", "Que", "abab", "xK3"):
        assert secret not in told
    assert "requirepass ***set***" in told
    assert "user app on >*** #*** ~* +@all" in told


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    found = list(run([RedisFile("x", tmp_path / "none")], _ALL, seconds=5))
    assert {one.outcome for one in found} == {"error"}
    assert "No such file" in found[0].reason


@given(st.text(max_size=200), st.text("abcdefgh \"'", min_size=1, max_size=30))
def test_any_text_loses_its_passwords(text: str, secret: str) -> None:
    without_secrets(text)
    quoted = secret.replace('"', '\\"')
    assert without_secrets(f'requirepass "{quoted}"') in ("requirepass ***set***\n", "requirepass ***default***\n")
