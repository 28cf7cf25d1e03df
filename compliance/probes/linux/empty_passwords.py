"""No account without a password."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats.accounts import accounts, passwords


def _judge(facts: Facts) -> Judgement:
    shells = {one.name for text in facts.files("accounts").values() for one in accounts(text) if one.may_log_in}
    if not shells:
        raise Unreadable("/etc/passwd has no account that may log in", "/etc/passwd 中没有可登录的账户")
    empty = [one.name for one in passwords(facts.listed("shadow")) if one.kind == "empty"]
    bad = [Text(f"{name}: no password", f"{name}：空口令") for name in empty if name in shells]
    weak = [Text(f"{name}: no password, no shell", f"{name}：空口令，无登录外壳") for name in empty if name not in shells]
    return judgement(bad, weak)


PROBE = Probe(
    id="host.accounts.empty_passwords",
    way="host.accounts",
    source="linux",
    items=("8.1.4.1.a",),
    units=("6.3.1",),
    reads=("accounts", "shadow"),
    title=Text("Empty passwords", "空口令"),
    criterion=Text("every account has a password or is locked", "每个账户都有口令或已锁定"),
    reproduce="awk -F: '$2==\"\"{print $1}' /etc/shadow",
    judge=_judge,
)
