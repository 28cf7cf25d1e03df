"""Powers are separated, and few have them."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats.dm import Administrator


def _judge(facts: Facts) -> Judgement:
    found = facts.rows("administrators", list[Administrator])
    roles: dict[str, set[str]] = {}
    for one in found:
        roles.setdefault(one.user, set()).add(one.role)
    if not roles:
        raise Unreadable("the server names no administrator", "服务器未列出管理员")
    bad = [f"{user}: {', '.join(sorted(held))}" for user, held in roles.items() if len(held) > 1]
    others = [user for user, held in roles.items() if "DBA" in held and user not in ("SYSDBA", "SYS")]
    return judgement(bad, others, [f"{one.user}: {one.role}" for one in found])


PROBE = Probe(
    id="dm.grants.administrators",
    way="db.grants",
    source="dm",
    items=("8.1.4.2.d",),
    objects=("database",),
    reads=("administrators",),
    title=Text("Administrators", "管理员权限分离"),
    criterion=Text(
        "nobody has two of the roles DBA, auditor and security officer, and DBA is for SYSDBA alone",
        "DBA、审计、安全管理角色不集于一人，DBA 角色仅限 SYSDBA",
    ),
    to_be_confirmed=True,
    reproduce="SELECT GRANTEE, GRANTED_ROLE FROM DBA_ROLE_PRIVS WHERE GRANTED_ROLE IN ('DBA', 'DB_AUDIT_ADMIN', 'DB_POLICY_ADMIN')",
    judge=_judge,
)
