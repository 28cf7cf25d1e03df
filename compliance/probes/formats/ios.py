"""Configurations like Cisco IOS (also Ruijie RGOS, and others that speak it), as ``show running-config`` shows them."""

from __future__ import annotations

import re

from compliance.probes.formats import device_parts as parts
from compliance.probes.formats.device import Access, Block, Community, Device, Password, Rule, User, blocks, every_line, starting
from compliance.probes.formats.keyed import number

_OPEN = re.compile(r"(?:\d+ )?permit (?:ip|ipv6)? ?any(?: any)?(?: log)?")
_RECEIVER = re.compile(r"logging (host |server )?(?:[\d.]+|[0-9a-fA-F:]+:[0-9a-fA-F:]*)(\s|$)")
_SERVICES = (
    "service tcp-small-servers",
    "service udp-small-servers",
    "ip bootp server",
    "ip source-route",
    "service finger",
    "ip finger",
)


def read(text: str) -> Device:
    """Never raises; what is not known is left out."""
    found = blocks(text)
    lines = every_line(found)
    is_new = "aaa new-model" in lines
    lockout = starting(lines, "login block-for", "aaa local authentication attempts max-fail")
    attempts = re.search(r"(?:attempts|max-fail) (\d+)", " ".join(lockout))
    vtys = tuple(_access(block, is_new) for block in found if block.head.startswith("line "))
    rules = list(_rules(found))
    return Device(
        dialect="cisco",
        name=parts.after(lines, "hostname "),
        access=vtys,
        users=tuple(_user(line) for line in starting(lines, "username ")),
        communities=tuple(_community(line) for line in starting(lines, "snmp-server community")),
        snmp_v3=tuple(line for line in starting(lines, "snmp-server group") if re.search(r" v3 priv\b", line)),
        snmp_on=bool(starting(lines, "snmp-server")),
        telnet=tuple(line for way in vtys if way.is_vty and "telnet" in way.protocols for line in way.block.lines()),
        http=starting(lines, "ip http server"),
        ftp=starting(lines, "ftp-server enable", "tftp-server "),
        other_services=starting(lines, *_SERVICES),
        ssh=starting(lines, "ip ssh", "crypto key generate rsa"),
        old_ssh=() if starting(lines, "ip ssh version 2") else starting(lines, "ip ssh version 1"),
        management_acls=starting(lines, "ip http access-class"),
        aaa_servers=starting(lines, "tacacs server", "radius server", "tacacs-server host", "radius-server host"),
        log_hosts=tuple(line for line in lines if _RECEIVER.match(line)),
        logging_off=starting(lines, "no logging on"),
        time_servers=starting(lines, "ntp server", "sntp server", "ntp peer"),
        time_authenticated="ntp authenticate" in lines,
        password=_password(lines),
        lockout=lockout,
        attempts=number(attempts[1]) if attempts else None,
        open_rules=tuple(rule for rule in rules if _OPEN.fullmatch(rule.line)),
        rules=len(rules),
        clear_secrets=parts.clear(lines),
        reversible_secrets=tuple(line for line in lines if re.search(r"\b(password|key) 7 \*", line)),
    )


def _access(block: Block, is_new: bool) -> Access:
    body = list(block.body)
    if "no login" in body:
        mode = "none"
    elif is_new or any(line.startswith("login authentication") for line in body):
        mode = "aaa"
    elif "login local" in body:
        mode = "local"
    else:
        mode = "password" if "login" in body or any(line.startswith("password") for line in body) else ""
    inputs = parts.after(body, "transport input ")
    allowed = {"ssh", "telnet"} if inputs in ("", "all") else set(inputs.split())
    return Access(
        block=block,
        is_vty=block.head.startswith("line vty"),
        authentication=mode,
        protocols=frozenset(allowed - {"none"}),
        acl=" ".join(line for line in body if line.startswith(("access-class", "ipv6 access-class"))),
        idle=0 if "no exec-timeout" in body else parts.idle(body, "exec-timeout "),
    )


def _user(line: str) -> User:
    return User(line.split()[1] if len(line.split()) > 1 else "", parts.stored(line), "privilege 15" in line, (line,))


def _community(line: str) -> Community:
    match = re.match(r"snmp-server community \S+(?: view \S+)?(?: (RO|RW|ro|rw))?(?: ipv6 \S+)?(?: (\S+))?", line)
    access, acl = (match[1] or "RO", match[2] or "") if match else ("RO", "")
    return Community(line, "***default***" in line, access.upper() == "RW", acl)


def _rules(found: list[Block]) -> list[Rule]:
    rules = []
    for block in found:
        if block.head.startswith(("ip access-list", "ipv6 access-list")):
            rules += [Rule(block.head, line) for line in block.body if re.match(r"(\d+ )?(permit|deny)", line)]
        match = re.match(r"access-list (\S+) ((?:permit|deny) .*)", block.head)
        if match:
            rules.append(Rule(f"access-list {match[1]}", match[2]))
    return rules


def _password(lines: list[str]) -> Password:
    said = starting(lines, "security passwords min-length", "aaa common-criteria policy", "min-length", "password policy")
    said += starting(lines, "numeric-count", "upper-case", "lower-case", "special-case", "lifetime")
    text = "\n".join(said)
    length = re.search(r"min-length (\d+)", text)
    days = re.search(r"lifetime (?:day |month |)(\d+)", text)
    kinds = sum(word in text for word in ("numeric-count", "upper-case", "lower-case", "special-case"))
    months = 30 if "lifetime month" in text else 1
    return Password(
        length=number(length[1]) if length else None,
        kinds=kinds or None,
        days=(number(days[1]) or 0) * months if days else None,
        lines=said,
    )
