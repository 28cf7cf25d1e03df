"""Two Windows hosts as they are exported: a hardened server and a neglected one, in the formats and encodings of its own tools.

The shapes of the files follow secedit ([MS-GPSB] 2.2), auditpol (subcategories of [MS-GPAC] 2.2.1.2) and reg export; the hosts are
made up.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

NOW = 1_800_000_000
DAY = 86_400
ADMINISTRATORS = "*S-1-5-32-544"

_INF = """[Unicode]
Unicode=yes
[System Access]
{access}
[Event Audit]
AuditSystemEvents = 0
[Registry Values]
{values}
[Privilege Rights]
{rights}
[Version]
signature="$CHICAGO$"
Revision=1
"""
HARD_POLICY = _INF.format(
    access="""MinimumPasswordAge = 1
MaximumPasswordAge = 90
MinimumPasswordLength = 10
PasswordComplexity = 1
PasswordHistorySize = 12
LockoutBadCount = 5
ResetLockoutCount = 15
LockoutDuration = 15
AllowAdministratorLockout = 1
RequireLogonToChangePassword = 0
ForceLogoffWhenHourExpire = 0
NewAdministratorName = "waterops"
NewGuestName = "Guest"
ClearTextPassword = 0
LSAAnonymousNameLookup = 0
EnableAdminAccount = 1
EnableGuestAccount = 0""",
    values="MACHINE\\System\\CurrentControlSet\\Control\\Lsa\\LimitBlankPasswordUse=4,1",
    rights=f"""SeNetworkLogonRight = {ADMINISTRATORS},*S-1-5-11
SeBackupPrivilege = {ADMINISTRATORS}
SeRemoteShutdownPrivilege = {ADMINISTRATORS}
SeAuditPrivilege = *S-1-5-19,*S-1-5-20
SeSecurityPrivilege = {ADMINISTRATORS}
SeTakeOwnershipPrivilege = {ADMINISTRATORS}
SeRemoteInteractiveLogonRight = {ADMINISTRATORS},*S-1-5-32-555""",
)
WEAK_POLICY = _INF.format(
    access="""MinimumPasswordAge = 0
MaximumPasswordAge = -1
MinimumPasswordLength = 0
PasswordComplexity = 0
PasswordHistorySize = 0
LockoutBadCount = 0
NewAdministratorName = "Administrator"
ClearTextPassword = 1
LSAAnonymousNameLookup = 1
EnableAdminAccount = 1
EnableGuestAccount = 1""",
    values="MACHINE\\System\\CurrentControlSet\\Control\\Lsa\\NoLMHash=4,0",
    rights="SeNetworkLogonRight = *S-1-1-0\nSeRemoteShutdownPrivilege = *S-1-1-0\nSeSecurityPrivilege = *S-1-5-32-544,Operator\n"
    "SeDebugPrivilege = *S-1-5-32-545",
)

_SUBCATEGORIES = {
    "0CCE9210": ("Security State Change", "安全状态更改"),
    "0CCE9211": ("Security System Extension", "安全系统扩展"),
    "0CCE9212": ("System Integrity", "系统完整性"),
    "0CCE9215": ("Logon", "登录"),
    "0CCE9216": ("Logoff", "注销"),
    "0CCE9217": ("Account Lockout", "帐户锁定"),
    "0CCE921B": ("Special Logon", "特殊登录"),
    "0CCE9228": ("Sensitive Privilege Use", "敏感权限使用"),
    "0CCE922B": ("Process Creation", "进程创建"),
    "0CCE922F": ("Audit Policy Change", "审核策略更改"),
    "0CCE9230": ("Authentication Policy Change", "身份验证策略更改"),
    "0CCE9235": ("User Account Management", "用户帐户管理"),
    "0CCE9237": ("Security Group Management", "安全组管理"),
    "0CCE923F": ("Credential Validation", "凭据验证"),
}
_GUID = "{%s-69AE-11D9-BED3-505054503030}"


def audit_english(word: str = "Success and Failure", **others: str) -> str:
    """Of an English Windows; ``others``: settings by the first digits of the GUID, after an underscore."""
    head = "\nMachine Name,Policy Target,Subcategory,Subcategory GUID,Inclusion Setting,Exclusion Setting\n"
    return head + "".join(
        f"WATER-1,System,{names[0]},{_GUID % guid},{others.get(f'_{guid}', word)},\n" for guid, names in _SUBCATEGORIES.items()
    )


def audit_chinese(word: str = "成功和失败", **others: str) -> str:
    """Of a Chinese Windows."""
    head = "计算机名,策略目标,子类别,子类别 GUID,包含设置,排除设置\n"
    return head + "".join(
        f"WATER-2,System,{names[1]},{_GUID % guid},{others.get(f'_{guid}', word)},\n" for guid, names in _SUBCATEGORIES.items()
    )


def audit_backup(value: int) -> str:
    """As ``auditpol /backup`` writes it: options follow, and the setting is a number, too."""
    head = "Machine Name,Policy Target,Subcategory,Subcategory GUID,Inclusion Setting,Exclusion Setting,Setting Value\n"
    rows = "".join(f"WATER-1,System,{names[0]},{_GUID % guid},表記,,{value}\n" for guid, names in _SUBCATEGORIES.items())
    return head + rows + "WATER-1,,Option:CrashOnAuditFail,,Disabled,,0\n"


HARD_REGISTRY = """Windows Registry Editor Version 5.00

