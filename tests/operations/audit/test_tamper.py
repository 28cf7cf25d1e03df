"""What somebody can do who has the database, the head file or both: each is detected, with the first bad position."""

from __future__ import annotations

import base64
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import text

from crypto.sm2 import PrivateKey
from kernel.db import Database, open_database
from operations.accounts.schema import Principal
from operations.audit import service
from operations.audit.entry import COLUMNS
from operations.audit.head_file import HeadFile, parse_lines
from operations.audit.heads import Trail, TrailBroken, statement, stored_heads, stored_keys
from operations.audit.keys import KeyStore, record
from operations.audit.schema import SignedHead, Verification
from operations.audit.verify import head_before, verify
from operations.errors import Denied, Invalid
from tests.operations.audit.conftest import MASTER, replant, tamper, write

Check = Callable[[], Verification]
COLUMN_NAMES = (*(name for name in COLUMNS if name != "id"), "previous", "digest")


@pytest.fixture(autouse=True)
def _signed(database: Database, trail: Trail) -> None:
    """Heads of 12 and 22 entries (two of the set-up stand before ours); 25 entries."""
    for number in (10, 10):
        write(database, number)
        trail.sign()
    write(database, 3)


def test_nothing_was_done(check: Check) -> None:
    assert msgspec.structs.replace(check(), heads=0) == Verification(25)
    assert check().heads == 2


@pytest.mark.parametrize("column", COLUMN_NAMES)
@pytest.mark.parametrize("position", ["first", "last"])
def test_one_flipped_byte_in_any_column(database: Database, check: Check, column: str, position: str) -> None:
    with database.read() as session:
        value = session.execute(text(f"SELECT {column} FROM audit_entries WHERE id = 9")).scalar_one()
    stored = bytearray(str(value).encode() or b"0")
    stored[0 if position == "first" else -1] ^= 0x01
    tamper(database, f"UPDATE audit_entries SET {column} = '{stored.decode()}' WHERE id = 9")
    found = check()
    assert (found.bad_id, found.checked, found.place) == (9, 8, "changed")


def test_a_byte_that_makes_text_unreadable(database: Database, check: Check) -> None:
    if database.dialect != "sqlite":
        pytest.skip("PostgreSQL takes no text that is not UTF-8")
    tamper(database, "UPDATE audit_entries SET actor = CAST(x'65766580' AS TEXT) WHERE id = 9")
    found = check()
    assert (found.bad_id, found.place) == (9, "unreadable")
    assert len(found.findings) == 1  # the rows around it are looked at all the same


def test_a_deleted_row(database: Database, check: Check) -> None:
    tamper(database, "DELETE FROM audit_entries WHERE id = 9")
    assert (check().bad_id, check().reason) == (9, "entry 9 is missing")


def test_a_deleted_row_and_those_after_it_moved_up(database: Database, check: Check) -> None:
    tamper(
        database,
        "DELETE FROM audit_entries WHERE id = 9",
        *(f"UPDATE audit_entries SET id = {n - 1} WHERE id = {n}" for n in range(10, 26)),
    )
    assert (check().bad_id, check().place) == (9, "changed")


def test_two_rows_swapped(database: Database, check: Check) -> None:
    tamper(
        database,
        *(f"UPDATE audit_entries SET id = {new} WHERE id = {old}" for old, new in ((9, 1000), (15, 9), (1000, 15))),
    )
    found = check()
    assert (found.bad_id, found.place) == (9, "changed")
    assert [line.partition(":")[0] for line in found.findings] == ["entry 9", "entry 15"]


def test_the_tail_dropped(database: Database, check: Check) -> None:
    tamper(database, "DELETE FROM audit_entries WHERE id > 20")
    assert (check().bad_id, check().place) == (21, "missing")


def test_the_tail_dropped_and_the_tree_recomputed(database: Database, check: Check) -> None:
    tamper(database, "DELETE FROM audit_entries WHERE id > 20")
    replant(database)
    found = check()
    assert (found.bad_id, found.place) == (21, "rollback")
    assert "22 entries were signed" in found.reason


@pytest.mark.parametrize(("entry", "first"), [(9, 1), (12, 1), (13, 13), (22, 13)])
def test_an_entry_changed_and_the_tree_recomputed_lies_between_two_heads(
    database: Database, check: Check, entry: int, first: int
) -> None:
    tamper(database, f"UPDATE audit_entries SET actor = 'mallory' WHERE id = {entry}")
    replant(database)
    found = check()
    assert (found.bad_id, found.place) == (first, "root")
    assert f"entries {first} to {12 if entry <= 12 else 22} are not what was signed" in found.reason


