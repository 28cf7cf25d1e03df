"""Configurations of H3C Comware 5 and 7, as ``display current-configuration`` shows them."""

from __future__ import annotations

import re

from compliance.probes.formats import device_parts as parts
from compliance.probes.formats.device import Access, Block, Community, Device, Password, User, blocks, every_line, starting
from compliance.probes.formats.keyed import number

_ACCESS = re.compile(r"(user-interface|line) (vty|con|aux|console|tty)\b")


def read(text: str) -> Device:
    """Never raises; what is not known is left out."""
    found = blocks(text)
    lines = every_line(found)
    control = starting(lines, "password-control login-attempt")
    attempts = re.search(r"login-attempt (\d+)", " ".join(control))
    is_on = bool(starting(lines, "password-control enable"))
    return Device(
        dialect="h3c",
        name=parts.after(lines, "sysname "),
        access=tuple(_access(block) for block in found if _ACCESS.match(block.head)),
        users=tuple(_user(block) for block in found if block.head.startswith("local-user ")),
        communities=tuple(map(_community, starting(lines, "snmp-agent community read", "snmp-agent community write"))),
        snmp_v3=tuple(line for line in starting(lines, "snmp-agent group v3") if "privacy" in line),
        snmp_on=bool(starting(lines, "snmp-agent")),
        telnet=starting(lines, "telnet server enable"),
        http=starting(lines, "ip http enable"),
        ftp=starting(lines, "ftp server enable"),
        other_services=starting(lines, "cluster enable", "ndp enable", "ntdp enable"),
        ssh=starting(lines, "ssh server enable", "stelnet server enable"),
        old_ssh=starting(lines, "ssh server compatible-ssh1x enable"),
        management_acls=starting(lines, "ssh server acl", "telnet server acl", "ip http acl", "ip https acl"),
        aaa_servers=tuple(
            line
            for block in found
            if re.match(r"(hwtacacs|radius) scheme", block.head)
            for line in block.body
            if "authentication" in line
        ),
        log_hosts=starting(lines, "info-center loghost "),
        logging_off=starting(lines, "undo info-center enable"),
        time_servers=starting(lines, "ntp-service unicast-server", "sntp unicast-server"),
        time_authenticated=bool(starting(lines, "ntp-service authentication enable", "sntp authentication enable")),
        password=_password(lines) if is_on else Password(lines=starting(lines, "password-control")),
        lockout=control if is_on else (),
        attempts=(number(attempts[1]) if attempts else 3) if is_on else None,
        open_rules=tuple(parts.open_rules(found, "acl ")),
        rules=parts.rule_count(found, "acl "),
        clear_secrets=parts.clear(lines),
        reversible_secrets=tuple(line for line in lines if re.search(r"\bpassword cipher \*", line)),
    )


def _access(block: Block) -> Access:
    body = list(block.body)
    mode = parts.after(body, "authentication-mode ")
    protocols = parts.after(body, "protocol inbound ")
    return Access(
        block=block,
        is_vty="vty" in block.head,
        authentication={"scheme": "aaa", "password": "password", "none": "none"}.get(mode.split(" ")[0], ""),
        protocols=frozenset({"ssh", "telnet"} if protocols == "all" else protocols.split()),
        acl=" ".join(line for line in body if re.match(r"acl (ipv6 )?\S+ inbound", line)),
        idle=parts.idle(body, "idle-timeout "),
    )


def _user(block: Block) -> User:
    text = "\n".join(block.body)
    is_admin = bool(re.search(r"network-admin|level-15|authorization-attribute level 3", text))
    return User(block.head.split()[1], parts.stored(text), is_admin, block.lines())


def _community(line: str) -> Community:
    acl = re.search(r"\bacl (\S+)", line)
    return Community(line, "***default***" in line, line.startswith("snmp-agent community write"), acl[1] if acl else "")


def _password(lines: list[str]) -> Password:
    """What is not said is as the system has it: 10 characters, one kind, 90 days (password-control enable)."""
    said = starting(lines, "password-control")
    text = "\n".join(said)
    length, kinds, days = (
        re.search(pattern, text) for pattern in (r"control length (\d+)", r"composition type-number (\d+)", r"control aging (\d+)")
    )
    off = "undo password-control aging enable" in lines
    return Password(
        length=number(length[1]) if length else 10,
        kinds=number(kinds[1]) if kinds else 1,
        days=None if off else (number(days[1]) if days else 90),
        lines=said,
    )
