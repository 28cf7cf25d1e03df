"""New passwords are hard to guess."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.keyed import number
from compliance.probes.formats.mysql import names, variables


def _judge(facts: Facts) -> Judgement:
    active, found = names(facts, "plugins"), variables(facts)
    if any("validate_password" in name for name in active):
        policy = found.get("validate_password.policy") or found.get("validate_password_policy") or ""
        length = number(found.get("validate_password.length") or found.get("validate_password_length")) or 0
        shown = f"validate_password: {policy}, {length}"
        return judgement(weak=[shown] if policy.upper() in ("LOW", "0", "") or length < 8 else [], good=[shown])
    if "simple_password_check" in active:
        length = number(found.get("simple_password_check_minimal_length")) or 0
        kinds = [
            number(found.get(f"simple_password_check_{name}")) or 0 for name in ("digits", "letters_same_case", "other_characters")
        ]
        shown = f"simple_password_check: {length}, {kinds}"
        return judgement(weak=[shown] if length < 8 or kinds.count(0) > 1 else [], good=[shown])
    if "cracklib_password_check" in active:
        return judgement(good=["cracklib_password_check"])
    return judgement([Text("no plugin checks passwords", "没有插件检查口令")])


PROBE = Probe(
    id="mysql.passwords.complexity",
    way="db.accounts",
    source="mysql",
    items=("8.1.4.1.a",),
    units=("6.4.1",),
    objects=("database",),
    reads=("plugins", "variables"),
    title=Text("Rules for passwords", "口令复杂度"),
    criterion=Text(
        "validate_password, simple_password_check or cracklib asks for 8 characters of 3 kinds",
        "由 validate_password、simple_password_check 或 cracklib 要求至少 8 位、3 类字符",
    ),
    to_be_confirmed=True,
    reproduce="SHOW PLUGINS; SHOW VARIABLES LIKE '%password%'",
    judge=_judge,
)