def test_signed_again_with_another_key(database: Database, check: Check, tmp_path: Path) -> None:
    """Entries, tree, keys and heads in the database made anew by somebody with a key of his own: the head file disagrees."""
    tamper(
        database,
        "UPDATE audit_entries SET actor = 'mallory' WHERE id = 9",
        "DELETE FROM audit_keys",
        "DELETE FROM audit_signed_heads",
    )
    replant(database)
    forged = _forged(database, tmp_path, PrivateKey.generate())
    assert forged
    assert (check().bad_id, check().place) == (1, "key")
    with database.read() as session:  # without the head file the noted key tells it
        assert verify(session).ok
        assert verify(session, key="00" * 16).place == "key"


def test_the_head_file_made_anew_with_another_key(database: Database, check: Check, trail: Trail, tmp_path: Path) -> None:
    trail.head_file.path.unlink()
    mallory = PrivateKey.generate()
    key = record(mallory, mallory, [], 0, "2026-01-01T00:00:00.000000Z")
    trail.head_file.append([key])
    assert (check().bad_id, check().place) == (1, "key")
    with pytest.raises(TrailBroken, match="does not have the keys"):
        trail.sign()


def _forged(database: Database, tmp_path: Path, private: PrivateKey) -> SignedHead | None:
    (tmp_path / "mallory").mkdir()
    forger = Trail(database, HeadFile(tmp_path / "mallory" / "heads.jsonl"), KeyStore(tmp_path / "mallory", MASTER))
    return forger.sign()


def test_one_head_forged(database: Database, check: Check) -> None:
    with database.read() as session:
        [key, *_] = stored_keys(session)
        head = stored_heads(session, key.id)[0]
    other = PrivateKey.generate()
    signature = base64.b64encode(other.sign(statement(head))).decode()
    tamper(database, f"UPDATE audit_signed_heads SET signature = '{signature}' WHERE size = 12")
    assert check().bad_id == 12
    with database.read() as session:
        assert verify(session).place == "signature"


def test_the_head_file_deleted(check: Check, trail: Trail) -> None:
    trail.head_file.path.unlink()
    assert (check().bad_id, check().place) == (1, "file")
    with pytest.raises(TrailBroken):
        trail.sign()


def test_the_head_file_replaced_by_an_older_one(check: Check, trail: Trail) -> None:
    lines = trail.head_file.path.read_bytes().splitlines(keepends=True)
    trail.head_file.path.write_bytes(b"".join(lines[:-1]))
    assert (check().bad_id, check().place) == (22, "file")
    with pytest.raises(TrailBroken, match="22 entries: it was cut"):
        trail.sign()


def test_a_line_of_the_head_file_changed(check: Check, trail: Trail) -> None:
    content = trail.head_file.path.read_bytes()
    trail.head_file.path.write_bytes(content.replace(b'"size":12', b'"size":13'))
    assert (check().bad_id, check().place) == (12, "file")
    trail.head_file.path.write_bytes(content.replace(b'{"type":"head"', b'{"type":"hand"', 1))
    assert check().bad_id == 1
    assert check().place == "file"


def test_a_torn_last_line_is_what_a_kill_leaves_and_is_no_alarm(check: Check, trail: Trail, database: Database) -> None:
    with trail.head_file.path.open("ab") as file:
        file.write(b'{"type":"head","log":"')
    assert check().ok
    assert trail.sign() is not None
    assert check().ok
    assert check().heads == 3


def test_killed_between_head_file_and_database(check: Check, trail: Trail, database: Database) -> None:
    trail.sign()
    tamper(database, "DELETE FROM audit_signed_heads WHERE size = 25")
    assert check().ok
    write(database, 1)
    head = trail.sign()
    assert head is not None
    with database.read() as session:
        assert [head.size for head in stored_heads(session, head.log)] == [12, 22, 25, 26]


def _copied(database: Database, target: Path) -> Path:
    with closing(sqlite3.connect(str(database.engine.url.database))) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)
    return target


def _restored(database: Database, backup: Path) -> Database:
    """The database file exchanged for an older one, as a restore, or a thief of tracks, does."""
    path = Path(str(database.engine.url.database))
    database.close()
    for name in (path.name + "-wal", path.name + "-shm"):
        path.with_name(name).unlink(missing_ok=True)
    shutil.copy(backup, path)
    return open_database(f"sqlite:///{path}")


@pytest.mark.parametrize("more", [0, 5, 30])
def test_the_database_file_rolled_back(database: Database, trail: Trail, tmp_path: Path, more: int) -> None:
    """Also where the rolled-back one has since grown past the heads that were signed."""
    if database.dialect != "sqlite":
        pytest.skip("rolls back a file")
    trail.sign()  # 25
    backup = _copied(database, tmp_path / "backup.db")
    write(database, 5)
    trail.sign()  # 30
    back = _restored(database, backup)
    write(back, more)
    with back.read() as session:
        found = verify(session, head_file=trail.head_file.read())
    if more < 5:
        assert (found.bad_id, found.place) == (26, "rollback")
        assert "30 entries were signed" in found.reason
    else:
        assert (found.bad_id, found.place) == (26, "root")
    with pytest.raises(TrailBroken, match="rolled back" if more < 5 else "not those that were signed"):
        Trail(back, trail.head_file, KeyStore(tmp_path / "secret", MASTER)).sign()


