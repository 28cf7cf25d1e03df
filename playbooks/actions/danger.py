"""Which commands change a system beyond the platform: people have to agree to them (``playbooks.run.policy``).

What is not known to be harmless counts as a change: a kind that nobody listed, an OpenC2 command that cannot be read, an action
whose name is a variable that has no value yet.
"""

from __future__ import annotations

import json
import re
from typing import Any

from playbooks.actions.contract import Request
from playbooks.actions.parameters import LOOKING, PROPERTY, TERMS
from playbooks.actions.system_parameters import BY_SSH
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
_LOOKING_ACTIONS = frozenset({"query", "locate"})
"""Actions of OpenC2 1.0 (OASIS, 3.3.1.1) that only look. A scan is none of them: it can bring a controller down."""
_OTHER_METHOD = re.compile(r"x-(http-)?method(-override)?", re.IGNORECASE)
"""Headers by which some servers take a GET for something else."""
_WITHIN = TERMS.keys() - DESTRUCTIVE | {"manual"}
"""Our own commands act inside of the platform, by its own rules; people act by theirs."""
_HARMLESS = _WITHIN | LOOKING.keys()


def changes_a_system(request: Request) -> bool:
    """Whether carrying the request out may change another system."""
    command = request.command
    if command.type in _HARMLESS:
        return False
    if command.type == "http-api":
        return not _only_asks(command)
    return command.type != "openc2-http" or not _only_looks(command)


def logs_in(request: Request) -> bool:
    """Whether the request logs in to a host, were it only to read there."""
    command = request.command
    if command.type != "yara":
        return command.type in BY_SSH
    given = command.more.get(PROPERTY, {})
    paths = given.get("paths", ()) if isinstance(given, dict) else ("?",)
    return any(paths) if isinstance(paths, (list, tuple)) else True


def _only_asks(command: Command) -> bool:
    """Whether this is an HTTP request that by its method, headers and content changes nothing (RFC 9110, 9.2.1)."""
    try:
        method = (command.text().split() or [""])[0]
        content = command.body()
    except ValueError:
        return False
    return method in _LOOKING_METHODS and not content and not any(_OTHER_METHOD.fullmatch(name) for name in command.headers)


def _only_looks(command: Command) -> bool:
    """Whether every action that an OpenC2 command names only looks, wherever it stands: a receiver may read another than we do."""
    actions: list[Any] = []

    def collect(pairs: list[tuple[str, Any]]) -> None:
        actions.extend(value for name, value in pairs if name.lower() == "action")

    try:
        json.loads(command.body(), object_pairs_hook=collect)
    except (ValueError, RecursionError):
        return False
    return bool(actions) and all(isinstance(action, str) and action.lower() in _LOOKING_ACTIONS for action in actions)
