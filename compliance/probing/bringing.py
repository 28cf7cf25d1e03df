"""Files that people bring to a target: sealed at once, the one before is replaced."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session

from compliance.documents import sealing
from compliance.probing import files, service
from compliance.probing.models import FILES, REPORTS, FileRow
from compliance.probing.places import problem_of_place
from compliance.probing.schema import BroughtFile
from crypto.secret import MasterKey
from kernel.db import Database
from kernel.errors import LiandunError
from operations import clock
from operations.accounts.schema import Principal
from operations.audit import service as audit
from operations.errors import Invalid
from operations.written import name as one_line

MOST_BYTES = 20 << 20
MOST_NAME = 255
"""Octets of a name: a Chinese letter takes three."""


def bring(session: Session, master: MasterKey, who: Principal, number: int, name: str, content: bytes) -> BroughtFile:
    """Keep a file for a target, which is looked at next. Needs a write transaction. Raises NotFound, Invalid."""
    row = service.find(session, number)
    if row.way not in (*FILES, *REPORTS) or row.place:
        raise Invalid("no file is brought to this target", "add one whose way is a file, without a place", field="file")
    if not 0 < len(content) <= MOST_BYTES:
        raise Invalid(f"a file has 1 to {MOST_BYTES:,} bytes", "put larger ones into [compliance] folder", field="file")
    called = one_line(name, "name", 128)
    if problem_of_place(called) or "/" in called:
        raise Invalid("the name has characters that no file name has", field="name")
    if len(called.encode()) > MOST_NAME:
        raise Invalid(f"the name has at most {MOST_NAME} octets", field="name")
    sealed = sealing.seal(session, master, who.actor, content, f"file for the target {number}")
    old = session.get(FileRow, number)
    if old is not None:
        session.delete(old)
        session.flush()
    made = FileRow(
        target_id=number, name=called, at=clock.now(), brought_by=who.name[:160], sm3=sealed.sm3, size=sealed.size,
        head=sealed.head, package=sealed.package,
    )  # fmt: skip
    session.add(made)
    row.next_at = made.at
    session.flush()
    detail = {"target": number, "name": called, "sm3": made.sm3}
    audit.append(session, who.actor, "probe_target.file", "mlps_system", row.system_id, detail=detail)
    return _told(made)


def file_of(session: Session, number: int) -> BroughtFile | None:
    """What was brought to a target last."""
    row = session.get(FileRow, number)
    return None if row is None else _told(row)


@contextmanager
def brought(database: Database, master: MasterKey, number: int) -> Iterator[files.Found]:
    """The file itself. Raises LiandunError where none was brought."""
    with database.write() as session:
        row = session.get(FileRow, number)
        if row is None:
            raise LiandunError("no file was brought yet", f"./liandun compliance targets bring {number} FILE")
        name, at, content = row.name, row.at, sealing.unseal(session, master, row)
    with files.written(name, content, at) as found:
        yield found


def _told(row: FileRow) -> BroughtFile:
    return BroughtFile(row.name, row.at, row.brought_by, row.sm3, row.size)
