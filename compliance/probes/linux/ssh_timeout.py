"""SSH sessions whose other side has gone end."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.keyed import keyed, number

_LONGEST = 900


def _judge(facts: Facts) -> Judgement:
    found = keyed(facts.text("sshd"))
    interval, count = number(found.get("clientaliveinterval")) or 0, number(found.get("clientalivecountmax"))
    shown = f"ClientAliveInterval {interval}, ClientAliveCountMax {count}"
    if interval == 0 or not count:
        return judgement([shown])
    return judgement(weak=[shown] if interval * count > _LONGEST else [], good=[shown])


PROBE = Probe(
    id="host.session_timeout.ssh",
    way="host.session_timeout",
    source="linux",
    items=("8.1.4.1.b",),
    reads=("sshd",),
    title=Text("Dead SSH sessions end", "SSH 失联会话断开"),
    criterion=Text("sshd ends sessions whose client does not answer within 15 minutes", "客户端 15 分钟内无应答，sshd 断开会话"),
    to_be_confirmed=True,
    reproduce="sshd -T | grep -i clientalive",
    judge=_judge,
)
