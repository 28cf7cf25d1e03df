"""The audit trail at size: what an append costs, how long verifying, exporting and proving take.

    .venv/bin/python -m benchmarks.audit [--entries 1000000] [--folder DIR]

Prints a table. Appends are timed one transaction each, as services write them, beside the same transaction with a plain row instead
of an entry (what a trail without any protection would cost) and with the row and digest of the chain that the tree replaced:
elapsed time (mostly the disk) and processor time. With --folder the filled database is kept there and used again.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import insert, select, text, update
from sqlalchemy.orm import Session

from crypto.merkle import Frontier
from crypto.secret import MasterKey
from kernel.db import Database, open_database, upgrade
from kernel.event import timestamp_from_micros
from operations.audit import service, tree
from operations.audit.entry import COLUMNS, canonical, chain_digest, leaf_of
from operations.audit.export import write_bundle
from operations.audit.head_file import HeadFile
from operations.audit.heads import Trail
from operations.audit.keys import KeyStore
from operations.audit.models import AuditEntry, AuditHead, AuditNode
from operations.audit.schema import Actor
from operations.audit.verify import head_before, verify

BATCH = 5_000
APPENDS = 1_500
START = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z in microseconds
ACTS = (("session.login", "account"), ("alert.change", "alert"), ("events.search", "events"), ("zone.change", "zone"))


def fields(number: int) -> dict[str, object]:
    """An entry as people make them: four kinds, a detail of some ten to two hundred characters."""
    action, kind = ACTS[number % len(ACTS)]
    detail = {"before": {"status": "new"}, "after": {"status": "closed", "verdict": "benign"}, "note": "x" * (number % 120)}
    return {
        "id": number,
        "time": timestamp_from_micros(START + number * 1_000_000),
        "actor": f"user{number % 300}",
        "address": f"10.20.{number % 250}.{number % 240}" if number % 2 else f"2001:db8:20::{number % 65535:x}",
        "action": action,
        "object_type": kind,
        "object_id": str(number % 50_000),
        "result": "success",
        "detail": canonical(detail),
    }


def fill(database: Database, number: int, trail: Trail) -> None:
    """``number`` entries with their tree, many a transaction; a head every BATCH entries."""
    with database.read() as session:
        frontier = Frontier.of(tree.state(session).size, tree.node_lookup(session))
    while frontier.size < number:
        rows, nodes = [], []
        for position in range(frontier.size + 1, min(frontier.size + BATCH, number) + 1):
            row = fields(position)
            leaf = leaf_of(row)
            rows.append(row | {"previous": "", "digest": leaf.hex()})
            nodes += [node._asdict() for node in frontier.append(leaf)]
        with database.write() as session:
            session.connection().execute(insert(AuditEntry), rows)
            session.connection().execute(insert(AuditNode), nodes)
            end = {"last_id": frontier.size, "digest": frontier.root().hex(), "peaks": frontier.pack()}
            session.connection().execute(update(AuditHead).values(end))
        trail.sign()


def timed(act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def appends(database: Database) -> dict[str, list[tuple[float, float]]]:
    """Elapsed and processor seconds of single transactions, the three kinds in turn so that they see the same machine."""
    with database.write() as session:
        session.execute(text("CREATE TABLE IF NOT EXISTS plain_rows AS SELECT * FROM audit_entries WHERE 0"))
        session.execute(text("CREATE UNIQUE INDEX IF NOT EXISTS plain_id ON plain_rows (id)"))
        for column in ("actor", "action", "time"):
            session.execute(text(f"CREATE INDEX IF NOT EXISTS plain_{column} ON plain_rows ({column}, id)"))
        session.execute(text("CREATE INDEX IF NOT EXISTS plain_object ON plain_rows (object_type, object_id, id)"))
    names = (*COLUMNS, "previous", "digest")
    table = text(f"INSERT INTO plain_rows VALUES ({', '.join(':' + name for name in names)})")
    found: dict[str, list[tuple[float, float]]] = {"row only": [], "chain": [], "tree": []}
    last = "0" * 64

    def row_only(session: Session, number: int) -> None:
        session.connection().execute(table, fields(number) | {"previous": "", "digest": ""})

    def chain(session: Session, number: int) -> None:
        nonlocal last
        session.connection().execute(select(AuditHead.last_id, AuditHead.digest).where(AuditHead.id == 1)).one()
        row = fields(number)
        digest = chain_digest(last, row)
        session.connection().execute(table, row | {"previous": last, "digest": digest})
        session.connection().execute(update(AuditHead).where(AuditHead.id == 1).values(tree_since="x"))
        last = digest

    def whole(session: Session, number: int) -> None:
        row = fields(number)
        actor = Actor(str(row["actor"]), str(row["address"]))
        service.append(
            session, actor, str(row["action"]), str(row["object_type"]), str(row["object_id"]), detail={"note": "x" * 60}
        )

    for number in range(APPENDS):
        for position, (name, act) in enumerate((("row only", row_only), ("chain", chain), ("tree", whole))):
            start, used = time.perf_counter(), time.process_time()
            with database.write() as session:
                act(session, 10_000_000 + number * 3 + position)
            found[name].append((time.perf_counter() - start, time.process_time() - used))
    with database.write() as session:
        session.execute(text("DROP TABLE plain_rows"))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        database = open_database(f"sqlite:///{(folder / 'audit.db').absolute()}")
        upgrade(database)
        master = MasterKey.load(folder / "master.key")
        trail = Trail(database, HeadFile(folder / "heads.jsonl"), KeyStore(folder, master))
        measure(database, trail, folder, asked.entries)


def measure(database: Database, trail: Trail, folder: Path, number: int) -> None:
    print(f"fill {number:,} entries, signed heads every {BATCH:,}: {timed(lambda: fill(database, number, trail)):.1f} s")
    with database.write() as session:
        bytes_of = (
            {
                name: session.execute(text("SELECT sum(pgsize) FROM dbstat WHERE name = :n"), {"n": name}).scalar() or 0
                for name in ("audit_entries", "audit_nodes")
            }
            if _has_dbstat(session)
            else {}
        )
    for name, size in bytes_of.items():
        print(f"{name}: {size / number:.0f} bytes an entry")
    print("\none transaction with one entry, ms    median      mean       p95   processor (mean)")
    for name, seconds in appends(database).items():
        ordered = sorted(elapsed for elapsed, _used in seconds)
        cells = statistics.median(ordered), statistics.fmean(ordered), ordered[len(ordered) * 95 // 100]
        used = statistics.fmean(used for _elapsed, used in seconds)
        print(f"{name:<34}" + "".join(f"{cell * 1000:>10.3f}" for cell in (*cells, used)))
    trail.sign()
    print()
    report("verify everything", database, trail, None)
    with database.read() as session:
        begin = head_before(session, size=number * 99 // 100)
    report(f"verify since head {begin.size:,}", database, trail, begin)
    with database.read() as session:
        lookups = range(1, number, max(number // 1000, 1))
        print(
            f"proof of one entry: {timed(lambda: [tree.prove_inclusion(session, n) for n in lookups]) / len(lookups) * 1000:.2f} ms"
        )
        target = folder / "bundle.zip"
        print(f"export: {timed(lambda: write_bundle(session, target)):.1f} s, {target.stat().st_size / 1e6:.0f} MB")
    with zipfile.ZipFile(target) as bundle:
        bundle.extract("verify.py", folder)
    command = [sys.executable, "-I", "-S", str(folder / "verify.py"), str(target)]
    print(f"the bundle's own script: {timed(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL)):.1f} s")


def _has_dbstat(session: Session) -> bool:
    options = session.execute(text("PRAGMA compile_options")).scalars().all()
    return "ENABLE_DBSTAT_VTAB" in options


def report(name: str, database: Database, trail: Trail, since: object) -> None:
    start, used = time.perf_counter(), time.process_time()
    with database.read() as session:
        found = verify(session, head_file=trail.head_file.read(), since=since)  # type: ignore[arg-type]
    assert found.ok, found.findings
    print(f"{name}: {time.perf_counter() - start:.1f} s ({time.process_time() - used:.1f} s processor), {found.heads} heads")


if __name__ == "__main__":
    main()
