"""New accounts get passwords that run out (login.defs)."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats.keyed import number, together

_LONGEST = 90


def _judge(facts: Facts) -> Judgement:
    files = facts.files("login-defs")
    if not files:
        raise Unreadable("there is no login.defs", "没有 login.defs")
    found = together(reversed(files.values()))
    most = number(found.get("pass_max_days"))
    warned, least = number(found.get("pass_warn_age")), number(found.get("pass_min_days"))
    bad = [f"PASS_MAX_DAYS {most if most is not None else '-'}"] if most is None or not 0 < most <= _LONGEST else []
    weak = [f"PASS_WARN_AGE {warned if warned is not None else '-'}"] if (warned or 0) < 7 else []
    weak += [f"PASS_MIN_DAYS {least if least is not None else '-'}"] if (least or 0) < 1 else []
    return judgement(bad, weak, [f"PASS_MAX_DAYS {most}"])


PROBE = Probe(
    id="host.login_defs.ageing",
    way="host.login_defs",
    source="linux",
    items=("8.1.4.1.a",),
    reads=("login-defs",),
    title=Text("Password ageing for new accounts", "新建账户的口令有效期"),
    criterion=Text(
        "passwords of new accounts last 90 days at most, 1 day at least, with 7 days of warning",
        "新建账户口令最长 90 天、最短 1 天，提前 7 天提醒",
    ),
    to_be_confirmed=True,
    reproduce="grep ^PASS_ /etc/login.defs",
    judge=_judge,
)
