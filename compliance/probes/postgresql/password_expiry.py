"""Passwords run out."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement, not_applicable
from compliance.probes.facts import Facts
from compliance.probes.formats.keyed import number
from compliance.probes.formats.postgresql import Hash, roles, settings

_LONGEST = 90


def _judge(facts: Facts) -> Judgement:
    with_password = {one.rolname for one in facts.rows("hashes", list[Hash]) if one.kind != "none"}
    found = [role for role in roles(facts) if role.rolname in with_password]
    if not found:
        return not_applicable(Text("no role has a password", "没有设置口令的角色"))
    days = number(settings(facts).get("identity_pwdexp.password_change_interval")) if facts.is_read("settings") else None
    if days is not None and 0 < days <= _LONGEST:  # Kingbase: for all roles
        return judgement(good=[f"identity_pwdexp.password_change_interval = {days}"])
    endless = [role.rolname for role in found if role.until in (None, "infinity")]
    return judgement(endless) if len(endless) == len(found) else judgement(weak=endless)


PROBE = Probe(
    id="db.accounts.password_expiry",
    way="db.accounts",
    source="postgresql",
    items=("8.1.4.1.a",),
    objects=("database",),
    reads=("roles", "hashes", "settings"),
    title=Text("Passwords run out", "口令有效期"),
    criterion=Text("each role with a password has an end of validity", "每个有口令的角色都设有口令到期时间"),
    to_be_confirmed=True,
    reproduce="SELECT rolname, rolvaliduntil FROM pg_roles WHERE rolcanlogin",
    judge=_judge,
)
