"""The oldest protocol for shares is off."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats.registry_file import SERVER, set_number
from compliance.probes.formats.windows import Smb, one


def _judge(facts: Facts) -> Judgement:
    if facts.is_read("smb"):
        found = one(facts, "smb", Smb)
        old, signing = found.version_1, found.signing
    else:
        old, signing = set_number(facts, SERVER, "SMB1", -1) != 0, set_number(facts, SERVER, "RequireSecuritySignature", 0) == 1
        if old and set_number(facts, SERVER, "SMB1", -1) == -1:
            raise Unreadable("the registry does not say whether SMB 1 is installed", "注册表未说明 SMB 1 是否安装")
    weak = [Text("signing is not required", "未强制签名")] if not signing else []
    return judgement(["SMB 1"] if old else [], weak, ["SMB 2, 3"])


PROBE = Probe(
    id="windows.services.smb_version",
    way="host.services",
    source="windows",
    items=("8.1.4.4.b",),
    reads=("smb", "registry", "policy"),
    title=Text("SMB 1", "SMB 1 协议"),
    criterion=Text("SMB 1 is off, and signing is required", "已停用 SMB 1 并强制 SMB 签名"),
    to_be_confirmed=True,
    reproduce="Get-SmbServerConfiguration | Select EnableSMB1Protocol, RequireSecuritySignature",
    judge=_judge,
)
