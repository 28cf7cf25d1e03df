"""The account that each Windows has cannot be tried by its name."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats.secedit import access, policy


def _judge(facts: Facts) -> Judgement:
    (enabled,) = access(facts, "EnableAdminAccount")
    name = policy(facts)["system access"].get("newadministratorname", "")
    if not enabled:
        return judgement(good=[Text(f"{name} is disabled", f"{name} 已停用")])
    if not name:
        raise Unreadable("policy does not say NewAdministratorName", "安全策略未给出 NewAdministratorName")
    usual = name.lower() in ("administrator", "admin", "root")
    return judgement([Text(f"enabled as {name}", f"以 {name} 之名启用")] if usual else [], good=[name])


PROBE = Probe(
    id="windows.accounts.administrator",
    way="host.accounts",
    source="windows",
    items=("8.1.4.2.b",),
    reads=("policy",),
    title=Text("Built-in administrator", "默认管理员账户"),
    criterion=Text("the built-in administrator is renamed or disabled", "内置 Administrator 已重命名或停用"),
    reproduce="secedit /export /cfg secpol.inf; NewAdministratorName, EnableAdminAccount",
    judge=_judge,
)
