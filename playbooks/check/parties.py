"""Agents, targets and logins: they exist, are what their key says, and have addresses that are some."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from kernel.addresses import without_scope
from kernel.indicators.values import domain, url
from playbooks.check.report import Report
from playbooks.model import Action, Party, Playbook
from playbooks.references import names_within
from playbooks.vocabulary import ADDRESS_KINDS, AUTHENTICATIONS, EXECUTORS, PEOPLE, THINGS, kind_of

MOST_ADDRESSES = 1_000
_MAC = re.compile(r"[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5}", re.ASCII)
_SSH = re.compile(r"ssh://(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?/?", re.ASCII)
"""Where a login goes: a host, and nothing more."""
_EMAIL = re.compile(r"[^\s@\"<>`;,()\\]{1,64}@[A-Za-z0-9.-]{1,253}", re.ASCII)
_KINDS = ", ".join(sorted(PEOPLE | THINGS | {"liandun"}))


def check_parties(playbook: Playbook, report: Report) -> None:
    agents, targets = playbook.agent_definitions, playbook.target_definitions
    for group, parties in (("agent_definitions", agents), ("target_definitions", targets)):
        for key, party in parties.items():
            _party(f"{group}.{key}", key, party, playbook, report)
    for key, login in playbook.authentication_info_definitions.items():
        path = f"authentication_info_definitions.{key}"
        if login.type and login.type not in AUTHENTICATIONS:
            hint = "one of " + ", ".join(sorted(AUTHENTICATIONS))
            report.wrong(f"{path}.type", f"there is no login of the kind {login.type[:60]!r}", hint)
        _key(path, key, login.type, report)
    _used(playbook, report)


def _party(path: str, key: str, party: Party, playbook: Playbook, report: Report) -> None:
    if party.type and party.type not in PEOPLE | THINGS | EXECUTORS:
        report.wrong(f"{path}.type", f"agents and targets of the kind {party.type[:60]!r} are unknown here", f"one of {_KINDS}")
    elif party.type in EXECUTORS - {"liandun"}:
        report.doubtful(f"{path}.type", f"{party.type} is the agent of another executor", "Liandun itself takes its place")
    _key(path, key, party.type, report)
    named = party.authentication_info
    if named and named not in playbook.authentication_info_definitions:
        hint = "define it in authentication_info_definitions"
        report.wrong(f"{path}.authentication_info", f"there is no login {named[:80]!r}", hint)
    _addresses(path, party, report)
    _contact(path, party, report)


def _key(path: str, key: str, kind: str, report: Report) -> None:
    if not kind_of(key):
        report.wrong(path, f"the key {key[:80]!r} is no identifier", f"{kind or 'kind'}--UUID")
    elif kind and kind_of(key) != kind and not (kind in EXECUTORS and kind_of(key).startswith(kind)):
        report.wrong(
            path, f"the key says {kind_of(key)}, the type says {kind[:60]}", f"{kind[:60]}--UUID, and everywhere it is named"
        )


def _addresses(path: str, party: Party, report: Report) -> None:
    for kind, listed in party.address.items():
        at = f"{path}.address.{kind[:60]}"
        if kind not in ADDRESS_KINDS:
            report.wrong(at, f"there is no kind of address {kind[:60]!r}", "one of " + ", ".join(sorted(ADDRESS_KINDS)))
            continue
        if not listed:
            report.lacking(at, "the list of addresses is empty", "add one, or leave it out")
        for place, text in enumerate(listed[:MOST_ADDRESSES]):
            fault = _ssh_fault(text) if (kind, party.type) == ("url", "ssh") else _fault(kind, text)
            if fault and not names_within(text):
                report.wrong(f"{at}[{place}]", f"{text[:80]!r} is no {fault}", "correct it")
    if party.port and not names_within(party.port) and not _is_port(party.port):
        report.wrong(f"{path}.port", f"{party.port[:40]!r} is no port", "a number from 1 to 65535, as text")


def _fault(kind: str, text: str) -> str:
    """What it is not; "" where it is an address of this kind."""
    if kind in ("ipv4", "ipv6"):
        version = int(kind[-1])
        try:
            right = ipaddress.ip_address(without_scope(text) or "").version == version
        except ValueError:
            right = False
        return "" if right else f"IPv{version} address"
    if kind == "l2mac":
        return "" if _MAC.fullmatch(text) else "MAC address such as 00:1b:44:11:3a:b7"
    if kind == "vlan":
        return "" if text.isascii() and text.isdecimal() and int(text[:9]) <= 4094 else "VLAN (0 to 4094)"
    try:
        _host(text) if kind == "dname" else _url(text)
    except ValueError:
        return "domain name" if kind == "dname" else "URL of http or https without a user name"
    return ""


def _ssh_fault(text: str) -> str:
    return "" if _SSH.fullmatch(text) else "URL of the form ssh://HOST"


def _host(text: str) -> None:
    """A name of one label (localhost, or a host of the site) is one here, too."""
    domain(text if "." in text.rstrip(".") else f"{text}.local")
    if text.startswith("*."):
        raise ValueError("a pattern is no name")


def _url(text: str) -> None:
    written = url(re.sub(r"^(https?://)([A-Za-z0-9-]+)(?=[:/?#]|$)", r"\1\2.local", text, count=1))
    if not written.startswith(("http://", "https://")):
        raise ValueError("another scheme")


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= 65535


def _contact(path: str, party: Party, report: Report) -> None:
    emails: Any = party.contact.get("email")
    for name, text in emails.items() if isinstance(emails, dict) else ():
        if isinstance(text, str) and not names_within(text) and not _EMAIL.fullmatch(text):
            report.wrong(f"{path}.contact.email.{name[:60]}", f"{text[:80]!r} is no e-mail address", "name@example.org")


def _used(playbook: Playbook, report: Report) -> None:
    agents, targets = playbook.agent_definitions, playbook.target_definitions
    for key, step in playbook.workflow.items():
        if not isinstance(step, Action):
            continue
        path = f"workflow.{key}"
        if step.agent and step.agent not in agents:
            hint = "define it in agent_definitions" + (": it stands among the targets only" if step.agent in targets else "")
            report.wrong(f"{path}.agent", f"there is no agent {step.agent[:80]!r}", hint, key)
        seen: set[str] = set()
        for place, target in enumerate(step.targets):
            if target not in targets:
                hint = "define it in target_definitions" + (": it stands among the agents only" if target in agents else "")
                report.wrong(f"{path}.targets[{place}]", f"there is no target {target[:80]!r}", hint, key)
            elif target in seen:
                report.doubtful(f"{path}.targets[{place}]", "the target is named twice", "remove one", key)
            seen.add(target)
