"""Packet filters as nft(8) and iptables-save(8) show them: what becomes of packets to the host that no rule names."""

from __future__ import annotations

import re
from typing import Literal

Incoming = Literal["drop", "rules", "open"]
"""drop: what no rule allows is dropped; rules: there are some, the rest passes; open: nothing is filtered."""
_CHAIN = re.compile(r"chain (\S+) \{(.*?)\n\s*\}", re.DOTALL)
_ENDS = re.compile(r"^(counter packets \d+ bytes \d+ )?(log .*)?(drop|reject)\b(?! .*\b(dport|saddr)\b)")

_ALL = re.compile(r"(counter packets \d+ bytes \d+ )?accept")
"""A rule that lets everything through, whatever stands after it."""


def incoming_nft(ruleset: str) -> Incoming:
    """Of ``nft list ruleset``: the strictest of all chains with the hook input."""
    best: Incoming = "open"
    for match in _CHAIN.finditer(ruleset):
        body = [line.strip() for line in match[2].splitlines() if line.strip()]
        hook = next((line for line in body if "hook input" in line), "")
        if not hook:
            continue
        rules = [line for line in body if line != hook]
        is_closed = "policy drop" in hook or any(_ENDS.match(rule) for rule in rules)
        if is_closed and not any(_ALL.fullmatch(rule) for rule in rules):
            return "drop"
        if rules:
            best = "rules"
    return best


def incoming_iptables(saved: str) -> Incoming:
    """Of ``iptables-save``: the chain INPUT of the table filter."""
    rules = re.findall(r"^-A INPUT (.*)$", saved, re.MULTILINE)
    if "-j ACCEPT" in rules:
        return "rules"
    if re.search(r"^:INPUT DROP ", saved, re.MULTILINE):
        return "drop"
    if rules and re.match(r"-j (DROP|REJECT)\b", rules[-1]):
        return "drop"
    return "rules" if rules else "open"


def limits_ssh(ruleset: str, saved: str, ports: set[int]) -> bool:
    """Whether a rule lets only named sources through to one of ``ports``."""
    for port in ports:
        word = rf"\b{port}\b"
        if re.search(rf"saddr [^\n]*dport [^\n]*{word}[^\n]*accept|dport [^\n]*{word}[^\n]*saddr [^\n]*accept", ruleset):
            return True
        if re.search(rf"^-A INPUT (?=[^\n]*-s \S+)(?=[^\n]*--dports? [^\n]*{word})[^\n]*-j ACCEPT", saved, re.MULTILINE):
            return True
    return False