[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\Lsa]
"LmCompatibilityLevel"=dword:00000005
"NoLMHash"=dword:00000001
"RestrictAnonymous"=dword:00000001
"RestrictAnonymousSAM"=dword:00000001
"Security Packages"=hex(7):22,00,22,00,\\
  00,00

[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Memory Management]
"ClearPageFileAtShutdown"=dword:00000001

[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Policies\\System]
"dontdisplaylastusername"=dword:00000001
"InactivityTimeoutSecs"=dword:00000384
"EnableLUA"=dword:00000001

[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\Terminal Server]
"fDenyTSConnections"=dword:00000000

[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\Terminal Server\\WinStations\\RDP-Tcp]
"UserAuthentication"=dword:00000001
"SecurityLayer"=dword:00000002
"MinEncryptionLevel"=dword:00000003
"PortNumber"=dword:00000d3d

[HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\Microsoft\\Windows NT\\Terminal Services]
"MaxIdleTime"=dword:000dbba0

[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\W32Time\\Parameters]
"NtpServer"="ntp1.water.example.cn,0x8 10.1.1.7,0x8"
"Type"="NTP"

[HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\Microsoft\\Windows\\EventLog\\EventForwarding\\SubscriptionManager]
"1"="Server=https://wec.water.example.cn:5986/wsman/SubscriptionManager/WEC,Refresh=60"

[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\Winlogon]
"DefaultPassword"="Mi-Ma-2026!"
"""
WEAK_REGISTRY = """Windows Registry Editor Version 5.00

[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet]

[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\Lsa]
"LmCompatibilityLevel"=dword:00000001
"LimitBlankPasswordUse"=dword:00000000
"RestrictAnonymousSAM"=dword:00000000

[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\Terminal Server]
"fDenyTSConnections"=dword:00000000

[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\Terminal Server\\WinStations\\RDP-Tcp]
"UserAuthentication"=dword:00000000
"SecurityLayer"=dword:00000000
"MinEncryptionLevel"=dword:00000001

[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\W32Time\\Parameters]
"Type"="NoSync"

[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Policies\\System]
"EnableLUA"=dword:00000000

[HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies]
"""


def _account(name: str, number: int, **others: Any) -> dict[str, Any]:
    return {
        "name": name, "sid": f"S-1-5-21-1-2-3-{number}", "enabled": True, "password_required": True, "password_expires": True,
        "last_logon": NOW - DAY, "password_set": NOW - 20 * DAY, **others,
    }  # fmt: skip


def _service(name: str, state: str = "Running", start: str = "Auto") -> dict[str, str]:
    return {"name": name, "state": state, "start": start}


def _log(name: str, most: int, days: int, mode: str = "Circular") -> dict[str, Any]:
    return {"name": name, "enabled": True, "most": most, "mode": mode, "oldest": NOW - days * DAY}


HARD: dict[str, list[Any]] = {
    "system": [{"name": "WATER-1", "caption": "Microsoft Windows Server 2022", "build": "20348", "role": 3, "now": NOW}],
    "services": [_service("EventLog"), _service("W32Time"), _service("Spooler", "Stopped", "Disabled"), _service("TermService")],
    "shares": [
        {"name": "IPC$", "path": "", "is_special": True, "grants": []},
        {"name": "plans", "path": "D:\\plans", "is_special": False, "grants": [{"who": "S-1-5-21-1-2-3-1100", "right": "Change"}]},
    ],
    "smb": [{"version_1": False, "signing": True}],
    "listeners": [
        {"protocol": "tcp", "address": "127.0.0.1", "port": 445, "program": "System"},
        {"protocol": "tcp", "address": "0.0.0.0", "port": 8443, "program": "scada"},
    ],
    "hotfixes": [{"id": "KB1", "at": NOW - 400 * DAY}, {"id": "KB2", "at": NOW - 20 * DAY}, {"id": "KB3", "at": None}],
    "defender": [{"enabled": True, "realtime": True, "signatures": NOW - 2 * DAY}],
    "firewall": [{"name": name, "enabled": True, "inbound": "Block"} for name in ("Domain", "Private", "Public")],
    "port-rules": [{"name": "RDP", "ports": ["3389"], "sources": ["10.9.0.0/255.255.255.0"]}],
    "accounts": [
        _account("waterops", 500), _account("Guest", 501, enabled=False, password_required=False, last_logon=None),
        _account("chen", 1001),
    ],
    "administrators": [{"name": "WATER-1\\waterops", "sid": "S-1-5-21-1-2-3-500"}],
    "volumes": [{"mount": "C:", "protected": True, "percent": 100}],
    "logs": [_log("Security", 256 << 20, 200), _log("System", 64 << 20, 300), _log("Application", 64 << 20, 181)],
}  # fmt: skip
WEAK: dict[str, list[Any]] = {
    "system": [{"name": "WATER-2", "caption": "Microsoft Windows Server 2012 R2", "build": "9600", "role": 3, "now": NOW}],
    "services": [_service("EventLog", "Stopped", "Disabled"), _service("TlntSvr"), _service("RemoteRegistry"), _service("Spooler")],
    "shares": [
        {"name": "C$", "path": "C:\\", "is_special": True, "grants": []},
        {"name": "ADMIN$", "path": "C:\\Windows", "is_special": True, "grants": []},
        {"name": "all", "path": "D:\\", "is_special": False, "grants": [{"who": "S-1-1-0", "right": "Full"}]},
    ],
    "smb": [{"version_1": True, "signing": False}],
    "listeners": [
        {"protocol": "tcp", "address": "0.0.0.0", "port": 23, "program": "tlntsvr"},
        {"protocol": "tcp", "address": "::", "port": 445, "program": "System"},
    ],
    "hotfixes": [{"id": "KB1", "at": NOW - 700 * DAY}],
    "defender": [{"enabled": True, "realtime": False, "signatures": NOW - 90 * DAY}],
    "firewall": [{"name": "Domain", "enabled": False, "inbound": "Block"}, {"name": "Public", "enabled": True, "inbound": "Allow"}],
    "port-rules": [{"name": "RDP", "ports": ["3389"], "sources": ["Any"]}],
    "accounts": [
        _account("Administrator", 500, password_required=False, password_expires=False),
        _account("Guest", 501, password_required=False), _account("old", 1002, last_logon=None, password_set=NOW - 900 * DAY),
    ],
    "administrators": [{"name": "BUILTIN\\Users", "sid": "S-1-5-32-545"}],
    "volumes": [{"mount": "C:", "protected": False, "percent": 0}],
    "logs": [{**_log("Security", 20 << 20, 3), "enabled": False}, _log("System", 20 << 20, 9), _log("Application", 20 << 20, 9)],
}  # fmt: skip


def answer(rows: dict[str, list[Any]], **problems: str) -> str:
    """What the export script prints."""
    said: dict[str, Any] = {"liandun": "windows-export", "version": 1}
    said |= {name: {"rows": found} for name, found in rows.items()}
    return json.dumps(said | {name: {"problem": why} for name, why in problems.items()}, ensure_ascii=False)


def export(folder: Path, rows: dict[str, list[Any]], policy: str, audit: str, registry: str, encoding: str) -> Path:
    """A folder as people bring it. ``encoding``: of what > in a console has written."""
    folder.mkdir()
    (folder / "secpol.inf").write_bytes(b"\xff\xfe" + policy.replace("\n", "\r\n").encode("utf-16-le"))
    (folder / "audit.csv").write_bytes(audit.replace("\n", "\r\n").encode(encoding))
    (folder / "hklm.reg").write_bytes(b"\xff\xfe" + registry.replace("\n", "\r\n").encode("utf-16-le"))
    (folder / "host.json").write_bytes(b"\xff\xfe" + answer(rows, products="Invalid namespace").encode("utf-16-le"))
    (folder / "readme.txt").write_text("how this was made")
    return folder


def hard(folder: Path) -> Path:
    """The hardened server, an English Windows."""
    return export(folder, HARD, HARD_POLICY, audit_english(), HARD_REGISTRY, "utf-8")


def weak(folder: Path) -> Path:
    """The neglected server, a Chinese Windows."""
    return export(folder, WEAK, WEAK_POLICY, audit_chinese("无审核"), WEAK_REGISTRY, "gb18030")
