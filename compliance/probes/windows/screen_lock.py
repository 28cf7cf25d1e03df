"""Sessions that nobody uses are locked."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.registry_file import SYSTEM, set_number

_LONGEST = 900


def _judge(facts: Facts) -> Judgement:
    seconds = set_number(facts, SYSTEM, "InactivityTimeoutSecs", 0)
    shown = f"InactivityTimeoutSecs = {seconds}"
    return judgement([shown] if not seconds else [], [shown] if seconds > _LONGEST else [], [shown])


PROBE = Probe(
    id="windows.session.screen_lock",
    way="host.session_timeout",
    source="windows",
    items=("8.1.4.1.b",),
    reads=("registry", "policy"),
    title=Text("Locked when idle", "屏幕锁定"),
    criterion=Text("the session is locked after 15 idle minutes or earlier", "空闲 15 分钟内锁定会话"),
    to_be_confirmed=True,
    reproduce="reg query HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Policies\\System /v InactivityTimeoutSecs",
    judge=_judge,
)
