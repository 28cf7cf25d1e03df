"""Old passwords do not come back."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats.keyed import keyed, number
from compliance.probes.formats.pam import everywhere

_MANY = 5


def _judge(facts: Facts) -> Judgement:
    files = facts.files("pam")
    if not any(path.startswith(("/etc/pam.d/", "/usr/lib/pam.d/")) for path in files):
        raise Unreadable("there are no PAM stacks", "没有 PAM 配置")
    remembered = []
    for rule in everywhere(files, "password", "pam_pwhistory", "pam_unix"):
        kept = rule.number("remember")
        if kept is None and rule.module == "pam_pwhistory":
            kept = number(keyed(files.get("/etc/security/pwhistory.conf", "")).get("remember")) or 10
        remembered.append(kept or 0)
    most = max(remembered, default=0)
    if most == 0:
        return judgement([Text("no old password is remembered", "未记录历史口令")])
    return judgement(weak=[f"remember={most}"] if most < _MANY else [], good=[f"remember={most}"])


PROBE = Probe(
    id="host.pam_pwquality.history",
    way="host.pam_pwquality",
    source="linux",
    items=("8.1.4.1.a",),
    reads=("pam",),
    title=Text("Password history", "口令历史"),
    criterion=Text("the last 5 passwords or more cannot be used again", "最近 5 个及以上的口令不能重复使用"),
    to_be_confirmed=True,
    reproduce="grep -rE 'pam_pwhistory|remember=' /etc/pam.d",
    judge=_judge,
)
