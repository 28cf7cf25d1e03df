"""Not everybody has rights on everything."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.dm import PublicRight


def _judge(facts: Facts) -> Judgement:
    # no rows is an answer: the export says how many there are (reading/database_export.py)
    found = facts.rows("public", list[PublicRight])
    bad = [f"{one.name}: {one.right}" for one in found if one.right.upper() not in ("SELECT", "EXECUTE", "REFERENCES")]
    return judgement(bad, [f"{one.name}: {one.right}" for one in found if f"{one.name}: {one.right}" not in bad])


PROBE = Probe(
    id="dm.grants.public",
    way="db.grants",
    source="dm",
    items=("8.1.4.2.e", "8.1.4.2.f"),
    objects=("database",),
    reads=("public",),
    title=Text("Rights of everybody", "PUBLIC 权限"),
    criterion=Text("everybody (PUBLIC) has no right on tables of applications", "PUBLIC 对业务对象没有权限"),
    reproduce="SELECT OWNER, TABLE_NAME, PRIVILEGE FROM DBA_TAB_PRIVS WHERE GRANTEE = 'PUBLIC'",
    judge=_judge,
)
