"""Guessing ends after some attempts."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.devices import device

_ATTEMPTS, _MANY = 5, 10


def _judge(facts: Facts) -> Judgement:
    found = device(facts)
    if not found.lockout and found.attempts is None:
        return judgement([Text("failed logins lock nothing", "登录失败不锁定")], lines=())
    shown = Text(f"attempts: {found.attempts or '?'}", f"次数 {found.attempts or '?'}")
    if found.attempts is None or found.attempts > _MANY:
        return judgement([shown], lines=found.lockout)
    return judgement(weak=[shown] if found.attempts > _ATTEMPTS else [], good=[shown], lines=found.lockout)


PROBE = Probe(
    id="netdev.config.lockout",
    way="netdev.config",
    source="network_device",
    items=("8.1.4.1.b",),
    objects=("network_device", "security_device"),
    reads=("config", "dialect"),
    title=Text("Lockout after failed logins", "登录失败锁定"),
    criterion=Text("5 failed logins or fewer lock", "连续失败不超过 5 次即锁定"),
    to_be_confirmed=True,
    reproduce="display current-configuration | include wrong-password|login-attempt; "
    "show running-config | include block-for|max-fail",
    judge=_judge,
)
