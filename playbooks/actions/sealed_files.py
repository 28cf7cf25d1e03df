"""Files that are sealed as evidence of an incident, to be looked through: each piece is opened, and its custody record says so.

Of the evidence of a host (``host_archive``) each part is a file of its own; every other piece is one file.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator, Sequence

import msgspec

from crypto.secret import MasterKey
from kernel.db import Database
from operations.accounts.schema import Principal
from operations.errors import Conflict, NotFound
from operations.incidents import evidence
from operations.incidents.schema import EvidenceRecord
from playbooks.actions.contract import Context
from playbooks.actions.host_archive import FORMAT
from playbooks.actions.host_files import FoundFile

MOST_OF_ALL = 64 * 1024 * 1024
_MANIFEST = "manifest.json"


def sealed_files(
    database: Database, key: MasterKey, who: Principal, incident: int, numbers: Sequence[int], reason: str, context: Context
) -> list[FoundFile]:
    """The files of the pieces with these numbers, or of all pieces of the incident where there are none.

    Raises what the services raise (NotFound where a number is no piece of this incident), StoreError, and ActionError where there
    is no time left.
    """
    with database.read() as session:
        known, _hidden = evidence.list_evidence(session, incident)
    by_number = {one.id: one for one in known}
    if lacking := [number for number in numbers if number not in by_number]:
        raise NotFound(f"incident {incident} has no evidence {lacking[0]}")
    found: list[FoundFile] = []
    left = MOST_OF_ALL
    for record in [by_number[number] for number in numbers] or known:
        context.left()
        if record.size > left:
            problem = f"it is larger than what is left of {MOST_OF_ALL:,} octets for all evidence"
            found.append(FoundFile(_name(record), None, problem))
            continue
        left -= record.size
        found += _opened(database, key, who, incident, record, reason)
    return found


def _opened(
    database: Database, key: MasterKey, who: Principal, incident: int, record: EvidenceRecord, reason: str
) -> list[FoundFile]:
    """One piece, in a transaction of its own: others may write between two pieces."""
    try:
        with database.write() as session:
            _record, payload = evidence.open_payload(session, key, who.actor, incident, record.id, reason)
    except Conflict as error:
        return [FoundFile(_name(record), None, error.message)]
    parts = [FoundFile(f"{_name(record)}: {name}", octets) for name, octets in _parts(payload)]
    return parts or [FoundFile(_name(record), payload)]


def _name(record: EvidenceRecord) -> str:
    return f"evidence {record.id} {record.name}"


def _parts(payload: bytes) -> list[tuple[str, bytes]]:
    """The parts of the evidence of a host; none where this is no such archive."""
    try:
        with tarfile.open(fileobj=io.BytesIO(payload), mode="r:") as tar:
            return list(_members(tar, len(payload)))
    except (tarfile.TarError, EOFError, OverflowError, ValueError):
        return []  # people seal whatever they want, also what looks like an archive


def _members(tar: tarfile.TarFile, most: int) -> Iterator[tuple[str, bytes]]:
    first = tar.next()
    if first is None or first.name != _MANIFEST or not _is_ours(_content(tar, first, most)):
        return
    while (one := tar.next()) is not None:
        if one.isreg():
            yield one.name, _content(tar, one, most)


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo, most: int) -> bytes:
    """Raises ValueError for what says to be more than it is: a file with holes."""
    opened = tar.extractfile(member)
    if opened is None or member.issparse() or member.size > most:
        raise ValueError(member.name)
    return opened.read()


def _is_ours(manifest: bytes) -> bool:
    try:
        told = msgspec.json.decode(manifest)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return isinstance(told, dict) and told.get("format") == FORMAT
