"""Nothing on the host can be written by everybody."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.scan import scan

_SYSTEM = ("/etc/", "/usr/", "/bin/", "/sbin/", "/lib/", "/lib64/", "/boot/", "/root/", "/opt/", "/var/spool/", "/var/log/")


def _judge(facts: Facts) -> Judgement:
    said = scan(facts, "writable")
    bad = [one.shown() for one in said.found if one.path.startswith(_SYSTEM)]
    weak = [one.shown() for one in said.found if not one.path.startswith(_SYSTEM)]
    return judgement(bad, [*said.unseen, *weak], lines=said.lines)


PROBE = Probe(
    id="host.file_perms.world_writable",
    way="host.file_perms",
    source="linux",
    items=("8.1.4.2.e", "8.1.4.2.f"),
    reads=("scan",),
    title=Text("Files that everybody may write", "任何人可写的文件"),
    criterion=Text(
        "no file, and no folder without sticky bit, can be written by everybody; a file system that was not looked at is partly",
        "没有任何人可写的文件，也没有缺粘滞位的可写目录；有未检查的文件系统时为部分符合",
    ),
    reproduce="find / -perm -0002 ! -type l ! -perm -1000",
    judge=_judge,
)
