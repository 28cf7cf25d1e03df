"""Not everybody has rights on everything."""

from __future__ import annotations

import msgspec

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts, Unreadable


class _Schema(msgspec.Struct, frozen=True):
    nspname: str
    is_open: bool


class _Grant(msgspec.Struct, frozen=True):
    name: str
    rights: str


def _judge(facts: Facts) -> Judgement:
    schemas = facts.rows("schema", list[_Schema])
    if not schemas:
        raise Unreadable("the server says no schema", "服务器未列出模式")
    grants = facts.rows("grants", list[_Grant])
    bad = [f"{one.name}: {one.rights}" for one in grants if one.rights != "SELECT"]
    bad += [f"{one.nspname}: CREATE" for one in schemas if one.is_open]
    return judgement(bad, [f"{one.name}: SELECT" for one in grants if one.rights == "SELECT"])


PROBE = Probe(
    id="db.grants.public",
    way="db.grants",
    source="postgresql",
    items=("8.1.4.2.e", "8.1.4.2.f"),
    objects=("database",),
    reads=("schema", "grants"),
    title=Text("Rights of everybody", "PUBLIC 权限"),
    criterion=Text(
        "everybody (PUBLIC) may create in no schema and change no table",
        "PUBLIC 不能在任何模式中建对象，也不能改任何表",
    ),
    reproduce="\\dn+; SELECT * FROM information_schema.role_table_grants WHERE grantee = 'PUBLIC'",
    judge=_judge,
)
