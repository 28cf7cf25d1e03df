"""Windows events as winlogbeat writes them: one ECS JSON line, originals under ``winlog.event_data``."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime

from demo.city import DOMAIN, WINDOWS_DOMAIN, Host

SYSMON = ("Microsoft-Windows-Sysmon/Operational", "Microsoft-Windows-Sysmon", "sysmon")
SECURITY = ("Security", "Microsoft-Windows-Security-Auditing", "security")
SYSTEM = ("System", "Service Control Manager", "system")
POWERSHELL = ("Microsoft-Windows-PowerShell/Operational", "Microsoft-Windows-PowerShell", "powershell")
EVENTLOG = ("Security", "Microsoft-Windows-Eventlog", "security")


def event(moment: datetime, host: Host, log: tuple[str, str, str], event_id: int, fields: dict[str, str]) -> bytes:
    """One line. ``log``: channel, provider, winlogbeat module."""
    utc = moment.astimezone(UTC)
    channel, provider, module = log
    line = {
        "@timestamp": utc.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "agent": {"type": "winlogbeat", "name": host.name},
        "event": {"code": str(event_id), "kind": "event", "provider": provider, "module": module},
        "host": {"name": host.fqdn, "ip": [host.ip, host.ip6] if host.ip6 else [host.ip], "os": {"type": "windows"}},
        "winlog": {
            "channel": channel,
            "computer_name": host.fqdn,
            "event_id": str(event_id),
            "provider_name": provider,
            "record_id": str(int(utc.timestamp() * 1000) % 1_000_000_000),
            "event_data": fields,
        },
    }
    return json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode()


def account(user: str) -> str:
    """``LANTING\\user``; ``SYSTEM`` is the machine's own."""
    return "NT AUTHORITY\\SYSTEM" if user == "SYSTEM" else f"{WINDOWS_DOMAIN}\\{user}"


def process(
    moment: datetime,
    host: Host,
    user: str,
    image: str,
    command: str,
    parent: str,
    parent_command: str,
    pid: int,
    parent_pid: int | None = None,
) -> bytes:
    """Sysmon 1: a process was created. Hashes and GUIDs are derived from the names, so they stay the same in every run."""
    parent_pid = pid - 4 if parent_pid is None else parent_pid
    seed = hashlib.sha256(image.lower().encode()).hexdigest().upper()
    fields = {
        "RuleName": "-",
        "UtcTime": _utc(moment),
        "ProcessGuid": _guid(host.name, str(pid), image),
        "ProcessId": str(pid),
        "Image": image,
        "OriginalFileName": image.rsplit("\\", 1)[-1],
        "CommandLine": command,
        "CurrentDirectory": "C:\\Windows\\System32\\" if user == "SYSTEM" else f"C:\\Users\\{user}\\",
        "User": account(user),
        "IntegrityLevel": "System" if user == "SYSTEM" else "Medium",
        "Hashes": f"MD5={seed[:32]},SHA256={seed},IMPHASH={seed[32:]}",
        "ParentProcessGuid": _guid(host.name, str(parent_pid), parent),
        "ParentProcessId": str(parent_pid),
        "ParentImage": parent,
        "ParentCommandLine": parent_command,
        "ParentUser": account(user),
    }
    return event(moment, host, SYSMON, 1, fields)


def connection(moment: datetime, host: Host, user: str, image: str, pid: int, target: tuple[str, int], port: int) -> bytes:
    """Sysmon 3: a TCP connection; over IPv6 if the target's address is one."""
    ip6 = ":" in target[0]
    fields = {
        "UtcTime": _utc(moment),
        "ProcessGuid": _guid(host.name, str(pid), image),
        "ProcessId": str(pid),
        "Image": image,
        "User": account(user),
        "Protocol": "tcp",
        "Initiated": "true",
        "SourceIsIpv6": "true" if ip6 else "false",
        "SourceIp": host.ip6 if ip6 else host.ip,
        "SourceHostname": host.fqdn,
        "SourcePort": str(port),
        "DestinationIsIpv6": "true" if ip6 else "false",
        "DestinationIp": target[0],
        "DestinationPort": str(target[1]),
    }
    return event(moment, host, SYSMON, 3, fields)


def access(moment: datetime, host: Host, source: str, target: str, granted: str, pid: int, trace: str) -> bytes:
    """Sysmon 10: a process opened another one with the rights ``granted`` (hexadecimal mask)."""
    fields = {
        "UtcTime": _utc(moment),
        "SourceProcessGUID": _guid(host.name, str(pid), source),
        "SourceProcessId": str(pid),
        "SourceImage": source,
        "TargetProcessGUID": _guid(host.name, "712", target),
        "TargetProcessId": "712",
        "TargetImage": target,
        "GrantedAccess": granted,
        "CallTrace": trace,
    }
    return event(moment, host, SYSMON, 10, fields)


