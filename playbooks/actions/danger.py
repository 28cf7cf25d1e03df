"""Which commands change a system beyond the platform: people have to agree to them (``playbooks.run.policy``).

What is not known to be harmless counts as a change: a kind that nobody listed, an OpenC2 command that cannot be read, an action
whose name is a variable that has no value yet.
"""

from __future__ import annotations

from typing import Any

import msgspec

from playbooks.actions.contract import Request
from playbooks.actions.parameters import TERMS
from playbooks.model import Command

DESTRUCTIVE: frozenset[str] = frozenset(
    {
        "bash",
        "caldera-cmd",
        "liandun-account-disable",
        "liandun-account-enable",
        "liandun-host-isolate",
        "liandun-host-release",
        "liandun-nft-block",
        "liandun-nft-unblock",
        "liandun-sinkhole-add",
        "liandun-sinkhole-remove",
        "powershell",
        "ssh",
    }
)
"""Kinds whose every command may change something. A script can do anything, so each counts."""
_LOOKING_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_LOOKING_ACTIONS = frozenset({"query", "locate", "scan", "investigate"})
"""Actions of OpenC2 1.0 (OASIS, 3.3.1.1) that change nothing."""
_WITHIN = TERMS.keys() - DESTRUCTIVE | {"manual"}
"""Our own commands act inside of the platform, by its own rules; people act by theirs."""


def changes_a_system(request: Request) -> bool:
    """Whether carrying the request out may change another system."""
    command = request.command
    if command.type in _WITHIN:
        return False
    if command.type == "http-api":
        return _method(command) not in _LOOKING_METHODS
    return command.type != "openc2-http" or _action(command) not in _LOOKING_ACTIONS


def _method(command: Command) -> str:
    try:
        return (command.text().split() or [""])[0]
    except ValueError:
        return ""


def _action(command: Command) -> str:
    """The action of an OpenC2 command, bare or within a message (OpenC2 over HTTPS 1.1); "" where it cannot be read."""
    try:
        content: Any = msgspec.json.decode(command.body())
    except (msgspec.DecodeError, ValueError):
        return ""
    if isinstance(content, dict) and "body" in content:
        for name in ("body", "openc2", "request"):
            content = content.get(name) if isinstance(content, dict) else None
    action = content.get("action") if isinstance(content, dict) else None
    return action if isinstance(action, str) else ""
