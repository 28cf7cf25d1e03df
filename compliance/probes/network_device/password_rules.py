"""New passwords are long, mixed, and run out."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, Words, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.devices import device

_LENGTH, _KINDS, _DAYS = 8, 3, 90


def _judge(facts: Facts) -> Judgement:
    found = device(facts).password
    if found.length is None and found.kinds is None:
        return judgement([Text("there are no rules for passwords", "没有口令策略")], lines=found.lines)
    bad: list[Words] = []
    if (found.length or 0) < _LENGTH:
        bad.append(Text(f"length {found.length or '-'}", f"长度 {found.length or '-'}"))
    weak: list[Words] = []
    if (found.kinds or 0) < _KINDS:
        weak.append(Text(f"kinds of characters: {found.kinds or '-'}", f"字符种类 {found.kinds or '-'}"))
    if not found.days or found.days > _DAYS:
        weak.append(Text(f"days: {found.days or '-'}", f"有效期天数 {found.days or '-'}"))
    return judgement(bad, weak, lines=found.lines)


PROBE = Probe(
    id="netdev.config.password_rules",
    way="netdev.config",
    source="network_device",
    items=("8.1.4.1.a",),
    objects=("network_device", "security_device"),
    reads=("config", "dialect"),
    title=Text("Rules for passwords", "口令策略"),
    criterion=Text(
        "passwords have 8 characters or more of 3 kinds and last 90 days at most",
        "口令至少 8 位、3 类字符，有效期不超过 90 天",
    ),
    to_be_confirmed=True,
    reproduce="display password-control; display local-aaa-user password policy administrator; "
    "show aaa common-criteria policy name all",
    judge=_judge,
)
