"""Only some may become root with su (pam_wheel)."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats.pam import stack


def _judge(facts: Facts) -> Judgement:
    files = facts.files("pam")
    if not any(path.endswith("/pam.d/su") for path in files):
        raise Unreadable("there is no PAM stack of su", "没有 su 的 PAM 配置")
    rules = [rule for rule in stack(files, "su", "auth") if rule.module == "pam_wheel"]
    if not any(rule.control in ("required", "requisite") for rule in rules):
        return judgement([Text("su asks for no group", "su 未限制用户组")])
    return judgement(good=[" ".join(("pam_wheel", *rule.arguments)) for rule in rules])


PROBE = Probe(
    id="host.sudoers.su_members",
    way="host.sudoers",
    source="linux",
    items=("8.1.4.2.d",),
    reads=("pam",),
    title=Text("Who may use su", "su 使用限制"),
    criterion=Text("su to root is for members of one group", "只有指定用户组的成员可以 su 到 root"),
    to_be_confirmed=True,
    reproduce="grep pam_wheel /etc/pam.d/su",
    judge=_judge,
)
