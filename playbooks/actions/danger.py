"""Which commands change systems beyond the platform, and which of those interrupt somebody's work.

Whoever decides about approvals asks here. What is not known to be harmless counts as dangerous: a kind that nobody listed, an
OpenC2 command that cannot be read, an action whose name is a variable that has no value yet.
"""

from __future__ import annotations

from typing import Any

import msgspec

from playbooks.actions.contract import Request
from playbooks.actions.parameters import TERMS
from playbooks.model import Command

DESTRUCTIVE = frozenset(
    {
        "bash", "caldera-cmd", "powershell", "ssh",
        "liandun-account-disable", "liandun-host-isolate", "liandun-nft-block", "liandun-sinkhole-add",
    }
)  # fmt: skip
"""Kinds of commands that interrupt, or that may do anything."""
GIVING_BACK = frozenset({"liandun-account-enable", "liandun-host-release", "liandun-nft-unblock", "liandun-sinkhole-remove"})
"""Kinds that end what the same run did; with ``force`` they end what others did, which opens what somebody closed."""
_READING_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_READING_ACTIONS = frozenset({"investigate", "locate", "query", "scan"})
"""Actions of OpenC2 (language 1.0, 3.3.1.1) that change nothing."""
_WITHIN = TERMS.keys() - DESTRUCTIVE - GIVING_BACK | {"manual"}
"""Our own commands act inside of the platform, by its own rules; people act by theirs."""


def changes_systems(request: Request) -> bool:
    """Whether a request changes anything beyond the platform."""
    command = request.command
    if command.type in _WITHIN:
        return False
    if command.type == "http-api":
        return _method(command) not in _READING_METHODS
    return command.type != "openc2-http" or _action(command) not in _READING_ACTIONS


def interrupts(request: Request) -> bool:
    """Whether a request may interrupt somebody's work, or take away what protects it: more than only a change."""
    command = request.command
    if command.type in GIVING_BACK:
        return str(command.more.get("parameters", {}).get("force", "false")).lower() not in ("false", "0")
    return changes_systems(request) and command.type != "http-api"


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
    for path in ((), ("body", "openc2", "request")):
        inner = content
        for name in path:
            inner = inner.get(name) if isinstance(inner, dict) else None
        if isinstance(inner, dict) and isinstance(inner.get("action"), str):
            return str(inner["action"])
    return ""
