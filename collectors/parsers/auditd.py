"""Linux audit records → ECS. Originals stay under ``auditd.<key>``.

Format: Linux Audit documentation, "audit event field dictionary" and ausearch(8): ``key=value``; a value that has blanks, quotes or
control characters is written as hexadecimal without quotes. One record is one event; records of one system call share
``event.sequence``.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from typing import Final

from collectors.parsers import clock
from collectors.parsers import fields as ecs
from collectors.parsers.text import decode, where
from kernel.errors import ParseError
from kernel.event import Event
from kernel.record import RawRecord

_HEAD = re.compile(r"(?:node=(\S+) )?(?:type=(\S+) )?(?:msg=)?audit\((\d+(?:\.\d+)?):(\d+)\):\s?")
_PAIR = re.compile(r"(?<![\w-])([A-Za-z_][\w-]*+(?:\[\d+\])?)=(\"[^\"]*\"|'[^']*'|\{[^}]*\}|[^\s\x1d]*)")
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+$")
_UNTRUSTED: Final = frozenset(
    {"proctitle", "cmd", "comm", "exe", "name", "cwd", "path", "data", "acct", "key", "sw", "file", "dir", "vm"}
)
"""Fields that audit_log_untrustedstring() writes: hexadecimal if they are not plain."""
_ARGUMENT = re.compile(r"a(\d+)(?:\[(\d+)\])?$")

_NAMES: Final = {
    # name: number on x86-64, number in the generic table (None: it has no such call)
    "accept": (43, 202), "accept4": (288, 242), "adjtimex": (159, 171), "bind": (49, 200), "bpf": (321, 280), "chmod": (90, None),
    "chown": (92, None), "chroot": (161, 51), "clock_settime": (227, 112), "clone": (56, 220), "clone3": (435, 435),
    "connect": (42, 203), "creat": (85, None), "delete_module": (176, 106), "execve": (59, 221), "execveat": (322, 281),
    "fchmod": (91, 52), "fchmodat": (268, 53), "fchown": (93, 55), "fchownat": (260, 54), "finit_module": (313, 273),
    "fork": (57, None), "ftruncate": (77, 46), "init_module": (175, 105), "io_uring_setup": (425, 425), "kill": (62, 129),
    "link": (86, None), "linkat": (265, 37), "listen": (50, 201), "memfd_create": (319, 279), "mkdir": (83, None),
    "mkdirat": (258, 34), "mknod": (133, None), "mknodat": (259, 33), "mount": (165, 40), "open": (2, None), "openat": (257, 56),
    "openat2": (437, 437), "perf_event_open": (298, 241), "personality": (135, 92), "prctl": (157, 167),
    "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "ptrace": (101, 117), "rename": (82, None),
    "renameat": (264, 38), "renameat2": (316, 276), "rmdir": (84, None), "sendto": (44, 206), "setgid": (106, 144),
    "sethostname": (170, 161), "setns": (308, 268), "setresuid": (117, 147), "setreuid": (113, 145), "settimeofday": (164, 170),
    "setuid": (105, 146), "setxattr": (188, 5), "socket": (41, 198), "symlink": (88, None), "symlinkat": (266, 36),
    "sysinfo": (99, 179), "syslog": (103, 116), "truncate": (76, 45), "umount2": (166, 39), "uname": (63, 160),
    "unlink": (87, None), "unlinkat": (263, 35), "unshare": (272, 97), "userfaultfd": (323, 282), "vfork": (58, None),
}  # fmt: skip
"""System calls that rules ask for by name (Linux arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h)."""
_GENERIC: Final = ("c00000b7", "c0000102", "c00000f3")
"""AUDIT_ARCH of AArch64, LoongArch64 and RISC-V 64, which share one table."""
_SYSCALLS: Final = {("c000003e", str(numbers[0])): name for name, numbers in _NAMES.items()} | {
    (arch, str(numbers[1])): name for arch in _GENERIC for name, numbers in _NAMES.items() if numbers[1] is not None
}
_KINDS: Final = {
    # record type: event.category, event.type
    "SYSCALL": ("process", "info"),
    "EXECVE": ("process", "start"),
    "PROCTITLE": ("process", "info"),
    "PATH": ("file", "access"),
    "CWD": ("process", "info"),
    "SOCKADDR": ("network", "connection"),
    "USER_LOGIN": ("authentication", "start"),
    "USER_AUTH": ("authentication", "start"),
    "USER_ACCT": ("authentication", "info"),
    "USER_ERR": ("authentication", "error"),
    "USER_START": ("session", "start"),
    "USER_END": ("session", "end"),
    "USER_LOGOUT": ("session", "end"),
    "CRED_ACQ": ("authentication", "info"),
    "CRED_DISP": ("authentication", "info"),
    "USER_CMD": ("process", "start"),
    "USER_CHAUTHTOK": ("iam", "change"),
    "ADD_USER": ("iam", "creation"),
    "ADD_GROUP": ("iam", "creation"),
    "DEL_USER": ("iam", "deletion"),
    "DEL_GROUP": ("iam", "deletion"),
    "SERVICE_START": ("host", "start"),
    "SERVICE_STOP": ("host", "end"),
    "CONFIG_CHANGE": ("configuration", "change"),
    "KERN_MODULE": ("driver", "start"),
    "AVC": ("host", "denied"),
    "ANOM_PROMISCUOUS": ("network", "change"),
    "ANOM_ABEND": ("process", "error"),
}


def looks_like(text: str) -> bool:
    """True if the text starts an audit record."""
    return _HEAD.match(text) is not None


def parse(record: RawRecord) -> list[Event]:
    """One audit record; raises ParseError if its head is missing."""
    text = decode(record.raw).strip("\r\n\0 ")
    event: Event = {"event.kind": "event", "event.original": text}
    if not fill(event, text):
        raise ParseError(f"no audit record at {where(record)}", "expected type=… msg=audit(seconds:serial): key=value …")
    return [ecs.relate(event)]


def fill(event: Event, text: str, kind: str = "") -> bool:
    """Fill the event from an audit line (also one carried in syslog); False if it is none."""
    head = _HEAD.match(text)
    if head is None:
        return False
    kind = head[2] or kind or "UNKNOWN"
    ecs.put(event, "host.name", head[1])
    ecs.put(event, "@timestamp", clock.epoch(head[3]))
    event["event.sequence"] = int(head[4])
    event["event.dataset"] = "linux.auditd"
    event["event.module"] = "auditd"
    event["host.os.type"] = "linux"
    event["event.action"] = kind.lower()
    event["auditd.type"] = kind
    category, action = _KINDS.get(kind, ("host", "info"))
    event["event.category"], event["event.type"] = [category], [action]
    pairs = _pairs(text[head.end() :], kind)
    for key, value in pairs.items():
        event[f"auditd.{key}"] = value
    _process(event, pairs)
    special = _SPECIAL.get(kind)
    if special is not None:
        special(event, pairs)
    return True


def _pairs(text: str, kind: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for key, value in _PAIR.findall(text):
        if value.startswith("'"):
            pairs.update(_pairs(value[1:-1], kind))
        elif value.startswith('"'):
            pairs[key] = value[1:-1]
        elif (key in _UNTRUSTED or (kind == "EXECVE" and _ARGUMENT.match(key))) and len(value) >= 2 and _HEX.match(value):
            pairs[key] = decode(bytes.fromhex(value)).replace("\0", " ").rstrip()
        else:
            pairs[key] = value
    return pairs


def _process(event: Event, pairs: dict[str, str]) -> None:
    ecs.put(event, "process.pid", ecs.as_int(pairs.get("pid", "")))
    ecs.put(event, "process.parent.pid", ecs.as_int(pairs.get("ppid", "")))
    ecs.put(event, "process.executable", pairs.get("exe"))
    ecs.put(event, "process.name", pairs.get("comm") or ecs.split_windows_path(pairs.get("exe", "")))
    ecs.put(event, "user.id", pairs.get("UID") or pairs.get("uid"))
    ecs.put(event, "user.name", pairs.get("acct") or pairs.get("UID"))
    ecs.put(event, "user.audit.id", pairs.get("auid"))
    ecs.put(event, "process.working_directory", pairs.get("cwd"))
    result = pairs.get("success") or pairs.get("res") or pairs.get("result")
    if result:
        event["event.outcome"] = "success" if result in ("yes", "success", "1") else "failure"
    address = pairs.get("addr")
    if address and address != "?":
        ecs.put_ip(event, "source", address)
        ecs.network_type(event)
    if pairs.get("hostname") not in (None, "?", pairs.get("addr")):
        ecs.put_ip(event, "source", pairs["hostname"]) if "source.ip" not in event else ecs.put(
            event, "source.domain", pairs["hostname"]
        )


def _syscall(event: Event, pairs: dict[str, str]) -> None:
    name = pairs.get("SYSCALL") or _SYSCALLS.get((pairs.get("arch", ""), pairs.get("syscall", "")))
    if name:
        event["event.action"] = name
        event["auditd.SYSCALL"] = name
        if name.startswith("execve"):
            event["event.type"] = ["start"]


def _execve(event: Event, pairs: dict[str, str]) -> None:
    arguments: dict[int, list[tuple[int, str]]] = {}
    for key, value in pairs.items():
        match = _ARGUMENT.match(key)
        if match is not None:
            arguments.setdefault(int(match[1]), []).append((int(match[2] or 0), value))
    words = ["".join(part for _, part in sorted(arguments[number])) for number in sorted(arguments)]
    if words:
        # what the record tells of the program's path: all of it, or only its name
        event["auditd.image"] = words[0] if "/" in words[0] else f"/{words[0]}"
        event["process.args"] = words
        event["process.command_line"] = " ".join(words)
        event["event.action"] = "execve"
        event.setdefault("process.name", ecs.split_windows_path(words[0]))


def _title(event: Event, pairs: dict[str, str]) -> None:
    ecs.put(event, "process.title", pairs.get("proctitle"))
    ecs.put(event, "process.command_line", pairs.get("proctitle"))


def _path(event: Event, pairs: dict[str, str]) -> None:
    ecs.put_file(event, pairs.get("name"))
    kind = {"CREATE": "creation", "DELETE": "deletion"}.get(pairs.get("nametype", ""))
    if kind:
        event["event.type"] = [kind]


def _command(event: Event, pairs: dict[str, str]) -> None:
    ecs.put(event, "process.command_line", pairs.get("cmd"))


def _address(event: Event, pairs: dict[str, str]) -> None:
    raw = pairs.get("saddr", "")
    if not _HEX.match(raw):
        return
    packed = bytes.fromhex(raw)
    family = int.from_bytes(packed[:2], "little")
    if family == 2 and len(packed) >= 8:
        address = socket.inet_ntop(socket.AF_INET, packed[4:8])
    elif family == 10 and len(packed) >= 24:
        address = socket.inet_ntop(socket.AF_INET6, packed[8:24])
    else:
        event["event.category"] = ["process"]
        return
    ecs.put_ip(event, "destination", address)
    ecs.put_port(event, "destination.port", int.from_bytes(packed[2:4], "big"))
    ecs.network_type(event)


_SPECIAL: Final[dict[str, Callable[[Event, dict[str, str]], None]]] = {
    "SYSCALL": _syscall,
    "EXECVE": _execve,
    "PROCTITLE": _title,
    "PATH": _path,
    "USER_CMD": _command,
    "SOCKADDR": _address,
}
