"""What matters is recorded."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats.auditpol import audit

_WANTED: dict[str, tuple[str, str, str]] = {
    "0CCE9215": ("logon", "登录", "sf"),
    "0CCE9216": ("logoff", "注销", "s"),
    "0CCE9217": ("account lockout", "账户锁定", "f"),
    "0CCE921B": ("special logon", "特殊登录", "s"),
    "0CCE923F": ("credential validation", "凭据验证", "sf"),
    "0CCE9235": ("user account management", "用户账户管理", "sf"),
    "0CCE9237": ("security group management", "安全组管理", "s"),
    "0CCE922F": ("audit policy change", "审核策略更改", "sf"),
    "0CCE9230": ("authentication policy change", "身份验证策略更改", "s"),
    "0CCE9228": ("sensitive privilege use", "敏感权限使用", "sf"),
    "0CCE922B": ("process creation", "进程创建", "s"),
    "0CCE9210": ("security state change", "安全状态更改", "s"),
    "0CCE9212": ("system integrity", "系统完整性", "sf"),
}
_FIRST = ("0CCE9215", "0CCE9235", "0CCE922F")


def _judge(facts: Facts) -> Judgement:
    found = audit(facts)
    missing: dict[str, Text] = {}
    for guid, (english, chinese, kinds) in _WANTED.items():
        setting = found.get(guid)
        if setting is None:
            raise Unreadable(f"audit does not say {english}", f"审核策略未给出：{chinese}")
        lacks = [
            word
            for kind, is_on, word in (("s", setting.success, ("success", "成功")), ("f", setting.failure, ("failure", "失败")))
            if kind in kinds and not is_on
        ]
        if lacks:
            missing[guid] = Text(
                f"{english}: {', '.join(word[0] for word in lacks)}", f"{chinese}：{'、'.join(word[1] for word in lacks)}"
            )
    unrecorded = [guid for guid in _FIRST if not (found[guid].success or found[guid].failure)]
    bad = [missing[guid] for guid in unrecorded]
    return judgement(bad, [one for guid, one in missing.items() if guid not in unrecorded])


PROBE = Probe(
    id="windows.audit.policy",
    way="host.auditd_rules",
    source="windows",
    items=("8.1.4.3.a",),
    reads=("audit",),
    title=Text("Audit policy", "审核策略"),
    criterion=Text(
        "logins, accounts, groups, policy, privileges, processes and system state are recorded, by success and failure",
        "登录、账户与组管理、策略更改、权限使用、进程与系统状态均按成功和失败审核",
    ),
    to_be_confirmed=True,
    reproduce="auditpol /get /category:*",
    judge=_judge,
)
