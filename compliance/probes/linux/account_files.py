"""Files of accounts and of access control belong to root and are not open."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats.modes import modes, too_open

_SECRET = ("/etc/shadow", "/etc/gshadow", "/etc/ssh/ssh_host_")
_QUIET = ("/etc/sudoers", "/boot/grub")


def _judge(facts: Facts) -> Judgement:
    found = modes(facts.listed("account-modes"))
    if not found:
        raise Unreadable("no file could be looked at", "没有可查看的文件")
    secret = [one for one in found if one.path.startswith(_SECRET)]
    bad = too_open(secret, 0o640)
    bad += [one.shown() for one in secret if one.bits & 0o040 and one.group not in ("root", "shadow", "ssh_keys", "_ssh")]
    bad += too_open([one for one in found if not one.path.startswith(_SECRET)], 0o755)
    weak = [text for text in too_open([one for one in found if one.path.startswith(_QUIET)], 0o640) if text not in bad]
    return judgement(dict.fromkeys(bad), weak)


PROBE = Probe(
    id="host.file_perms.account_files",
    way="host.file_perms",
    source="linux",
    items=("8.1.4.2.e", "8.1.4.2.f"),
    units=("6.3.3",),
    reads=("account-modes",),
    title=Text("Files of access control", "访问控制文件权限"),
    criterion=Text(
        "files of accounts and access control belong to root, others cannot write them, and secrets are read by root only",
        "账户与访问控制文件属主为 root、他人不可写，口令与密钥文件仅 root 可读",
    ),
    reproduce="stat -c '%a %U %G %n' /etc/passwd /etc/shadow /etc/sudoers /etc/ssh/ssh_host_*_key",
    judge=_judge,
)
