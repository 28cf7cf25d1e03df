"""The stored tree: its end, its nodes, and the proofs that are made of them."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from crypto.merkle import EMPTY_ROOT, Frontier, Lookup, consistency_proof, inclusion_proof
from operations.audit.entry import COLUMNS, canonical
from operations.audit.models import AuditEntry, AuditHead, AuditNode
from operations.audit.schema import ConsistencyProof, InclusionProof, TreeState
from operations.errors import Invalid, NotFound

_BATCH = 4_000


def state(session: Session) -> TreeState:
    """Size and root as the last append left them, and from when the tree counts."""
    head = session.execute(select(AuditHead).where(AuditHead.id == 1)).scalar_one_or_none()
    if head is None:
        return TreeState(0, EMPTY_ROOT.hex())
    return TreeState(head.last_id, head.digest or EMPTY_ROOT.hex(), head.tree_from, head.tree_since, head.purged)


def node_lookup(session: Session) -> Lookup:
    """``lookup(level, place)`` over the table of nodes. Raises NotFound for one that should be there and is not."""

    def lookup(level: int, place: int) -> bytes:
        found = session.execute(
            select(AuditNode.hash).where(AuditNode.level == level, AuditNode.place == place)
        ).scalar_one_or_none()
        if found is None:
            raise NotFound(f"node {level}/{place} of the audit tree is missing", "run ./liandun audit verify")
        return bytes(found)

    return lookup


def root_at(session: Session, size: int) -> bytes:
    """The root that the tree had with ``size`` leaves, from the stored nodes."""
    return Frontier.of(size, node_lookup(session)).root()


def prove_inclusion(session: Session, entry_id: int, size: int | None = None) -> InclusionProof:
    """That entry ``entry_id`` is in the tree of ``size`` entries (default: of now). Raises NotFound, Invalid."""
    size = _size(session, size)
    if not 1 <= entry_id <= size:
        raise NotFound(f"there is no entry {entry_id} among the first {size}")
    lookup = node_lookup(session)
    entry = session.get(AuditEntry, entry_id)
    return InclusionProof(
        entry_id=entry_id,
        size=size,
        root=Frontier.of(size, lookup).root().hex(),
        leaf=lookup(0, entry_id - 1).hex(),
        path=[step.hex() for step in inclusion_proof(entry_id - 1, size, lookup)],
        entry="" if entry is None else canonical({name: getattr(entry, name) for name in COLUMNS}),
    )


def prove_consistency(session: Session, first: int, second: int | None = None) -> ConsistencyProof:
    """That the tree of ``first`` entries is the beginning of that of ``second`` (default: of now). Raises NotFound, Invalid."""
    second = _size(session, second)
    if not 0 <= first <= second:
        raise Invalid(f"a tree of {first} entries is no beginning of one of {second}", field="first")
    lookup = node_lookup(session)
    return ConsistencyProof(
        first=first,
        second=second,
        first_root=Frontier.of(first, lookup).root().hex(),
        second_root=Frontier.of(second, lookup).root().hex(),
        path=[step.hex() for step in consistency_proof(first, second, lookup)],
    )


def leaves(session: Session, start: int, end: int) -> Iterator[bytes]:
    """The stored leaf hashes of the entries ``start + 1`` up to ``end``."""
    while start < end:
        query = select(AuditNode.place, AuditNode.hash).where(AuditNode.level == 0, AuditNode.place >= start, AuditNode.place < end)
        rows = session.execute(query.order_by(AuditNode.place).limit(_BATCH)).all()
        if not rows:
            return
        yield from (bytes(stored) for _place, stored in rows)
        start = rows[-1][0] + 1


def _size(session: Session, size: int | None) -> int:
    now = state(session).size
    if size is not None and not 0 <= size <= now:
        raise Invalid(f"the tree has {now} entries, not {size}", field="size")
    return now if size is None else size
