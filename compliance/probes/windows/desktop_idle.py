"""Remote sessions that nobody uses end."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement, not_applicable
from compliance.probes.facts import Facts
from compliance.probes.formats.remote_desktop import is_off, setting

_LONGEST = 900_000


def _judge(facts: Facts) -> Judgement:
    if is_off(facts):
        return not_applicable(Text("remote desktop is off", "未启用远程桌面"))
    idle = setting(facts, "MaxIdleTime", 0)
    shown = f"MaxIdleTime = {idle} ms"
    return judgement([shown] if not idle else [], [shown] if idle > _LONGEST else [], [shown])


PROBE = Probe(
    id="windows.session.desktop_idle",
    way="host.session_timeout",
    source="windows",
    items=("8.1.4.1.b",),
    reads=("registry",),
    title=Text("Idle remote desktop", "远程桌面空闲超时"),
    criterion=Text("remote sessions end after 15 idle minutes or earlier", "远程会话空闲 15 分钟内断开"),
    to_be_confirmed=True,
    reproduce='reg query "HKLM\\SOFTWARE\\Policies\\Microsoft\\Windows NT\\Terminal Services" /v MaxIdleTime',
    judge=_judge,
)
