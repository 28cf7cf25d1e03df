"""Nobody has all of root's power by the way (sudoers)."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from compliance.probes.contract import Judgement, Probe, Text, judgement, not_applicable
from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats.sudoers import sudoers

_INCLUDE = re.compile(r"^[ \t]*[@#]include(dir)?[ \t]+(\S+)", re.MULTILINE)
_USUAL = ("root", "%sudo", "%wheel", "%admin")


def _judge(facts: Facts) -> Judgement:
    files = facts.files("sudoers")
    if not files and facts.are_gone("sudoers", "/etc/sudoers"):
        return not_applicable(Text("sudo is not installed", "未安装 sudo"))
    if "/etc/sudoers" not in files:
        raise Unreadable("/etc/sudoers was not read", "未读到 /etc/sudoers")
    for path in (str(PurePosixPath("/etc", match[2])) for one in files.values() for match in _INCLUDE.finditer(one)):
        if path not in files and path != "/etc/sudoers.d":
            raise Unreadable(f"{path}, which sudoers includes, was not read", f"未读取 sudoers 包含的 {path}")
    found = sudoers(files.values())
    bad = [one.line for one in found.grants if one.is_all and one.without_password and one.who != "root"]
    bad += [line for line in found.defaults if "!authenticate" in line]
    weak = [one.line for one in found.grants if one.line not in bad and one.who not in _USUAL and one.is_all]
    return judgement(dict.fromkeys(bad), dict.fromkeys(weak), [one.line for one in found.grants])


PROBE = Probe(
    id="host.sudoers.grants",
    way="host.sudoers",
    source="linux",
    items=("8.1.4.2.d",),
    units=("6.3.3",),
    reads=("sudoers",),
    title=Text("Grants of sudo", "sudo 授权"),
    criterion=Text(
        "no account runs everything by sudo without a password; everything only through the usual groups",
        "没有免口令执行全部命令的 sudo 授权；全部命令仅授予惯用管理组",
    ),
    to_be_confirmed=True,
    reproduce="cat /etc/sudoers /etc/sudoers.d/*; sudo -l -U NAME",
    judge=_judge,
)
