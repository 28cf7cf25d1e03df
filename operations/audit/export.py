"""The trail as a bundle that verifies offline: a zip with the entries, heads, keys, proofs and a verifier that needs only Python.

entries.jsonl  canonical entries, one a line: the bytes that the leaves commit to       leaves.txt   their leaf hashes, hex
start.json     size and peaks of the tree before the first entry here                   keys.jsonl   public keys, endorsed
heads.jsonl    signed heads                proofs.jsonl   that heads from before the first entry are continued by the last head
head.txt, head.sig, key.pem   the last head as bytes, its signature (DER) and key, for other programs such as openssl
"""

from __future__ import annotations

import base64
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
from sqlalchemy.orm import Session

from crypto.merkle import Frontier, Lookup, consistency_proof
from operations.audit import tree
from operations.audit.entry import COLUMNS, canonical, to_bytes
from operations.audit.heads import log_id, statement, stored_heads, stored_keys
from operations.audit.schema import SignedHead
from operations.audit.walk import Progress, entries
from operations.errors import Invalid

PROGRAM_FOLDER = Path(__file__).parent / "bundle"
STATIC = ("verify.py", "README.md", "README.zh-CN.md")


def write_bundle(
    session: Session, target: Path, *, since: SignedHead | None = None, progress: Progress = lambda _done, _total: None
) -> int:
    """Write all entries that the last signed head covers (after ``since``, if given) to the zip ``target``; returns how many.

    Raises Invalid where no head was signed yet, NotFound where the tree is damaged, and OSError.
    """
    keys = stored_keys(session)
    heads = stored_heads(session, log_id(keys))
    if not heads:
        raise Invalid("no head has been signed yet", "start the platform, or run ./liandun audit heads --sign")
    now, last = tree.state(session), heads[-1]
    start = max(since.size if since else 0, now.purged)
    lookup = tree.node_lookup(session)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as bundle:
        for name in STATIC:
            bundle.write(PROGRAM_FOLDER / name, name)
        peaks = [peak.hex() for peak in Frontier.of(start, lookup).peaks]
        bundle.writestr("start.json", msgspec.json.encode({"size": start, "peaks": peaks}))
        bundle.writestr("keys.jsonl", _lines(keys))
        bundle.writestr("heads.jsonl", _lines(heads))
        earlier = [head.size for head in heads if head.size <= start]
        bundle.writestr("proofs.jsonl", _lines(_proof(size, last.size, lookup) for size in earlier))
        bundle.writestr("head.txt", statement(last))
        bundle.writestr("head.sig", base64.b64decode(last.signature))
        bundle.writestr("key.pem", next((key.public for key in keys if key.id == last.key_id), ""))
        return _write_entries(session, bundle, start, last.size, progress)


def _write_entries(session: Session, bundle: zipfile.ZipFile, start: int, end: int, progress: Progress) -> int:
    """The entries, and what the tree holds of their leaves (which tells an entry that was changed by its number)."""
    number = 0
    with bundle.open("entries.jsonl", "w", force_zip64=True) as file:
        for number, line in enumerate(_entry_lines(session, start, end), 1):
            file.write(line + b"\n")
            progress(number, end - start)
    with bundle.open("leaves.txt", "w", force_zip64=True) as file:
        for leaf in tree.leaves(session, start, end):
            file.write(leaf.hex().encode() + b"\n")
    return number


def _entry_lines(session: Session, start: int, end: int) -> Iterator[bytes]:
    for read in entries(session, start):
        if read.id > end:
            return
        if read.fields is not None:
            yield to_bytes(canonical({name: read.fields[name] for name in COLUMNS}))


def _proof(first: int, second: int, lookup: Lookup) -> dict[str, object]:
    return {"first": first, "second": second, "path": [step.hex() for step in consistency_proof(first, second, lookup)]}


def _lines(records: Iterable[object]) -> bytes:
    return b"".join(msgspec.json.encode(record) + b"\n" for record in records)