def file_created(moment: datetime, host: Host, user: str, image: str, path: str, pid: int) -> bytes:
    """Sysmon 11: a file was made."""
    fields = {
        "UtcTime": _utc(moment),
        "ProcessGuid": _guid(host.name, str(pid), image),
        "ProcessId": str(pid),
        "Image": image,
        "TargetFilename": path,
        "User": account(user),
    }
    return event(moment, host, SYSMON, 11, fields)


def dns(moment: datetime, host: Host, user: str, image: str, name: str, answer: str, pid: int) -> bytes:
    """Sysmon 22: a DNS question of a process."""
    fields = {
        "UtcTime": _utc(moment),
        "ProcessGuid": _guid(host.name, str(pid), image),
        "ProcessId": str(pid),
        "QueryName": name,
        "QueryStatus": "0",
        "QueryResults": f"{answer};",
        "Image": image,
        "User": account(user),
    }
    return event(moment, host, SYSMON, 22, fields)


def logon(moment: datetime, host: Host, user: str, logon_type: int, source: str, port: int) -> bytes:
    """Security 4624: a logon. Types: 2 at the keyboard, 3 network, 5 service, 10 remote desktop."""
    fields = {
        "SubjectUserName": f"{host.name}$",
        "SubjectDomainName": WINDOWS_DOMAIN,
        "TargetUserName": user,
        "TargetDomainName": WINDOWS_DOMAIN,
        "TargetLogonId": "0x" + _guid(host.name, user)[1:9],
        "LogonType": str(logon_type),
        "LogonProcessName": "Kerberos" if logon_type == 3 else "User32",
        "AuthenticationPackageName": "Kerberos" if logon_type == 3 else "Negotiate",
        "WorkstationName": "-" if logon_type == 3 else host.name,
        "IpAddress": source or "-",
        "IpPort": str(port) if port else "-",
        "ProcessName": "-" if logon_type == 3 else "C:\\Windows\\System32\\svchost.exe",
    }
    return event(moment, host, SECURITY, 4624, fields)


def logon_failed(moment: datetime, host: Host, user: str, source: str, port: int) -> bytes:
    """Security 4625: wrong password over the network (status 0xC000006A)."""
    fields = {
        "SubjectUserName": "-",
        "TargetUserName": user,
        "TargetDomainName": WINDOWS_DOMAIN,
        "Status": "0xc000006d",
        "SubStatus": "0xc000006a",
        "FailureReason": "%%2313",
        "LogonType": "3",
        "LogonProcessName": "NtLmSsp ",
        "AuthenticationPackageName": "NTLM",
        "WorkstationName": "-",
        "IpAddress": source,
        "IpPort": str(port),
    }
    return event(moment, host, SECURITY, 4625, fields)


def logoff(moment: datetime, host: Host, user: str, logon_type: int) -> bytes:
    """Security 4634: a logoff."""
    fields = {"TargetUserName": user, "TargetDomainName": WINDOWS_DOMAIN, "LogonType": str(logon_type)}
    return event(moment, host, SECURITY, 4634, fields)


def group_member_added(moment: datetime, host: Host, by: str, member: str) -> bytes:
    """Security 4732: somebody was put into the local Administrators group."""
    fields = {
        "MemberName": f"CN={member},OU=Staff,DC={DOMAIN.replace('.', ',DC=')}",
        "MemberSid": "S-1-5-21-1004336348-1177238915-682003330-1142",
        "TargetUserName": "Administrators",
        "TargetDomainName": "Builtin",
        "TargetSid": "S-1-5-32-544",
        "SubjectUserName": by,
        "SubjectDomainName": WINDOWS_DOMAIN,
    }
    return event(moment, host, SECURITY, 4732, fields)


def service_installed(moment: datetime, host: Host, name: str, path: str) -> bytes:
    """System 7045: a service was installed."""
    fields = {
        "ServiceName": name,
        "ImagePath": path,
        "ServiceType": "user mode service",
        "StartType": "demand start",
        "AccountName": "LocalSystem",
    }
    return event(moment, host, SYSTEM, 7045, fields)


def script_block(moment: datetime, host: Host, text: str) -> bytes:
    """PowerShell 4104: the text of a script block."""
    fields = {
        "MessageNumber": "1",
        "MessageTotal": "1",
        "ScriptBlockText": text,
        "ScriptBlockId": _guid(host.name, text),
        "Path": "",
    }
    return event(moment, host, POWERSHELL, 4104, fields)


def log_cleared(moment: datetime, host: Host, user: str) -> bytes:
    """Security 1102: the Security log was cleared."""
    fields = {"SubjectUserName": user, "SubjectDomainName": WINDOWS_DOMAIN, "SubjectLogonId": "0x3e7"}
    return event(moment, host, EVENTLOG, 1102, fields)


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def _guid(*parts: str) -> str:
    text = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    return f"{{{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:32]}}}"
