"""Records of the audit trail as other rooms see them."""

from __future__ import annotations

from typing import Any

import msgspec

PERMISSION = "audit.retain"
"""The audit power: what purging the trail and replacing its head file need."""


class Actor(msgspec.Struct, frozen=True):
    """Who acts: ``name`` is a user name, ``key:<name> (<owner>)`` or ``system``; ``address`` the peer's IP address."""

    name: str
    address: str = ""


SYSTEM = Actor("system")


class AuditRecord(msgspec.Struct, frozen=True):
    """One act as shown; ``detail`` decoded."""

    id: int
    time: str
    actor: str
    address: str
    action: str
    object_type: str
    object_id: str
    result: str
    detail: dict[str, Any]


class AuditPage(msgspec.Struct, frozen=True):
    """Newest first; ``cursor`` fetches the next page ("" at the end)."""

    entries: list[AuditRecord]
    cursor: str = ""


class Verification(msgspec.Struct, frozen=True, omit_defaults=True):
    """Outcome of walking the trail.

    checked   up to which entry everything is in order
    bad_id    the first entry that does not fit (0 when all do), ``reason`` why
    place     what gave it away: ``entry``, ``tree``, ``head``, ``key``, ``head file``, ``copy``
    findings  all that was found, one line each, the first as in ``reason`` (at most MAX_FINDINGS)
    heads     signed heads whose signature and root were checked; ``since`` the size of the one that was begun with
    """

    checked: int
    bad_id: int = 0
    reason: str = ""
    place: str = ""
    findings: tuple[str, ...] = ()
    heads: int = 0
    since: int = 0

    @property
    def ok(self) -> bool:
        return self.bad_id == 0


class TreeState(msgspec.Struct, frozen=True):
    """The tree as the last append left it. Entries before ``tree_from`` were chained and got their leaves at ``tree_since``."""

    size: int
    root: str
    tree_from: int = 1
    tree_since: str = ""
    purged: int = 0


class InclusionProof(msgspec.Struct, frozen=True):
    """That an entry is in the tree of ``root``: hashes in hex; ``entry`` its canonical JSON ("" once it is purged)."""

    entry_id: int
    size: int
    root: str
    leaf: str
    path: list[str]
    entry: str = ""


class ConsistencyProof(msgspec.Struct, frozen=True):
    """That the tree of ``first_root`` is the beginning of that of ``second_root``; hashes in hex."""

    first: int
    second: int
    first_root: str
    second_root: str
    path: list[str]


class PublicKeyRecord(msgspec.Struct, frozen=True, tag="key", tag_field="type"):
    """A public key of the trail; see operations.audit.keys. ``public`` is PEM, ``endorsement`` base64."""

    number: int
    id: str
    public: str
    time: str
    from_size: int
    endorsed_by: str
    endorsement: str


class SignedHead(msgspec.Struct, frozen=True, tag="head", tag_field="type"):
    """A signed tree head; see operations.audit.heads. ``log`` is the id of the trail's first key, ``signature`` base64."""

    log: str
    size: int
    root: str
    time: str
    key_id: str
    signature: str


class CopyState(msgspec.Struct, frozen=True):
    """How far heads have reached a place outside of the database, and what stands in the way."""

    place: str
    size: int
    time: str
    error: str = ""
