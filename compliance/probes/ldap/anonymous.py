"""Who has not logged in sees nothing of the directory."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.directory import Anonymous


def _judge(facts: Facts) -> Judgement:
    seen = facts.rows("anonymous", Anonymous)
    if seen.passwords:
        return judgement([Text(f"{seen.passwords} entries show their password", f"可读到 {seen.passwords} 个条目的口令")])
    if seen.entries:
        return judgement([Text("entries are shown without a login", "未登录即可读取条目")])
    if seen.bound:
        return judgement(weak=[Text("anonymous binds are let in, and see nothing", "允许匿名绑定，但读不到条目")])
    return judgement(good=[Text("anonymous binds are refused", "拒绝匿名绑定")])


PROBE = Probe(
    id="app.auth.directory_anonymous",
    way="app.auth",
    source="ldap",
    items=("8.1.4.1.a",),
    units=("6.4.1",),
    objects=("system_software", "middleware", "application"),
    reads=("anonymous",),
    title=Text("Anonymous access to the directory", "目录匿名访问"),
    criterion=Text(
        "anonymous binds are refused; let in, but without seeing anything, is partly", "拒绝匿名绑定；允许但读不到条目为部分符合"
    ),
    reproduce="ldapsearch -x -ZZ -b BASE 1.1",
    judge=_judge,
)
