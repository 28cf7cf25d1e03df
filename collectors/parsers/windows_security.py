"""Windows Security, System and PowerShell events → ECS.

Meaning of the event ids: Microsoft, "Advanced security audit policy settings" and "Appendix L: Events to Monitor".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from collectors.parsers import fields as ecs
from collectors.parsers.windows_sysmon import put_registry
from kernel.event import Event

Fill = Callable[[Event, Mapping[str, Any]], None]


def subject(event: Event, data: Mapping[str, Any]) -> None:
    """Who did it, and with which process."""
    ecs.put(event, "user.name", data.get("SubjectUserName"))
    ecs.put(event, "user.domain", data.get("SubjectDomainName"))
    ecs.put(event, "user.id", data.get("SubjectUserSid"))
    _process(event, data.get("ProcessName"), data.get("ProcessId"))


def target(event: Event, data: Mapping[str, Any]) -> None:
    """The account that was logged on or off, or failed to."""
    ecs.put(event, "user.name", data.get("TargetUserName"))
    ecs.put(event, "user.domain", data.get("TargetDomainName"))
    ecs.put(event, "user.id", data.get("TargetUserSid") or data.get("TargetSid"))


def logon(event: Event, data: Mapping[str, Any]) -> None:
    """4624, 4625: logon; ``user`` is who logged on, ``source`` where from."""
    target(event, data)
    _process(event, data.get("ProcessName"), data.get("ProcessId"))
    _peer(event, data)
    ecs.put(event, "source.domain", data.get("WorkstationName"))
    reason = data.get("SubStatus")
    ecs.put(event, "event.reason", data.get("Status") if reason in (None, "0x0", "0x00000000") else reason)


def logon_success(event: Event, data: Mapping[str, Any]) -> None:
    """4624: as :func:`logon`, without a failure reason."""
    logon(event, data)
    event.pop("event.reason", None)


def explicit_logon(event: Event, data: Mapping[str, Any]) -> None:
    """4648: one account logs on with another's password."""
    subject(event, data)
    ecs.put(event, "user.target.name", data.get("TargetUserName"))
    ecs.put(event, "user.target.domain", data.get("TargetDomainName"))
    ecs.put(event, "destination.domain", data.get("TargetServerName"))
    _peer(event, data)


def kerberos(event: Event, data: Mapping[str, Any]) -> None:
    """4768, 4769, 4771, 4776: domain controller checks a password or gives a ticket; status 0x0 is success."""
    target(event, data)
    _peer(event, data)
    ecs.put(event, "source.domain", data.get("Workstation"))
    ecs.put(event, "service.name", data.get("ServiceName"))
    status = str(data.get("Status", "")).lower()
    if status:
        event["event.outcome"] = "success" if ecs.as_int(status) == 0 else "failure"
        if event["event.outcome"] == "failure":
            event["event.reason"] = status
            event["event.type"] = ["start", "denied"]


def started(event: Event, data: Mapping[str, Any]) -> None:
    """4688: process creation (its own parent naming: ProcessId is the creator)."""
    subject(event, {key: value for key, value in data.items() if key not in ("ProcessName", "ProcessId")})
    _process(event, data.get("NewProcessName"), data.get("NewProcessId"))
    ecs.put(event, "process.command_line", data.get("CommandLine"))
    ecs.put(event, "process.parent.pid", ecs.as_int(data.get("ProcessId")))
    parent = data.get("ParentProcessName")
    if isinstance(parent, str) and parent not in ecs.ABSENT:
        event["process.parent.executable"] = parent
        event["process.parent.name"] = ecs.split_windows_path(parent)
    ecs.put(event, "user.target.name", data.get("TargetUserName"))
    ecs.put(event, "user.target.domain", data.get("TargetDomainName"))


def ended(event: Event, data: Mapping[str, Any]) -> None:
    """4689: process ended."""
    subject(event, data)
    ecs.put(event, "process.exit_code", ecs.as_int(data.get("Status")))


def handle(event: Event, data: Mapping[str, Any]) -> None:
    """4656, 4658, 4660, 4663: access to an object (file, key, process, directory object)."""
    subject(event, data)
    name = data.get("ObjectName")
    if data.get("ObjectType") == "Key":
        put_registry(event, name, value_named=False)
        event["event.category"] = ["registry"]
    elif data.get("ObjectType") == "File":
        ecs.put_file(event, name)
        event["event.category"] = ["file"]


def registry_value(event: Event, data: Mapping[str, Any]) -> None:
    """4657: registry value changed."""
    subject(event, data)
    put_registry(event, data.get("ObjectName"), value_named=False)
    value = data.get("ObjectValueName")
    if isinstance(value, str) and value not in ecs.ABSENT and "registry.path" in event:
        event["registry.value"] = value
        event["registry.path"] += "\\" + value
    new = data.get("NewValue")
    if new not in (None, "", "-"):
        event["registry.data.strings"] = [str(new)]


