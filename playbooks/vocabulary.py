"""Words of CACAO 2.0 that decide something here: kinds of steps, agents, commands and variables, and the form of identifiers.

The standard leaves the lists of agents, commands and variable types open. What is not listed here can be read, but not run.
"""

from __future__ import annotations

import re

SPEC_VERSION = "cacao-2.0"
STEP_TYPES = ("start", "end", "action", "playbook-action", "parallel", "if-condition", "while-condition", "switch-condition")
VARIABLE_TYPES = (
    "bool",
    "dictionary",
    "float",
    "hash",
    "hexstring",
    "integer",
    "ipv4-addr",
    "ipv6-addr",
    "long",
    "mac-addr",
    "md5-hash",
    "sha256-hash",
    "string",
    "uri",
    "uuid",
)

PEOPLE = frozenset({"group", "individual", "location", "organization", "sector"})
"""Agents and targets that are people, or places with people: what such an agent has to do, a person does by hand."""
THINGS = frozenset({"http-api", "linux", "net-address", "security-category", "ssh"})
EXECUTORS = frozenset({"liandun", "soarca", "soarca-manual"})
"""Agents that are the executor itself: ours, and the kinds that playbooks written for SOARCA name."""
AUTHENTICATIONS = frozenset({"http-basic", "oauth2", "user-auth"})
ADDRESS_KINDS = frozenset({"dname", "ipv4", "ipv6", "l2mac", "vlan", "url"})
MARKINGS = frozenset({"marking-tlp", "marking-statement", "marking-iep"})

COMMAND_TYPES = frozenset(
    {
        "manual",
        "bash",
        "caldera-cmd",
        "elastic",
        "http-api",
        "jupyter",
        "kestrel",
        "openc2-http",
        "powershell",
        "sigma",
        "ssh",
        "yara",
    }
)
"""What the standard lists (5.2)."""
BY_HAND_ONLY = frozenset({"caldera-cmd", "jupyter", "kestrel"})
"""Listed commands that Liandun has no action for: a person has to be their agent."""
OWN_COMMAND = re.compile(r"liandun-[a-z0-9]+(?:-[a-z0-9]+)*", re.ASCII)
"""Commands of our own actions (docs/playbooks.md)."""

_UUID = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}"
UUID = re.compile(_UUID, re.ASCII)
IDENTIFIER = re.compile(rf"([a-z0-9][a-z0-9-]*?)--{_UUID}", re.ASCII)
"""``kind--uuid`` (10.10): UUIDs of RFC 9562 with version and variant, so not the nil UUID."""
VARIABLE_NAME = re.compile(r"__[A-Za-z_][A-Za-z0-9_-]*__", re.ASCII)
LONGEST_VARIABLE_NAME = 250
"""Letters with the underscores (10.18)."""


def is_by_hand(command: str, agent: str) -> bool:
    """Whether a command of this kind is done by a person: a manual one, or any whose agent is people (as OASIS' own example)."""
    return command == "manual" or agent in PEOPLE


def kind_of(identifier: str) -> str:
    """The kind in ``kind--uuid``; "" where this is no identifier."""
    match = IDENTIFIER.fullmatch(identifier)
    return match[1] if match else ""


def is_variable_name(name: str) -> bool:
    """Whether this may name a variable."""
    return len(name) <= LONGEST_VARIABLE_NAME and VARIABLE_NAME.fullmatch(name) is not None
