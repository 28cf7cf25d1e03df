"""Three powers, held by different people."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.platform import People

POWERS = {
    "sysadmin": Text("system administrator", "系统管理员"),
    "secadmin": Text("security administrator", "安全管理员"),
    "auditadmin": Text("audit administrator", "审计管理员"),
}


def _judge(facts: Facts) -> Judgement:
    found = facts.rows("people", People)
    missing = [Text(f"nobody is {POWERS[one].en}", f"没有{POWERS[one].zh}") for one in found.missing if one in POWERS]
    held = [f"{one.role}: {one.name}" for one in found.people if one.active and one.role in POWERS]
    return judgement(missing, good=held)


PROBE = Probe(
    id="soc.rbac.powers",
    way="soc.rbac",
    source="platform",
    items=("8.1.4.2.d", "8.1.5.1.a", "8.1.5.2.a", "8.1.5.3.a", "8.1.10.6.a"),
    objects=("application", "management_platform", "document"),
    reads=("people",),
    title=Text("Separated powers", "三权分立"),
    criterion=Text(
        "each of the three powers is held by an active account of its own",
        "系统、安全、审计三类管理员均有各自的有效账户",
    ),
    reproduce="console, Accounts; ./liandun accounts links",
    judge=_judge,
)