def service(event: Event, data: Mapping[str, Any]) -> None:
    """4697 and System 7045: service installed."""
    subject(event, data)
    ecs.put(event, "service.name", data.get("ServiceName"))
    ecs.put(event, "process.command_line", data.get("ServiceFileName") or data.get("ImagePath"))
    account = data.get("ServiceAccount") or data.get("AccountName")
    ecs.put_account(event, "user.target", account)


def task(event: Event, data: Mapping[str, Any]) -> None:
    """4698 … 4702: scheduled task made, deleted, enabled, disabled, updated."""
    subject(event, data)
    ecs.put(event, "service.name", data.get("TaskName"))


def account(event: Event, data: Mapping[str, Any]) -> None:
    """4720 … 4767: an account was made or changed; ``user.target`` is that account."""
    subject(event, data)
    ecs.put(event, "user.target.name", data.get("TargetUserName"))
    ecs.put(event, "user.target.domain", data.get("TargetDomainName"))
    ecs.put(event, "user.target.id", data.get("TargetSid"))


def group(event: Event, data: Mapping[str, Any]) -> None:
    """4728, 4732, 4756 …: a member came into or left a group."""
    subject(event, data)
    ecs.put(event, "group.name", data.get("TargetUserName"))
    ecs.put(event, "group.domain", data.get("TargetDomainName"))
    ecs.put(event, "group.id", data.get("TargetSid"))
    member = data.get("MemberName")
    if isinstance(member, str) and member not in ecs.ABSENT:
        event["user.target.name"] = member.split(",", 1)[0].removeprefix("CN=").removeprefix("cn=")
    ecs.put(event, "user.target.id", data.get("MemberSid"))


def share(event: Event, data: Mapping[str, Any]) -> None:
    """5140, 5142 … 5145: network share seen, made or opened."""
    subject(event, data)
    _peer(event, data)
    ecs.put(event, "file.path", data.get("RelativeTargetName") or data.get("ShareLocalPath"))
    path = event.get("file.path")
    if isinstance(path, str):
        event["file.name"] = ecs.split_windows_path(path)


def filtering(event: Event, data: Mapping[str, Any]) -> None:
    """5152 … 5159: Windows Filtering Platform let through or blocked a connection or a bind."""
    _process(event, data.get("Application"), data.get("ProcessID") or data.get("ProcessId"))
    ecs.put_ip(event, "source", data.get("SourceAddress"))
    ecs.put_ip(event, "destination", data.get("DestAddress"))
    ecs.put_port(event, "source.port", data.get("SourcePort"))
    ecs.put_port(event, "destination.port", data.get("DestPort"))
    ecs.put(event, "network.transport", ecs.transport(data.get("Protocol")))
    direction = {"%%14592": "ingress", "%%14593": "egress"}.get(str(data.get("Direction")))
    ecs.put(event, "network.direction", direction)
    ecs.network_type(event)


def cleared(event: Event, data: Mapping[str, Any]) -> None:
    """1102 and System 104: a log was cleared."""
    subject(event, data)
    ecs.put(event, "user.name", data.get("SubjectUserName") or data.get("LogFileCleared.SubjectUserName"))
    ecs.put(event, "user.domain", data.get("SubjectDomainName") or data.get("LogFileCleared.SubjectDomainName"))
    ecs.put(event, "file.path", data.get("BackupPath"))


def script_block(event: Event, data: Mapping[str, Any]) -> None:
    """PowerShell 4104: the text of a script block."""
    ecs.put(event, "powershell.file.script_block_text", data.get("ScriptBlockText"))
    ecs.put(event, "powershell.file.script_block_id", data.get("ScriptBlockId"))
    ecs.put(event, "powershell.sequence", ecs.as_int(data.get("MessageNumber")))
    ecs.put(event, "powershell.total", ecs.as_int(data.get("MessageTotal")))
    ecs.put_file(event, data.get("Path"))


def pipeline(event: Event, data: Mapping[str, Any]) -> None:
    """PowerShell 4103 (module logging): ``ContextInfo`` carries ``Host Application = …``, ``User = …`` lines."""
    context = data.get("ContextInfo")
    if not isinstance(context, str):
        return
    pairs = (line.partition("=") for line in context.splitlines())
    known = {key.strip(): value.strip() for key, separator, value in pairs if separator}
    ecs.put(event, "process.command_line", known.get("Host Application"))
    ecs.put(event, "powershell.command.name", known.get("Command Name"))
    ecs.put_account(event, "user", known.get("User"))


