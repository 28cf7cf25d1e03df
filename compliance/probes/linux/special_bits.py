"""Programs that run with another's rights are those that are known."""

from __future__ import annotations

import re

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.scan import scan

_KNOWN = re.compile(
    r"(su|sudo|sudoedit|mount|umount|passwd|chsh|chfn|newgrp|gpasswd|pkexec|fusermount3?|ping6?|crontab|ssh-agent|ssh-keysign|chage|expiry"
    r"|dbus-daemon-launch-helper|polkit-agent-helper-1|polkit-mail-helper|unix_chkpwd|pam_timestamp_check|wall|write|bsd-write|at|bwrap"
    r"|usernetctl|utempter|postdrop|postqueue|dotlockfile|mlocate|plocate|locate|userhelper|grub2-set-bootflag|staprun|cockpit-session"
    r"|newuidmap|newgidmap|mount\.(nfs|cifs|ntfs|ntfs-3g)|ntfs-3g|snap-confine|Xorg\.wrap|mtr-packet|exim4|sg|chrome-sandbox|screen"
    r"|lockfile|vmware-user-suid-wrapper|netreport|traceroute6?(\.iputils)?|libgtop_server2|mail-lock|mail-unlock|mail-touchlock)",
    re.ASCII,
)
_SHELLS = re.compile(
    r"(ba|da|z|k|c|tc)?sh|find|vim?(\.\w+)?|nano|less|more|awk|gawk|mawk|perl[\d.]*|python[\d.]*|ruby|php[\d.]*|node|cp|mv|dd|tar|nmap|env|tee"
)


def _judge(facts: Facts) -> Judgement:
    said = scan(facts, "special")
    bad = [one.shown() for one in said.found if one.bits & 0o002 or _SHELLS.fullmatch(one.path.rpartition("/")[2])]
    weak = [one.shown() for one in said.found if one.shown() not in bad and not _KNOWN.fullmatch(one.path.rpartition("/")[2])]
    return judgement(bad, [*said.unseen, *weak], lines=said.lines)


PROBE = Probe(
    id="host.file_perms.special_bits",
    way="host.file_perms",
    source="linux",
    items=("8.1.4.2.d", "8.1.4.2.f"),
    reads=("scan",),
    title=Text("Programs with special bits", "带特殊权限位的程序"),
    criterion=Text(
        "SUID and SGID programs are those of a usual system; shells, editors and interpreters never; "
        "a file system that was not looked at is partly",
        "SUID、SGID 程序均为系统惯有；命令解释器、编辑器等不得带该权限位；有未检查的文件系统时为部分符合",
    ),
    to_be_confirmed=True,
    reproduce="find / -type f -perm /6000",
    judge=_judge,
)
