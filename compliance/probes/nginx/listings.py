"""Folders are not listed, and status pages are for some only."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement, not_applicable
from compliance.probes.facts import Facts
from compliance.probes.formats.nginx import asked


def _judge(facts: Facts) -> Judgement:
    found = asked(facts)
    if found is None:
        return not_applicable(Text("there is no nginx", "没有 nginx"))
    bad = [
        f"{one.shown()} ({one.parent.shown() if one.parent else ''})" for one in found.named("autoindex") if one.arguments == ["on"]
    ]
    for one in found.named("stub_status", "api", "dav_methods", "status"):
        block = one.parent
        if block is None or one.arguments[:1] == ["off"]:
            continue
        guards = [found.in_force(block, name) for name in ("allow", "auth_basic", "auth_request", "ssl_verify_client")]
        denied = any(rule.arguments == ["all"] for rule in found.in_force(block, "deny"))
        if not (guards[0] and denied) and not any(guards[1:]):
            bad.append(f"{one.shown()} ({block.shown()})")
    return judgement(bad)


PROBE = Probe(
    id="nginx.rbac.listings",
    way="app.rbac",
    source="nginx",
    items=("8.1.4.2.e",),
    objects=("middleware",),
    reads=("nginx", "nginx-programs", "processes"),
    title=Text("Listings and status pages", "目录列表与状态页"),
    criterion=Text(
        "folders are not listed; status pages and DAV are for named addresses or accounts",
        "不列目录；状态页与 DAV 仅对指定地址或账户开放",
    ),
    reproduce="nginx -T | grep -E 'autoindex|stub_status|dav_methods'",
    judge=_judge,
)