SECURITY: dict[int, tuple[str, str, str, str, Fill]] = {
    1100: ("process", "end", "event-logging-shut-down", "", subject),
    1102: ("iam", "deletion", "audit-log-cleared", "success", cleared),
    4624: ("authentication", "start", "logged-in", "success", logon_success),
    4625: ("authentication", "start", "logon-failed", "failure", logon),
    4634: ("authentication", "end", "logged-out", "success", target),
    4647: ("authentication", "end", "logged-out", "success", target),
    4648: ("authentication", "start", "logged-in-explicit", "success", explicit_logon),
    4656: ("iam", "access", "handle-requested", "", handle),
    4657: ("registry", "change", "registry-value-set", "success", registry_value),
    4658: ("iam", "info", "handle-closed", "", handle),
    4660: ("iam", "deletion", "object-deleted", "success", handle),
    4661: ("iam", "access", "handle-requested", "", handle),
    4662: ("iam", "access", "directory-object-operation", "", handle),
    4663: ("iam", "access", "object-accessed", "success", handle),
    4672: ("iam", "admin", "logged-in-special", "success", subject),
    4673: ("iam", "admin", "privileged-service-called", "", subject),
    4674: ("iam", "admin", "privileged-object-operation", "", handle),
    4688: ("process", "start", "created-process", "success", started),
    4689: ("process", "end", "exited-process", "success", ended),
    4697: ("configuration", "creation", "service-installed", "success", service),
    4698: ("configuration", "creation", "scheduled-task-created", "success", task),
    4699: ("configuration", "deletion", "scheduled-task-deleted", "success", task),
    4700: ("configuration", "change", "scheduled-task-enabled", "success", task),
    4701: ("configuration", "change", "scheduled-task-disabled", "success", task),
    4702: ("configuration", "change", "scheduled-task-updated", "success", task),
    4703: ("iam", "change", "token-right-adjusted", "success", subject),
    4719: ("configuration", "change", "audit-policy-changed", "success", subject),
    4720: ("iam", "creation", "added-user-account", "success", account),
    4722: ("iam", "change", "enabled-user-account", "success", account),
    4723: ("iam", "change", "changed-password", "", account),
    4724: ("iam", "change", "reset-password", "", account),
    4725: ("iam", "change", "disabled-user-account", "success", account),
    4726: ("iam", "deletion", "deleted-user-account", "success", account),
    4728: ("iam", "change", "added-member-to-group", "success", group),
    4729: ("iam", "change", "removed-member-from-group", "success", group),
    4732: ("iam", "change", "added-member-to-group", "success", group),
    4733: ("iam", "change", "removed-member-from-group", "success", group),
    4738: ("iam", "change", "modified-user-account", "success", account),
    4740: ("iam", "change", "locked-out-user-account", "success", account),
    4742: ("iam", "change", "changed-computer-account", "success", account),
    4756: ("iam", "change", "added-member-to-group", "success", group),
    4757: ("iam", "change", "removed-member-from-group", "success", group),
    4767: ("iam", "change", "unlocked-user-account", "success", account),
    4768: ("authentication", "start", "kerberos-authentication-ticket-requested", "", kerberos),
    4769: ("authentication", "start", "kerberos-service-ticket-requested", "", kerberos),
    4770: ("authentication", "start", "kerberos-service-ticket-renewed", "success", kerberos),
    4771: ("authentication", "start", "kerberos-preauth-failed", "failure", kerberos),
    4776: ("authentication", "start", "credential-validated", "", kerberos),
    4798: ("iam", "info", "group-membership-enumerated", "success", account),
    4799: ("iam", "info", "group-membership-enumerated", "success", group),
    5136: ("iam", "change", "directory-object-modified", "success", subject),
    5140: ("file", "access", "network-share-accessed", "", share),
    5142: ("configuration", "creation", "network-share-added", "success", share),
    5145: ("file", "access", "network-share-object-checked", "", share),
    5152: ("network", "denied", "packet-blocked", "failure", filtering),
    5154: ("network", "start", "listen-permitted", "success", filtering),
    5156: ("network", "connection", "connection-permitted", "success", filtering),
    5157: ("network", "denied", "connection-blocked", "failure", filtering),
    5158: ("network", "start", "bind-permitted", "success", filtering),
}
"""Security: event id → ``event.category``, ``event.type``, ``event.action``, ``event.outcome`` ("" = unknown), what fills the rest.
"""

SYSTEM: dict[int, tuple[str, str, str, str, Fill]] = {
    104: ("iam", "deletion", "log-cleared", "success", cleared),
    7036: ("host", "info", "service-state-changed", "", service),
    7040: ("configuration", "change", "service-start-type-changed", "", service),
    7045: ("configuration", "creation", "service-installed", "success", service),
}
POWERSHELL: dict[int, tuple[str, str, str, str, Fill]] = {
    4103: ("process", "info", "powershell-pipeline", "", pipeline),
    4104: ("process", "info", "powershell-script-block", "", script_block),
}


def _process(event: Event, name: Any, pid: Any) -> None:
    if isinstance(name, str) and name not in ecs.ABSENT:
        event["process.executable"] = name
        event["process.name"] = ecs.split_windows_path(name)
    number = ecs.as_int(pid)
    if number:
        event["process.pid"] = number


def _peer(event: Event, data: Mapping[str, Any]) -> None:
    ecs.put_ip(event, "source", data.get("IpAddress"))
    ecs.put_port(event, "source.port", data.get("IpPort"))
    ecs.network_type(event)