def test_after_a_restore_the_audit_power_can_go_on_and_what_was_lost_stays_known(
    database: Database, trail: Trail, tmp_path: Path, alice: Principal
) -> None:
    if database.dialect != "sqlite":
        pytest.skip("restores a file")
    backup = _copied(database, tmp_path / "backup.db")
    write(database, 5)
    trail.sign()  # 30
    kept = trail.head_file.read().heads
    back = _restored(database, backup)
    again = Trail(back, trail.head_file, KeyStore(tmp_path / "secret", MASTER))
    with pytest.raises(Denied):
        again.restart(msgspec.structs.replace(alice, role="analyst"), "restored")
    with pytest.raises(Invalid):
        again.restart(alice, " ")
    aside = again.restart(alice, "disk failed, restored the backup of this night")
    assert [head.size for head in parse_lines(aside.read_bytes()).heads] == [12, 22, 30]
    with back.read() as session:
        assert verify(session, head_file=trail.head_file.read()).ok
        found = verify(session, head_file=trail.head_file.read(), copies=kept)
        told = service.listing(session, action="audit.restart", result="success").entries[0].detail
    assert (found.bad_id, found.place) == (28, "rollback")
    assert (told["entries"], told["signed"]) == (26, 30)


def test_a_restart_does_not_bless_entries_that_were_changed(database: Database, trail: Trail, alice: Principal) -> None:
    tamper(database, "UPDATE audit_entries SET actor = 'mallory' WHERE id = 9")
    replant(database)
    with pytest.raises(TrailBroken, match="not those that were signed"):
        trail.restart(alice, "nothing to see here")


def test_database_and_head_file_rolled_back_together_are_told_by_a_copy(database: Database, trail: Trail, tmp_path: Path) -> None:
    if database.dialect != "sqlite":
        pytest.skip("rolls back a file")
    backup, heads = _copied(database, tmp_path / "backup.db"), trail.head_file.path.read_bytes()
    trail.sign()
    kept = trail.head_file.read().heads
    back = _restored(database, backup)
    trail.head_file.path.write_bytes(heads)
    tamper(back, "DELETE FROM audit_entries WHERE id > 22")
    replant(back)
    with back.read() as session:
        assert verify(session, head_file=trail.head_file.read()).ok
        found = verify(session, head_file=trail.head_file.read(), copies=kept)
    assert (found.bad_id, found.place) == (23, "rollback")


_ROOT_PAGE = "SELECT rootpage FROM sqlite_master WHERE name = 'audit_entries'"


def test_a_damaged_database_page_is_named_not_raised(database: Database, trail: Trail) -> None:
    if database.dialect != "sqlite":
        pytest.skip("damages a file")
    write(database, 3000)
    path = Path(str(database.engine.url.database))
    database.close()
    with closing(sqlite3.connect(path)) as plain:
        plain.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size, root = (plain.execute(query).fetchone()[0] for query in ("PRAGMA page_size", _ROOT_PAGE))
    # An interior page of a table (type 5): 12 bytes of header, then pointers to cells; each begins with the number of a leaf page.
    interior = path.read_bytes()[(root - 1) * size : root * size]
    assert interior[0] == 5
    cell = int.from_bytes(interior[12 + 2 * 20 : 14 + 2 * 20])
    page = int.from_bytes(interior[cell : cell + 4])
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    with open_database(f"sqlite:///{path}").read() as session:
        found = verify(session, head_file=trail.head_file.read())
    assert found.bad_id > 25
    assert found.place == "unreadable"


def test_since_a_head(database: Database, trail: Trail, check: Check) -> None:
    with database.read() as session:
        begin = head_before(session, size=21)
        assert begin.size == 12
        assert head_before(session, moment="9999-01-01T00:00:00.000000Z").size == 22
        found = verify(session, head_file=trail.head_file.read(), since=begin)
    assert (found.ok, found.checked, found.since, found.heads) == (True, 25, 12, 1)
    tamper(
        database,
        "UPDATE audit_entries SET actor = 'mallory' WHERE id = 20",
        "UPDATE audit_entries SET actor = 'mallory' WHERE id = 5",
    )
    with database.read() as session:
        assert verify(session, head_file=trail.head_file.read(), since=begin).bad_id == 20
    replant(database)
    with database.read() as session:
        found = verify(session, head_file=trail.head_file.read(), since=begin)
    assert (found.bad_id, found.place) == (1, "root")
