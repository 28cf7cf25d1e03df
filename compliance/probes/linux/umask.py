"""New files are not open to others."""

from __future__ import annotations

import re

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats.keyed import keyed, uncommented

_SET = re.compile(r"(?:^|[\s;])umask\s+(0?[0-7]{3})\b")
_USUAL = 0o022


def _judge(facts: Facts) -> Judgement:
    profiles, defs = facts.files("profiles"), facts.files("login-defs")
    if not profiles and not defs:
        raise Unreadable("there is neither /etc/profile nor login.defs", "既无 /etc/profile 也无 login.defs")
    found = [(path, match[1]) for path, text in profiles.items() for line in uncommented(text) for match in _SET.finditer(line)]
    for path, text in defs.items():
        value = keyed(text).get("umask", "")
        found += [(path, value)] if re.fullmatch(r"0?[0-7]{3}", value) else []
    shown = [f"{path}: {value}" for path, value in found]
    strictest = max((int(value, 8) & 0o027 for _, value in found), default=0)
    if strictest == 0o027:
        return judgement(good=shown)
    return judgement(weak=shown) if strictest & _USUAL == _USUAL else judgement(shown or [Text("no umask is set", "未设置 umask")])


PROBE = Probe(
    id="host.file_perms.umask",
    way="host.file_perms",
    source="linux",
    items=("8.1.4.2.f",),
    reads=("profiles", "login-defs"),
    title=Text("Permissions of new files", "新建文件默认权限"),
    criterion=Text("umask is 027 or stricter; 022 is partly", "umask 为 027 或更严；022 为部分符合"),
    to_be_confirmed=True,
    reproduce="grep -rin umask /etc/profile /etc/bashrc /etc/bash.bashrc /etc/login.defs; umask",
    judge=_judge,
)
