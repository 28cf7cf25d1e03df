"""Who has not logged in is told nothing."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.registry_file import LSA, set_number
from compliance.probes.formats.secedit import policy


def _judge(facts: Facts) -> Judgement:
    accounts, shares = set_number(facts, LSA, "RestrictAnonymousSAM", 1), set_number(facts, LSA, "RestrictAnonymous", 0)
    names = policy(facts)["system access"].get("lsaanonymousnamelookup", "0")
    bad = ["RestrictAnonymousSAM = 0"] if not accounts else []
    bad += ["LSAAnonymousNameLookup = 1"] if names == "1" else []
    weak = ["RestrictAnonymous = 0"] if not shares else []
    return judgement(bad, weak, [f"RestrictAnonymous = {shares}"])


PROBE = Probe(
    id="windows.accounts.anonymous",
    way="host.accounts",
    source="windows",
    items=("8.1.4.2.a", "8.1.4.2.e"),
    reads=("registry", "policy"),
    title=Text("Anonymous access", "匿名访问"),
    criterion=Text("accounts and shares are not listed to who has not logged in", "未登录者不能枚举账户与共享"),
    to_be_confirmed=True,
    reproduce="reg query HKLM\\SYSTEM\\CurrentControlSet\\Control\\Lsa",
    judge=_judge,
)
