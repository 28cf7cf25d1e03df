"""The audit trail as a Merkle tree: nodes, signed heads, keys; chained entries get their leaves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

from crypto.merkle import Frontier, Node, leaf_hash
from kernel.event import timestamp

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_MOMENT = sa.String(27)
_LEAF_COLUMNS = ("id", "time", "actor", "address", "action", "object_type", "object_id", "result", "detail")
_BATCH = 5_000
_APPEND_ONLY = ("audit_nodes", "audit_keys", "audit_signed_heads")


def upgrade() -> None:
    _tables()
    _head_columns()
    _plant()
    _guard()


def _tables() -> None:
    op.create_table(
        "audit_nodes",
        sa.Column("level", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("place", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "audit_keys",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("public", sa.Text, nullable=False),
        sa.Column("time", _MOMENT, nullable=False),
        sa.Column("from_size", sa.BigInteger, nullable=False),
        sa.Column("endorsed_by", sa.String(32), nullable=False),
        sa.Column("endorsement", sa.Text, nullable=False),
        sa.UniqueConstraint("id"),
    )
    op.create_table(
        "audit_signed_heads",
        sa.Column("size", _ID, primary_key=True, autoincrement=False),
        sa.Column("root", sa.String(64), nullable=False),
        sa.Column("time", _MOMENT, nullable=False),
        sa.Column("key_id", sa.String(32), nullable=False),
        sa.Column("signature", sa.Text, nullable=False),
    )
    op.create_index("ix_audit_signed_heads_time", "audit_signed_heads", ["time"])
    op.create_table(
        "audit_copies",
        sa.Column("place", sa.String(16), primary_key=True),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("time", _MOMENT, nullable=False),
        sa.Column("error", sa.String(512), nullable=False),
    )


def _head_columns() -> None:
    empty = "x''" if op.get_bind().dialect.name == "sqlite" else "''"
    op.add_column("audit_head", sa.Column("peaks", sa.LargeBinary, nullable=False, server_default=sa.text(empty)))
    op.add_column("audit_head", sa.Column("tree_from", sa.BigInteger, nullable=False, server_default=sa.text("1")))
    op.add_column("audit_head", sa.Column("tree_since", _MOMENT, nullable=False, server_default=sa.text("''")))
    op.add_column("audit_head", sa.Column("purged", sa.BigInteger, nullable=False, server_default=sa.text("0")))


def _plant() -> None:
    """A leaf for every chained entry, and an entry of its own (the first of the tree) that commits to the end of the chain.

    The leaves are of the entries as they stand: whether the chain before was sound is what verifying it says, now as before.
    """
    connection, present = op.get_bind(), timestamp(datetime.now(UTC))
    head = connection.execute(sa.text("SELECT last_id, digest FROM audit_head WHERE id = 1")).one_or_none()
    frontier = Frontier()
    for rows in _entries(connection):
        made = [node for row in rows for node in _up_to(frontier, row["id"] - 1) + frontier.append(leaf_hash(_canonical(row)))]
        _store(connection, made)
    if head is None:
        connection.execute(sa.text("INSERT INTO audit_head (id, last_id, digest) VALUES (1, 0, '')"))
    else:
        _store(connection, _up_to(frontier, head.last_id))
    if frontier.size:
        row = _first_of_the_tree(frontier.size, head.digest if head else "", present)
        leaf = leaf_hash(_canonical(row))
        names = [*_LEAF_COLUMNS, "previous", "digest"]
        insert = f"INSERT INTO audit_entries ({', '.join(names)}) VALUES ({', '.join(':' + name for name in names)})"  # noqa: S608
        connection.execute(sa.text(insert), row | {"previous": "", "digest": leaf.hex()})
        _store(connection, frontier.append(leaf))
    connection.execute(
        sa.text("UPDATE audit_head SET last_id = :n, digest = :root, peaks = :peaks, tree_from = :start, tree_since = :time"),
        {
            "n": frontier.size,
            "root": frontier.root().hex(),
            "peaks": frontier.pack(),
            "start": max(frontier.size, 1),
            "time": present,
        },
    )


def _up_to(frontier: Frontier, size: int) -> list[Node]:
    """Leaves that no entry has, for entries that are missing already: the others keep their numbers, and verifying names these."""
    return [node for _ in range(frontier.size, size) for node in frontier.append(leaf_hash(b""))]


def _entries(connection: sa.Connection) -> Iterator[list[dict[str, Any]]]:
    """All entries in their order, some thousand at a time."""
    columns, last = ", ".join(_LEAF_COLUMNS), 0
    query = sa.text(f"SELECT {columns} FROM audit_entries WHERE id > :last ORDER BY id LIMIT {_BATCH}")  # noqa: S608
    while rows := [dict(row) for row in connection.execute(query, {"last": last}).mappings()]:
        yield rows
        last = rows[-1]["id"]


def _store(connection: sa.Connection, nodes: list[Node]) -> None:
    if nodes:
        insert = sa.text("INSERT INTO audit_nodes (level, place, hash) VALUES (:level, :place, :hash)")
        connection.execute(insert, [node._asdict() for node in nodes])


def _canonical(row: dict[str, Any]) -> bytes:
    """As operations.audit.entry defined it when this migration was written."""
    return json.dumps(row, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode("utf-8", "surrogatepass")


def _first_of_the_tree(size: int, chained: str, present: str) -> dict[str, Any]:
    detail = {"chained_entries": size, "chain_digest": chained}
    return {
        "id": size + 1,
        "time": present,
        "actor": "system",
        "address": "",
        "action": "audit.plant",
        "object_type": "audit",
        "object_id": "",
        "result": "success",
        "detail": json.dumps(detail, sort_keys=True, separators=(",", ":")),
    }


def _guard() -> None:
    """Append-only, except that entries which the purge mark covers may go."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER IF EXISTS audit_entries_no_delete")
        op.execute(
            "CREATE TRIGGER audit_entries_no_delete BEFORE DELETE ON audit_entries "
            "WHEN OLD.id > (SELECT coalesce(max(purged), 0) FROM audit_head) "
            "BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END"
        )
        for table in _APPEND_ONLY:
            for verb in ("UPDATE", "DELETE"):
                op.execute(
                    f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                    "BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END"
                )
        return
    op.execute("DROP TRIGGER audit_entries_append_only ON audit_entries")
    op.execute(
        "CREATE TRIGGER audit_entries_append_only BEFORE UPDATE OR TRUNCATE ON audit_entries "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()"
    )
    op.execute(
        "CREATE FUNCTION audit_purged_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF OLD.id > (SELECT coalesce(max(purged), 0) FROM audit_head) THEN RAISE EXCEPTION 'the audit trail is append-only'; "
        "END IF; RETURN OLD; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_entries_purged_only BEFORE DELETE ON audit_entries FOR EACH ROW EXECUTE FUNCTION audit_purged_only()"
    )
    for table in _APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()"
        )
