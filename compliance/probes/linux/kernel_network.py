"""The kernel takes no routes from others, and makes attacks on memory hard."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats.keyed import keyed

_MUST = {"kernel/randomize_va_space": "2", "net/ipv4/tcp_syncookies": "1", "net/ipv4/conf/all/accept_source_route": "0"}
_SHOULD = {
    "net/ipv4/conf/all/accept_redirects": "0", "net/ipv4/conf/all/send_redirects": "0", "net/ipv6/conf/all/accept_redirects": "0",
    "net/ipv4/icmp_echo_ignore_broadcasts": "1", "net/ipv4/ip_forward": "0", "fs/protected_symlinks": "1",
    "fs/protected_hardlinks": "1",
}  # fmt: skip


def _judge(facts: Facts) -> Judgement:
    found = keyed(facts.text("sysctl"))
    if "kernel/randomize_va_space" not in found:
        raise Unreadable("the kernel's settings could not be read", "无法读取内核参数")
    bad = [f"{key} = {found[key]}" for key, value in _MUST.items() if found.get(key, value) != value]
    weak = [f"{key} = {found[key]}" for key, value in _SHOULD.items() if found.get(key, value) != value]
    return judgement(bad, weak)


PROBE = Probe(
    id="host.services.kernel",
    way="host.services",
    source="linux",
    items=("8.1.4.4.b",),
    reads=("sysctl",),
    title=Text("Settings of the kernel", "内核参数"),
    criterion=Text(
        "address randomisation and SYN cookies are on, source routes are refused; redirects and forwarding are off",
        "地址随机化与 SYN Cookie 开启、拒绝源路由；关闭重定向与转发",
    ),
    to_be_confirmed=True,
    reproduce="sysctl -a | grep -E 'randomize_va_space|syncookies|redirects|source_route|ip_forward'",
    judge=_judge,
)
