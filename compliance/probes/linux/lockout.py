"""Guessing passwords ends after some attempts (pam_faillock, pam_tally2, pam_tally)."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats.keyed import keyed, number
from compliance.probes.formats.pam import everywhere

_ATTEMPTS, _MANY, _SECONDS = 5, 10, 300


def _judge(facts: Facts) -> Judgement:
    files = facts.files("pam")
    if not any(path.startswith(("/etc/pam.d/", "/usr/lib/pam.d/")) for path in files):
        raise Unreadable("there are no PAM stacks", "没有 PAM 配置")
    rules = everywhere(files, "auth", "pam_faillock", "pam_tally2", "pam_tally")
    if not rules:
        return judgement([Text("no module counts failed logins", "没有模块统计登录失败次数")])
    configured = keyed(files.get("/etc/security/faillock.conf", "")) if rules[0].module == "pam_faillock" else {}
    deny = next((found for rule in rules if (found := rule.number("deny")) is not None), number(configured.get("deny")))
    unlock = next(
        (found for rule in rules if (found := rule.number("unlock_time")) is not None), number(configured.get("unlock_time"))
    )
    if rules[0].module == "pam_faillock":
        deny, unlock = 3 if deny is None else deny, 600 if unlock is None else unlock
    shown = f"{rules[0].module}: deny={deny} unlock_time={unlock}"
    if not deny or deny > _MANY:
        return judgement([shown])
    for_root = any(rule.value("even_deny_root") is not None for rule in rules) or "even_deny_root" in configured
    weak = [shown] if deny > _ATTEMPTS or (unlock is not None and 0 < unlock < _SECONDS) else []
    if rules[0].module == "pam_faillock" and not any(rule.value("authfail") is not None for rule in rules):
        return judgement([Text(f"{shown}: nothing counts (no authfail)", f"{shown}：无 authfail，实际不计数")])
    return judgement(weak=weak, good=[shown, Text("also root", "含 root") if for_root else Text("not root", "不含 root")])


PROBE = Probe(
    id="host.pam_faillock.lockout",
    way="host.pam_faillock",
    source="linux",
    items=("8.1.4.1.b",),
    reads=("pam",),
    title=Text("Lockout after failed logins", "登录失败锁定"),
    criterion=Text(
        "an account is locked after 5 failed logins or fewer, for 5 minutes or longer",
        "连续失败不超过 5 次即锁定，锁定不少于 5 分钟",
    ),
    to_be_confirmed=True,
    reproduce="grep -rE 'faillock|tally' /etc/pam.d; cat /etc/security/faillock.conf",
    judge=_judge,
)
