"""Nothing on the host can be written by everybody."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.modes import modes

_SYSTEM = ("/etc/", "/usr/", "/bin/", "/sbin/", "/lib/", "/lib64/", "/boot/", "/root/", "/opt/", "/var/spool/", "/var/log/")


def _judge(facts: Facts) -> Judgement:
    lines = [line for line in facts.lines("scan") if line.startswith("writable ")]
    found = modes(line.removeprefix("writable ") for line in lines)
    bad = [one.shown() for one in found if one.path.startswith(_SYSTEM)]
    return judgement(bad, [one.shown() for one in found if not one.path.startswith(_SYSTEM)], lines=lines)


PROBE = Probe(
    id="host.file_perms.world_writable",
    way="host.file_perms",
    source="linux",
    items=("8.1.4.2.e", "8.1.4.2.f"),
    reads=("scan",),
    title=Text("Files that everybody may write", "任何人可写的文件"),
    criterion=Text(
        "no file, and no folder without sticky bit, can be written by everybody",
        "没有任何人可写的文件，也没有缺粘滞位的可写目录",
    ),
    reproduce="find / -xdev -perm -0002 ! -type l ! -perm -1000",
    judge=_judge,
)
