"""Sessions that nobody uses end."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats.keyed import number
from compliance.probes.formats.postgresql import settings

_LONGEST = 1_800_000


def _judge(facts: Facts) -> Judgement:
    found = settings(facts)
    seconds = number(found.get("client_idle_timeout"))  # Kingbase
    if seconds is not None:
        shown = f"client_idle_timeout = {seconds} s"
        return judgement([shown] if seconds == 0 else [], [shown] if seconds * 1000 > _LONGEST else [], [shown])
    value = number(found.get("idle_session_timeout"))
    if value is None:
        raise Unreadable(
            "the server has no idle_session_timeout (before PostgreSQL 14)",
            "服务器没有 idle_session_timeout（PostgreSQL 14 之前）",
        )
    shown = f"idle_session_timeout = {value} ms"
    return judgement([shown] if value == 0 else [], [shown] if value > _LONGEST else [], [shown])


PROBE = Probe(
    id="db.accounts.idle_timeout",
    way="db.accounts",
    source="postgresql",
    items=("8.1.4.1.b",),
    objects=("database",),
    reads=("settings",),
    title=Text("Idle sessions end", "空闲超时"),
    criterion=Text("sessions end after 30 idle minutes or earlier", "会话空闲 30 分钟内断开"),
    to_be_confirmed=True,
    reproduce="SHOW idle_session_timeout",
    judge=_judge,
)
