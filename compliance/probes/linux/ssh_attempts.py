"""One connection does not get many attempts, nor much time."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats.keyed import keyed, number


def _judge(facts: Facts) -> Judgement:
    found = keyed(facts.text("sshd"))
    tries, grace = number(found.get("maxauthtries")), number(found.get("logingracetime"))
    if tries is None or grace is None:
        raise Unreadable("sshd does not say MaxAuthTries and LoginGraceTime", "sshd 未给出 MaxAuthTries 与 LoginGraceTime")
    bad = [f"MaxAuthTries {tries}"] if tries > 10 else []
    bad += [f"LoginGraceTime {grace}"] if grace == 0 else []
    weak = [f"MaxAuthTries {tries}"] if 5 < tries <= 10 else []
    weak += [f"LoginGraceTime {grace}"] if grace > 120 else []
    return judgement(bad, weak, [f"MaxAuthTries {tries}, LoginGraceTime {grace}"])


PROBE = Probe(
    id="host.sshd_config.attempts",
    way="host.sshd_config",
    source="linux",
    items=("8.1.4.1.b",),
    reads=("sshd",),
    title=Text("Attempts of an SSH connection", "SSH 连接的登录尝试"),
    criterion=Text("a connection has 5 attempts at most and 2 minutes at most to log in", "每个连接最多尝试 5 次，登录限时 2 分钟"),
    to_be_confirmed=True,
    reproduce="sshd -T | grep -iE 'maxauthtries|logingracetime'",
    judge=_judge,
)
