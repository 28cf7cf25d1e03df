"""Nothing is shared with everybody."""

from __future__ import annotations

import re

from compliance.probes.contract import Judgement, Probe, Text, judgement, not_applicable
from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats.keyed import uncommented


def _judge(facts: Facts) -> Judgement:
    files = facts.files("shares")
    for path in ("/etc/exports", "/etc/samba/smb.conf"):
        if path not in files and not facts.are_gone("shares", path):
            raise Unreadable(f"{path} was not read", f"未读到 {path}")
    exports = [line for path, text in files.items() if "exports" in path for line in uncommented(text)]
    samba = [line for path, text in files.items() if path.endswith("smb.conf") for line in uncommented(text) if line[0] != ";"]
    shares = [
        line
        for line in samba
        if re.fullmatch(r"\[.+\]", line) and line.lower() not in ("[global]", "[printers]", "[print$]", "[homes]")
    ]
    if not exports and not shares:
        return (
            not_applicable(Text("nothing is shared", "没有共享")) if not samba else judgement(good=[Text("no share", "没有共享")])
        )
    bad = [line for line in exports if re.search(r"\s\*|^\S+\s*(\(|$)|no_root_squash", line)]
    bad += [line for line in samba if re.match(r"(guest ok|public)\s*=\s*yes", line, re.IGNORECASE)]
    return judgement(bad, good=[*exports, *shares])


PROBE = Probe(
    id="host.services.shares",
    way="host.services",
    source="linux",
    items=("8.1.4.4.b",),
    reads=("shares",),
    title=Text("Shares", "共享"),
    criterion=Text("NFS and SMB shares are for named hosts and accounts", "NFS、SMB 共享仅对指定主机与账户开放"),
    reproduce="cat /etc/exports /etc/samba/smb.conf",
    judge=_judge,
)
