"""Signed tree heads: at an interval, at shutdown and before every export, if the trail has grown since the last one.

A head is signed over these lines (SM2 with SM3, GB/T 32918.2, default identifier, DER):

    liandun audit head v1 \\n log id \\n size \\n root, hex \\n time \\n key id \\n

Order of a signature: the head file first (fsynced), then the database; what a kill left undone is done at the next turn. Nothing is
signed that does not continue the last head of the file: a database that was rolled back, or whose entries were changed together
with the tree, is told at the next interval, and by whoever verifies.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path

import msgspec
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from crypto.sm2 import PrivateKey
from kernel.db import Database
from kernel.errors import LiandunError
from operations import clock
from operations.accounts.schema import Principal
from operations.audit import service, tree
from operations.audit.copies import note_copy
from operations.audit.head_file import HeadFile, Lines
from operations.audit.keys import Keyring, KeyStore, record
from operations.audit.models import AuditKey, AuditSignedHead
from operations.audit.schema import PERMISSION, Actor, PublicKeyRecord, SignedHead, TreeState
from operations.errors import Denied, Invalid, NotFound


class TrailBroken(LiandunError):
    """The database or the head file is not what was signed; nothing is signed until somebody has looked."""


def statement(head: SignedHead) -> bytes:
    """What the signature of a head is over."""
    parts = ("liandun audit head v1", head.log, head.size, head.root, head.time, head.key_id)
    return "".join(f"{part}\n" for part in parts).encode()


def stored_keys(session: Session) -> list[PublicKeyRecord]:
    """The public keys in the database, in their order."""
    rows = session.execute(select(AuditKey).order_by(AuditKey.number)).scalars()
    return [
        PublicKeyRecord(row.number, row.id, row.public, row.time, row.from_size, row.endorsed_by, row.endorsement) for row in rows
    ]


def stored_heads(session: Session, log: str, *, newest: int | None = None, size: int | None = None) -> list[SignedHead]:
    """The heads in the database by size; only the ``newest`` ones, or that of ``size`` entries, if given."""
    query = select(AuditSignedHead).order_by(AuditSignedHead.size.desc()).limit(newest)
    if size is not None:
        query = query.where(AuditSignedHead.size == size)
    rows = reversed(list(session.execute(query).scalars()))
    return [SignedHead(log, row.size, row.root, row.time, row.key_id, row.signature) for row in rows]


def log_id(keys: Sequence[PublicKeyRecord]) -> str:
    """The id of the trail: that of its first key."""
    return keys[0].id if keys else ""


class Trail:
    """Signs heads of the trail in ``database``. One for each process; processes queue at the head file."""

    def __init__(self, database: Database, head_file: HeadFile, keys: KeyStore) -> None:
        self._database = database
        self._keys = keys
        self.head_file = head_file

    def sign(self) -> SignedHead | None:
        """Sign the present tree; None where nothing has been added since the last head. Makes the first key if there is none.

        Raises TrailBroken, KeyProblem, OSError (the head file cannot be written) and what the database raises.
        """
        with self.head_file.locked():
            lines, keyring, now = self._reconciled()
            if not keyring.history:
                keyring = self._first_key()
            last = lines.heads[-1].size if lines.heads else 0
            if now.size <= last:
                return None
            return self._sign(keyring, now)

    def rotate(self, actor: Actor) -> PublicKeyRecord:
        """Replace the signing key: a last head with the old one, the new one endorsed by it, the old one erased. Audited."""
        self.sign()
        with self.head_file.locked():
            lines, keyring, _now = self._reconciled()
            old, new = self._keys.load(keyring.history[-1].id), PrivateKey.generate()
            replaced, name = keyring.history[-1].id, self._keys.save(new)
            with self._database.write() as session:
                service.append(session, actor, "audit.rotate_key", "audit", name, detail={"replaced": replaced})
            # The new key begins where the old one has signed last: what came since, this act included, is its to sign.
            made = record(new, old, keyring.history, lines.heads[-1].size, clock.now())
            self.head_file.append([made])
            with self._database.write() as session:
                _keep(session, [made], [])
            self._keys.erase(replaced)
        self.sign()
        return made

    def restart(self, who: Principal, reason: str) -> Path:
        """Go on after the database was brought back from a backup: the head file is put aside, and one that begins with what the
        database has takes its place. Returns where the old one lies; copies on other machines go on telling what was lost.

        Raises Denied (without the audit power), Invalid (no reason), TrailBroken (the database does not give its own last head).
        """
        if not who.may(PERMISSION):
            with self._database.write() as session:
                service.append(session, who.actor, "audit.restart", "audit", result="denied")
            raise Denied(f"this needs the permission {PERMISSION}", "ask an audit administrator")
        if not reason.strip():
            raise Invalid("say why the head file is replaced", field="reason")
        with self.head_file.locked():
            lines = self.head_file.read()
            with self._database.read() as session:
                keys = stored_keys(session)
                heads, now = stored_heads(session, log_id(keys)), tree.state(session)
                if heads:
                    self._check_last(session, Keyring(keys), heads[-1], now)
            aside = self.head_file.path.with_name(f"heads-replaced-{clock.now().replace(':', '')}.jsonl")
            signed = lines.heads[-1].size if lines.heads else 0
            told = {"reason": reason[:500], "entries": now.size, "signed": signed, "file": aside.name}
            with self._database.write() as session:
                service.append(session, who.actor, "audit.restart", "audit", detail=told)
            if lines.found:
                self.head_file.path.rename(aside)
            self.head_file.append([*keys, *heads])
        self.sign()
        return aside

    def _first_key(self) -> Keyring:
        private = PrivateKey.generate()
        self._keys.save(private)
        made = record(private, private, [], 0, clock.now())
        self.head_file.append([made])
        with self._database.write() as session:
            _keep(session, [made], [])
        return Keyring([made])

    def _sign(self, keyring: Keyring, now: TreeState) -> SignedHead:
        key = keyring.signer_of(now.size)
        unsigned = SignedHead(keyring.log, now.size, now.root, clock.now(), key, "")
        signature = base64.b64encode(self._keys.load(key).sign(statement(unsigned))).decode()
        head = msgspec.structs.replace(unsigned, signature=signature)
        self.head_file.append([head])
        with self._database.write() as session:
            _keep(session, [], [head])
            note_copy(session, "file", head.size)
        return head

    def _reconciled(self) -> tuple[Lines, Keyring, TreeState]:
        """File and database as they belong together; what a kill kept from the database is brought into it."""
        lines = self.head_file.read()
        with self._database.read() as session:
            keys = stored_keys(session)
            newest = stored_heads(session, log_id(keys), newest=1)
            now = tree.state(session)
            if lines.unreadable:
                raise TrailBroken(f"{self.head_file.path}: line {lines.unreadable[0]} is no head", _LOOK)
            if lines.keys[: len(keys)] != keys:
                raise TrailBroken(f"{self.head_file.path} does not have the keys that the database has", _LOOK)
            if newest and newest[0] not in lines.heads:
                raise TrailBroken(f"{self.head_file.path} does not have the head of {newest[0].size} entries: it was cut", _LOOK)
            keyring = Keyring(lines.keys)
            if lines.heads:
                self._check_last(session, keyring, lines.heads[-1], now)
        self._catch_up(lines, len(keys), newest[0].size if newest else 0)
        return lines, keyring, now

    def _check_last(self, session: Session, keyring: Keyring, last: SignedHead, now: TreeState) -> None:
        if not keyring.signed(last.key_id, statement(last), last.signature):
            raise TrailBroken(f"{self.head_file.path}: the last head was not signed by our key", _LOOK)
        if last.size > now.size:
            raise TrailBroken(
                f"the trail ends at entry {now.size}, but {last.size} entries were signed at {last.time}: "
                "the database was rolled back or its end was cut",
                _LOOK,
            )
        try:
            root = tree.root_at(session, last.size).hex()
        except NotFound as error:
            raise TrailBroken(error.message, _LOOK) from error
        if root != last.root:
            raise TrailBroken(f"the first {last.size} entries are not those that were signed at {last.time}", _LOOK)

    def _catch_up(self, lines: Lines, keys: int, size: int) -> None:
        missing = [head for head in lines.heads if head.size > size]
        if len(lines.keys) > keys or missing:
            with self._database.write() as session:
                _keep(session, lines.keys[keys:], missing)


_LOOK = "run ./liandun audit verify, see docs/audit-log.md"


def _keep(session: Session, keys: Sequence[PublicKeyRecord], heads: Sequence[SignedHead]) -> None:
    if keys:
        session.connection().execute(insert(AuditKey), [msgspec.structs.asdict(key) for key in keys])
    if heads:
        names = ("size", "root", "time", "key_id", "signature")
        session.connection().execute(insert(AuditSignedHead), [{name: getattr(head, name) for name in names} for head in heads])
