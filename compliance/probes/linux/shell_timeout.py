"""A shell that nobody uses ends (TMOUT)."""

from __future__ import annotations

import re

from compliance.probes.contract import Judgement, Probe, Text, Words, judgement
from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats.keyed import uncommented

_SET = re.compile(r"(?:^|[\s;])(?:(?:readonly|export|declare\s+-\S+|typeset\s+-\S+)\s+)*TMOUT=[\"']?(\d{1,9})")
_LONGEST, _FAR = 900, 1_800


def _judge(facts: Facts) -> Judgement:
    files = facts.files("profiles")
    if not files:
        raise Unreadable("there is no /etc/profile", "没有 /etc/profile")
    lines = [line for text in files.values() for line in uncommented(text)]
    values = [int(match[1]) for line in lines for match in _SET.finditer(line)]
    if not values or values[-1] == 0 or values[-1] > _FAR:
        return judgement([f"TMOUT={values[-1] if values else '-'}"])
    is_fixed = any(re.search(r"readonly\s+(\S+\s+)*TMOUT|(declare|typeset)\s+-\S*r\S*\s+TMOUT", line) for line in lines)
    weak: list[Words] = [f"TMOUT={values[-1]}"] if values[-1] > _LONGEST else []
    if not is_fixed:
        weak.append(Text("a user may change TMOUT (not readonly)", "用户可改 TMOUT（未设 readonly）"))
    return judgement(weak=weak, good=[f"TMOUT={values[-1]}"])


PROBE = Probe(
    id="host.session_timeout.shell",
    way="host.session_timeout",
    source="linux",
    items=("8.1.4.1.b",),
    reads=("profiles",),
    title=Text("Idle shells end", "命令行空闲超时"),
    criterion=Text(
        "an idle shell ends after 15 minutes or earlier, and users cannot change that",
        "命令行空闲 15 分钟内退出，且用户不能更改",
    ),
    to_be_confirmed=True,
    reproduce="grep -rn TMOUT /etc/profile /etc/profile.d /etc/bashrc /etc/bash.bashrc",
    judge=_judge,
)
