"""Only some addresses may manage the host."""

from __future__ import annotations

import re

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.filters import limits_ssh
from compliance.probes.formats.keyed import keyed, number, uncommented


def _judge(facts: Facts) -> Judgement:
    text = facts.text("sshd")
    found = keyed(text)
    users = re.findall(r"^(?:allowusers|denyusers) (.*)$", text, re.MULTILINE | re.IGNORECASE)
    if any("@" in one for one in users):
        return judgement(good=[f"AllowUsers {' '.join(users)[:120]}"])
    access = facts.files("hosts-access") if facts.is_read("hosts-access") else {}
    denied = uncommented(access.get("/etc/hosts.deny", ""))
    if any(re.match(r"(ALL|sshd)\b.*:\s*ALL", line) for line in denied):
        return judgement(weak=[Text("hosts.deny (only where sshd knows it)", "hosts.deny（仅对支持它的 sshd 有效）")])
    ports = {number(one) or 22 for one in re.findall(r"^port (\d{1,5})$", text, re.MULTILINE)} or {22}
    ruleset = facts.text("nft") if facts.is_read("nft") else ""
    saved = facts.text("iptables") if facts.is_read("iptables") else ""
    if limits_ssh(ruleset, saved, ports):
        return judgement(good=[Text("a rule of the packet filter", "主机防火墙规则")])
    only_inside = [one for one in found.get("listenaddress", "").split() if one.startswith(("127.", "[::1]"))]
    if only_inside:
        return judgement(good=[f"ListenAddress {only_inside[0]}"])
    return judgement([Text("any address may connect to sshd", "任何地址都可连接 sshd")])


PROBE = Probe(
    id="host.sshd_config.sources",
    way="host.sshd_config",
    source="linux",
    items=("8.1.4.4.c",),
    reads=("sshd", "hosts-access", "nft", "iptables"),
    title=Text("Addresses that may manage", "管理终端地址限制"),
    criterion=Text("sshd or the packet filter lets only named addresses through to SSH", "sshd 或主机防火墙只允许指定地址访问 SSH"),
    reproduce="sshd -T | grep -i allowusers; nft list ruleset; cat /etc/hosts.allow /etc/hosts.deny",
    judge=_judge,
)
