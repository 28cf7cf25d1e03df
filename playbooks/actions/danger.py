"""Which commands change a system beyond the platform: people have to agree to them (``playbooks.run.policy``)."""

from __future__ import annotations

import msgspec

from playbooks.actions.contract import Request

DESTRUCTIVE: frozenset[str] = frozenset(
    {
        "bash",
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


def changes_a_system(request: Request) -> bool:
    """Whether carrying the request out may change another system. What cannot be read counts as a change."""
    command = request.command
    if command.type in DESTRUCTIVE:
        return True
    if command.type == "http-api":
        return command.command.split(" ", 1)[0].upper() not in _LOOKING_METHODS
    if command.type == "openc2-http":
        return _action(request) not in _LOOKING_ACTIONS
    return False


def _action(request: Request) -> str:
    """The action of an OpenC2 command; "" where it cannot be read."""
    try:
        told = msgspec.json.decode(request.command.content or request.command.command)
    except msgspec.DecodeError:
        return ""
    if isinstance(told, dict) and isinstance(told.get("body"), dict):  # the message form of OpenC2 1.1
        told = told["body"].get("openc2", {}).get("request", {})
    return str(told.get("action", "")).lower() if isinstance(told, dict) else ""
