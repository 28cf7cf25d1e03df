"""Few roles may do everything."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.postgresql import roles


def _judge(facts: Facts) -> Judgement:
    found = [role.rolname for role in roles(facts) if role.rolsuper]
    others = [role.rolname for role in roles(facts) if not role.rolsuper and (role.rolbypassrls or role.rolcreaterole)]
    bad = found if len(found) > 2 else []
    return judgement(bad, [*(found if len(found) == 2 else []), *others], found)


PROBE = Probe(
    id="db.accounts.superusers",
    way="db.accounts",
    source="postgresql",
    items=("8.1.4.2.d",),
    objects=("database",),
    reads=("roles",),
    title=Text("Superusers", "超级用户"),
    criterion=Text(
        "one role at most is a superuser; others create no roles and pass no row rules",
        "超级用户至多一个；其他角色不能建角色、不绕过行级策略",
    ),
    to_be_confirmed=True,
    reproduce="SELECT rolname, rolsuper, rolcreaterole, rolbypassrls FROM pg_roles WHERE rolcanlogin",
    judge=_judge,
)
