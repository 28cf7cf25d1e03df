"""Nobody gets in without a proof."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats.redis import directives, one


def _judge(facts: Facts) -> Judgement:
    found = directives(facts)
    if "aclfile" in found:
        raise Unreadable("accounts stand in a file of their own (aclfile), which was not read", "账户在 aclfile 中，未读取")
    open_ones = [f"user {user[0]} nopass" for user in found.get("user", []) if user and "nopass" in user and "off" not in user]
    default = [user for user in found.get("user", []) if user[:1] == ["default"]]
    secret = one(found, "requirepass", "")
    if open_ones or (not secret and not default):
        return judgement(open_ones or [Text("no requirepass", "未设置 requirepass")])
    weak = ["requirepass ***default***"] if secret == "***default***" else []  # noqa: S105 — a mark
    return judgement(weak, good=["requirepass" if secret else "user default"])


PROBE = Probe(
    id="redis.accounts.authentication",
    way="db.accounts",
    source="redis",
    items=("8.1.4.1.a",),
    units=("6.4.1",),
    objects=("database",),
    reads=("redis",),
    title=Text("Authentication", "身份鉴别"),
    criterion=Text(
        "requirepass or ACL accounts ask for a password of 8 letters or more that is not known to everybody",
        "requirepass 或 ACL 账户要求口令，至少 8 位且非众所周知",
    ),
    to_be_confirmed=True,
    reproduce="grep -e ^requirepass -e ^user redis.conf",
    judge=_judge,
)
