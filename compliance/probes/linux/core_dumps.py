"""Memory of programs does not stay on the disk."""

from __future__ import annotations

import re

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats.keyed import keyed, uncommented


def _judge(facts: Facts) -> Judgement:
    kernel, files = keyed(facts.text("sysctl")), facts.files("limits")
    dumpable, pattern = kernel.get("fs/suid_dumpable"), kernel.get("kernel/core_pattern")
    if dumpable is None or pattern is None:
        raise Unreadable("the kernel's settings could not be read", "无法读取内核参数")
    limited = any(
        re.match(r"\*\s+(hard|-)\s+core\s+0\b", line)
        for path, text in files.items()
        if "limits" in path
        for line in uncommented(text)
    )
    stored = any(
        line.replace(" ", "").lower() == "storage=none"
        for path, text in files.items()
        if "coredump" in path
        for line in uncommented(text)
    )
    nothing = pattern in ("|/bin/false", "|/usr/bin/false", "/dev/null") or (stored and "systemd-coredump" in pattern)
    bad = [f"fs.suid_dumpable = {dumpable}"] if dumpable == "1" else []
    if not limited and not nothing:
        bad.append(f"kernel.core_pattern = {pattern}")
    return judgement(bad, good=["* hard core 0" if limited else pattern])


PROBE = Probe(
    id="host.residual.core_dumps",
    way="host.residual",
    source="linux",
    items=("8.1.4.10.b", "8.1.4.10.a"),
    reads=("sysctl", "limits"),
    title=Text("Core dumps", "内存转储"),
    criterion=Text("programs that fail leave no image of their memory behind", "程序异常退出不在磁盘留下内存映像"),
    to_be_confirmed=True,
    reproduce="sysctl kernel.core_pattern fs.suid_dumpable; ulimit -Hc; cat /etc/security/limits.conf",
    judge=_judge,
)
