"""Configurations of Huawei VRP (S, CE, AR, NE, USG series), as ``display current-configuration`` shows them."""

from __future__ import annotations

import re

from compliance.probes.formats import device_parts as parts
from compliance.probes.formats.device import Access, Block, Community, Device, Password, User, blocks, every_line, starting
from compliance.probes.formats.keyed import number

_LOCKOUT = "local-aaa-user wrong-password"


def read(text: str) -> Device:
    """Never raises; what is not known is left out."""
    found = blocks(text)
    lines = every_line(found)
    lockout = starting(lines, _LOCKOUT, "administrator wrong-password", "local-user authentication lock")
    return Device(
        dialect="huawei",
        name=parts.after(lines, "sysname "),
        access=tuple(_access(block) for block in found if block.head.startswith("user-interface ")),
        users=_users(lines),
        communities=tuple(map(_community, starting(lines, "snmp-agent community read", "snmp-agent community write"))),
        snmp_v3=tuple(line for line in starting(lines, "snmp-agent group v3") if "privacy" in line),
        snmp_on=bool(starting(lines, "snmp-agent")),
        telnet=starting(lines, "telnet server enable", "telnet ipv6 server enable"),
        http=starting(lines, "http server enable", "http server-source", "web-manager enable"),
        ftp=starting(lines, "ftp server enable", "FTP server enable", "ftp ipv6 server enable", "tftp-server enable"),
        other_services=starting(lines, "dhcp snooping disable", "cluster enable", "ndp enable", "ntdp enable"),
        ssh=starting(lines, "stelnet server enable", "stelnet ipv4 server enable", "ssh server enable", "ssh user"),
        old_ssh=starting(lines, "ssh server compatible-ssh1x enable"),
        management_acls=starting(lines, "ssh server acl", "telnet server acl", "http acl", "snmp-agent acl", "ssh ipv6 server acl"),
        aaa_servers=tuple(
            line for line in lines if re.match(r"(hwtacacs|hwtacacs-server|radius-server)( server)? authentication ", line)
        ),
        log_hosts=starting(lines, "info-center loghost "),
        logging_off=starting(lines, "undo info-center enable"),
        time_servers=starting(lines, "ntp-service unicast-server", "ntp-service server", "ntp unicast-server"),
        time_authenticated=bool(starting(lines, "ntp-service authentication enable", "ntp authentication enable")),
        password=_password(lines),
        lockout=lockout,
        attempts=next((number(match[1]) for line in lockout if (match := re.search(r"retry-time (\d+)", line))), None),
        open_rules=tuple(parts.open_rules(found, "acl ")),
        rules=parts.rule_count(found, "acl "),
        clear_secrets=parts.clear(lines),
        reversible_secrets=(),
    )


def _access(block: Block) -> Access:
    body = list(block.body)
    mode = parts.after(body, "authentication-mode ")
    protocols = parts.after(body, "protocol inbound ")
    return Access(
        block=block,
        is_vty="vty" in block.head,
        authentication={"aaa": "aaa", "password": "password", "none": "none"}.get(mode.split(" ")[0], ""),
        protocols=frozenset({"ssh", "telnet"} if protocols == "all" else protocols.split()),
        acl=" ".join(line for line in body if re.match(r"acl (ipv6 )?\S+ inbound", line)),
        idle=parts.idle(body, "idle-timeout "),
    )


def _users(lines: list[str]) -> tuple[User, ...]:
    found = (re.match(r"local-user (\S+) (password|privilege|service-type)", line) for line in lines)
    names = dict.fromkeys(match[1] for match in found if match)
    users = []
    for name in names:
        own = starting(lines, f"local-user {name} ")
        text = "\n".join(own)
        users.append(User(name, parts.stored(text), bool(re.search(r"privilege level (1[0-5]|[3-9])\b", text)), own))
    return tuple(users)


def _community(line: str) -> Community:
    acl = re.search(r"\bacl (\S+)", line)
    return Community(line, "***default***" in line, " write " in f"{line} ", acl[1] if acl else "")


def _password(lines: list[str]) -> Password:
    said = starting(lines, "local-aaa-user password policy", "password expire", "set password min-length", "user-password min-len")
    said += starting(lines, "password min-length", "user-password complexity-check", "undo user-password complexity-check")
    text = "\n".join(said)
    length = re.search(r"min-len(?:gth)? (\d+)", text)
    days = re.search(r"^password expire (\d+)", text, re.MULTILINE)
    policy = "local-aaa-user password policy administrator" in text
    kinds = 2 if "undo user-password complexity-check" not in text and (policy or "complexity-check" in text) else None
    kinds = 3 if kinds and "three-of-kinds" in text else kinds
    return Password(
        length=number(length[1]) if length else (8 if kinds else None),
        kinds=kinds,
        days=number(days[1]) if days else (90 if policy else None),
        lines=said,
    )
