"""Every address of the console and the API with the permission it asks for, and the roles that have it."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from flask import Flask

from operations.accounts.permissions import PERMISSIONS, ROLES
from soc_ui import access

DESCRIPTION = frozenset({"api_description.docs", "api_description.openapi"})
"""What the API can do is no secret: the code is open."""

SIGNED = frozenset({"api_inbound.receive_message"})
"""Open to messages that are signed with the secret of a source; who sends one has no role."""

HANDED = frozenset({"handout.look", "handout.open_"})
"""Open to who has a hand-out link, which opens one report or assessment."""


class Entry(msgspec.Struct, frozen=True):
    """One method of one address. Without ``permissions``: open to everybody (``open``), else to whoever is signed in."""

    method: str
    rule: str
    endpoint: str
    arguments: frozenset[str]
    permissions: tuple[str, ...]
    open: bool

    def allows(self, role: str) -> bool:
        """May an account of this role come as far as the view? What it sees there is a matter of its scope."""
        return self.open or not self.permissions or bool(PERMISSIONS[role].intersection(self.permissions))


def entries(app: Flask) -> Iterator[Entry]:
    """By address, then method."""
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        permissions = getattr(app.view_functions[rule.endpoint], "permissions", ())
        anybody = rule.endpoint in access.OPEN_ENDPOINTS | DESCRIPTION | SIGNED
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield Entry(method, rule.rule, rule.endpoint, frozenset(rule.arguments), permissions, anybody)


def markdown(app: Flask) -> str:
    """The table as a page of the documentation."""
    lines = [
        "# Who may call what",
        "",
        "Made from the code by tests/soc_ui/test_permissions.py (`LIANDUN_WRITE_DOCS=1`), which calls every line as every role.",
        "● = the role comes as far as the view; what it sees is limited by its scope: elsewhere is 404. — = whoever is signed in.",
        "",
        f"| method | address | permission | {' | '.join(ROLES)} |",
        f"|---|---|---|{'---|' * len(ROLES)}",
    ]
    for entry in entries(app):
        needed = told(entry)
        marks = " | ".join("●" if entry.allows(role) and entry.endpoint not in SIGNED | HANDED else "" for role in ROLES)
        address = entry.rule.replace("|", "\\|")
        lines.append(f"| {entry.method} | `{address}` | {needed} | {marks} |")
    return "\n".join(lines) + "\n"


def told(entry: Entry) -> str:
    """What an address asks for, in words."""
    if entry.endpoint in SIGNED:
        return "a signature"
    if entry.endpoint in HANDED:
        return "a hand-out link"
    return "everybody" if entry.open else " or ".join(entry.permissions) or "—"
