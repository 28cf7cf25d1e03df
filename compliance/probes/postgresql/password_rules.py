"""New passwords are checked."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.keyed import number
from compliance.probes.formats.postgresql import libraries, settings


def _judge(facts: Facts) -> Judgement:
    found = settings(facts)
    loaded = libraries(found)
    if "passwordcheck.enable" in found:  # Kingbase: loaded is not enough
        least = number(found.get("passwordcheck.password_length")) or 0
        shown = f"passwordcheck.enable = {found['passwordcheck.enable']}, passwordcheck.password_length = {least}"
        if found["passwordcheck.enable"] != "on":
            return judgement([shown])
        return judgement(weak=[shown] if least < 8 else [], good=[shown])
    if "credcheck" in loaded:
        least = number(found.get("credcheck.password_min_length")) or 0
        return judgement(weak=[f"credcheck.password_min_length = {least}"] if least < 8 else [], good=["credcheck"])
    if loaded & {"passwordcheck", "$libdir/passwordcheck", "passwordcheck_cracklib"}:
        return judgement(good=["passwordcheck"])
    return judgement([Text("no module checks passwords", "没有模块检查口令")])


PROBE = Probe(
    id="db.accounts.password_rules",
    way="db.accounts",
    source="postgresql",
    items=("8.1.4.1.a",),
    objects=("database",),
    reads=("settings",),
    title=Text("Rules for passwords", "口令复杂度"),
    criterion=Text("passwordcheck or credcheck looks at new passwords", "由 passwordcheck 或 credcheck 检查新口令"),
    to_be_confirmed=True,
    reproduce="SHOW shared_preload_libraries",
    judge=_judge,
)
